import { z } from 'zod'

/** Who caused an event: numeric id and login only (personal data stays out of the log). */
export const Actor = z.strictObject({ login: z.string().min(1).max(100), id: z.int().nonnegative() })
export type Actor = z.infer<typeof Actor>

/** How a fact reached Ringmaster. `url` leads a person to it; `delivery` is the webhook's GUID. */
export const Source = z.strictObject({
  kind: z.enum(['webhook', 'sweep', 'http', 'cli', 'workflow', 'reconciler', 'timer', 'operator']),
  delivery: z.string().max(100).optional(),
  url: z.string().max(500).optional(),
})
export type Source = z.infer<typeof Source>

/** How a fact is known: GitHub's own fields re-read, verified token claims, or mere payload text. */
export const Trust = z.enum(['platform', 'oidc', 'claimed'])
export type Trust = z.infer<typeof Trust>

const draft = {
  /** `noun.verb`, closed by the catalogue in `catalogue.ts`. */
  type: z.string().regex(/^[a-z][a-z-]*\.[a-z][a-z_-]*$/),
  /** The slot: an event whose key is already in the log is the same event and is not appended again. */
  key: z.string().min(1).max(400),
  /** When it happened, ISO 8601 UTC. */
  at: z.iso.datetime(),
  actor: Actor.nullable(),
  source: Source,
  trust: Trust,
  data: z.unknown(),
}

/** An event before it has a place in the log. */
export const EventDraft = z.strictObject(draft)
export type EventDraft = z.infer<typeof EventDraft>

/** One event of the log. `prev` is the digest of the line before; the first line names 64 zeros. */
export const LedgerEvent = z.strictObject({
  seq: z.int().positive(),
  ...draft,
  prev: z.string().regex(/^sha256:[0-9a-f]{64}$/),
})
export type LedgerEvent = z.infer<typeof LedgerEvent>

/** What stands in the place of a text that was taken out of the log. */
export const REDACTED = '[redacted]'

const Pointer = z.string().regex(/^(\/[^/]+)+$/)

/**
 * A line as it is written. A text that may have to be taken out again is sealed: `[redacted]` stands in its place in
 * `data`, `sealed` holds a commitment to it by its JSON pointer, and `open`, the last member, the salt and the text. The
 * digest of a line is that of its bytes without `open`.
 */
export const LedgerLine = LedgerEvent.extend({
  sealed: z.record(Pointer, z.string().regex(/^[\w-]{43}$/)).optional(),
  open: z.record(Pointer, z.tuple([z.string().regex(/^[\w-]{22}$/), z.string()])).optional(),
})

/** The `prev` of the first line of the first epoch. */
export const NO_PREVIOUS = `sha256:${'0'.repeat(64)}` as const

/** The kinds of state that the log folds into, each addressed as `kind/id`. */
export type AggregateKey = `${AggregateKind}/${string}`
export const AGGREGATE_KINDS = [
  'config',
  'product',
  'version',
  'commit',
  'refused',
  'board',
  'cuts',
  'build-line',
  'build-slot',
  'run',
  'release',
  'gate',
  'cohort',
  'index',
  'issue',
  'outbox',
  'person',
] as const
export type AggregateKind = (typeof AGGREGATE_KINDS)[number]

/** What the ledger has to know of the core: which aggregates an event touches, and how each one changes. */
export interface Model {
  /** The aggregates that an event touches, in a fixed order; empty for an event that only stands in the log. */
  keysOf(event: EventDraft): readonly AggregateKey[]
  /** The next state of one aggregate (plain JSON data). Total: an event of any known type and any state folds. */
  evolve(key: AggregateKey, state: unknown, event: LedgerEvent): unknown
  /** The texts of an event that may have to be taken out of the log again, as JSON pointers into its data. */
  textsOf?(event: EventDraft): readonly string[]
}
