import { readFile } from 'node:fs/promises'
import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import { decideSignoff } from '../../src/core/signoff/decide.ts'
import { SignoffGiven } from '../../src/core/signoff/schema.ts'
import { caseFile } from './case-files.ts'
import type { Suite } from './suite.ts'

/** Cases key digests by commit; the decision takes entries. */
const Given = SignoffGiven.extend({
  proposal: SignoffGiven.shape.proposal.extend({
    contentDigests: z
      .record(z.string(), z.string())
      .transform((digests) => Object.entries(digests))
      .optional(),
  }),
})

const Case = z.looseObject({
  given: Given,
  expect: z.object({
    status: z.enum(['blocked', 'vetoed', 'pending', 'approved']),
    filled: z.record(z.string(), z.int()).nullable(),
  }),
})
const Identified = z.looseObject({ id: z.string() })
const File = z.looseObject({ schema: z.literal('signoff-cases/1'), cases: z.array(z.unknown()).min(1) })

/** One case per element. A case that cannot be read has failed. */
export const signoffSuite: Suite = {
  files: [caseFile('signoff.json')],
  async run(file) {
    const { cases } = File.parse(JSON.parse(await readFile(file, 'utf8')))
    const failed = cases.flatMap((row, index) => {
      const why = whyWrong(row)
      const named = Identified.safeParse(row)
      return why === undefined ? [] : [{ id: named.success ? named.data.id : `case ${index + 1}`, why }]
    })
    return { passed: cases.length - failed.length, failed }
  },
}

function whyWrong(row: unknown): string | undefined {
  const parsed = Case.safeParse(row)
  if (!parsed.success) return `not a case: ${z.prettifyError(parsed.error)}`
  const { given, expect } = parsed.data
  const { status, filled } = decideSignoff(given)
  if (status !== expect.status) return `expected ${expect.status}, found ${status}`
  if (expect.filled === null || isDeepStrictEqual(filled, new Map(Object.entries(expect.filled)))) return undefined
  return `expected seats ${JSON.stringify(expect.filled)}, found ${JSON.stringify(Object.fromEntries(filled))}`
}
