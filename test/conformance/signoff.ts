import { readFile } from 'node:fs/promises'
import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import { decideSignoff } from '../../src/core/signoff/decide.ts'
import { Review, SignoffGiven } from '../../src/core/signoff/schema.ts'
import { caseFile } from './case-files.ts'
import type { Suite } from './suite.ts'

/** Cases key digests by commit; the decision takes entries. */
const Filled = SignoffGiven.extend({
  proposal: SignoffGiven.shape.proposal.extend({
    editors: z.array(z.string()).default([]),
    contentDigests: z
      .record(z.string(), z.string())
      .transform((digests) => Object.entries(digests))
      .optional(),
  }),
  reviews: z.array(Review.extend({ commit: z.string().default(''), at: z.string().default('') })),
})

/** Cases may write null for what is not there; a user that is null is an account that is gone. */
const Given = z.preprocess(withoutNulls, Filled)

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls)
  if (typeof value !== 'object' || value === null) return value
  const kept = Object.entries(value).filter(([name, member]) => member !== null || name === 'user')
  return Object.fromEntries(kept.map(([name, member]) => [name, withoutNulls(member)]))
}

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
