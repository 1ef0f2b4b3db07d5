import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { RingmasterError } from '../core/problem.ts'
import { commitParts, type GitObject, gitObjects } from './git-objects.ts'
import { askGit, gitFailed, runGit } from './git-process.ts'
import type {
  Author,
  CommitInfo,
  CommitOutcome,
  CommitRequest,
  Files,
  LedgerStore,
  Newest,
  TreeEntry,
} from './store.ts'

export interface GitStoreOptions {
  /** A bare repository, or a working copy (only its branch is touched, never its files). */
  readonly directory: string
  /** The branch's name without `refs/heads/`. */
  readonly branch: string
  readonly author: Author
  /** The time of a commit, ISO 8601 UTC. */
  readonly clock: () => string
}

const INFO_FIELDS = 5
/** What git prints of all commits of years does not fit into one string. */
const COMMITS_PER_READ = 1_000

/** Fields of `CommitInfo` as git prints them: oid, parents, author's name, author's e-mail, message. */
function infoOf([commit = '', parents = '', name = '', email = '', message = '']: readonly string[]): CommitInfo {
  const listed = parents.split(' ').filter((parent) => parent !== '')
  return { commit, parents: listed, author: { name, email }, signed: 'unknown', message }
}

/** Entries of a tree object: a mode, a blank, a name, NUL, and the oid in as many bytes as half its digits. */
function entriesOf({ oid, bytes }: GitObject): TreeEntry[] {
  const entries: TreeEntry[] = []
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(0, at)
    const [mode = '', name = ''] = bytes.toString('utf8', at, end).split(/ (.*)/s)
    entries.push({ name, kind: mode === '40000' ? 'directory' : 'file' })
    at = end + 1 + oid.length / 2
  }
  return entries
}

const data = (bytes: Uint8Array): Uint8Array[] => [Buffer.from(`data ${bytes.length}\n`), bytes, Buffer.from('\n')]

/** The commit as a stream for `git fast-import`: it loads only the trees on the way to what changes. */
function importStream(
  request: CommitRequest,
  trees: ReadonlyMap<string, string>,
  ref: string,
  { author, clock }: GitStoreOptions,
): Buffer {
  const seconds = Math.floor(Date.parse(clock()) / 1000)
  const from = request.expectedHead === null ? '' : `from ${request.expectedHead}\n`
  return Buffer.concat([
    Buffer.from(`feature done\ncommit ${ref}\nmark :1\ncommitter ${author.name} <${author.email}> ${seconds} +0000\n`),
    ...data(Buffer.from(request.message)),
    Buffer.from(from),
    ...[...trees].map(([path, tree]) => Buffer.from(`M 040000 ${tree} ${path}\n`)),
    ...[...(request.replaces ?? []), ...request.deletions].map((path) => Buffer.from(`D ${path}\n`)),
    ...request.additions.flatMap(({ path, bytes }) => [Buffer.from(`M 100644 inline ${path}\n`), ...data(bytes)]),
    Buffer.from('get-mark :1\ndone\n'),
  ])
}

/** Named outright and never searched for upwards: a write must not end in a repository around the one that was meant. */
const gitDirectoryOf = (directory: string): string => {
  const inside = join(directory, '.git')
  return existsSync(inside) ? inside : directory
}

/** A branch of a local bare repository, by git's plumbing commands; the swap is `git update-ref` with the old value. */
export function gitStore(options: GitStoreOptions): LedgerStore {
  const { branch } = options
  const directory = gitDirectoryOf(options.directory)
  const branchRef = `refs/heads/${branch}`
  if (/[<>\n]/.test(options.author.name + options.author.email))
    throw new TypeError('expected a plain author name and e-mail')

  const objects = gitObjects(directory)

  const read = async (commit: string, paths: readonly string[]): Promise<Files> => {
    const found = await Promise.all(paths.map((path) => objects.read(`${commit}:${path}`)))
    return new Map(
      found.map((object, index) => [
        paths[index] as string,
        object?.type === 'blob' ? Uint8Array.from(object.bytes) : null,
      ]),
    )
  }

  const newestInfo = async (): Promise<CommitInfo | null> => {
    const commit = await objects.read(`${branchRef}^{commit}`)
    if (!commit) return null
    const { values, message } = commitParts(commit)
    const [, name = '', email = ''] = /^(.*?) ?<(.*?)>/.exec(values('author')[0] ?? '') ?? []
    return { commit: commit.oid, parents: values('parent'), author: { name, email }, signed: 'unknown', message }
  }

  const treesOf = async (directories: CommitRequest['directories'] = []): Promise<Map<string, string>> => {
    const trees = new Map<string, string>()
    for (const { path, from } of directories) {
      const answer = await askGit(directory, ['rev-parse', '--verify', '--quiet', `${from.commit}:${from.path}`])
      if (answer.exitCode === 0) trees.set(path, answer.stdout.toString('utf8').trim())
    }
    return trees
  }

  const commitsFrom = async (commit: string, most: number): Promise<CommitInfo[]> => {
    const format = '--format=%H%x00%P%x00%an%x00%ae%x00%B'
    const args = ['log', '--first-parent', '-z', `--max-count=${most}`, format, commit, '--']
    const fields = (await runGit(directory, args)).toString('utf8').split('\0')
    const infos: CommitInfo[] = []
    for (let at = 0; at + INFO_FIELDS <= fields.length; at += INFO_FIELDS)
      infos.push(infoOf(fields.slice(at, at + INFO_FIELDS)))
    return infos
  }

  const swap = async (request: CommitRequest, commit: string, temporary: string): Promise<CommitOutcome> => {
    const move =
      request.expectedHead === null
        ? `create ${branchRef} ${commit}`
        : `update ${branchRef} ${commit} ${request.expectedHead}`
    const answer = await askGit(directory, ['update-ref', '--stdin'], `${move}\ndelete ${temporary}\n`)
    if (answer.exitCode === 0) return { kind: 'committed', commit }
    await askGit(directory, ['update-ref', '-d', temporary])
    const hasMoved = ((await newestInfo())?.commit ?? null) !== request.expectedHead
    if (hasMoved || /unable to create .*\.lock|cannot lock ref/i.test(answer.stderr)) return { kind: 'stale' }
    throw gitFailed('update-ref', answer)
  }

  return {
    name: `${directory}@${branch}`,
    readLagMs: 0,
    read,
    async newest(paths): Promise<Newest | null> {
      const info = await newestInfo()
      return info && { info, files: await read(info.commit, paths) }
    },
    async commit(request) {
      const temporary = `refs/ringmaster/${randomUUID()}`
      const stream = importStream(request, await treesOf(request.directories), temporary, options)
      const printed = (await runGit(directory, ['fast-import', '--quiet'], stream)).toString('utf8').trim()
      if (!/^[0-9a-f]{40,64}$/.test(printed)) {
        throw new RingmasterError('outside', {
          code: 'git-failed',
          message: 'expected git fast-import to name its commit',
        })
      }
      return swap(request, printed, temporary)
    },
    async list(commit, wanted) {
      const tree = await objects.read(`${commit}:${wanted}`)
      return tree?.type === 'tree' ? entriesOf(tree) : []
    },
    async history(commit, { until, limit }) {
      const infos: CommitInfo[] = []
      for (let from: string | undefined = commit; from !== undefined && infos.length < limit; ) {
        const most = Math.min(COMMITS_PER_READ, limit - infos.length)
        const part = await commitsFrom(from, most)
        const end = part.findIndex((info) => info.commit === until)
        infos.push(...(end < 0 ? part : part.slice(0, end)))
        from = end < 0 && part.length === most ? part.at(-1)?.parents[0] : undefined
      }
      return infos
    },
  }
}
