import type { AggregateKey, EventDraft } from './event.ts'
import type { FactAnswer, FactQuery } from './facts.ts'
import type { Problem } from './problem.ts'

/**
 * What a decision may ask for while it is being made: a piece of state, a document of the ledger, or an outside fact.
 * Decisions are generator functions: `yield* state(key)` reads like a call, and the whole stays pure, because the
 * answers are handed in. The shell runs a decision, fetches what it asked for, and runs it again until it is settled.
 */
export type Question =
  | { readonly kind: 'state'; readonly key: AggregateKey }
  | { readonly kind: 'document'; readonly path: string }
  | { readonly kind: 'fact'; readonly query: FactQuery }

/** The answers known so far. `undefined` inside an answer means: looked for, and absent. */
export interface Known {
  readonly states: ReadonlyMap<string, unknown>
  readonly documents: ReadonlyMap<string, string | undefined>
  readonly facts: ReadonlyMap<string, FactAnswer>
}

export type Deciding<T> = Generator<readonly Question[], T, Known>

/** What the shell sees: a settled decision, or everything that has to be looked up before it can be asked again. */
export type Step<T> =
  | { readonly kind: 'settled'; readonly value: T; readonly factsUsed: readonly UsedFact[] }
  | { readonly kind: 'needs'; readonly questions: readonly Question[] }

/** An outside fact that a decision rested on, as it is recorded with the decision. */
export interface UsedFact {
  readonly query: FactQuery
  readonly answer: FactAnswer
}

/** The outcome that every request ends in: events to append (perhaps none), with what the asker is told. */
export type Decision<Answer> =
  | {
      readonly kind: 'accept'
      readonly events: readonly EventDraft[]
      readonly documents?: readonly LedgerDocument[]
      /** Subjects whose outputs outside somebody may have changed: they are looked at again. */
      readonly distrust?: readonly AggregateKey[]
      /** It counts for nothing that is known yet: facts come in any order, and asked again it may count for more. */
      readonly isEarly?: true
      readonly answer: Answer
    }
  | { readonly kind: 'refuse'; readonly events: readonly EventDraft[]; readonly problems: readonly Problem[] }

/** A file that travels with the events of one commit, such as an accepted configuration. */
export interface LedgerDocument {
  readonly path: string
  readonly text: string
}

/** The name of an outside fact as a map key. */
export const factKey = (query: FactQuery): string => JSON.stringify(Object.entries(query).sort())

const isKnown = (known: Known, question: Question): boolean => {
  switch (question.kind) {
    case 'state':
      return known.states.has(question.key)
    case 'document':
      return known.documents.has(question.path)
    case 'fact':
      return known.facts.has(factKey(question.query))
  }
}

/** Runs a decision against what is known. Pure: equal decisions with equal answers settle equally. */
export function settle<T>(decide: () => Deciding<T>, known: Known): Step<T> {
  const deciding = decide()
  const used = new Map<string, UsedFact>()
  let step = deciding.next(known)
  while (!step.done) {
    const missing = step.value.filter((question) => !isKnown(known, question))
    if (missing.length > 0) return { kind: 'needs', questions: missing }
    for (const question of step.value) {
      if (question.kind !== 'fact') continue
      const key = factKey(question.query)
      const answer = known.facts.get(key)
      if (answer) used.set(key, { query: question.query, answer })
    }
    step = deciding.next(known)
  }
  return { kind: 'settled', value: step.value, factsUsed: [...used.values()] }
}

/** The state of one aggregate, or undefined when nothing was ever recorded of it. */
export function* state<T>(key: AggregateKey): Deciding<T | undefined> {
  const known = yield [{ kind: 'state', key }]
  return known.states.get(key) as T | undefined
}

/** Several aggregates at once, in the order asked; one round trip for the shell. */
export function* states<T>(keys: readonly AggregateKey[]): Deciding<(T | undefined)[]> {
  const known = yield keys.map((key) => ({ kind: 'state', key }) as const)
  return keys.map((key) => known.states.get(key) as T | undefined)
}

/** The text of a file of the ledger, or undefined when it is not there. */
export function* document(path: string): Deciding<string | undefined> {
  const known = yield [{ kind: 'document', path }]
  return known.documents.get(path)
}

/** The answers to several outside questions of one kind, in the order asked. */
export function* facts<Q extends FactQuery>(
  queries: readonly Q[],
): Deciding<Extract<FactAnswer, { kind: Q['kind'] }>[]> {
  const known = yield queries.map((query) => ({ kind: 'fact', query }) as const)
  return queries.map((query) => known.facts.get(factKey(query)) as Extract<FactAnswer, { kind: Q['kind'] }>)
}

/** The answer to one outside question. */
export function* fact<Q extends FactQuery>(query: Q): Deciding<Extract<FactAnswer, { kind: Q['kind'] }>> {
  const [answer] = yield* facts([query])
  return answer as Extract<FactAnswer, { kind: Q['kind'] }>
}
