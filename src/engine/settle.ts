import { type Deciding, factKey, type Known, type Question, settle } from '../core/decision.ts'
import type { AggregateKey } from '../core/event.ts'
import type { FactAnswer, FactQuery } from '../core/facts.ts'

/** Where a decision reads: a point of the ledger. */
export interface Reader {
  state(key: AggregateKey): Promise<unknown>
  document(path: string): Promise<string | undefined>
}

/** Facts looked up for one request: kept while it is decided again after a lost race, and recorded with its decision. */
export type FactMemory = Map<string, FactAnswer>

/** More rounds than any decision needs; one that goes on asking is a bug. */
const MAX_ROUNDS = 50

/** Runs a decision to its end: fetches what it asks for, each round together, and asks again. */
export async function settleAt<T>(
  decide: () => Deciding<T>,
  reader: Reader,
  facts: { readonly source: (query: FactQuery) => Promise<FactAnswer>; readonly memory: FactMemory },
): Promise<T> {
  const states = new Map<string, unknown>()
  const documents = new Map<string, string | undefined>()
  const known: Known = { states, documents, facts: facts.memory }
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const step = settle(decide, known)
    if (step.kind === 'settled') return step.value
    await Promise.all(
      step.questions.map(async (question: Question) => {
        switch (question.kind) {
          case 'state':
            states.set(question.key, await reader.state(question.key))
            return
          case 'document':
            documents.set(question.path, await reader.document(question.path))
            return
          case 'fact':
            facts.memory.set(factKey(question.query), await facts.source(question.query))
            return
        }
      }),
    )
  }
  throw new Error(`a decision asked for more than ${MAX_ROUNDS} rounds of facts; please report it`)
}

/** For what is rendered from state alone: it asks no outside facts. */
export const settleView = <T>(decide: () => Deciding<T>, reader: Reader): Promise<T> =>
  settleAt(decide, reader, {
    memory: new Map(),
    source: async (query) => {
      throw new Error(`an output asked for the outside fact ${query.kind}; please report it`)
    },
  })
