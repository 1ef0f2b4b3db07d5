import { z } from 'zod'
import type { TypedEvent } from '../catalogue.ts'
import { Actor } from '../event.ts'

/** What `/set` may set: a closed set, so that nothing else of a release changes by a word. */
export const SETTING_KEYS = ['title', 'description', 'target-date', 'window', 'epic', 'profile'] as const
export const SettingKey = z.enum(SETTING_KEYS)
export type SettingKey = z.infer<typeof SettingKey>

/** What somebody did to our own evidence outside. */
export const INTERFERENCES = [
  'comment-edited',
  'comment-deleted',
  'proposal-pushed',
  'proposal-merged',
  'branch-pushed',
  'check-forged',
  'status-forged',
] as const
export const InterferenceKind = z.enum(INTERFERENCES)
export type InterferenceKind = z.infer<typeof InterferenceKind>

/** How people conduct a release, beside what it is made of and who signs it: part of its state. */
export const Conduct = z.object({
  /** Which parties sign; null for all of the configuration. */
  profile: z.string().nullable(),
  details: z.object({
    description: z.string().nullable(),
    /** `YYYY-MM-DD`. */
    targetDate: z.string().nullable(),
    /** Two instants with a slash between; gates are shut outside of it. */
    window: z.string().nullable(),
    epic: z.string().nullable(),
  }),
  waivers: z.array(z.object({ step: z.string(), by: Actor.nullable(), at: z.string(), reason: z.string() })),
  judgement: z
    .object({
      kind: z.enum(['go', 'no-go']),
      reason: z.string().nullable(),
      by: Actor.nullable(),
      at: z.string(),
    })
    .nullable(),
  /** null in `by`: Ringmaster stopped the release itself. */
  hold: z.object({ reason: z.string(), by: Actor.nullable(), at: z.string() }).nullable(),
  /** Until an instant, `to` says in a party what `from` would say. */
  delegations: z.array(z.object({ party: z.string(), from: Actor, to: Actor, until: z.string() })),
  /** Asked for by one person, in force when another has confirmed it, until it expires. */
  overrides: z.array(
    z.object({
      id: z.string(),
      environment: z.string(),
      reason: z.string(),
      asked: Actor,
      askedAt: z.string(),
      confirmed: Actor.nullable(),
      expiresAt: z.string(),
    }),
  ),
  interference: z.array(
    z.object({ what: InterferenceKind, by: z.string(), at: z.string(), url: z.string().nullable() }),
  ),
  reminders: z.array(
    z.object({
      number: z.int().positive(),
      kind: z.enum(['reminder', 'escalation']),
      at: z.string(),
      to: z.array(z.string()),
      missing: z.array(z.string()),
    }),
  ),
  /** Since when the signatures of the composition that stands now are waited for; null before the start. */
  waitingSince: z.string().nullable(),
  /** What GitHub last said of each review: it forgets what a dismissed one said. */
  reviews: z.array(z.object({ reviewId: z.int(), state: z.string() })),
})
export type Conduct = z.infer<typeof Conduct>

export const newConduct: Conduct = {
  profile: null,
  details: { description: null, targetDate: null, window: null, epic: null },
  waivers: [],
  judgement: null,
  hold: null,
  delegations: [],
  overrides: [],
  interference: [],
  reminders: [],
  waitingSince: null,
  reviews: [],
}

export const CONDUCT_EVENTS = [
  'release.set',
  'release.judged',
  'release.held',
  'release.unheld',
  'step.waived',
  'party.delegated',
  'party.undelegated',
  'override.asked',
  'override.confirmed',
  'signoff.reminded',
  'signoff.completed',
  'signoff.lost',
  'evidence.changed',
] as const
export type ConductEvent = TypedEvent<(typeof CONDUCT_EVENTS)[number]>

const AT_HAND = 50
const DETAIL_OF = {
  description: 'description',
  'target-date': 'targetDate',
  window: 'window',
  epic: 'epic',
} as const satisfies Partial<Record<SettingKey, keyof Conduct['details']>>

/**
 * Another composition: whoever said go, or let the release pass, did so for the one before; who waits for signatures
 * waits from now.
 */
export const reconducted = (conduct: Conduct, at: string): Conduct => ({
  ...conduct,
  judgement: conduct.judgement?.kind === 'go' ? null : conduct.judgement,
  overrides: conduct.overrides.map((entry) => (entry.expiresAt > at ? { ...entry, expiresAt: at } : entry)),
  waitingSince: conduct.waitingSince === null ? null : at,
  reminders: [],
})

export function evolveConduct(conduct: Conduct, event: ConductEvent): Conduct {
  const { at, actor: by } = event
  switch (event.type) {
    case 'release.set':
      return withSetting(conduct, event.data.key, event.data.value)
    case 'release.judged':
      return { ...conduct, judgement: { kind: event.data.judgement, reason: event.data.reason, by, at } }
    case 'release.held':
      return { ...conduct, hold: { reason: event.data.reason, by, at } }
    case 'release.unheld':
      return { ...conduct, hold: null }
    case 'step.waived': {
      const { step, reason } = event.data
      return {
        ...conduct,
        waivers: [...conduct.waivers.filter((other) => other.step !== step), { step, by, at, reason }],
      }
    }
    case 'party.delegated': {
      const { party, from, to, until } = event.data
      return { ...conduct, delegations: [...withoutDelegation(conduct, party, from.id), { party, from, to, until }] }
    }
    case 'party.undelegated':
      return { ...conduct, delegations: withoutDelegation(conduct, event.data.party, event.data.from.id) }
    case 'override.asked': {
      const { override: id, environment, reason, expiresAt } = event.data
      if (by === null || conduct.overrides.some((other) => other.id === id)) return conduct
      const asked = { id, environment, reason, asked: by, askedAt: at, confirmed: null, expiresAt }
      return { ...conduct, overrides: [...conduct.overrides, asked].slice(-AT_HAND) }
    }
    case 'override.confirmed': {
      const { override: id, expiresAt } = event.data
      const overrides = conduct.overrides.map((other) =>
        other.id === id ? { ...other, confirmed: by, expiresAt } : other,
      )
      return { ...conduct, overrides }
    }
    case 'signoff.reminded': {
      const { number, kind, to, missing } = event.data
      return { ...conduct, reminders: [...conduct.reminders, { number, kind, at, to, missing }].slice(-AT_HAND) }
    }
    case 'signoff.completed':
      return conduct
    case 'signoff.lost':
      return { ...conduct, waitingSince: at, reminders: [] }
    case 'evidence.changed': {
      const { what, by: who, url } = event.data
      return { ...conduct, interference: [...conduct.interference, { what, by: who, at, url }].slice(-AT_HAND) }
    }
  }
}

function withSetting(conduct: Conduct, key: SettingKey, value: string | null): Conduct {
  if (key === 'title') return conduct
  if (key === 'profile') return { ...conduct, profile: value }
  return { ...conduct, details: { ...conduct.details, [DETAIL_OF[key]]: value } }
}

const withoutDelegation = ({ delegations }: Conduct, party: string, from: number): Conduct['delegations'] =>
  delegations.filter((other) => other.party !== party || other.from.id !== from)

const ReviewsUsed = z.object({
  answer: z.object({ kind: z.literal('reviews'), reviews: z.array(z.object({ id: z.int(), state: z.string() })) }),
})
const REVIEWS_AT_HAND = 500

/** Keeps what each review said before it was dismissed, from the facts of a decision. */
export function withReviews(conduct: Conduct, facts: readonly unknown[]): Conduct {
  const seen = facts
    .flatMap((fact) => ReviewsUsed.safeParse(fact).data?.answer.reviews ?? [])
    .filter((review) => review.state !== 'DISMISSED')
  return seen.length === 0
    ? conduct
    : withSaid(
        conduct,
        seen.map((review) => ({ reviewId: review.id, state: review.state })),
      )
}

/** Keeps what one review said. */
export const withReview = (conduct: Conduct, said: Conduct['reviews'][number]): Conduct => withSaid(conduct, [said])

function withSaid(conduct: Conduct, said: Conduct['reviews']): Conduct {
  const ids = new Set(said.map((review) => review.reviewId))
  const reviews = [...conduct.reviews.filter((review) => !ids.has(review.reviewId)), ...said]
  return { ...conduct, reviews: reviews.slice(-REVIEWS_AT_HAND) }
}
