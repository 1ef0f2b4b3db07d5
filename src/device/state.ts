import { z } from 'zod'
import { Bundle, Id, Instant } from '../core/cohort/schema.ts'
import { canonicalJson } from '../core/json.ts'
import { parseDocument } from '../core/manifest/issues.ts'
import { accepted, type Checked } from '../core/problem.ts'
import type { Cache } from './cache.ts'

/** How many rolled-back bundles a device remembers; the oldest are forgotten first. */
const MAX_ROLLED_BACK = 200

/** What was offered last and has been verified: it may be finished while the host cannot be reached. */
export const Offer = z.object({
  bundle: Bundle,
  source: z.object({ kind: z.enum(['release', 'override']), id: Id }),
  cohort: Id,
  offeredAt: Instant,
})
export type Offer = z.infer<typeof Offer>

/** What a device remembers between two checks, beside the metadata it trusts. */
export const DeviceState = z.object({
  schema: z.literal('ringmaster/device-state/1'),
  /** The latest `issuedAt` of a verified manifest: no true clock can be before it. */
  clockFloor: Instant.nullable(),
  offer: Offer.nullable(),
  /** Bundles that this device took back; not offered again. */
  rolledBack: z.array(Id).max(MAX_ROLLED_BACK),
})
export type DeviceState = z.infer<typeof DeviceState>

const NEW_DEVICE: DeviceState = {
  schema: 'ringmaster/device-state/1',
  clockFloor: null,
  offer: null,
  rolledBack: [],
}

/** The state as it was written last; a new device's where there is none; problems where it cannot be read. */
export async function readState(cache: Cache): Promise<Checked<DeviceState, 'state-unreadable'>> {
  const bytes = await cache.read('state')
  if (!bytes) return accepted(NEW_DEVICE)
  const parsed = parseDocument(DeviceState, bytes, 'state-unreadable', `the device's state in ${cache.name}`)
  if (parsed.ok) return parsed
  const hint = 'Remove state.json there; the device then forgets which bundles it rolled back.'
  return { ok: false, problems: parsed.problems.map((problem) => ({ ...problem, hint })) }
}

/** Writes the state where it differs from what was read: a poll that changes nothing wears no flash memory. */
export async function writeState(cache: Cache, before: DeviceState, state: DeviceState): Promise<void> {
  const text = canonicalJson(state)
  if (text !== canonicalJson(before)) await cache.write('state', Buffer.from(text, 'utf8'))
}

/** Remembers bundles that were rolled back on this device, newest last. */
export function withRolledBack(state: DeviceState, bundles: readonly string[]): DeviceState {
  const others = state.rolledBack.filter((id) => !bundles.includes(id))
  return { ...state, rolledBack: [...others, ...new Set(bundles)].slice(-MAX_ROLLED_BACK) }
}

/**
 * Forgets the floor: after a change of the keys of freshness it may be what their thief signed, far in the future,
 * where everything has expired.
 */
export async function forgetFloor(cache: Cache): Promise<void> {
  const read = await readState(cache)
  if (read.ok) await writeState(cache, read.value, { ...read.value, clockFloor: null })
}

/** The later of the floor and a verified manifest's issue. */
export function withFloor(state: DeviceState, issuedAt: string): DeviceState {
  const floorMs = state.clockFloor === null ? Number.NEGATIVE_INFINITY : Date.parse(state.clockFloor)
  return Date.parse(issuedAt) > floorMs ? { ...state, clockFloor: issuedAt } : state
}
