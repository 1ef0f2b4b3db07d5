import type { Repository } from './repository.ts'

/** Offline roles: 90, 30 and 7 days before their end. Online ones: when so little is left that renewals have failed. */
export type Urgency = 'none' | '90-days' | '30-days' | '7-days' | 'renew' | 'expired'

export interface Reminder {
  readonly role: string
  readonly version: number
  readonly expiresAt: string
  /** Whole days, rounded down; below zero when it is over. */
  readonly daysLeft: number
  readonly urgency: Urgency
  readonly signedBy: 'offline' | 'online'
}

const MS_PER_DAY = 86_400_000
const STEPS: readonly (readonly [days: number, urgency: Urgency])[] = [
  [7, '7-days'],
  [30, '30-days'],
  [90, '90-days'],
]
/** Online roles are made anew with every publication; this few days left mean that publishing has stopped. */
const ONLINE_ALARM_DAYS = 3

const isOnline = (role: string): boolean => role === 'timestamp' || role === 'snapshot' || role.startsWith('cohorts-')

/** When each published role expires, the next one first, with who has to act. */
export function remindersOf(repository: Repository, now: string): readonly Reminder[] {
  const files = [
    ...(repository.root ? [{ role: 'root', signed: repository.root.signed }] : []),
    ...(repository.timestampExpires === null
      ? []
      : [
          { role: 'timestamp', signed: { version: repository.timestampVersion, expires: repository.timestampExpires } },
        ]),
    ...(repository.snapshot ? [{ role: 'snapshot', signed: repository.snapshot.metadata.signed }] : []),
    ...[...repository.roles].map(([role, file]) => ({ role, signed: file.metadata.signed })),
  ]
  return files
    .map(({ role, signed }) => reminderOf(role, signed.version, signed.expires, now))
    .sort((a, b) => Date.parse(a.expiresAt) - Date.parse(b.expiresAt) || (a.role < b.role ? -1 : 1))
}

function reminderOf(role: string, version: number, expiresAt: string, now: string): Reminder {
  const daysLeft = Math.floor((Date.parse(expiresAt) - Date.parse(now)) / MS_PER_DAY)
  const signedBy = isOnline(role) ? 'online' : 'offline'
  return { role, version, expiresAt, daysLeft, signedBy, urgency: urgencyOf(daysLeft, signedBy) }
}

function urgencyOf(daysLeft: number, signedBy: Reminder['signedBy']): Urgency {
  if (daysLeft < 0) return 'expired'
  if (signedBy === 'online') return daysLeft < ONLINE_ALARM_DAYS ? 'renew' : 'none'
  return STEPS.find(([days]) => daysLeft < days)?.[1] ?? 'none'
}
