import type { DeploymentStatus } from '../deployment/schema.ts'
import type { InstallReport } from './brake-schema.ts'
import { instantMs } from './instant.ts'

/** What is known of a phase. Every device counts once; `installed` and `failed` have ended, `silent` has not. */
export interface PhaseCounts {
  /** Devices that the phase lets in; what they do is theirs. */
  readonly permitted: number
  /** Devices that took the offer, whatever became of it. */
  readonly asked: number
  readonly installed: number
  readonly failed: number
  /** Took the offer, did not end, and have not been heard of for as long as the rule says. */
  readonly silent: number
}

export interface CountQuestion {
  readonly release: string
  readonly permitted: number
  /** Whether the phase lets the device in: what others say of a release must not halt it. */
  readonly permits: (device: string) => boolean
  /** Reports from before are left out: a phase that was resumed is judged by what came after. Null: none is. */
  readonly since: string | null
  /** After how many seconds without a word a device is silent; undefined: never. */
  readonly silentAfterSeconds: number | undefined
  readonly now: string
}

type Said = InstallReport['said']

/** Of two words of the same instant the graver one counts. */
const GRAVITY = { asked: 0, installed: 1, failed: 2 } as const satisfies Record<Said, number>

interface Told {
  ended: { readonly said: Said; readonly atMs: number } | undefined
  heardMs: number
}

function hear(told: Map<string, Told>, device: string, said: Said, atMs: number): void {
  const before = told.get(device) ?? { ended: undefined, heardMs: atMs }
  const { ended } = before
  const isLater =
    ended === undefined || atMs > ended.atMs || (atMs === ended.atMs && GRAVITY[said] > GRAVITY[ended.said])
  if (said !== 'asked' && isLater) before.ended = { said, atMs }
  before.heardMs = Math.max(before.heardMs, atMs)
  told.set(device, before)
}

/**
 * Counts reports, in any order and however often repeated: the newest end of each device stands, and asking again
 * after a failure does not undo it. Reports of other releases, of devices that the phase does not let in, from before
 * `since` and from after `now` are left out; nothing is counted by a clock that cannot be read.
 */
export function countPhase(reports: Iterable<InstallReport>, question: CountQuestion): PhaseCounts {
  const { release, permitted, permits, since, silentAfterSeconds, now } = question
  const nowMs = instantMs(now) ?? Number.NEGATIVE_INFINITY
  const sinceMs = since === null ? Number.NEGATIVE_INFINITY : (instantMs(since) ?? Number.POSITIVE_INFINITY)
  const told = new Map<string, Told>()
  for (const { device, release: of, said, at } of reports) {
    const atMs = instantMs(at)
    if (of !== release || atMs === undefined || atMs < sinceMs || atMs > nowMs || !permits(device)) continue
    hear(told, device, said, atMs)
  }
  const silentBeforeMs =
    silentAfterSeconds === undefined ? Number.NEGATIVE_INFINITY : nowMs - silentAfterSeconds * 1_000
  const counts = { permitted, asked: told.size, installed: 0, failed: 0, silent: 0 }
  for (const { ended, heardMs } of told.values()) {
    if (ended?.said === 'failed') counts.failed += 1
    else if (ended !== undefined) counts.installed += 1
    else if (heardMs <= silentBeforeMs) counts.silent += 1
  }
  return counts
}

const SAID = {
  pending: undefined,
  started: 'asked',
  completed: 'installed',
  failed: 'failed',
  aborted: undefined,
} as const satisfies Record<DeploymentStatus, Said | undefined>

/** Deployments of a bundle as reports, one environment standing for one device; what was never begun says nothing. */
export function deploymentReports(
  release: string,
  attempts: Iterable<{ readonly environment: string; readonly status: DeploymentStatus; readonly at: string }>,
): InstallReport[] {
  const reports: InstallReport[] = []
  for (const { environment, status, at } of attempts) {
    const said = SAID[status]
    if (said !== undefined) reports.push({ device: environment, release, said, at })
  }
  return reports
}
