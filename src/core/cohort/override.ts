import { pseudonymDigest } from './bucket.ts'
import { instantMs } from './instant.ts'
import { taggedWith } from './phase.ts'
import type { Device, Override } from './schema.ts'

/** An override read once: when it is active and whom it names. */
export interface PreparedOverride {
  readonly id: string
  readonly bundle: string
  readonly startMs: number
  readonly endMs: number
  readonly names: (device: Device) => boolean
}

function namesOf(override: Override): (device: Device) => boolean {
  const listed = new Set(override.devices)
  const isTagged = taggedWith(override.tags)
  return (device) => {
    if (isTagged(device)) return true
    const { pseudonym } = device
    return (
      listed.size > 0 && pseudonym !== undefined && pseudonym !== '' && listed.has(pseudonymDigest(override, pseudonym))
    )
  }
}

/** Prepares overrides in the order of their creation. Without an end one lasts for ever; unreadable ends never start. */
export function prepareOverrides(overrides: readonly Override[]): readonly PreparedOverride[] {
  return overrides.map((override) => ({
    id: override.id,
    bundle: override.bundle,
    startMs: instantMs(override.startsAt) ?? Number.POSITIVE_INFINITY,
    endMs:
      override.endsAt == null ? Number.POSITIVE_INFINITY : (instantMs(override.endsAt) ?? Number.NEGATIVE_INFINITY),
    names: namesOf(override),
  }))
}

/**
 * The override that is in force for the device: started, not ended (the end is exclusive), latest start first, and of
 * equal starts the one created last. Undefined when there is none.
 */
export function overrideFor(
  overrides: readonly PreparedOverride[],
  device: Device,
  nowMs: number,
): PreparedOverride | undefined {
  let chosen: PreparedOverride | undefined
  for (const override of overrides) {
    const isActive = override.startMs <= nowMs && nowMs < override.endMs
    const outranks = chosen === undefined || override.startMs >= chosen.startMs
    if (isActive && outranks && override.names(device)) chosen = override
  }
  return chosen
}
