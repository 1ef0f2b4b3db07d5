import { type EventType, isEventType, type TypedEvent } from '../core/catalogue.ts'
import { configDocument } from '../core/config/in-force.ts'
import { type Deciding, document, factKey, state } from '../core/decision.ts'
import { type AggregateKey, type LedgerEvent, REDACTED } from '../core/event.ts'
import type { FactAnswer, FactQuery } from '../core/facts.ts'
import { firstDifference, type JsonDifference } from '../core/json-difference.ts'
import { type Problem, quoted } from '../core/problem.ts'
import { decideAuthority } from '../core/release/authority.ts'
import { releaseKey } from '../core/release/open.ts'
import { turnOf } from '../core/release/review.ts'
import type { ReleaseState } from '../core/release/schema.ts'
import type { Request } from '../core/request.ts'
import { decisionOf } from './decisions.ts'
import { settleAt } from './settle.ts'

/** The data that comes out for a recorded decision; undefined for no such event, null where there is nothing to decide. */
type Again = Deciding<unknown>

function* answering(request: Request, type: EventType): Again {
  const decision = yield* decisionOf(request)()
  return decision.events.find((draft) => draft.type === type)?.data
}

/** What is told when signatures turned, from the record that was decided just before. */
function* turning({ type, data }: TypedEvent<'signoff.completed' | 'signoff.lost'>): Again {
  const release = yield* state<ReleaseState>(releaseKey(data.release))
  const turn = release?.signoff ? turnOf(release.id, release.signoff) : undefined
  return turn?.type === type ? turn.data : undefined
}

/** How each decision that names its configuration or its facts is made again. */
const AGAIN: { readonly [T in EventType]?: (event: TypedEvent<T>) => Again } = {
  'config.accepted': ({ type, data, at, actor, source }) =>
    answering(
      { kind: 'configuration-seen', repository: data.repository, commit: data.commit, at, actor, source },
      type,
    ),
  'signoff.decided': ({ type, data, at, source }) =>
    answering({ kind: 'release-review', release: data.release, at, actor: null, source }, type),
  'signoff.completed': turning,
  'signoff.lost': turning,
  'gate.decided': ({ type, data, at, source }) =>
    answering({ kind: 'gate-review', gate: data.gate, at, actor: null, source }, type),
  'command.answered': decideAuthority,
}

interface RecordedFact {
  readonly query: FactQuery
  readonly answer: FactAnswer
}

/** The text of the configuration that an event accepted; undefined for any other event, or when it is gone. */
function* acceptedText(event: LedgerEvent): Deciding<string | undefined> {
  if (event.type !== 'config.accepted') return undefined
  return yield* document(configDocument((event.data as TypedEvent<'config.accepted'>['data']).digest))
}

/**
 * Decides a recorded decision again from the state before it, the configuration and the facts that it names. Nothing
 * when it comes out the same; null for an event that is no such decision.
 */
export async function redecide(
  event: LedgerEvent,
  stateBefore: (key: AggregateKey) => unknown,
  document: (path: string) => Promise<string | undefined>,
): Promise<readonly Problem[] | null> {
  const again = isEventType(event.type) ? (AGAIN[event.type] as ((event: LedgerEvent) => Again) | undefined) : undefined
  if (!again) return null
  const reader = { state: async (key: AggregateKey) => stateBefore(key), document }
  const unrecorded = async (query: FactQuery): Promise<FactAnswer> => {
    throw new Error(`the fact ${query.kind} was not recorded`)
  }
  const text = await settleAt(() => acceptedText(event), reader, { memory: new Map(), source: unrecorded })
  const facts = ((event.data as { facts?: readonly RecordedFact[] }).facts ?? []).map(
    ({ query, answer }) =>
      [factKey(query), answer.kind === 'file' && text !== undefined ? { ...answer, text } : answer] as const,
  )
  try {
    const data = await settleAt(() => again(event), reader, {
      memory: new Map(facts),
      /** A file that did not hold the configuration that was accepted is not recorded: whatever it held, it was another. */
      source: async (query) =>
        query.kind === 'file' && text !== undefined
          ? { kind: 'file', text: isOwn(query, event) ? text : null }
          : unrecorded(query),
    })
    if (data === null) return null
    if (data === undefined) return [different(event, 'none')]
    const difference = firstDifference(data, sparing(data, event.data))
    return difference === null ? [] : [different(event, whereOf(difference))]
  } catch (error) {
    return [different(event, error instanceof Error ? error.message : String(error))]
  }
}

const isOwn = (query: Extract<FactQuery, { kind: 'file' }>, { data }: LedgerEvent): boolean =>
  query.commit === (data as TypedEvent<'config.accepted'>['data']).commit

const isRedacted = (value: unknown): value is string => typeof value === 'string' && value.includes(REDACTED)

/** What is recorded, but for texts that were taken out of it or of what it was made from: those agree with anything. */
function sparing(again: unknown, recorded: unknown): unknown {
  if (typeof again === 'string' && typeof recorded === 'string')
    return isRedacted(again) || isRedacted(recorded) ? again : recorded
  if (Array.isArray(again) && Array.isArray(recorded))
    return recorded.map((item: unknown, index) => sparing(again[index], item))
  if (typeof again !== 'object' || typeof recorded !== 'object' || again === null || recorded === null) return recorded
  const members = new Map(Object.entries(again))
  return Object.fromEntries(Object.entries(recorded).map(([name, value]) => [name, sparing(members.get(name), value)]))
}

/** Where the recorded event departs from the decision that comes out now. */
const whereOf = ({ pointer, expected, found }: JsonDifference): string =>
  `another at ${quoted(`/data${pointer}`)}: ${shown(expected)} comes out, ${shown(found)} is recorded`

const shown = (value: unknown): string => (value === undefined ? 'nothing' : quoted(value))

const different = (event: LedgerEvent, found: string): Problem<'decision-differs'> => ({
  code: 'decision-differs',
  message: `expected event ${event.seq} (${event.type}) to be decided again as it was recorded, found ${found}`,
  hint: 'The event, a fact in it, or the configuration it names was changed after it was decided.',
})
