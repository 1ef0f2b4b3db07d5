import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { unwrap } from '../../src/core/problem.ts'
import { type BumpDecision, decideBump } from '../../src/core/version/decide.ts'
import { BumpConfig, Commit } from '../../src/core/version/schema.ts'
import { stepBetween } from '../../src/core/version/step.ts'
import { parseVersion } from '../../src/core/version/version.ts'
import { caseFile } from './case-files.ts'
import type { Suite, SuiteResult } from './suite.ts'

/** What a case is decided by is strict; remarks beside it are of no matter. */
const BumpCase = z.object({
  id: z.string(),
  config: BumpConfig,
  from: z.string().nullable(),
  commits: z.array(Commit),
  expect: z.object({ bump: z.enum(['none', 'patch', 'minor', 'major', 'exact']), to: z.string().nullable() }),
  source: z.union([z.string(), z.looseObject({ toTag: z.string().optional() })]).nullish(),
})
type BumpCase = z.infer<typeof BumpCase>

/** A line that tells about the file, and is no case. */
const About = z.looseObject({ about: z.json(), id: z.never().optional(), commits: z.never().optional() })

type Failure = SuiteResult['failed'][number]

/** Version bumps: each line of a file is one case, or tells about the file. */
export const bumpSuite = {
  files: ['bump-messages.ndjson', 'bump-verdicts.ndjson', 'bump-history.ndjson'].map(caseFile),
  async run(file) {
    const text = await readFile(file, 'utf8')
    const lines = text.split('\n').flatMap((line, index) => (line.trim() === '' ? [] : [{ line, number: index + 1 }]))
    const results = lines.map(({ line, number }) => resultOf(line, number)).filter((result) => result !== 'no-case')
    const failed = results.filter((result) => result !== 'passed')
    return { passed: results.length - failed.length, failed }
  },
} satisfies Suite

function resultOf(line: string, number: number): 'passed' | 'no-case' | Failure {
  let json: unknown
  try {
    json = JSON.parse(line)
  } catch (error) {
    return { id: `line ${number}`, why: `cannot be read: ${error instanceof Error ? error.message : String(error)}` }
  }
  const parsed = BumpCase.safeParse(json)
  if (parsed.success) return mismatchOf(parsed.data) ?? 'passed'
  if (About.safeParse(json).success) return 'no-case'
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
  const isHistory = typeof source === 'object' && source?.toTag !== undefined
  if (!isHistory || bump !== 'exact' || from === null || to === null) return false
  return stepBetween(unwrap(parseVersion('semver', from)), unwrap(parseVersion('semver', to))) === expect.bump
}
