import { compileRequirement, satisfies } from '../../../src/core/cohort/requirement.ts'
import { compareVersions, parseVersion, type SemanticVersion } from '../../../src/core/cohort/semantic-version.ts'

/** A release as the walk below reads it; `open` stands for schedule and phase together. */
export interface WalkRelease {
  readonly id: string
  readonly bundle: string
  readonly version: string | undefined
  readonly requirement: string | undefined
  readonly next: string | null
  readonly required: boolean
  readonly disabled: boolean
  readonly open: boolean
}

export interface WalkReport {
  readonly release?: string
  readonly bundle?: string
  readonly version?: string
}

const meets = (requirement: string | undefined, version: SemanticVersion | undefined): boolean => {
  if (requirement === undefined || version === undefined) return true
  const compiled = compileRequirement(requirement, 'elixir')
  return compiled.ok && satisfies(compiled.value, version)
}

const lowest = (releases: readonly WalkRelease[]): WalkRelease | undefined =>
  releases.reduce<WalkRelease | undefined>((best, release) => {
    const [a, b] = [release.version, best?.version].map((text) => (text === undefined ? undefined : parseVersion(text)))
    return best === undefined || (a && b && compareVersions(a, b) < 0) ? release : best
  }, undefined)

/**
 * The algorithm of resolution written out step by step, with no index and no preparation: slow, and the oracle for
 * the one that devices run. Returns the id of the release that is served, or undefined.
 */
export function specWalk(channel: readonly WalkRelease[], report: WalkReport): string | undefined {
  const find = (id: string | null | undefined) => channel.find((release) => release.id === id)
  const reported = report.version === undefined ? undefined : parseVersion(report.version)
  let current = find(report.release)
  if (current === undefined && report.bundle !== undefined) {
    const serving = channel.filter(({ bundle }) => bundle === report.bundle)
    const versioned = serving.filter(({ version }) => version !== undefined)
    current = versioned.length > 0 ? lowest(versioned) : serving[0]
  }
  let candidate: WalkRelease | undefined
  if (current !== undefined) candidate = find(current.next)
  else if (reported !== undefined) {
    const pool = channel.filter(
      ({ version, requirement }) => version !== undefined && requirement !== undefined && meets(requirement, reported),
    )
    candidate = lowest(pool)
  }
  if (candidate === undefined) return undefined
  const walked = [candidate]
  for (let at = candidate; !at.required && at.next !== null; ) {
    const next = find(at.next)
    if (next === undefined) return undefined
    walked.push(next)
    at = next
  }
  const known = reported ?? (current?.version === undefined ? undefined : parseVersion(current.version))
  return walked.findLast(({ disabled, requirement, open }) => !disabled && open && meets(requirement, known))?.id
}
