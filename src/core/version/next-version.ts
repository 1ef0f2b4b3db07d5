import increment from 'semver/functions/inc.js'
import type { Level } from './level.ts'
import type { SemVerParts } from './semver-text.ts'

/** How a tool counts up from a pre-release. */
export type Counting =
  /** The pre-release's own release where that is enough: 1.3.0-rc.1 and a feature give 1.3.0. */
  | 'semver'
  /** Counts the numbers and keeps the pre-release text (release-please's default strategy). */
  | 'keep-prerelease'

type Raise = Exclude<Level, 'none'>

/** The version after `from`, as text. Numbers may pass 2^53 - 1: whoever stores the text reads it again first. */
export function raised(from: SemVerParts, level: Raise, counting: Counting): string {
  const suffix = from.prerelease.length > 0 ? `-${from.prerelease.join('.')}` : ''
  if (counting === 'semver') return increment(`${from.major}.${from.minor}.${from.patch}${suffix}`, level) ?? ''
  const metadata = from.metadata.length > 0 ? `+${from.metadata.join('.')}` : ''
  return `${numbersAfter(from, level)}${suffix}${metadata}`
}

function numbersAfter({ major, minor, patch }: SemVerParts, level: Raise): string {
  switch (level) {
    case 'major':
      return `${major + 1}.0.0`
    case 'minor':
      return `${major}.${minor + 1}.0`
    case 'patch':
      return `${major}.${minor}.${patch + 1}`
  }
}
