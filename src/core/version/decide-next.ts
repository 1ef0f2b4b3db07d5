import { accepted, type Checked, rejected } from '../problem.ts'
import { type BumpDecision, decideBump } from './decide.ts'
import type { BumpConfig, Commit } from './schema.ts'
import type { Judge } from './verdict.ts'
import { parseVersion, type VersionScheme } from './version.ts'

/**
 * Decides what comes after `from` by the scheme of a product: by SemVer as `decideBump`; of whole numbers the next one,
 * where commits ask for anything. A calendar is asked of no commit: what they ask for is told, and `to` is null.
 */
export function decideNext(
  scheme: VersionScheme,
  config: BumpConfig,
  from: string | null,
  commits: readonly Commit[],
  judge?: Judge,
): Checked<BumpDecision> {
  switch (scheme) {
    case 'semver':
    case 'semver-build':
      return decideBump(config, from, commits, judge)
    case 'number':
    case 'calver':
    case 'sha':
    case 'text':
      return withoutSteps(scheme, config, from, decideBump(config, null, commits, judge))
  }
}

function withoutSteps(
  scheme: VersionScheme,
  config: BumpConfig,
  from: string | null,
  decided: Checked<BumpDecision>,
): Checked<BumpDecision> {
  if (!decided.ok) return decided
  const { level, decidedBy, commits, warnings } = decided.value
  const common = { preset: config.preset, from, level, decidedBy, commits, warnings }
  if (scheme !== 'number' || level === 'none')
    return accepted({ ...common, bump: 'none', to: null, policy: 'as-asked' })
  const to = String(Number(from ?? 0) + 1)
  const next = parseVersion('number', to)
  if (!next.ok) return rejected<string>(...next.problems.map((problem) => ({ ...problem, path: 'to' })))
  return accepted({ ...common, bump: level, to, policy: from === null ? 'first-release' : 'as-asked' })
}

/** Why no commits can say which version comes next; null where they can. */
export function uncounted(scheme: VersionScheme) {
  if (scheme === 'semver' || scheme === 'semver-build' || scheme === 'number') return null
  return {
    code: 'scheme-uncounted' as const,
    message: `expected a scheme whose next version commits can say (semver, semver-build, number), found ${scheme}`,
    hint: 'Give the version itself: it can be tagged, told of and recorded.',
  }
}
