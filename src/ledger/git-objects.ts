import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import type { Socket } from 'node:net'
import { gitEnvironment, gitFailed, gitUnavailable } from './git-process.ts'

export interface GitObject {
  readonly oid: string
  readonly type: 'commit' | 'tree' | 'blob' | 'tag'
  readonly bytes: Buffer
}

/** The objects of one repository by name: an oid, a ref, `commit:path`, or what else git takes for one. */
export interface GitObjects {
  /** Undefined where there is none of that name. Throws `git-failed` where git ends instead of answering. */
  read(name: string): Promise<GitObject | undefined>
  /** Settles when git has ended; the next read starts it again. */
  close(): Promise<void>
}

/** A commit object taken apart: its header lines of a name, each without it, and its message. */
export function commitParts({ bytes }: GitObject): { values(name: string): string[]; readonly message: string } {
  const text = bytes.toString('utf8')
  const end = text.indexOf('\n\n')
  const headers = text.slice(0, end < 0 ? text.length : end).split('\n')
  return {
    values: (name) => headers.flatMap((line) => (line.startsWith(`${name} `) ? [line.slice(name.length + 1)] : [])),
    message: end < 0 ? '' : text.slice(end + 2),
  }
}

/** A git that nobody has asked for this long is ended, so that a reader need not be closed. */
const IDLE_MS = 1_000

const HEADER = /^([0-9a-f]{40,64}) (commit|tree|blob|tag) (\d+)$/

/** What `git cat-file --batch` prints, put together from its pieces: for each name a header line and the bytes, or `… missing`. */
class Answers {
  #pieces: Buffer[] = []
  #length = 0
  #header: (Omit<GitObject, 'bytes'> & { readonly size: number }) | undefined

  add(piece: Buffer): void {
    this.#pieces.push(piece)
    this.#length += piece.length
  }

  /** The next whole answer, undefined for a missing object; null where more has to come. */
  next(): GitObject | undefined | null {
    if (!this.#header) {
      const bytes = this.#joined()
      const end = bytes.indexOf(0x0a)
      if (end < 0) return null
      const [, oid, type, size] = HEADER.exec(bytes.toString('utf8', 0, end)) ?? []
      this.#keep(bytes.subarray(end + 1))
      if (oid === undefined) return undefined
      this.#header = { oid, type: type as GitObject['type'], size: Number(size) }
    }
    const { size, oid, type } = this.#header
    /** Joined only once the whole object is there: that keeps large ones linear. */
    if (this.#length < size + 1) return null
    const bytes = this.#joined()
    this.#header = undefined
    this.#keep(bytes.subarray(size + 1))
    return { oid, type, bytes: Buffer.from(bytes.subarray(0, size)) }
  }

  #joined(): Buffer {
    const [only] = this.#pieces
    return this.#pieces.length === 1 && only ? only : Buffer.concat(this.#pieces)
  }

  #keep(rest: Buffer): void {
    this.#pieces = rest.length > 0 ? [rest] : []
    this.#length = rest.length
  }
}

interface Waiting {
  readonly resolve: (object: GitObject | undefined) => void
  readonly reject: (error: Error) => void
}

/** One running git, and who waits for its answers, in the order in which they asked. */
class Batch {
  readonly #child: ChildProcessWithoutNullStreams
  readonly #answers = new Answers()
  readonly #waiting: Waiting[] = []
  readonly #idleMs: number
  readonly #onIdle: () => void
  #idle: NodeJS.Timeout | undefined
  readonly ended: Promise<void>

  constructor(directory: string, env: NodeJS.ProcessEnv, idleMs: number, onIdle: () => void) {
    this.#idleMs = idleMs
    this.#onIdle = onIdle
    this.#child = spawn('git', [`--git-dir=${directory}`, 'cat-file', '--batch'], { env })
    this.ended = this.#listen(this.#child)
  }

  ask(name: string): Promise<GitObject | undefined> {
    clearTimeout(this.#idle)
    this.#keepAlive('ref')
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.#child.stdin.write(`${name}\n`)
    })
  }

  /** Whoever waits for its end is waited for, though nothing else keeps this process running. */
  end(): void {
    clearTimeout(this.#idle)
    this.#keepAlive('ref')
    this.#child.stdin.end()
  }

  #listen({ stdin, stdout, stderr }: ChildProcessWithoutNullStreams): Promise<void> {
    const said: Buffer[] = []
    let failure: Error | undefined
    /** Writing to one that has just ended is answered by its end. */
    stdin.on('error', () => {})
    stderr.on('data', (piece: Buffer) => said.push(piece))
    stdout.on('data', (piece: Buffer) => {
      this.#answers.add(piece)
      this.#settle()
    })
    this.#child.on('error', (cause) => {
      failure = gitUnavailable(cause)
    })
    return new Promise((resolve) => {
      this.#child.on('close', (exitCode) => {
        clearTimeout(this.#idle)
        const answer = { exitCode: exitCode ?? 128, stderr: Buffer.concat(said).toString('utf8') }
        for (const { reject } of this.#waiting.splice(0)) reject(failure ?? gitFailed('cat-file', answer))
        resolve()
      })
    })
  }

  #settle(): void {
    while (this.#waiting.length > 0) {
      const object = this.#answers.next()
      if (object === null) return
      this.#waiting.shift()?.resolve(object)
    }
    this.#keepAlive('unref')
    clearTimeout(this.#idle)
    this.#idle = setTimeout(this.#onIdle, this.#idleMs).unref()
  }

  /** Only a question that is open keeps this process from ending. */
  #keepAlive(by: 'ref' | 'unref'): void {
    this.#child[by]()
    for (const stream of [this.#child.stdin, this.#child.stdout, this.#child.stderr]) (stream as Socket)[by]()
  }
}

/** Reads through one lasting git: starting it costs a large process far more than reading does. */
export function gitObjects(
  directory: string,
  {
    environment = gitEnvironment,
    idleMs = IDLE_MS,
  }: { readonly environment?: () => NodeJS.ProcessEnv; readonly idleMs?: number } = {},
): GitObjects {
  const alive = new Set<Batch>()
  let current: Batch | undefined

  /** What is asked from now on is asked of another. */
  const leave = (batch: Batch): void => {
    if (current === batch) current = undefined
  }
  const start = (): Batch => {
    const batch = new Batch(directory, environment(), idleMs, () => {
      leave(batch)
      batch.end()
    })
    alive.add(batch)
    void batch.ended.then(() => {
      leave(batch)
      alive.delete(batch)
    })
    return batch
  }
  return {
    read(name) {
      /** A line break would make two names of one; git has no object of such a name. */
      if (/[\n\0]/.test(name)) return Promise.resolve(undefined)
      current ??= start()
      return current.ask(name)
    },
    async close() {
      current = undefined
      for (const batch of alive) batch.end()
      await Promise.all([...alive].map((batch) => batch.ended))
    },
  }
}
