import { readFile } from 'node:fs/promises'
import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import { readCommands } from '../../src/core/command/read-commands.ts'
import { caseFile } from './case-files.ts'
import type { Suite } from './suite.ts'

const Case = z.looseObject({ body: z.string(), commands: z.array(z.tuple([z.string(), z.string()])) })
const File = z.looseObject({ schema: z.literal('command-cases/1'), cases: z.array(z.unknown()).min(1) })

/** One case per element; the id is its place in the file. A case that cannot be read has failed. */
export const commandsSuite: Suite = {
  files: [caseFile('commands.json')],
  async run(file) {
    const { cases } = File.parse(JSON.parse(await readFile(file, 'utf8')))
    const failed = cases.flatMap((row, index) => {
      const why = whyWrong(row)
      return why === undefined ? [] : [{ id: `case ${index + 1}`, why }]
    })
    return { passed: cases.length - failed.length, failed }
  },
}

function whyWrong(row: unknown): string | undefined {
  const parsed = Case.safeParse(row)
  if (!parsed.success) return `not a case: ${z.prettifyError(parsed.error)}`
  const { body, commands: expected } = parsed.data
  const read = readCommands(body)
  if (!read.ok) return `refused: ${read.problems.map((problem) => problem.message).join('; ')}`
  const found = read.value.map(({ name, args }) => [name, args])
  if (isDeepStrictEqual(found, expected)) return undefined
  return `${JSON.stringify(body)}: expected ${JSON.stringify(expected)}, found ${JSON.stringify(found)}`
}
