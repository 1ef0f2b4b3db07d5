import { draft } from '../core/catalogue.ts'
import type { AggregateKey, EventDraft } from '../core/event.ts'
import { digestOf } from '../core/json.ts'
import { type OutboxState, outboxKey } from '../core/outbox.ts'
import type { Request } from '../core/request.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { desiredOutputs, type Surroundings } from '../render/desired.ts'
import type { Output } from '../render/output.ts'
import type { Applied, Log, Outlets } from './ports.ts'
import { settleView } from './settle.ts'

export interface ReconcilerOptions {
  readonly ledger: Ledger
  readonly outlets: Outlets
  readonly around: () => Omit<Surroundings, 'headDigest'>
  readonly clock: () => string
  readonly log: Log
  readonly delay: (milliseconds: number) => Promise<void>
  /** Facts learned while applying an output go back to the engine. */
  readonly observe: (request: Request) => Promise<unknown>
}

const FIRST_RETRY_MS = 500
const MAX_RETRY_MS = 60_000
/** Subjects worked on at a time; outputs of one subject are applied one after the other, in their order. */
const PARALLEL_SUBJECTS = 4

/** Makes the outside world equal to what the state wants. Asked for a subject again and again, it acts on what differs. */
export class Reconciler {
  readonly #options: ReconcilerOptions
  readonly #dirty = new Set<AggregateKey>()
  readonly #busy = new Set<AggregateKey>()
  readonly #settled = new Map<string, { readonly digest: string; readonly remote: string | null }>()
  readonly #failures = new Map<AggregateKey, number>()
  readonly #waiting: (() => void)[] = []
  #isClosed = false

  constructor(options: ReconcilerOptions) {
    this.#options = options
  }

  /** Notes that the outputs of some subjects may have changed; returns at once. */
  mark(subjects: Iterable<AggregateKey>): void {
    for (const subject of subjects) this.#dirty.add(subject)
    this.#pump()
  }

  /** Settles when nothing is left to do; a subject that failed is left to its next try. */
  async idle(): Promise<void> {
    while (this.#busy.size > 0 || this.#dirty.size > 0) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  /** The subjects whose last try failed. */
  get failing(): readonly string[] {
    return [...this.#failures.keys()]
  }

  close(): void {
    this.#isClosed = true
    this.#dirty.clear()
  }

  #pump(): void {
    for (const subject of this.#dirty) {
      if (this.#isClosed || this.#busy.size >= PARALLEL_SUBJECTS) return
      if (this.#busy.has(subject)) continue
      this.#dirty.delete(subject)
      this.#busy.add(subject)
      void this.#work(subject)
    }
  }

  async #work(subject: AggregateKey): Promise<void> {
    try {
      await this.#reconcile(subject)
      this.#failures.delete(subject)
    } catch (error) {
      this.#retryLater(subject, error)
    }
    this.#busy.delete(subject)
    this.#pump()
    for (const wake of this.#waiting.splice(0)) wake()
  }

  #retryLater(subject: AggregateKey, error: unknown): void {
    const { log, delay } = this.#options
    const failures = (this.#failures.get(subject) ?? 0) + 1
    this.#failures.set(subject, failures)
    const retryInMs = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** (failures - 1))
    log.error(
      { subject, failures, retryInMs, error: String(error) },
      'an output could not be brought out; it is tried again',
    )
    void delay(retryInMs).then(() => (this.#isClosed ? undefined : this.mark([subject])))
  }

  async #reconcile(subject: AggregateKey): Promise<void> {
    const view = await this.#options.ledger.view()
    const around = this.#options.around()
    /** The log's head changes with every event: it anchors what is written, and is no reason to write. */
    const wanted = await settleView(() => desiredOutputs(subject, { ...around, headDigest: '' }), view)
    if (wanted.length === 0) return
    const anchored = await settleView(() => desiredOutputs(subject, { ...around, headDigest: view.head.digest }), view)
    const outbox = (await view.state(outboxKey(subject))) as OutboxState | undefined
    for (const [index, output] of wanted.entries()) {
      const known = this.#settled.get(output.key) ?? outbox?.settled.find((entry) => entry.output === output.key)
      const digest = digestOf(output)
      if (known?.digest === digest) continue
      const written = anchored[index]
      if (written?.key === output.key) await this.#apply(written, digest, known?.remote ?? null)
    }
  }

  async #apply(output: Output, digest: string, remote: string | null): Promise<void> {
    const { outlets, observe, ledger } = this.#options
    const apply = outlets[output.kind] as (output: Output, remote: string | null) => Promise<Applied>
    const applied = await apply(output, remote)
    this.#settled.set(output.key, { digest, remote: applied.remote })
    ledger.ride([this.#receipt(output, digest, applied.remote)]).catch(() => {})
    for (const request of applied.observed ?? []) await observe(request)
  }

  #receipt(output: Output, digest: string, remote: string | null): EventDraft {
    return draft(
      'output.settled',
      { subject: output.subject, output: output.key, digest, remote },
      {
        key: `output:${output.key.slice(0, 280)}:${digest.slice(7, 39)}`,
        at: this.#options.clock(),
        actor: null,
        source: { kind: 'reconciler' },
        trust: 'platform',
      },
    )
  }
}
