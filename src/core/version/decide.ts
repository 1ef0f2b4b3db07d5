import { accepted, type Checked, type Problem, rejected } from '../problem.ts'
import { higherOf, type Level } from './level.ts'
import { raised } from './next-version.ts'
import { type Preset, presets } from './presets.ts'
import { requestOf } from './release-as.ts'
import { parseRules } from './rules.ts'
import type { BumpConfig, Commit, PresetName } from './schema.ts'
import type { Judge, JudgeOptions, Verdict, Warning } from './verdict.ts'
import { parseVersion, type Version } from './version.ts'

/** What comes after a version, and every reason for it. */
export interface BumpDecision {
  readonly preset: PresetName
  readonly from: string | null
  /** `exact`: a footer asked for the version. */
  readonly bump: Level | 'exact'
  /** Null where nothing is to be released. */
  readonly to: string | null
  /** What the commits ask for before the policy below 1.0.0 and before any `Release-As`. */
  readonly level: Level
  /** What turned the level into the bump. */
  readonly policy: 'as-asked' | 'below-one' | 'first-release' | 'release-as'
  /** The commits without which it would be less: full hashes, newest first. */
  readonly decidedBy: readonly string[]
  /** One for each commit, newest first. */
  readonly commits: readonly Verdict[]
  /** About the whole, not about one commit. */
  readonly warnings: readonly Warning[]
}

type SemVer = Extract<Version, { scheme: 'semver' }>

/**
 * Decides what comes after `from` (null: nothing was released yet) by commits, newest first. Refuses a `from` that is
 * no SemVer, rules that cannot be read and a result beyond 2^53 - 1, with all problems at once. Linear in the messages.
 * `judge` takes the place of the preset's own, where something else than messages says what is asked for.
 */
export function decideBump(
  config: BumpConfig,
  from: string | null,
  commits: readonly Commit[],
  judge?: Judge,
): Checked<BumpDecision> {
  const preset = presets[config.preset]
  const options = judgeOptionsOf(config)
  const before = from === null ? accepted(null) : parseVersion('semver', from)
  if (!options.ok || !before.ok) {
    return rejected<string>(
      ...problemsOf(options),
      ...problemsOf(before).map((problem) => ({ ...problem, path: 'from' })),
    )
  }
  const verdicts = (judge ?? preset.judge)(commits, options.value)
  const decision = conclude(config, preset, before.value, verdicts)
  const after = decision.to === null ? accepted(null) : parseVersion('semver', decision.to)
  return after.ok ? accepted(decision) : rejected<string>(...after.problems.map((one) => ({ ...one, path: 'to' })))
}

/** What the preset's judge needs of a team's own choices; problems where its rules cannot be read. */
export function judgeOptionsOf(config: BumpConfig): Checked<JudgeOptions> {
  const preset = presets[config.preset]
  const rules = parseRules(config.rules ?? [], preset.foldsCase)
  return rules.ok ? accepted({ rules: rules.value, types: typesOf(config, preset) }) : rules
}

const problemsOf = (checked: Checked<unknown>): readonly Problem[] => (checked.ok ? [] : checked.problems)

/** With `visibleTypes` exactly those make a release: a feature where it is one of them, else a patch. */
function typesOf(config: BumpConfig, preset: Preset): ReadonlyMap<string, Level> {
  if (config.visibleTypes === undefined) return preset.types
  const isFeature = (type: string): boolean => type === 'feat' || type === 'feature'
  const names = config.visibleTypes.map((type) => (preset.foldsCase ? type.toLowerCase() : type))
  return new Map(names.map((type) => [type, isFeature(type) ? 'minor' : 'patch'] as const))
}

function conclude(config: BumpConfig, preset: Preset, from: SemVer | null, verdicts: readonly Verdict[]): BumpDecision {
  const level = levelOf(verdicts, preset)
  const base = { preset: config.preset, from: from?.text ?? null, level, commits: verdicts }
  const { asked, warnings } = requestOf(verdicts, preset.releaseAs, from)
  if (asked !== null) {
    return { ...base, bump: 'exact', to: asked.version, policy: 'release-as', decidedBy: [asked.sha], warnings }
  }
  const asksForIt = (one: Verdict): boolean => one.level === level || (preset.sleepersCount && one.sleeping === level)
  const decidedBy = level === 'none' ? [] : verdicts.filter(asksForIt).map((one) => one.sha)
  if (level === 'none') return { ...base, bump: 'none', to: null, policy: 'as-asked', decidedBy, warnings }
  if (from === null) {
    return { ...base, bump: level, to: preset.firstVersion, policy: 'first-release', decidedBy, warnings }
  }
  const bump = from.major === 0 ? belowOne(level, config, preset) : level
  const policy = bump === level ? 'as-asked' : 'below-one'
  return { ...base, bump, to: raised(from, bump, preset.counting), policy, decidedBy, warnings }
}

function levelOf(verdicts: readonly Verdict[], preset: Preset): Level {
  const awake = verdicts.reduce<Level>((level, one) => higherOf(level, one.level), 'none')
  if (awake === 'none' || !preset.sleepersCount) return awake
  return verdicts.reduce<Level>((level, one) => higherOf(level, one.sleeping ?? 'none'), awake)
}

function belowOne(level: Exclude<Level, 'none'>, config: BumpConfig, preset: Preset): Exclude<Level, 'none'> {
  switch (level) {
    case 'major':
      return config.preMajor?.breaking ?? preset.preMajor.breaking
    case 'minor':
      return config.preMajor?.feature ?? preset.preMajor.feature
    case 'patch':
      return 'patch'
  }
}
