import { createHash } from 'node:crypto'
import type {
  Author,
  CommitInfo,
  CommitOutcome,
  CommitRequest,
  Files,
  LedgerStore,
  Newest,
  TakenDirectory,
  TreeEntry,
} from './store.ts'

interface MemoryCommit {
  readonly info: CommitInfo
  readonly tree: ReadonlyMap<string, Uint8Array>
}

/**
 * The commits behind one or several memory stores; `head` may be moved by hand, as an administrator could. Branches of one
 * repository share their commits.
 */
export interface MemoryBranch {
  head: string | null
  readonly commits: Map<string, MemoryCommit>
}

export const memoryBranch = (beside?: MemoryBranch): MemoryBranch => ({
  head: null,
  commits: beside?.commits ?? new Map(),
})

const RINGMASTER: Author = { name: 'ringmaster[bot]', email: 'ringmaster[bot]@users.noreply.github.com' }

const oidOf = (request: CommitRequest, author: Author): string => {
  const hash = createHash('sha1').update(JSON.stringify([request.expectedHead, request.message, author]))
  for (const { path, bytes } of request.additions) hash.update(`\n${path} ${bytes.length}\n`).update(bytes)
  return hash.update(JSON.stringify(request.deletions)).digest('hex')
}

const treeAfter = (before: ReadonlyMap<string, Uint8Array>, request: CommitRequest): Map<string, Uint8Array> => {
  const isReplaced = (path: string) => request.replaces?.some((directory) => path.startsWith(`${directory}/`))
  const tree = new Map([...before].filter(([path]) => !isReplaced(path)))
  for (const path of request.deletions) {
    if (!tree.delete(path)) throw new Error(`expected ${path} to exist, as GitHub does for a path to be deleted`)
  }
  for (const { path, bytes } of request.additions) tree.set(path, Uint8Array.from(bytes))
  return tree
}

const takenFrom = (branch: MemoryBranch, { path, from }: TakenDirectory): [string, Uint8Array][] =>
  [...(branch.commits.get(from.commit)?.tree ?? [])].flatMap(([name, bytes]): [string, Uint8Array][] =>
    name.startsWith(`${from.path}/`) ? [[`${path}${name.slice(from.path.length)}`, bytes]] : [],
  )

const entriesUnder = (tree: ReadonlyMap<string, Uint8Array>, directory: string): TreeEntry[] => {
  const prefix = directory === '' ? '' : `${directory}/`
  const kinds = new Map<string, TreeEntry['kind']>()
  for (const path of tree.keys()) {
    if (!path.startsWith(prefix)) continue
    const rest = path.slice(prefix.length)
    const slash = rest.indexOf('/')
    kinds.set(slash < 0 ? rest : rest.slice(0, slash), slash < 0 ? 'file' : 'directory')
  }
  return [...kinds].map(([name, kind]) => ({ name, kind })).sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** A store that lives in this process. Several stores over one branch are several writers. */
export function memoryStore(branch: MemoryBranch = memoryBranch(), author: Author = RINGMASTER): LedgerStore {
  const commitOf = (commit: string): MemoryCommit => {
    const found = branch.commits.get(commit)
    if (!found) throw new Error(`expected a commit of the memory store, found ${commit}`)
    return found
  }
  const filesOf = (commit: string, paths: readonly string[]): Files => {
    const { tree } = commitOf(commit)
    return new Map(paths.map((path) => [path, tree.get(path) ?? null]))
  }
  return {
    name: 'memory',
    readLagMs: 0,
    async newest(paths): Promise<Newest | null> {
      if (branch.head === null) return null
      return { info: commitOf(branch.head).info, files: filesOf(branch.head, paths) }
    },
    async read(commit, paths) {
      return filesOf(commit, paths)
    },
    async commit(request): Promise<CommitOutcome> {
      if (branch.head !== request.expectedHead) return { kind: 'stale' }
      const parents = request.expectedHead === null ? [] : [request.expectedHead]
      const taken = (request.directories ?? []).flatMap((directory) => takenFrom(branch, directory))
      const before = request.expectedHead === null ? new Map(taken) : commitOf(request.expectedHead).tree
      const commit = oidOf(request, author)
      const info: CommitInfo = { commit, parents, author, signed: 'unknown', message: request.message }
      branch.commits.set(commit, { info, tree: treeAfter(before, request) })
      branch.head = commit
      return { kind: 'committed', commit }
    },
    async list(commit, directory) {
      return entriesUnder(commitOf(commit).tree, directory)
    },
    async history(commit, { until, limit }) {
      const found: CommitInfo[] = []
      let next: string | undefined = commit
      while (next !== undefined && next !== until && found.length < limit) {
        const { info } = commitOf(next)
        found.push(info)
        next = info.parents[0]
      }
      return found
    },
  }
}
