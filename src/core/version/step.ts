import type { Level } from './level.ts'
import type { SemVerParts } from './semver-text.ts'

/** How large the step between two versions is: the first number that differs; between pre-releases of one, a patch. */
export function stepBetween(from: SemVerParts, to: SemVerParts): Level {
  if (from.major !== to.major) return 'major'
  if (from.minor !== to.minor) return 'minor'
  const same = from.patch === to.patch && from.prerelease.join('.') === to.prerelease.join('.')
  return same ? 'none' : 'patch'
}
