import { draft } from '../catalogue.ts'
import type { SignoffConfiguration } from '../config/schema.ts'
import type { EventDraft } from '../event.ts'
import type { ReleaseState, SignoffRecord } from './schema.ts'

const HOUR_MS = 3_600_000
/** Whoever does not react to so many does not react to one more. */
const MAX_REMINDERS = 30
const MAX_PEOPLE = 20

/** The reminder that is due now, if any: once for each number since the signatures are waited for. */
export function reminderDue(
  release: ReleaseState,
  record: SignoffRecord,
  reminders: SignoffConfiguration['reminders'],
  now: string,
): Pick<EventDraft, 'type' | 'data' | 'key'> | null {
  const { waitingSince, reminders: sent } = release.conduct
  if (reminders === undefined || waitingSince === null || record.status !== 'pending') return null
  if (sent.length >= MAX_REMINDERS) return null
  const nowMs = Date.parse(now)
  const last = sent.at(-1)
  const dueMs = last
    ? Date.parse(last.at) + reminders.everyHours * HOUR_MS
    : Date.parse(waitingSince) + reminders.afterHours * HOUR_MS
  if (nowMs < dueMs) return null
  const missing = record.parties.filter((party) => !party.optional && party.filledBy.length < party.seats)
  const isLate =
    reminders.escalateAfterHours !== undefined &&
    nowMs >= Date.parse(waitingSince) + reminders.escalateAfterHours * HOUR_MS
  const people = [...missing.flatMap((party) => party.couldFill), ...(isLate ? reminders.escalateTo : [])]
  const number = sent.length + 1
  const { type, data, key } = draft(
    'signoff.reminded',
    {
      release: release.id,
      number,
      kind: isLate ? 'escalation' : 'reminder',
      to: [...new Set(people)].slice(0, MAX_PEOPLE),
      missing: missing.map((party) => party.party),
    },
    {
      key: `reminded:${release.id}:${waitingSince}:${number}`,
      at: now,
      actor: null,
      source: { kind: 'timer' },
      trust: 'platform',
    },
  )
  return { type, data, key }
}
