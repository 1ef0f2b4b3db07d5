import { type Channel, Phase } from '../cohort/schema.ts'
import type { Manifest, Quarantine } from './schema.ts'

export interface Offered {
  readonly channel: Channel
  readonly quarantine: Quarantine | null
}

const isHalted = (phase: unknown): boolean => {
  const read = Phase.safeParse(phase)
  return read.success && read.data.halted != null
}

/**
 * Whether devices are to take less than what they read now: a release halted, disabled, held for a target or gone, or a
 * device in quarantine. What is withheld of that does harm; of anything else it only comes later.
 */
export function takesBack(published: Manifest, { channel, quarantine }: Offered): boolean {
  const wanted = new Map(channel.releases.map((release) => [release.id, release]))
  const isLess = published.releases.some((before) => {
    const after = wanted.get(before.id)
    if (after === undefined) return true
    const held = new Set((before.holds ?? []).map(({ target }) => target))
    return (
      (after.disabled !== undefined && before.disabled === undefined) ||
      (after.phase.halted !== undefined && !isHalted(before.phase)) ||
      (after.holds ?? []).some(({ target }) => !held.has(target))
    )
  })
  const known = new Set(published.quarantine?.salt === quarantine?.salt ? published.quarantine?.devices : [])
  return isLess || (quarantine?.devices ?? []).some((device) => !known.has(device))
}
