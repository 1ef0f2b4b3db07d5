import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { unwrap } from '../../src/core/problem.ts'
import { type BumpDecision, decideBump } from '../../src/core/version/decide.ts'
import { BumpConfig, Commit } from '../../src/core/version/schema.ts'
import { stepBetween } from '../../src/core/version/step.ts'
import { parseVersion } from '../../src/core/version/version.ts'
import { caseFile } from './case-files.ts'
import type { Suite, SuiteResult } from './suite.ts'

const BumpCase = z.strictObject({
  id: z.string(),
  config: BumpConfig,
  from: z.string().nullable(),
  commits: z.array(Commit),
  expect: z.strictObject({ bump: z.enum(['none', 'patch', 'minor', 'major', 'exact']), to: z.string().nullable() }),
  source: z.looseObject({ fromTag: z.string().optional(), toTag: z.string().optional() }).optional(),
})
type BumpCase = z.infer<typeof BumpCase>

type Failure = SuiteResult['failed'][number]

/** Version bumps: each line of a file is one case. */
export const bumpSuite = {
  files: ['bump-messages.ndjson', 'bump-verdicts.ndjson', 'bump-history.ndjson'].map(caseFile),
  async run(file) {
    const text = await readFile(file, 'utf8')
    const lines = text.split('\n').flatMap((line, index) => (line.trim() === '' ? [] : [{ line, number: index + 1 }]))
    const failed = lines.flatMap(({ line, number }) => failureOf(line, number) ?? [])
    return { passed: lines.length - failed.length, failed }
  },
} satisfies Suite

function failureOf(line: string, number: number): Failure | null {
  let json: unknown
  try {
    json = JSON.parse(line)
  } catch (error) {
    return { id: `line ${number}`, why: `cannot be read: ${error instanceof Error ? error.message : String(error)}` }
  }
  const parsed = BumpCase.safeParse(json)
  if (parsed.success) return mismatchOf(parsed.data)
  const id = z.object({ id: z.string() }).safeParse(json).data?.id ?? `line ${number}`
  return { id, why: `cannot be read: ${z.prettifyError(parsed.error).replaceAll('\n', ' ')}` }
}

function mismatchOf(bumpCase: BumpCase): Failure | null {
  const { id, config, from, commits, expect } = bumpCase
  const decided = decideBump(config, from, commits)
  if (!decided.ok) return { id, why: `refused: ${decided.problems.map(({ message }) => message).join('; ')}` }
  const { bump, to } = decided.value
  if (to === expect.to && (bump === expect.bump || isStepAsTagged(bumpCase, decided.value))) return null
  return { id, why: `expected ${expect.bump} to ${expect.to ?? 'nothing'}, decided ${bump} to ${to ?? 'nothing'}` }
}

/**
 * A row of history (it names the tag that came) tells what was tagged: how large the step was, not who asked for it.
 * There a version asked for by a footer is measured by its step.
 */
function isStepAsTagged({ from, expect, source }: BumpCase, { bump, to }: BumpDecision): boolean {
  if (source?.toTag === undefined || bump !== 'exact' || from === null || to === null) return false
  return stepBetween(unwrap(parseVersion('semver', from)), unwrap(parseVersion('semver', to))) === expect.bump
}
