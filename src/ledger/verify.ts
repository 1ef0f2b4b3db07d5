import { documentsNamedBy } from '../core/documents.ts'
import type { AggregateKey, LedgerEvent, Model } from '../core/event.ts'
import { type Problem, quoted } from '../core/problem.ts'
import type { HeadMark } from './batch.ts'
import { type Carried, firstFileProblems, loadCarried } from './carried.ts'
import { HEAD_PATH, ORIGIN, parseHead, parseStored } from './codec.ts'
import { endProblem } from './log-end.ts'
import { placeOf } from './prefixes.ts'
import { coalescedReads, type NamedFile, readNamed } from './reads.ts'
import { Redactions } from './redactions.ts'
import { type Head, type LogPosition, SnapshotIndex } from './schema.ts'
import { INDEX_PATH, SnapshotReader, snapshotCache } from './snapshot.ts'
import type { Author, LedgerStore, Newest } from './store.ts'
import { integrityProblem, isIntegrityError } from './trouble.ts'
import { type Anchor, Anchors } from './verify-anchors.ts'
import { type CarriedFrom, carriedFromOf, compareWithPredecessor, type Predecessor } from './verify-carried.ts'
import { Documents } from './verify-documents.ts'
import { checkCommits, checkNext } from './verify-lineage.ts'
import { compareKeys, compareStates } from './verify-snapshot.ts'
import { noLogProblem, type WalkedFile, walkLog } from './walk.ts'

/** The state of an aggregate just before an event, by replay. */
export type StateBefore = (key: AggregateKey) => unknown

export interface VerifyOptions {
  /** The one author whose commits belong on the branch; left out, whoever made the first one of the log. */
  readonly author?: Pick<Author, 'email'>
  /** Says what is wrong with an event by itself, as "expected …, found …"; null when nothing is. */
  readonly checkEvent?: (event: LedgerEvent) => string | null
  /** Head digests that stand outside the branch, such as in check runs and published metadata. */
  readonly anchors?: readonly Anchor[]
  /** The documents that an event names; by default those of `config.accepted` and `bundles.signed`. */
  readonly documentsOf?: (event: LedgerEvent) => readonly NamedFile[]
  /**
   * The epoch before: its archive, or the branch that the first event names, as far as that is there. What a later epoch took
   * over is then held against its end.
   */
  readonly predecessor?: Predecessor
  /**
   * The branches of all epochs before, oldest first, where heads led from the first one here: this one is the epoch after the
   * last of them, and where no author is given whoever began the first of them is the author of all.
   */
  readonly before?: readonly LedgerStore[]
  /** The branch on which a log that was closed goes on: it has to be there. Left out where a branch is looked at by itself. */
  readonly successor?: (branch: string) => LedgerStore
  /** The branch that an epoch would have: where the one after this is there, this one has to be closed. */
  readonly epochBranch?: (epoch: number) => LedgerStore
  /** Decides a recorded decision again; says what differs, nothing when it agrees, null when the event is no decision. */
  readonly redecide?: (
    event: LedgerEvent,
    stateBefore: StateBefore,
    document: (path: string) => Promise<string | undefined>,
  ) => Promise<readonly Problem[] | null>
}

export interface VerifyReport {
  readonly ok: boolean
  /** What was verified; null when there is no branch. */
  readonly commit: string | null
  /** The end of the log as far as it could be read. */
  readonly head: HeadMark
  /** Whether it was read to its end: else nothing behind `head` was looked at. */
  readonly isWhole: boolean
  /** The newest event that an anchor names rightly; null where none does. */
  readonly anchored: number | null
  /** The e-mail address whose commits belong on the branch; null when there is no commit. */
  readonly author: string | null
  /** What a later epoch goes on from, as its first event says; null for the first epoch. */
  readonly carried: CarriedFrom | null
  /** The branch on which the log goes on, when this one was closed. */
  readonly succeededBy: string | null
  readonly counts: {
    readonly files: number
    readonly events: number
    readonly aggregates: number
    readonly shards: number
    readonly keyFiles: number
    readonly documents: number
    readonly commits: number
    readonly redecided: number
    /** Texts that were taken out, each by an event that says so. */
    readonly redacted: number
  }
  /**
   * The first one is where to look: what is wrong with head, lines, documents and commits, and then the snapshots and decisions
   * that come out otherwise, which may only follow from it.
   */
  readonly problems: readonly Problem[]
}

/**
 * Walks the whole log of a branch: every line and its chain, the head, a replay of all events against each shard of the
 * snapshot, the kept keys, the documents that events name, the anchors, and who made the commits; decides decisions
 * again where it is told how. What is wrong is in the report; only trouble with the store is thrown.
 */
export async function verifyLedger(
  store: LedgerStore,
  model: Model,
  options: VerifyOptions = {},
): Promise<VerifyReport> {
  const newest = await store.newest([HEAD_PATH])
  const verification = new Verification(store, model, options, newest?.info.commit ?? null)
  if (!newest) {
    verification.report(integrityProblem('ledger-missing', `${store.name}: expected a branch, found none`))
    return verification.result()
  }
  await verification.walk(newest)
  await verification.checkDocuments()
  await verification.checkLineage()
  return verification.result()
}

class Verification {
  readonly #store: LedgerStore
  readonly #model: Model
  readonly #options: VerifyOptions
  readonly #commit: string | null
  readonly #states = new Map<AggregateKey, unknown>()
  readonly #documents: Documents
  readonly #anchors: Anchors
  readonly #keyPlaces = new Map<number, string>()
  /** The same the other way round: the events of the keys that are kept, by which a writer knows that an event is there. */
  readonly #keyEvents = new Map<string, number>()
  readonly #files: { path: string; firstSeq: number }[] = []
  readonly #problems: Problem[] = []
  /** What comes out otherwise by the replay, for which a cause among the others may be told later. */
  readonly #differences: Problem[] = []
  readonly #redactions = new Redactions()
  readonly #counts = { files: 0, events: 0, shards: 0, keyFiles: 0, commits: 0, redecided: 0 }
  #end: LogPosition = ORIGIN
  #isWhole = false
  #snapshot: SnapshotReader | undefined
  #firstKeptKey = Number.POSITIVE_INFINITY
  #author: string | null
  #carried: Carried | null = null
  #carriedFrom: CarriedFrom | null = null
  #succeededBy: string | null = null
  /** Null for a head that cannot be read. */
  #epoch: number | null = null

  constructor(store: LedgerStore, model: Model, options: VerifyOptions, commit: string | null) {
    this.#store = store
    this.#model = model
    this.#options = options
    this.#commit = commit
    this.#author = options.author?.email ?? null
    this.#documents = new Documents(store, commit ?? '', (problem) => this.report(problem))
    this.#anchors = new Anchors(options.anchors ?? [])
  }

  report(...problems: readonly Problem[]): void {
    this.#problems.push(...problems)
  }

  result(): VerifyReport {
    const problems = [...this.#problems, ...this.#differences]
    return {
      ok: problems.length === 0,
      commit: this.#commit,
      head: { seq: this.#end.seq, digest: this.#end.tip },
      isWhole: this.#isWhole,
      anchored: this.#anchors.agreed,
      author: this.#author,
      carried: this.#carriedFrom,
      succeededBy: this.#succeededBy,
      counts: {
        ...this.#counts,
        documents: this.#documents.count,
        aggregates: [...this.#states.values()].filter((state) => state !== undefined).length,
        redacted: this.#redactions.count,
      },
      problems,
    }
  }

  async walk(newest: Newest): Promise<void> {
    const { commit } = newest.info
    const parsed = parseHead(newest.files.get(HEAD_PATH))
    const head = parsed.ok ? parsed.value : null
    const strange = await noLogProblem(this.#store, newest)
    if (strange) return this.report(strange, ...this.#anchors.replacedProblems())
    if (!parsed.ok) this.report(...parsed.problems)
    if (head) await this.#openSnapshot(head)
    this.#end = head?.origin ?? ORIGIN
    this.#succeededBy = head?.succeededBy ?? null
    this.#epoch = head?.epoch ?? null
    if (head?.epoch === 1 && (head.origin.seq !== ORIGIN.seq || head.origin.tip !== ORIGIN.tip)) {
      this.#damaged(HEAD_PATH, 'expected the first epoch to begin with event 1')
    }
    const { before = [] } = this.#options
    if (head && before.length > 0 && head.epoch !== before.length + 1)
      this.#damaged(
        HEAD_PATH,
        `expected epoch ${before.length + 1}, to which the one before leads, found ${head.epoch}`,
      )
    let isWhole = head === null || (await this.#takeOver(head))
    if (!isWhole) return
    for await (const walked of walkLog(this.#store, commit, this.#end)) {
      if (walked.kind === 'file') {
        if (head && this.#end.seq === head.origin.seq) this.#checkFirst(walked.file, head)
        isWhole = await this.#replay(walked.file, head)
      } else {
        this.report(...walked.problems)
        isWhole = false
      }
      if (!isWhole) break
    }
    if (head && isWhole) {
      this.#checkHead(head)
      await this.#comparePredecessor(head)
    }
    if (!isWhole) return
    this.#isWhole = true
    this.report(...this.#redactions.problems())
    this.report(...this.#anchors.missingProblems(this.#end, head && head.epoch > 1 ? head.origin.seq + 1 : 1))
  }

  /** The state that a later epoch begins with; false when it cannot be read, so that no replay would mean anything. */
  async #takeOver(head: Head): Promise<boolean> {
    try {
      this.#carried = await loadCarried(this.#store, this.#commit ?? '', head)
    } catch (error) {
      if (!isIntegrityError(error)) throw error
      this.report(...error.problems)
      return false
    }
    for (const [key, state] of this.#carried?.states ?? []) this.#states.set(key, state)
    for (const { place, seq } of this.#carried?.keys ?? [])
      if (seq >= this.#firstKeptKey) {
        this.#keyPlaces.set(seq, place)
        this.#keyEvents.set(place, seq)
      }
    if (head.epoch > 1 && head.snapshot?.seq === head.origin.seq) await this.#compareSnapshot(head.snapshot.tip)
    return true
  }

  #checkFirst(file: WalkedFile, head: Head): void {
    this.report(...firstFileProblems(file, head, this.#carried))
    this.#carriedFrom = carriedFromOf(file.events[0], head)
  }

  async #comparePredecessor(head: Head): Promise<void> {
    const { predecessor } = this.#options
    if (!predecessor || !this.#carriedFrom) return
    const { from, problems } = await compareWithPredecessor(this.#carriedFrom, head, predecessor)
    this.#carriedFrom = from
    this.report(...problems)
  }

  #damaged(path: string, message: string, line?: number): void {
    const where = line === undefined ? { path } : { path, line }
    const place = line === undefined ? path : `${path}:${line}`
    this.report(integrityProblem('ledger-damaged', `${place}: ${message}`, where))
  }

  async #openSnapshot(head: Head): Promise<void> {
    const at = head.snapshot
    if (!at) {
      // So short a log is all of it within what its writers look at.
      this.#firstKeptKey = 0
      return
    }
    const commit = this.#commit ?? ''
    const read = coalescedReads(this.#store)
    try {
      const [bytes] = await readNamed(read, commit, [{ path: INDEX_PATH, digest: at.index }])
      const parsed = parseStored(SnapshotIndex, INDEX_PATH, bytes)
      if (!parsed.ok) return this.report(...parsed.problems)
      const index = parsed.value
      if (index.seq !== at.seq)
        return this.#damaged(INDEX_PATH, `expected the snapshot at event ${at.seq}, found ${index.seq}`)
      this.#snapshot = new SnapshotReader({ read, commit, cache: snapshotCache(), index })
      this.#firstKeptKey = index.keys.since
    } catch (error) {
      if (!isIntegrityError(error)) throw error
      this.report(...error.problems)
    }
  }

  /** Replays a file; false when an event cannot be folded, so that nothing behind it means anything. */
  async #replay(file: WalkedFile, head: Head | null): Promise<boolean> {
    const opening = head !== null && head.epoch > 1 ? head.origin.seq + 1 : null
    this.#counts.files += 1
    this.#redactions.note(file)
    this.#files.push({ path: file.path, firstSeq: file.events[0]?.seq ?? 0 })
    for (const [index, event] of file.events.entries()) {
      const tip = file.events[index + 1]?.prev ?? file.position.tip
      const line = index + 1
      const wrong = this.#options.checkEvent?.(event) ?? null
      if (event.type === 'epoch.opened' && event.seq !== opening)
        this.#damaged(
          file.path,
          'expected epoch.opened to be the first event of a later epoch, found it elsewhere',
          line,
        )
      if (wrong !== null) this.#damaged(file.path, wrong, line)
      else if (this.#options.redecide) await this.#redecide(event, file.path, line)
      if (!this.#fold(event, file.path, line)) return false
      this.#end = { seq: event.seq, tip }
      this.#counts.events += 1
      this.report(...this.#anchors.problemsAt(this.#end, file.path, line))
      if (event.seq >= this.#firstKeptKey) this.#keepKey(event, file.path, line)
      this.#documents.note((this.#options.documentsOf ?? documentsNamedBy)(event))
      if (event.seq === head?.snapshot?.seq) await this.#compareSnapshot(head.snapshot.tip)
    }
    return true
  }

  /** No writer appends an event whose key is kept: as two it would count twice. */
  #keepKey({ seq, key }: LedgerEvent, path: string, line: number): void {
    const place = placeOf(key)
    const first = this.#keyEvents.get(place)
    if (first !== undefined)
      this.#damaged(
        path,
        `expected the key ${quoted(key)} once, found it at event ${first} already: it was doubled`,
        line,
      )
    this.#keyPlaces.set(seq, place)
    this.#keyEvents.set(place, first ?? seq)
  }

  #fold(event: LedgerEvent, path: string, line: number): boolean {
    try {
      for (const key of this.#model.keysOf(event))
        this.#states.set(key, this.#model.evolve(key, this.#states.get(key), event))
      return true
    } catch (error) {
      this.#damaged(path, `expected an event that folds into state, found ${event.type}: ${String(error)}`, line)
      return false
    }
  }

  async #redecide(event: LedgerEvent, path: string, line: number): Promise<void> {
    const document = (wanted: string) => this.#documents.textOf(wanted)
    const found = await this.#options.redecide?.(event, (key) => this.#states.get(key), document)
    if (!found) return
    this.#counts.redecided += 1
    const placed = found.map((problem) => ({ ...problem, path, line, message: `${path}:${line}: ${problem.message}` }))
    this.#differences.push(...placed)
  }

  async #compareSnapshot(tip: string): Promise<void> {
    if (tip !== this.#end.tip) {
      const message = `${HEAD_PATH}: expected the snapshot to name ${this.#end.tip}, found ${tip}`
      this.#differences.push(integrityProblem('ledger-damaged', message, { path: HEAD_PATH }))
    }
    if (!this.#snapshot) return
    const states = await compareStates(this.#snapshot, this.#states)
    const keys = await compareKeys(this.#snapshot, this.#keyPlaces)
    this.#differences.push(...states.problems, ...keys.problems)
    this.#counts.shards += states.shards
    this.#counts.keyFiles += keys.keyFiles
  }

  #checkHead(head: Head): void {
    const wrongEnd = endProblem(head, this.#end, this.#files.at(-1)?.path ?? null)
    if (wrongEnd) this.report(wrongEnd)
    else if (head.seq < this.#end.seq) {
      const found = `found ${head.seq} (${head.tip})`
      this.#damaged(HEAD_PATH, `expected the log to end at event ${this.#end.seq} (${this.#end.tip}), ${found}`)
    }
    const since = (head.snapshot ?? head.origin).seq
    if (since > this.#end.seq)
      this.#damaged(HEAD_PATH, `expected a snapshot of recorded events, found one at event ${since}`)
    const tail = this.#files.filter((file) => file.firstSeq > since).map((file) => file.path)
    if (tail.join('\n') !== head.tail.join('\n')) {
      this.#damaged(HEAD_PATH, `expected it to name the ${tail.length} event files since the snapshot, found others`)
    }
  }

  checkDocuments(): Promise<void> {
    return this.#documents.checkAll()
  }

  async checkLineage(): Promise<void> {
    const { author, before = [], successor, epochBranch } = this.#options
    const found = await checkCommits(this.#store, this.#commit ?? '', { author, before })
    this.#author = found.author
    this.#counts.commits = found.commits
    const place = { epoch: this.#epoch, succeededBy: this.#succeededBy }
    const succession = await checkNext(this.#store, place, { successor, epochBranch })
    this.report(...found.problems, ...(succession ? [succession] : []))
  }
}
