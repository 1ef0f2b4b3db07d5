import { z } from 'zod'

const Text = z.string().max(600)

/** Devices at one place whose next update a change decides; null: none is offered. */
export const EffectMove = z.strictObject({
  from: Text,
  before: Text.nullable(),
  after: Text.nullable(),
  direction: z.enum(['up', 'down', 'same', 'unknown']),
  devices: z.int().nonnegative(),
})
export type EffectMove = z.infer<typeof EffectMove>

export const EffectFinding = z.strictObject({
  code: z.string().max(100),
  severity: z.enum(['error', 'warning']),
  message: z.string().max(2_000),
  hint: z.string().max(2_000).optional(),
})
export type EffectFinding = z.infer<typeof EffectFinding>

/**
 * What a change to a channel does to devices, as it stands in the log beside the change. `basis` says what was counted:
 * devices by what they reported, everybody on the roster as if on each version of the channel, or the versions alone.
 */
export const ChannelEffect = z.strictObject({
  basis: z.enum(['reports', 'roster', 'versions']),
  /** Targets that a release is held for: everything was tried once for each of them, and once for all others. */
  targets: z.array(z.string().max(256)).max(20).optional(),
  /** How many versions were tried, the newest, where more are known. */
  cut: z.strictObject({ tried: z.int().positive(), known: z.int().positive() }).optional(),
  /** Devices on the roster; null without one. */
  enrolled: z.int().nonnegative().nullable(),
  /** What the latest release then permits among those enrolled, halted or not; null without a roster. */
  tally: z
    .strictObject({ enrolled: z.int().nonnegative(), permitted: z.int().nonnegative(), left: z.int().nonnegative() })
    .nullable(),
  devices: z.int().nonnegative(),
  changed: z.int().nonnegative(),
  downgrades: z.int().nonnegative(),
  stranded: z.int().nonnegative(),
  /** Those that the change makes, takes away or replaces, most devices first. */
  moves: z.array(EffectMove).max(20),
  findings: z.array(EffectFinding).max(50),
})
export type ChannelEffect = z.infer<typeof ChannelEffect>
