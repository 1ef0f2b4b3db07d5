import type { EventData } from '../core/catalogue.ts'
import type { EventDraft } from '../core/event.ts'
import { integrityProblem, type LedgerProblem } from './trouble.ts'
import type { WalkedFile } from './walk.ts'

interface Place {
  readonly path: string
  readonly line: number
}

const damaged = ({ path, line }: Place, message: string): LedgerProblem =>
  integrityProblem('ledger-damaged', `${path}:${line}: ${message}`, { path, line })

/** Holds the texts that are gone from a log against the events that say so: each of both needs the other. */
export class Redactions {
  readonly #gone = new Map<string, Place>()
  readonly #said = new Map<string, Place>()
  readonly #early: LedgerProblem[] = []

  /** `pending`: a redaction that no line says yet. */
  constructor(pending?: EventDraft) {
    const { seq, members } = (pending?.data ?? { seq: 0, members: [] }) as EventData<'event.redacted'>
    for (const member of members) this.#said.set(`${seq}${member}`, { path: 'the redaction', line: 1 })
  }

  note({ path, events, redacted }: WalkedFile): void {
    for (const { seq, line, members } of redacted)
      for (const member of members) this.#gone.set(`${seq}${member}`, { path, line })
    for (const [index, event] of events.entries()) {
      if (event.type !== 'event.redacted') continue
      const place = { path, line: index + 1 }
      const { seq, members } = event.data as EventData<'event.redacted'>
      if (seq >= event.seq)
        this.#early.push(damaged(place, `expected event ${event.seq} to name an earlier event, found ${seq}`))
      for (const member of members) this.#said.set(`${seq}${member}`, place)
    }
  }

  get count(): number {
    return this.#gone.size
  }

  /** What does not fit together, once the whole log was seen. */
  problems(): readonly LedgerProblem[] {
    const removed = [...this.#gone].flatMap(([name, place]) =>
      this.#said.has(name)
        ? []
        : [damaged(place, `expected the text of ${memberOf(name)}, or an event.redacted of it, found neither`)],
    )
    const forged = [...this.#said].flatMap(([name, place]) =>
      this.#gone.has(name)
        ? []
        : [damaged(place, `expected that event ${seqOf(name)} lost a text ${memberOf(name)}, found it did not`)],
    )
    return [...this.#early, ...removed, ...forged]
  }
}

const memberOf = (name: string): string => name.slice(name.indexOf('/'))
const seqOf = (name: string): string => name.slice(0, Math.max(0, name.indexOf('/')))
