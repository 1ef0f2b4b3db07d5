import { accepted, type Checked } from '../problem.ts'
import { nextBuild } from './builds.ts'
import { nextOnLine, releaseOf } from './prerelease.ts'
import { isHigher, parseVersion } from './version.ts'

/** What kind of version is to come. */
export type Line =
  | { readonly kind: 'release' }
  /** The next pre-release under a label such as `rc`. */
  | { readonly kind: 'prerelease'; readonly label: string }
  /** The release that the pre-releases under a label lead to. */
  | { readonly kind: 'graduation'; readonly label: string }
  /** A development build (`semver-build`); `latest` is the highest handed out so far. */
  | { readonly kind: 'build'; readonly latest: string | null }

/** What the next version of a line follows from. */
export interface LineState {
  /** What the commits since the last release ask for; null: nothing. */
  readonly target: string | null
  readonly lastRelease: string | null
  /** The highest pre-release of the line above the last release; null where there is none. */
  readonly latest: string | null
  /** Whether commits since `latest` ask for anything; of no matter without one. */
  readonly changed: boolean
}

/**
 * The next version of a line; null where there is nothing to give out. A line of pre-releases never falls back, and
 * counts up only for commits that ask for something; builds are given out for whatever commit.
 */
export function versionOnLine(line: Line, state: LineState): Checked<string | null> {
  switch (line.kind) {
    case 'release':
      return accepted(state.target)
    case 'prerelease':
      return nextPrerelease(line.label, state)
    case 'graduation':
      return graduated(state)
    case 'build':
      return nextBuild({ latestBuild: line.latest, latestRelease: state.lastRelease }, state.target)
  }
}

function nextPrerelease(label: string, state: LineState): Checked<string | null> {
  const goal = state.target === null ? graduated(state) : accepted(state.target)
  if (!goal.ok || goal.value === null) return goal
  if (state.latest !== null && !state.changed) return accepted(null)
  return nextOnLine(goal.value, { label, latest: state.latest })
}

function graduated({ target, latest }: LineState): Checked<string | null> {
  if (latest === null) return accepted(target)
  const line = parseVersion('semver', latest)
  const asked = target === null ? null : parseVersion('semver', target)
  if (!line.ok) return line
  const led = releaseOf(line.value)
  if (asked === null) return accepted(led.text)
  if (!asked.ok) return asked
  return accepted(isHigher(asked.value, led) ? asked.value.text : led.text)
}
