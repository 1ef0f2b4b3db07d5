import { messageOf } from './commit-message.ts'
import { analyzerJudge } from './judge-analyzer.ts'
import { pleaseJudge } from './judge-release-please.ts'
import { ringmasterJudge } from './judge-ringmaster.ts'
import type { Level } from './level.ts'
import type { Counting } from './next-version.ts'
import type { Commit, PresetName } from './schema.ts'
import type { Judge } from './verdict.ts'

/** All that tells one preset from another. */
export interface Preset {
  readonly judge: Judge
  /** Does beforehand what judging a commit needs and the others do not matter for; judging without it costs the same. */
  readonly prepare?: (commit: Commit) => void
  /** What each type asks for; types that are absent ask for nothing. */
  readonly types: ReadonlyMap<string, Level>
  /** Which of a team's rules wins: see `rules.ts`. */
  readonly foldsCase: boolean
  /** Below 1.0.0. */
  readonly preMajor: { readonly breaking: 'minor' | 'major'; readonly feature: 'patch' | 'minor' }
  readonly firstVersion: string
  readonly counting: Counting
  /** How a `Release-As` text becomes a version: the whole text, or the first that looks like one. Null: no such footer. */
  readonly releaseAs: 'whole' | 'anywhere' | null
  /**
   * Whether commits that alone release nothing (breaking ones and features whose type is not shown) still raise the
   * level once another commit makes a release.
   */
  readonly sleepersCount: boolean
}

const semver = { breaking: 'major', feature: 'minor' } as const

const analyzer = {
  foldsCase: false,
  preMajor: semver,
  firstVersion: '1.0.0',
  counting: 'semver',
  releaseAs: null,
  sleepersCount: false,
  types: new Map<string, Level>([
    ['feat', 'minor'],
    ['fix', 'patch'],
    ['perf', 'patch'],
    ['FEAT', 'minor'],
    ['FIX', 'patch'],
  ]),
} as const

/** Promises, for the three named after tools, what those tools decide; their versions stand in docs/versions.md. */
export const presets: Readonly<Record<PresetName, Preset>> = {
  ringmaster: {
    judge: ringmasterJudge,
    prepare: messageOf,
    types: new Map<string, Level>([
      ['feat', 'minor'],
      ['feature', 'minor'],
      ['fix', 'patch'],
      ['perf', 'patch'],
      ['revert', 'patch'],
      ['security', 'patch'],
      ['deps', 'patch'],
    ]),
    foldsCase: true,
    preMajor: { breaking: 'minor', feature: 'minor' },
    firstVersion: '0.1.0',
    counting: 'semver',
    releaseAs: 'whole',
    sleepersCount: false,
  },
  angular: {
    ...analyzer,
    judge: analyzerJudge({
      bang: false,
      note: /^[\s|*]*BREAKING CHANGE[:\s]/i,
      revertedHash: (word) => (word.length >= 7 && word.length <= 40 ? word : null),
    }),
  },
  conventionalcommits: {
    ...analyzer,
    judge: analyzerJudge({
      bang: true,
      note: /^[\s|*]*BREAKING[ -]CHANGE[:\s]/i,
      revertedHash: (word, next) => (next === '.' ? word : null),
    }),
  },
  'release-please': {
    judge: pleaseJudge,
    types: new Map<string, Level>([
      ['feat', 'minor'],
      ['fix', 'patch'],
      ['perf', 'patch'],
      ['revert', 'patch'],
    ]),
    foldsCase: false,
    preMajor: semver,
    firstVersion: '1.0.0',
    counting: 'keep-prerelease',
    releaseAs: 'anywhere',
    sleepersCount: true,
  },
}
