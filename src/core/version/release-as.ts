import { quoted } from '../problem.ts'
import type { Preset } from './presets.ts'
import type { Verdict, Warning } from './verdict.ts'
import { formatVersion, isHigher, parseVersion, type Version } from './version.ts'

type SemVer = Extract<Version, { scheme: 'semver' }>

/** The version that a footer asks for, and by which commit. */
export interface Request {
  readonly sha: string
  readonly version: string
}

/** The newest readable `Release-As` among the verdicts (newest first); the others are told in warnings. */
export function requestOf(
  verdicts: readonly Verdict[],
  reading: Preset['releaseAs'],
  from: SemVer | null,
): { asked: Request | null; warnings: Warning[] } {
  const warnings: Warning[] = []
  let asked: Request | null = null
  for (const { sha, releaseAs } of verdicts) {
    if (releaseAs === null || reading === null) continue
    const version = reading === 'whole' ? wholeVersion(releaseAs) : anyVersion(releaseAs)
    if (version === null) warnings.push(unreadable(sha, releaseAs))
    else if (asked !== null) warnings.push(superseded(sha, version, asked))
    else {
      asked = { sha, version: formatVersion(version) }
      if (from !== null && !isHigher(version, from)) warnings.push(notAbove(asked, from))
    }
  }
  return { asked, warnings }
}

function wholeVersion(text: string): SemVer | null {
  const parsed = parseVersion('semver', text)
  return parsed.ok ? parsed.value : null
}

const versionLike = /(\d+)\.(\d+)\.(\d+)(?:-([^+]+))?(?:\+(.*))?/

/** The first text that looks like a version, as release-please's unanchored pattern finds it (src/version.ts). */
function anyVersion(text: string): SemVer | null {
  const [, major = '', minor = '', patch = '', prerelease, metadata] = versionLike.exec(text.slice(0, mostText)) ?? []
  const numbers = [major, minor, patch].map((number) => number.replace(/^0+(?=\d)/, '')).join('.')
  return wholeVersion(`${numbers}${prerelease ? `-${prerelease}` : ''}${metadata ? `+${metadata}` : ''}`)
}

/** A footer's text is searched this far, which bounds the work on long runs of digits. */
const mostText = 1000

const unreadable = (sha: string, text: string): Warning => ({
  code: 'release-as-unreadable',
  message: `${sha.slice(0, 7)} asks for ${quoted(text)}, which is no version; it is left out.`,
})

const superseded = (sha: string, version: SemVer, asked: Request): Warning => ({
  code: 'release-as-superseded',
  message: `${sha.slice(0, 7)} asks for ${formatVersion(version)}; the newer ${asked.sha.slice(0, 7)} asks for ${asked.version}.`,
})

const notAbove = (asked: Request, from: SemVer): Warning => ({
  code: 'release-as-not-above',
  message: `${asked.sha.slice(0, 7)} asks for ${asked.version}, which is not above ${from.text}.`,
})
