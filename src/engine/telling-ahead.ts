import { type Answer, onlyTells } from '../core/command/answer.ts'
import type { Decision } from '../core/decision.ts'
import type { EventDraft } from '../core/event.ts'
import { issueKey } from '../core/process/issue.ts'
import type { Request } from '../core/request.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { Reconciler } from './reconciler.ts'

type CommandGiven = Extract<Request, { kind: 'command-given' }>

export interface TellingOptions {
  /** Whether nobody else writes to the log, so that everything durable is known here. */
  readonly isAlone: boolean
  readonly ledger: Pick<Ledger, 'viewWith'>
  readonly reconciler: Pick<Reconciler, 'ahead'>
}

/** Answers that say only how things stand, brought out while they are being recorded: nobody could decide otherwise by them. */
export class TellingAhead {
  readonly #options: TellingOptions
  /** How many commands of a person are being decided, by the person's id. */
  readonly #underWay = new Map<number, number>()

  constructor(options: TellingOptions) {
    this.#options = options
  }

  /** Runs the deciding of a request, which counts among those of its person meanwhile. */
  async during<T>(request: Request, decide: () => Promise<T>): Promise<T> {
    const person = request.kind === 'command-given' ? request.actor?.id : undefined
    if (person === undefined) return decide()
    this.#underWay.set(person, this.#commandsOf(person) + 1)
    try {
      return await decide()
    } finally {
      const others = this.#commandsOf(person) - 1
      if (others > 0) this.#underWay.set(person, others)
      else this.#underWay.delete(person)
    }
  }

  #commandsOf(person: number): number {
    return this.#underWay.get(person) ?? 0
  }

  /**
   * Whether what a request comes to may be told before it is recorded. Whoever has several commands under way waits for the
   * log, which counts them.
   */
  mayTell(request: Request, decision: Decision<unknown>): request is CommandGiven {
    if (!this.#options.isAlone || request.kind !== 'command-given' || request.actor === null) return false
    if (decision.kind !== 'accept' || decision.events.length !== 1) return false
    return this.#commandsOf(request.actor.id) === 1 && onlyTells(decision.answer as Answer)
  }

  /** Brings the answer to a command out; what cannot be told now is told once it is recorded. */
  async tell({ repository, issue }: CommandGiven, events: readonly EventDraft[]): Promise<void> {
    const { ledger, reconciler } = this.#options
    try {
      reconciler.ahead(issueKey(repository.id, issue.number), await ledger.viewWith(events))
    } catch {
      // Such as of a log that must not be written to: then nothing is told.
    }
  }
}
