import type { ResolvableRelease } from './prepared-channel.ts'
import type { Resolution } from './resolve.ts'
import type { DeviceReport } from './schema.ts'

/** An id no release can have: a device of unknown place is taken as standing just before the entry release. */
export const BEFORE_ENTRY = '\u0000before-entry'

const LOST: ReadonlySet<string> = new Set(['nothing_reported', 'not_identified'])

/** Whether the device's place in the channel is unknown, so that it gets the cohort's entry release where there is one. */
export const isLost = (resolution: Resolution): boolean =>
  resolution.kind === 'no_update' && LOST.has(resolution.reason)

/** The place of a lost device; the channel has to hold `stationBefore` the entry release. */
export const reportAtEntry = ({ version }: DeviceReport): DeviceReport => ({
  release: BEFORE_ENTRY,
  ...(version !== undefined && { version }),
})

/** Where lost devices stand: it leads to the entry release. Walks begin behind it, so nobody is ever offered it. */
export const stationBefore = <Phase>(
  entryRelease: string,
  schedule: string,
  phase: Phase,
): ResolvableRelease<Phase> => ({
  id: BEFORE_ENTRY,
  bundle: BEFORE_ENTRY,
  next: entryRelease,
  required: false,
  schedule,
  phase,
})
