import { sha256 } from '../core/json.ts'
import type { Problem } from '../core/problem.ts'
import { Lru } from './lru.ts'
import type { NamedFile } from './reads.ts'
import type { LedgerStore } from './store.ts'
import { integrityProblem } from './trouble.ts'

const CACHED_FILES = 64
const DOCUMENTS_PER_READ = 50

/** What is wrong with a document that has other bytes than an event names it by; null where nothing is. */
export function documentProblem({ path, digest }: NamedFile, bytes: Uint8Array | string | null | undefined) {
  const found = bytes === null || bytes === undefined ? 'no file' : sha256(bytes)
  if (found === digest) return null
  const message = `${path}: expected ${digest}, as an event names it, found ${found}`
  return integrityProblem('ledger-damaged', message, { path })
}

/** The documents of a commit, each held against the digest that the newest event names it by. */
export class Documents {
  readonly #store: LedgerStore
  readonly #commit: string
  readonly #report: (problem: Problem) => void
  readonly #digests = new Map<string, string>()
  readonly #wrong = new Set<string>()
  /** Thousands of decisions go by one configuration. */
  readonly #texts = new Lru<string, { readonly text: string | undefined }>(CACHED_FILES)

  constructor(store: LedgerStore, commit: string, report: (problem: Problem) => void) {
    this.#store = store
    this.#commit = commit
    this.#report = report
  }

  /** How many were named so far. */
  get count(): number {
    return this.#digests.size
  }

  note(named: readonly NamedFile[]): void {
    for (const { path, digest } of named) this.#digests.set(path, digest)
  }

  /** The text of a document, or undefined when it is not there. */
  async textOf(path: string): Promise<string | undefined> {
    const known = this.#texts.get(path)
    if (known) return known.text
    const bytes = (await this.#store.read(this.#commit, [path])).get(path)
    this.#check(path, bytes)
    const text = bytes ? Buffer.from(bytes).toString('utf8') : undefined
    this.#texts.set(path, { text })
    return text
  }

  /** Holds every document that was named against its digest. */
  async checkAll(): Promise<void> {
    const paths = [...this.#digests.keys()]
    for (let start = 0; start < paths.length; start += DOCUMENTS_PER_READ) {
      const part = paths.slice(start, start + DOCUMENTS_PER_READ)
      const files = await this.#store.read(this.#commit, part)
      for (const path of part) this.#check(path, files.get(path))
    }
  }

  /** Told once, before what was decided by it comes out otherwise. */
  #check(path: string, bytes: Uint8Array | null | undefined): void {
    const digest = this.#digests.get(path)
    const problem = digest === undefined ? null : documentProblem({ path, digest }, bytes)
    if (problem === null || this.#wrong.has(path)) return
    this.#wrong.add(path)
    this.#report(problem)
  }
}
