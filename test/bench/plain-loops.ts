import type { Admit } from '../../src/core/cohort/admission.ts'
import { instantMs } from '../../src/core/cohort/instant.ts'
import { compileRequirement, type Requirement, satisfies } from '../../src/core/cohort/requirement.ts'
import type { ChannelRelease, Device, DeviceReport } from '../../src/core/cohort/schema.ts'
import { compareVersions, parseVersion, type SemanticVersion } from '../../src/core/cohort/semantic-version.ts'

/** A release as a plain loop holds it; the readers parse at each call, or have parsed before. */
interface LoopRelease {
  readonly id: string
  readonly bundle: string
  readonly next: string | null
  readonly required: boolean
  readonly schedule: string
  readonly admit: Admit
  readonly version: () => SemanticVersion | undefined
  readonly requirement: () => Requirement | undefined
}

const versionIn = (release: ChannelRelease) =>
  release.version === undefined ? undefined : parseVersion(release.version)

function requirementIn({ requirement }: ChannelRelease): Requirement | undefined {
  const compiled = requirement === undefined ? undefined : compileRequirement(requirement, 'elixir')
  return compiled?.ok ? compiled.value : undefined
}

type Admits = (release: ChannelRelease) => Admit

/** Reads version and requirement whenever it needs them, as a loop over the manifest does. */
export const parsingLoop = (releases: readonly ChannelRelease[], admits: Admits): LoopRelease[] =>
  releases.map((release) => ({
    ...release,
    admit: admits(release),
    version: () => versionIn(release),
    requirement: () => requirementIn(release),
  }))

/** Has read all versions and requirements once. */
export const parsedLoop = (releases: readonly ChannelRelease[], admits: Admits): LoopRelease[] =>
  releases.map((release) => {
    const version = versionIn(release)
    const requirement = requirementIn(release)
    return { ...release, admit: admits(release), version: () => version, requirement: () => requirement }
  })

const meets = (release: LoopRelease, version: SemanticVersion | undefined): boolean => {
  const requirement = release.requirement()
  return requirement === undefined || version === undefined || satisfies(requirement, version)
}

function entryOf(channel: readonly LoopRelease[], version: SemanticVersion): LoopRelease | undefined {
  let entry: LoopRelease | undefined
  let lowest: SemanticVersion | undefined
  for (const release of channel) {
    const own = release.version()
    const requirement = release.requirement()
    if (own === undefined || requirement === undefined || !satisfies(requirement, version)) continue
    if (lowest !== undefined && compareVersions(own, lowest) >= 0) continue
    entry = release
    lowest = own
  }
  return entry
}

/** The algorithm of resolution as one would write it down: loops and nothing prepared. The id served, or undefined. */
export function loopResolve(
  channel: readonly LoopRelease[],
  report: DeviceReport,
  device: Device,
  now: string,
): string | undefined {
  const nowMs = instantMs(now) ?? 0
  const reported = report.version === undefined ? undefined : parseVersion(report.version)
  const current =
    channel.find(({ id }) => id === report.release) ??
    (report.bundle === undefined ? undefined : channel.find(({ bundle }) => bundle === report.bundle))
  let at = current === undefined ? undefined : channel.find(({ id }) => id === current.next)
  if (current === undefined && reported !== undefined) at = entryOf(channel, reported)
  const walked: LoopRelease[] = []
  while (at !== undefined) {
    walked.push(at)
    const { required, next } = at
    at = required || next === null ? undefined : channel.find(({ id }) => id === next)
  }
  const version = reported ?? current?.version()
  return walked.findLast(
    (release) =>
      meets(release, version) &&
      nowMs >= (instantMs(release.schedule) ?? Number.POSITIVE_INFINITY) &&
      release.admit(device, nowMs).admitted,
  )?.id
}
