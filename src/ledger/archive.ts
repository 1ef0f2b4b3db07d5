import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { createGunzip, createGzip } from 'node:zlib'
import { RingmasterError } from '../core/problem.ts'
import type { ClosedEpoch } from './epoch.ts'
import type { CommitInfo, LedgerStore, TreeEntry } from './store.ts'
import { readTar, TAR_END, tarBeginning, tarFile } from './tar.ts'

/** The name of the archive of an epoch, for a file and for a release. */
export const archiveName = (epoch: number): string => `ringmaster-ledger-${epoch}`

export interface Archive {
  /** A tar, compressed with gzip: every file of the last commit of the epoch. */
  readonly bytes: Uint8Array
  /** The digest of the tar itself: the same wherever and whenever the archive of that commit is made. */
  readonly digest: string
  readonly files: number
}

const FILES_PER_READ = 50

async function pathsUnder(store: LedgerStore, commit: string, directory: string): Promise<string[]> {
  const found: string[] = []
  for (const { name, kind } of await store.list(commit, directory)) {
    const path = directory === '' ? name : `${directory}/${name}`
    if (kind === 'file') found.push(path)
    else found.push(...(await pathsUnder(store, commit, path)))
  }
  return found
}

async function* tarOf(store: LedgerStore, commit: string, paths: readonly string[]): AsyncGenerator<Uint8Array> {
  yield* tarBeginning(commit)
  for (let start = 0; start < paths.length; start += FILES_PER_READ) {
    const part = paths.slice(start, start + FILES_PER_READ)
    const files = await store.read(commit, part)
    for (const path of part) yield* tarFile({ path, bytes: files.get(path) ?? new Uint8Array() })
  }
  yield TAR_END
}

/** The archive of a closed epoch: its last commit's files in the order of their paths, without times and owners. */
export async function archiveOf(store: LedgerStore, { commit }: Pick<ClosedEpoch, 'commit'>): Promise<Archive> {
  const paths = (await pathsUnder(store, commit, '')).sort()
  const hash = createHash('sha256')
  const gzip = createGzip({ level: 9 })
  const packed: Uint8Array[] = []
  const ended = new Promise<void>((resolve, reject) => {
    gzip.on('data', (chunk: Uint8Array) => packed.push(chunk))
    gzip.on('end', resolve)
    gzip.on('error', reject)
  })
  for await (const chunk of tarOf(store, commit, paths)) {
    hash.update(chunk)
    if (!gzip.write(chunk)) await new Promise((resolve) => gzip.once('drain', resolve))
  }
  gzip.end()
  await ended
  return { bytes: Buffer.concat(packed), digest: `sha256:${hash.digest('hex')}`, files: paths.length }
}

export interface OpenedArchive {
  /** Reads the archive as if it were the branch that it was made from. Nothing can be written to it. */
  readonly store: LedgerStore
  readonly digest: string
}

const damaged = (name: string, message: string) =>
  new RingmasterError('bad-input', {
    code: 'archive-damaged',
    message: `${name}: ${message}`,
    hint: 'Fetch it again, or make it anew: ringmaster ledger archive.',
  })

/** Opens an archive of that name. Throws `archive-damaged` for what is no whole archive of a ledger. */
export async function openArchive(name: string, bytes: Uint8Array): Promise<OpenedArchive> {
  const hash = createHash('sha256')
  const unpacked = Readable.from([bytes]).pipe(createGunzip())
  async function* hashed(): AsyncGenerator<Uint8Array> {
    for await (const chunk of unpacked as AsyncIterable<Uint8Array>) {
      hash.update(chunk)
      yield chunk
    }
  }
  /** The digest is that of all bytes, to the last one behind the end of the tar. */
  const whole = async () => {
    const chunks = hashed()
    const read = await readTar(chunks)
    for await (const _ of chunks);
    return read
  }
  const read = await whole().catch((error: Error) => {
    throw damaged(name, `expected a tar compressed with gzip, found something else (${error.message})`)
  })
  if (!read.ok) throw damaged(name, read.problems[0]?.message ?? '')
  const { commit, files } = read.value
  if (commit === null) throw damaged(name, 'expected the archive to name its commit, found none')
  const info: CommitInfo = {
    commit,
    parents: [],
    author: { name: '', email: '' },
    signed: 'unknown',
    message: '',
  }
  const directories = directoriesOf(files.keys())
  const found = (paths: readonly string[]) => new Map(paths.map((path) => [path, files.get(path) ?? null]))
  const store: LedgerStore = {
    name,
    readLagMs: 0,
    newest: async (paths) => ({ info, files: found(paths) }),
    read: async (_commit, paths) => found(paths),
    list: async (_commit, directory) => [...(directories.get(directory) ?? [])].map(([name, kind]) => ({ name, kind })),
    // Who made the commits, only the branch can tell.
    history: async () => [],
    commit: async () => {
      throw new TypeError('expected to write to a branch, found an archive')
    },
  }
  return { store, digest: `sha256:${hash.digest('hex')}` }
}

/** The entries of every directory, the root as `''`. */
function directoriesOf(paths: Iterable<string>): Map<string, Map<string, TreeEntry['kind']>> {
  const directories = new Map<string, Map<string, TreeEntry['kind']>>()
  for (const path of paths) {
    let kind: TreeEntry['kind'] = 'file'
    for (let rest = path; rest !== ''; kind = 'directory') {
      const end = rest.lastIndexOf('/')
      const directory = rest.slice(0, Math.max(0, end))
      const entries = directories.get(directory) ?? new Map<string, TreeEntry['kind']>()
      directories.set(directory, entries.set(rest.slice(end + 1), kind))
      rest = directory
    }
  }
  return directories
}
