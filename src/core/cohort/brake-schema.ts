import { z } from 'zod'
import { Id, Instant, ShareText } from './schema.ts'

const MAX_SILENCE_SECONDS = 365 * 86_400

/** How much of what must have happened at least before a share of it says anything. */
const Minimum = z.int().min(1).max(1_000_000_000)

/** When a phase halts by itself. Each brake is on only where it is written. Strict. */
export const BrakeRules = z.strictObject({
  /** Of the installs that ended, more than `share` failed, and at least `minimum` ended. */
  failures: z.strictObject({ share: ShareText, minimum: Minimum }).optional(),
  /** Of the devices that took the offer, more than `share` then said nothing for that long, and at least `minimum` took it. */
  silence: z
    .strictObject({ share: ShareText, minimum: Minimum, afterSeconds: z.int().min(60).max(MAX_SILENCE_SECONDS) })
    .optional(),
})
export type BrakeRules = z.infer<typeof BrakeRules>

/**
 * What one device said of one channel release. `asked`: it was offered the release, or asked again; `installed`: it
 * runs it and has restarted; `failed`: it could not install it, or took it back.
 */
export const InstallReport = z.object({
  /** The pseudonym of a verified enrolment record, never a text of the report's own. */
  device: Id,
  release: Id,
  said: z.enum(['asked', 'installed', 'failed']),
  at: Instant,
})
export type InstallReport = z.infer<typeof InstallReport>
