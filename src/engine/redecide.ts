import type { EventData, TypedEvent } from '../core/catalogue.ts'
import { factKey } from '../core/decision.ts'
import { type AggregateKey, type LedgerEvent, REDACTED } from '../core/event.ts'
import type { FactAnswer, FactQuery } from '../core/facts.ts'
import { firstDifference, type JsonDifference } from '../core/json-difference.ts'
import { type Problem, quoted } from '../core/problem.ts'
import type { Request } from '../core/request.ts'
import { decisionOf } from './decisions.ts'
import { settleAt } from './settle.ts'

type Redecided = 'signoff.decided' | 'gate.decided'

/** The request that each recorded decision answered. */
const REQUEST_OF: { readonly [T in Redecided]: (data: EventData<T>, event: TypedEvent<T>) => Request } = {
  'signoff.decided': (data, { at, source }) => ({
    kind: 'release-review',
    release: data.release,
    at,
    actor: null,
    source,
  }),
  'gate.decided': (data, { at, source }) => ({ kind: 'gate-review', gate: data.gate, at, actor: null, source }),
}

interface RecordedFact {
  readonly query: FactQuery
  readonly answer: FactAnswer
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
  if (event.type !== 'signoff.decided' && event.type !== 'gate.decided') return null
  const requestOf = REQUEST_OF[event.type] as (data: unknown, event: LedgerEvent) => Request
  const recorded = ((event.data as { facts?: readonly RecordedFact[] }).facts ?? []).map(
    ({ query, answer }) => [factKey(query), answer] as const,
  )
  try {
    const decision = await settleAt(
      decisionOf(requestOf(event.data, event)),
      { state: async (key) => stateBefore(key), document },
      {
        memory: new Map(recorded),
        source: async (query) => {
          throw new Error(`the fact ${query.kind} was not recorded`)
        },
      },
    )
    const again = decision.events.find((draft) => draft.type === event.type)
    if (!again) return [different(event, 'none')]
    const difference = firstDifference(again.data, sparing(again.data, event.data))
    return difference === null ? [] : [different(event, whereOf(difference))]
  } catch (error) {
    return [different(event, error instanceof Error ? error.message : String(error))]
  }
}

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
