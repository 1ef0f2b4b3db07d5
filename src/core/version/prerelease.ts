import { accepted, type Checked, quoted, rejected } from '../problem.ts'
import { isStable, type TagReading, type VersionTag } from './tags.ts'
import { formatVersion, isHigher, parseVersion, type Version } from './version.ts'

type SemVer = Extract<Version, { readonly scheme: 'semver' }>

/** A line of pre-releases such as `rc` or `beta`, and the highest version on it so far. */
export interface PrereleaseLine {
  /** The identifier before the number. */
  readonly label: string
  /** The highest pre-release of this line above the last release; null where it begins. */
  readonly latest: string | null
}

/** Reads a label such as `rc`: one identifier that is no number, because a number sorts below every word. */
export function parseLabel(text: string): Checked<string, 'prerelease-label'> {
  if (/^[0-9A-Za-z-]{1,40}$/.test(text) && !/^\d+$/.test(text)) return accepted(text)
  return rejected({
    code: 'prerelease-label',
    message: `expected one word of letters, digits and hyphens for a line of pre-releases, found ${quoted(text)}`,
    hint: 'For example rc, beta or alpha.',
  })
}

/** The highest pre-release of a line among a product's tags, above its last release; null where the line begins. */
export function latestOnLine(reading: TagReading, label: string, last: VersionTag | null): VersionTag | null {
  return (
    reading.versions.find(
      (tag) =>
        (tag.version.scheme === 'semver' || tag.version.scheme === 'semver-build') &&
        !isStable(tag.version) &&
        isOnLine(tag.version, label) &&
        (last === null || isHigher(tag.version, last.version)),
    ) ?? null
  )
}

/**
 * The next version on a line that leads to `target` (what the commits since the last *stable* release ask for): the
 * number counts up while the line leads at least that far, and begins at 1 for a higher target, or where a target that is
 * a pre-release of the line itself says so. A line never falls back: once it leads to 2.0.0 it stays there. Its release,
 * the graduation, is `target` itself or `releaseOf` the line.
 */
export function nextOnLine(target: string, line: PrereleaseLine): Checked<string> {
  const goal = parseVersion('semver', target)
  const latest = line.latest === null ? accepted(null) : parseVersion('semver', line.latest)
  const release = goal.ok ? releaseOf(goal.value) : null
  const first = parseVersion('semver', `${release?.text ?? target}-${line.label}.1`)
  if (!goal.ok || !first.ok || !latest.ok || release === null) {
    return rejected<string>(...[goal, first, latest].flatMap((one) => (one.ok ? [] : one.problems)))
  }
  const asked = isOnLine(goal.value, line.label) ? goal.value : null
  const begun = accepted(formatVersion({ ...(asked ?? first.value), metadata: [] }))
  if (latest.value === null) return begun
  if (latest.value.prerelease[0] !== undefined && !isOnLine(latest.value, line.label)) {
    const message = `expected a version of the line ${quoted(line.label)}, found ${quoted(latest.value.text)}`
    return rejected<string>({ code: 'prerelease-line', message })
  }
  if (isHigher(release, releaseOf(latest.value)) || (asked !== null && isHigher(asked, latest.value))) return begun
  return after(latest.value)
}

/** Counted up, or one identifier longer where that would sort below: `rc9` comes after `rc10`, and `rc9.1` after both. */
function after(latest: SemVer): Checked<string> {
  const [next, longer] = [counted(latest.prerelease), [...latest.prerelease, '1']].map((prerelease) =>
    parseVersion('semver', formatVersion({ ...latest, prerelease, metadata: [] })),
  )
  const chosen = next?.ok && isHigher(next.value, latest) ? next : longer
  return chosen?.ok ? accepted(chosen.value.text) : rejected<string>(...(chosen?.problems ?? []))
}

/** The release that a pre-release leads to; a release leads to itself. */
export const releaseOf = (version: SemVer): SemVer => {
  const text = `${version.major}.${version.minor}.${version.patch}`
  return { ...version, text, prerelease: [], metadata: [] }
}

/** `rc`, `rc.4` and `rc04` are on the line `rc`; `rcx.1` is not. */
const isOnLine = (version: Pick<SemVer, 'prerelease'>, label: string): boolean => {
  const first = version.prerelease[0] ?? ''
  return first.startsWith(label) && /^\d*$/.test(first.slice(label.length))
}

/** Counts the last number up and keeps its leading zeros (`beta09` → `beta10`); without a number it gets `.1`. */
function counted(identifiers: readonly string[]): string[] {
  const last = identifiers.at(-1) ?? ''
  const digits = /\d+$/.exec(last)?.[0]
  if (digits === undefined) return [...identifiers, '1']
  const next = (BigInt(digits) + 1n).toString().padStart(digits.length, '0')
  return [...identifiers.slice(0, -1), `${last.slice(0, last.length - digits.length)}${next}`]
}
