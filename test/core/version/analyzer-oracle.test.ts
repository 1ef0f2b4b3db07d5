import { describe, expect, it } from '@jest/globals'
import { analyzeCommits } from '@semantic-release/commit-analyzer'
import angular from 'conventional-changelog-angular'
import conventionalCommits from 'conventional-changelog-conventionalcommits'
import fc from 'fast-check'
import { decideBump } from '../../../src/core/version/decide.ts'
import type { BumpRule, Commit } from '../../../src/core/version/schema.ts'
import { awkwardRange } from './awkward.ts'

const quiet = { log: () => undefined }
const parsers = { angular: angular().parser, conventionalcommits: conventionalCommits().parser }
type Analyzer = keyof typeof parsers

/** What the real tool answers; null where it crashes (on a note before a lone `--`, for one), so that there is no answer. */
async function oracle(
  preset: Analyzer,
  rules: readonly BumpRule[],
  commits: readonly Commit[],
): Promise<string | null> {
  const releaseRules = rules.map(({ bump, ...rule }) => ({ ...rule, release: bump === 'none' ? false : bump }))
  const options = { parserOpts: parsers[preset], ...(rules.length > 0 ? { releaseRules } : {}) }
  const given = commits.map(({ sha, message }) => ({ hash: sha, message }))
  try {
    return (await analyzeCommits(options, { cwd: '.', commits: given, logger: quiet })) ?? 'none'
  } catch (error) {
    if (error instanceof TypeError) return null
    throw error
  }
}

function own(preset: Analyzer, rules: readonly BumpRule[], commits: readonly Commit[]): string {
  const decided = decideBump({ preset, rules: [...rules] }, '1.2.3', commits)
  return decided.ok ? decided.value.bump : decided.problems.map(({ message }) => message).join()
}

const teamRules: readonly BumpRule[] = [
  { type: 'docs', scope: 'x', bump: 'patch' },
  { type: 'chore', bump: 'patch' },
  { type: 'f*', scope: '*', bump: 'minor' },
  { type: '{perf,deps}', bump: 'none' },
  { type: 'p?rf', scope: 'x*', bump: 'major' },
  { type: 'fix', bump: 'none' },
  { type: 'wip', scope: 'a', bump: 'minor' },
]

describe.each<Analyzer>(['angular', 'conventionalcommits'])('the preset %s', (preset) => {
  it.each([
    ['its own rules', [], 20_261],
    ['the rules of a team', teamRules, 4_711],
  ] as const)('decides awkward ranges as the tool does with %s', async (_, rules, seed) => {
    const differing: unknown[] = []
    const answers = new Map<string, number>()
    for (const commits of fc.sample(awkwardRange, { seed, numRuns: 1500 })) {
      const expected = await oracle(preset, rules, commits)
      if (expected === null) continue
      answers.set(expected, (answers.get(expected) ?? 0) + 1)
      const found = own(preset, rules, commits)
      if (found !== expected) differing.push({ commits, expected, found })
    }
    expect(differing.slice(0, 3)).toEqual([])
    expect(Math.min(...['none', 'patch', 'minor', 'major'].map((level) => answers.get(level) ?? 0))).toBeGreaterThan(25)
  })
})
