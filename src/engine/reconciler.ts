import { draft, type TypedEvent } from '../core/catalogue.ts'
import { hasPassed } from '../core/clocks.ts'
import type { AggregateKey, EventDraft, LedgerEvent } from '../core/event.ts'
import { digestOf } from '../core/json.ts'
import { type OutboxState, outboxKey, type Receipt, type Settled, settledAfter } from '../core/outbox.ts'
import { endsSubject, endsWhatIsOpen } from '../core/release/evolve-open.ts'
import type { Request } from '../core/request.ts'
import type { Ledger, Session } from '../ledger/ledger.ts'
import { desiredOutputs, type Surroundings } from '../render/desired.ts'
import type { Output, OutputKind } from '../render/output.ts'
import type { Applied, Log, Outlets } from './ports.ts'
import { settleView } from './settle.ts'

export interface ReconcilerOptions {
  readonly ledger: Ledger
  readonly outlets: Outlets
  readonly around: () => Omit<Surroundings, 'head'>
  readonly clock: () => string
  readonly log: Log
  readonly delay: (milliseconds: number) => Promise<void>
  /**
   * A comment that was just edited is edited again only after so many milliseconds, with everything that has changed by
   * then; 10,000 when left out.
   */
  readonly editEveryMs?: number
  /** 128 random bits as 32 lower-case hexadecimal digits, new ones each time. */
  readonly random: () => string
  /** Facts learned while applying an output go back to the engine. */
  readonly observe: (request: Request) => Promise<unknown>
  /** Whether trying again comes to the same until somebody changes something outside; of no error when left out. */
  readonly isLasting?: (error: unknown) => boolean
}

const FIRST_RETRY_MS = 500
const MAX_RETRY_MS = 60_000
/** Of what somebody has to change first, or what belongs to a place that is gone. */
const MAX_LASTING_RETRY_MS = 10 * 60_000
/** Subjects worked on at a time; outputs of one subject are applied one after the other, in their order. */
const PARALLEL_SUBJECTS = 4
const EDIT_EVERY_MS = 10_000
/** Outputs kept in memory of which the log does not say yet what was written. */
const OUTPUTS_AT_HAND = 20_000

/**
 * What people can change or remove outside, or what two processes of the App may leave wrong when they write at once, and
 * what an outlet sets right again when it looks. An answer to a gate
 * stands once it is given, a reaction is no statement, a manifest is looked at
 * by its publisher, and what was cut is its repository's own from then on. Notes are read from many commits: whoever asks anew has them
 * looked at.
 */
const CAN_DRIFT: Readonly<Record<OutputKind, boolean>> = {
  comment: true,
  label: true,
  proposal: true,
  'proposal-end': true,
  alarm: true,
  'check-run': true,
  reaction: false,
  'gate-answer': false,
  cut: false,
  notes: false,
  manifest: false,
}

/**
 * A publication waits for its host, on Pages for minutes: it takes no place from what people wait for. All cohorts begin
 * at once, so that the publisher can send them together.
 */
const isPublished = (subject: AggregateKey): boolean => subject.startsWith('cohort/')

/** What is to stand outside: as it is compared, and as it is anchored in the log where it is written. */
interface Wanted {
  readonly written: Output
  readonly digest: string
  readonly known: Settled | undefined
  /** The newest receipt of it that the log showed. */
  readonly follows: number
}

/** What this process wrote and the log does not say yet. */
interface Own {
  readonly receipt: Receipt
  /**
   * Its receipt rides with the next commit; or that is told later, once the log has what it comes from; or not at all, where
   * the log says the same already and where none can be told.
   */
  readonly telling: 'rides' | 'later' | 'none'
  /** In how many milliseconds after that it is to be looked at once more. */
  readonly lookInMs?: number
}

const keyOf = ({ written }: Wanted): string => written.key

/** Makes the outside world equal to what the state wants. Asked for a subject again and again, it acts on what differs. */
export class Reconciler {
  readonly #options: ReconcilerOptions
  readonly #dirty = new Set<AggregateKey>()
  readonly #busy = new Set<AggregateKey>()
  /** By output; it goes on from what the log says, and is forgotten when the log says it, too. */
  readonly #own = new Map<string, Own>()
  /** This process in its receipts: it lives in no other one. */
  readonly #writer: string
  #writings = 0
  readonly #failures = new Map<AggregateKey, number>()
  /** Subjects whose next try is set: however often one fails, only one try of it is ever waiting. */
  readonly #retrying = new Set<AggregateKey>()
  /** Those of them that are left to their next try by the clock. */
  readonly #resting = new Set<AggregateKey>()
  /** Subjects whose outputs are looked at outside although nothing of their state has changed. */
  readonly #suspect = new Set<AggregateKey>()
  /** Outputs that are looked at once more, by subject. */
  readonly #looks = new Map<AggregateKey, Set<string>>()
  /** When comments were written last, by output. */
  readonly #written = new Map<string, number>()
  /** Subjects whose comments wait for further changes. */
  readonly #patient = new Set<AggregateKey>()
  readonly #waiting: (() => void)[] = []
  /** How many want everything out now. */
  #hurrying = 0
  #isClosed = false

  constructor(options: ReconcilerOptions) {
    this.#options = options
    this.#writer = options.random().slice(0, 12)
  }

  /** Notes that the outputs of some subjects may have changed; returns at once. */
  mark(subjects: Iterable<AggregateKey>): void {
    if (this.#isClosed) return
    for (const subject of subjects) this.#dirty.add(subject)
    this.#pump()
  }

  /** As `mark`, by the clock: what would come to the same is left to its next try, which is the rarer the longer it lasts. */
  remind(subjects: readonly AggregateKey[]): void {
    this.mark(subjects.filter((subject) => !this.#resting.has(subject)))
  }

  /** As `mark`, and distrusts what is known to be outside: somebody may have changed or removed it. */
  suspect(subjects: readonly AggregateKey[]): void {
    if (this.#isClosed) return
    for (const subject of subjects) this.#suspect.add(subject)
    this.mark(subjects)
  }

  /**
   * Brings out what a subject newly wants in a session that the log is still to come to, as far as it can be set right
   * later; returns at once. What is in the log already, and telling the log of what was written, is left to `mark`, and so is
   * everything where others wait for their turn or the subject is being worked on.
   */
  ahead(subject: AggregateKey, session: Session): void {
    if (this.#isClosed || this.#busy.has(subject) || this.#places() >= PARALLEL_SUBJECTS) return
    this.#busy.add(subject)
    void this.#workAhead(subject, session)
  }

  /**
   * Settles when nothing is left to do; what waits for further changes is written now, and a subject that failed is left
   * to its next try.
   */
  async idle(): Promise<void> {
    this.#hurrying += 1
    for (;;) {
      this.mark(this.#patient)
      this.#patient.clear()
      if (this.#busy.size === 0 && this.#dirty.size === 0) break
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
    this.#hurrying -= 1
  }

  /** The subjects whose last try failed. */
  get failing(): readonly string[] {
    return [...this.#failures.keys()]
  }

  /** Begins nothing more, and settles when what is under way has ended. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#dirty.clear()
    this.#patient.clear()
    await this.idle()
  }

  #pump(): void {
    for (const subject of this.#dirty) {
      if (this.#isClosed) return
      const isFull = !isPublished(subject) && this.#places() >= PARALLEL_SUBJECTS
      if (isFull || this.#busy.has(subject)) continue
      this.#dirty.delete(subject)
      this.#busy.add(subject)
      void this.#work(subject)
    }
  }

  #places(): number {
    return [...this.#busy].filter((subject) => !isPublished(subject)).length
  }

  async #work(subject: AggregateKey): Promise<void> {
    const isSuspect = this.#suspect.delete(subject)
    try {
      await this.#reconcile(subject, isSuspect)
      this.#failures.delete(subject)
      this.#resting.delete(subject)
    } catch (error) {
      /** Whatever went wrong, the log too: the next try still has to look. */
      if (isSuspect) this.#suspect.add(subject)
      this.#retryLater(subject, error)
    }
    this.#leaveSubject(subject)
  }

  async #workAhead(subject: AggregateKey, session: Session): Promise<void> {
    try {
      const wanted = await this.#wanted(subject, session)
      const before = new Set((await this.#wanted(subject, await this.#options.ledger.view())).map(keyOf))
      const isNew = (one: Wanted) => one.known === undefined && !before.has(keyOf(one)) && CAN_DRIFT[one.written.kind]
      await this.#bringOut(wanted.filter(isNew), 'later')
    } catch (error) {
      this.#retryLater(subject, error)
    }
    this.#leaveSubject(subject)
  }

  #leaveSubject(subject: AggregateKey): void {
    this.#busy.delete(subject)
    this.#pump()
    for (const wake of this.#waiting.splice(0)) wake()
  }

  #retryLater(subject: AggregateKey, error: unknown): void {
    const { log, delay } = this.#options
    const failures = (this.#failures.get(subject) ?? 0) + 1
    this.#failures.set(subject, failures)
    const isLasting = this.#isLasting(error)
    if (isLasting) this.#resting.add(subject)
    else this.#resting.delete(subject)
    const retryInMs = Math.min(isLasting ? MAX_LASTING_RETRY_MS : MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** (failures - 1))
    log.error(
      { subject, failures, retryInMs, error: String(error) },
      'an output could not be brought out; it is tried again',
    )
    if (this.#retrying.has(subject)) return
    this.#retrying.add(subject)
    void delay(retryInMs).then(() => {
      this.#retrying.delete(subject)
      this.mark([subject])
    })
  }

  #isLasting(error: unknown): boolean {
    const { isLasting = () => false } = this.#options
    return error instanceof AggregateError ? error.errors.every(isLasting) : isLasting(error)
  }

  async #reconcile(subject: AggregateKey, isSuspect: boolean): Promise<void> {
    const looks = this.#looks.get(subject)
    const wanted = await this.#wanted(subject, await this.#options.ledger.view())
    if (wanted.length === 0) return
    const due: Wanted[] = []
    for (const one of wanted) {
      const { key, kind } = one.written
      const isLookDue = (isSuspect && CAN_DRIFT[kind]) || looks?.has(key)
      if (one.known?.digest !== one.digest || isLookDue) due.push(one)
      else this.#leave(one)
    }
    const waitMs = isSuspect || this.#hurrying > 0 ? 0 : this.#patienceMs(due)
    if (waitMs > 0) return this.#waitFor(subject, waitMs)
    await this.#bringOut(due, 'rides')
    /** Those that came due meanwhile make a set of their own. */
    if (this.#looks.get(subject) === looks) this.#looks.delete(subject)
  }

  /** What a subject wants in a state of the log. */
  async #wanted(subject: AggregateKey, session: Session): Promise<readonly Wanted[]> {
    const around = this.#options.around()
    /** The log's head changes with every event: it anchors what is written, and is no reason to write. */
    const wanted = await settleView(() => desiredOutputs(subject, { ...around, head: null }), session)
    if (wanted.length === 0) return []
    const anchored = await settleView(() => desiredOutputs(subject, { ...around, head: session.head }), session)
    const outbox = (await session.state(outboxKey(subject))) as OutboxState | undefined
    return wanted.flatMap((output, index): Wanted[] => {
      const told = outbox?.settled.find((entry) => entry.output === output.key)
      const written = anchored[index]
      if (written?.key !== output.key) return []
      const known = this.#known(output.key, told)
      return [{ written, digest: digestOf(output), known, follows: told?.seq ?? 0 }]
    })
  }

  /** What stands as it is wanted. */
  #leave({ written, digest }: Wanted): void {
    const own = this.#own.get(written.key)
    if (own?.telling === 'later') this.#tellOf(own, written, digest)
    else if (own?.telling === 'none') this.#own.delete(written.key)
  }

  /** Writes one after the other. What fails keeps back nothing but the end of its subject; all that failed is thrown. */
  async #bringOut(due: readonly Wanted[], telling: 'rides' | 'later'): Promise<void> {
    const errors: unknown[] = []
    for (const one of due) {
      try {
        await this.#apply(one, { telling, isBehindFailed: errors.length > 0 })
      } catch (error) {
        /** Nobody knows whether it was written, even where what stood before is wanted again. */
        this.#remember({ receipt: this.#receipt(one, null, one.known?.remote ?? null), telling: 'none' })
        /** A label that cannot be set must not keep the check run of the signatures back. */
        errors.push(error)
      }
    }
    if (errors.length > 0)
      throw errors.length === 1 ? errors[0] : new AggregateError(errors, errors.map(String).join('; '))
  }

  get #editEveryMs(): number {
    return this.#options.editEveryMs ?? EDIT_EVERY_MS
  }

  /**
   * Milliseconds that may be waited for further changes: only where nothing but edits of comments is due, so that nothing
   * that follows them is out before they are.
   */
  #patienceMs(due: readonly Wanted[]): number {
    const nowMs = Date.parse(this.#options.clock())
    const waits = due.map(({ written, known }) => {
      const lastMs = this.#written.get(written.key)
      const isEdit = written.kind === 'comment' && known !== undefined && !written.key.startsWith('reply/')
      if (!isEdit || lastMs === undefined || hasPassed(lastMs, this.#editEveryMs, nowMs)) return 0
      return lastMs + this.#editEveryMs - nowMs
    })
    return waits.length === 0 ? 0 : Math.min(...waits)
  }

  #waitFor(subject: AggregateKey, waitMs: number): void {
    if (this.#patient.has(subject)) return
    this.#patient.add(subject)
    void this.#options.delay(waitMs).then(() => {
      if (this.#patient.delete(subject)) this.mark([subject])
    })
  }

  /** What is known of an output: what the log says, and what this process has written since. */
  #known(key: string, told: Settled | undefined): Settled | undefined {
    const own = this.#own.get(key)
    return own ? settledAfter(told, own.receipt, Number.MAX_SAFE_INTEGER) : told
  }

  /** `isBehindFailed`: something before it in its subject is not out. */
  async #apply(
    due: Wanted,
    { telling, isBehindFailed }: { readonly telling: 'rides' | 'later'; readonly isBehindFailed: boolean },
  ): Promise<void> {
    const { outlets, observe } = this.#options
    const { written, digest, known } = due
    const apply = outlets[written.kind] as (output: Output, remote: string | null, isLook: boolean) => Promise<Applied>
    const isLook = known?.digest === digest
    const first = await apply(written, known?.remote ?? null, isLook)
    const isLookDue = !isLook && this.#looks.get(written.subject as AggregateKey)?.has(written.key)
    const { remote, observed, lookInMs, isSetRight } = isLookDue
      ? { ...first, ...(await apply(written, first.remote, true)) }
      : first
    /** What was learned is durable before the output counts as settled: else a failure here would lose it. */
    for (const request of observed ?? []) await observe(request)
    if (written.kind === 'comment') this.#noteWritten(written.key)
    const receipt = this.#receipt(due, digest, remote)
    const look = lookInMs === undefined ? {} : { lookInMs }
    /** It is not wanted by the log yet, so that there is nothing to look at. */
    if (telling === 'later') return this.#remember({ receipt, telling, ...look })
    if (lookInMs !== undefined) this.#lookLater(written, lookInMs)
    /** It stays open, and is come back to, until what is before it is out, too. */
    if (isBehindFailed && endsSubject(written.subject, written.key)) return this.#remember({ receipt, telling: 'none' })
    const own = this.#own.get(written.key)
    if (own?.telling === 'later') return this.#tellOf({ ...own, receipt }, written, digest)
    if (!isLook || known.remote !== remote || isSetRight) return this.#tell(written, receipt, digest)
    /** The log says the same; but if it turns out that another wrote meanwhile, either may have been the last. */
    if (own === undefined) this.#remember({ receipt, telling: 'none' })
  }

  /** Takes in events of other processes: where one wrote what this one wrote as well, either may have been the last. */
  follow(events: readonly LedgerEvent[]): void {
    const told = events.filter((event) => event.type === 'output.settled') as unknown as TypedEvent<'output.settled'>[]
    const contested = told.filter(({ data }) => {
      const own = this.#own.get(data.output)
      return own !== undefined && own.receipt.digest !== data.digest && data.writer !== this.#writer
    })
    this.mark(contested.map(({ data }) => data.subject as AggregateKey))
  }

  #lookLater({ key, subject }: Output, inMs: number): void {
    const at = subject as AggregateKey
    void this.#options.delay(inMs).then(() => {
      this.#looks.set(at, new Set([...(this.#looks.get(at) ?? []), key]))
      this.mark([at])
    })
  }

  /** The newest ones: what is forgotten here is told by the log, or is looked at once more. */
  #remember(own: Own): void {
    this.#own.delete(own.receipt.output)
    this.#own.set(own.receipt.output, own)
    const [oldest] = this.#own.keys()
    if (this.#own.size > OUTPUTS_AT_HAND && oldest !== undefined) this.#own.delete(oldest)
  }

  #receipt({ written, follows }: Wanted, digest: string | null, remote: string | null): Receipt {
    return { output: written.key, digest, remote, writer: this.#writer, follows }
  }

  /** Tells the log, once it has what it comes from, of what was written ahead of that. */
  #tellOf({ receipt, lookInMs }: Own, written: Output, digest: string): void {
    if (lookInMs !== undefined) this.#lookLater(written, lookInMs)
    this.#tell(written, receipt, digest)
  }

  #tell({ key, subject }: Output, receipt: Receipt, digest: string): void {
    const own: Own = { receipt, telling: 'rides' }
    this.#remember(own)
    this.#writings += 1
    const rest = {
      key: `output:${key.slice(0, 280)}:${digest.slice(7, 39)}:${this.#writer}n${this.#writings}`,
      at: this.#options.clock(),
      actor: null,
      source: { kind: 'reconciler' },
      trust: 'platform',
    } as const
    const draftOn = async (session: Session): Promise<EventDraft> => {
      const isOutdated =
        endsWhatIsOpen(subject, key) && (await this.#isOutdated(subject as AggregateKey, receipt, session))
      return draft('output.settled', { ...receipt, subject, digest, ...(isOutdated ? { isOutdated } : {}) }, rest)
    }
    void this.#landed(subject as AggregateKey, draftOn, own).catch(() => {})
  }

  /** Whether a state wants an output otherwise than it was written. */
  async #isOutdated(subject: AggregateKey, { output, digest }: Receipt, session: Session): Promise<boolean> {
    const around = { ...this.#options.around(), head: null }
    const wanted = (await settleView(() => desiredOutputs(subject, around), session)).find(({ key }) => key === output)
    return wanted !== undefined && digestOf(wanted) !== digest
  }

  /** Goes with the next commit. Where the log then shows that another wrote at once, it is written again. */
  async #landed(subject: AggregateKey, draftOn: (session: Session) => Promise<EventDraft>, own: Own): Promise<void> {
    const { ledger } = this.#options
    await ledger.ride(draftOn)
    const { output } = own.receipt
    if (this.#own.get(output) !== own) return
    this.#own.delete(output)
    const outbox = (await (await ledger.view()).state(outboxKey(subject))) as OutboxState | undefined
    if (outbox?.settled.some((entry) => entry.output === output && entry.digest === null)) this.mark([subject])
  }

  #noteWritten(key: string): void {
    const nowMs = Date.parse(this.#options.clock())
    for (const [other, atMs] of this.#written)
      if (hasPassed(atMs, this.#editEveryMs, nowMs)) this.#written.delete(other)
    this.#written.set(key, nowMs)
  }
}
