import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { RingmasterError } from '../core/problem.ts'
import { failureOf } from './github-outcome.ts'
import {
  type BlobNode,
  blobsQuery,
  COMMIT_MUTATION,
  type CommitNode,
  type HistoryPage,
  historyQuery,
  infoOf,
  newestQuery,
  type Query,
  treeIdsQuery,
  treeQuery,
  uncheckedState,
} from './github-queries.ts'
import { piecesOf, type TreeInput } from './github-trees.ts'
import {
  type Addition,
  type CommitInfo,
  type CommitOutcome,
  type CommitRequest,
  carriesOperation,
  type Files,
  type LedgerStore,
  type Newest,
} from './store.ts'

/** The little that is needed of a client; an Octokit fits. Both reject with GitHub's own `status` or `errors`. */
export interface GitHubClient {
  graphql(query: string, variables: Record<string, unknown>): Promise<unknown>
  request(route: string, parameters: Record<string, unknown>): Promise<{ readonly data: unknown }>
}

export interface GitHubStoreOptions {
  readonly client: GitHubClient
  readonly owner: string
  readonly repo: string
  /** The branch's name without `refs/heads/`. */
  readonly branch: string
  /**
   * Whether GitHub signs what Apps commit (github.com does; an Enterprise Server only when its web commit signing is
   * on). Where it does, a commit without its signature is a stranger's.
   */
  readonly signatures?: 'required' | 'not-kept'
  /** How long reads may lag behind writes, in milliseconds; 30 seconds by default, as was reported of GitHub. */
  readonly readLagMs?: number
  readonly delay?: (milliseconds: number) => Promise<void>
}

export const READ_LAG_MS = 30_000
const BLOBS_PER_QUERY = 50
const COMMITS_PER_PAGE = 100
/** How far back a lost answer is looked for: others may have committed since. */
const SETTLE_DEPTH = 50
const MAX_ATTEMPTS = 3
/** GitHub refuses a mutation of some 40 MiB, in base64, and gives up on one that takes it ten seconds. */
const MAX_MUTATION_BYTES = 4 * 1024 * 1024
const SETTLE_WAIT_MS = 1_000

const sleep = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds))

const Sha = z.object({ sha: z.string() })
const BlobAnswer = z.object({ content: z.string(), encoding: z.string() })
const CommitAnswer = z.object({ createCommitOnBranch: z.object({ commit: z.object({ oid: z.string() }) }) })

/** Git's own name for these bytes, by the hash that the repository uses. */
const blobOid = (bytes: Uint8Array, like: string): string =>
  createHash(like.length === 64 ? 'sha256' : 'sha1')
    .update(`blob ${bytes.length}\0`)
    .update(bytes)
    .digest('hex')

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

const outside = (code: string, message: string, hint?: string, cause?: unknown) =>
  new RingmasterError('outside', { code, message, ...(hint === undefined ? {} : { hint }) }, { cause })

const bytesIn = ({ additions }: CommitRequest): number => additions.reduce((sum, { bytes }) => sum + bytes.length, 0)

/** A branch on GitHub: reads by GraphQL in few requests, writes by `createCommitOnBranch`, which compares the
 * head, and what is too large for that by trees. */
export function gitHubStore(options: GitHubStoreOptions): LedgerStore {
  return new GitHubStore(options)
}

class GitHubStore implements LedgerStore {
  readonly #options: GitHubStoreOptions
  readonly name: string
  readonly readLagMs: number

  constructor(options: GitHubStoreOptions) {
    this.#options = options
    this.name = `${options.owner}/${options.repo}@${options.branch}`
    this.readLagMs = options.readLagMs ?? READ_LAG_MS
  }

  async newest(paths: readonly string[]): Promise<Newest | null> {
    const found = await this.#ask(newestQuery(this.#options.branch, paths))
    if (!found) return null
    const bytes = await Promise.all(found.blobs.map((blob) => this.#bytesOf(blob)))
    return { info: this.#info(found.commit), files: new Map(paths.map((path, index) => [path, bytes[index] ?? null])) }
  }

  async read(commit: string, paths: readonly string[]): Promise<Files> {
    const files: Files = new Map()
    for (let start = 0; start < paths.length; start += BLOBS_PER_QUERY) {
      const part = paths.slice(start, start + BLOBS_PER_QUERY)
      const blobs = await this.#askOf(commit, blobsQuery(commit, part))
      const bytes = await Promise.all(blobs.map((blob) => this.#bytesOf(blob)))
      for (const [index, path] of part.entries()) files.set(path, bytes[index] ?? null)
    }
    return files
  }

  list(commit: string, directory: string) {
    return this.#askOf(commit, treeQuery(commit, directory))
  }

  async history(commit: string, { until, limit }: { readonly until?: string | null; readonly limit: number }) {
    const found: CommitInfo[] = []
    let after: string | null = null
    do {
      const query = historyQuery(commit, Math.min(COMMITS_PER_PAGE, limit - found.length), after)
      const page: HistoryPage = await this.#askOf(commit, query)
      for (const node of page.commits) {
        if (node.oid === until) return found
        found.push(this.#info(node))
      }
      after = page.next
    } while (after !== null && found.length < limit)
    return found
  }

  async commit(request: CommitRequest): Promise<CommitOutcome> {
    let doubt: unknown
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
      try {
        return { kind: 'committed', commit: await this.#send(request) }
      } catch (error) {
        const failure = failureOf(error)
        if (failure === 'empty-repository') {
          const hint = 'Push a first commit to its default branch, then try again.'
          throw outside(
            'empty-repository',
            `${this.name}: expected a repository with a commit, found it empty`,
            hint,
            error,
          )
        }
        if (failure === 'refused') throw error
        const isLost = failure === 'stale' || failure === 'exists'
        if (isLost && doubt === undefined) return { kind: 'stale' }
        const settled = await this.#settle(request, isLost)
        if (settled) return settled
        doubt = error
      }
    }
    throw doubt
  }

  #send(request: CommitRequest): Promise<string> {
    const { expectedHead, replaces = [] } = request
    if (expectedHead === null) return this.#createBranch(request)
    const isLarge = replaces.length > 0 || bytesIn(request) > MAX_MUTATION_BYTES
    return isLarge ? this.#createByTrees(request, expectedHead) : this.#createCommit(request, expectedHead)
  }

  async #createCommit(request: CommitRequest, expectedHeadOid: string): Promise<string> {
    const { client, owner, repo, branch } = this.#options
    const [headline = '', ...rest] = request.message.split('\n')
    const input = {
      branch: { repositoryNameWithOwner: `${owner}/${repo}`, branchName: branch },
      expectedHeadOid,
      // GitHub puts an empty line between the two.
      message: { headline, body: rest.slice(1).join('\n') },
      fileChanges: {
        additions: request.additions.map(({ path, bytes }) => ({ path, contents: base64(bytes) })),
        deletions: request.deletions.map((path) => ({ path })),
      },
    }
    return CommitAnswer.parse(await client.graphql(COMMIT_MUTATION, { input })).createCommitOnBranch.commit.oid
  }

  /** `createCommitOnBranch` cannot make a branch, so the first commit goes tree, commit, ref. */
  async #createBranch(request: CommitRequest): Promise<string> {
    const { client, owner, repo, branch } = this.#options
    const entries = [...(await this.#taken(request.directories)), ...(await this.#filesOf(request.additions))]
    const tree = await this.#treeOf(null, entries)
    const sha = await this.#make('commits', { message: request.message, tree, parents: [] })
    await client.request('POST /repos/{owner}/{repo}/git/refs', { owner, repo, ref: `refs/heads/${branch}`, sha })
    return sha
  }

  /**
   * One commit of any size: its trees first, by requests of bounded size of which nobody sees anything, and last of all the
   * branch moves, only forward. Interrupted before that, nothing has happened.
   */
  async #createByTrees(request: CommitRequest, expectedHead: string): Promise<string> {
    const { client, owner, repo, branch } = this.#options
    const { additions, deletions, message, replaces = [] } = request
    const [root = null] = await this.#askOf(expectedHead, treeIdsQuery(expectedHead, ['']))
    const isIn = (directory: string) => (file: Addition) => file.path.startsWith(`${directory}/`)
    const entries: TreeInput[] = []
    for (const path of replaces) {
      const files = additions.filter(isIn(path))
      const below = files.map((file) => ({ ...file, path: file.path.slice(path.length + 1) }))
      const sha = await this.#treeOf(null, await this.#filesOf(below))
      entries.push({ path, mode: '040000', type: 'tree', sha })
    }
    const others = additions.filter((file) => !replaces.some((directory) => isIn(directory)(file)))
    entries.push(...(await this.#filesOf(others)))
    entries.push(...deletions.map((path) => ({ path, mode: '100644', type: 'blob', sha: null })))
    const tree = await this.#treeOf(root, entries)
    const sha = await this.#make('commits', { message, tree, parents: [expectedHead] })
    const moved = { owner, repo, ref: `heads/${branch}`, sha, force: false }
    await client.request('PATCH /repos/{owner}/{repo}/git/refs/{ref}', moved)
    return sha
  }

  async #make(what: 'blobs' | 'trees' | 'commits', parameters: Record<string, unknown>): Promise<string> {
    const { client, owner, repo } = this.#options
    const { data } = await client.request(`POST /repos/{owner}/{repo}/git/${what}`, { owner, repo, ...parameters })
    return Sha.parse(data).sha
  }

  async #filesOf(additions: readonly Addition[]): Promise<TreeInput[]> {
    const entries: TreeInput[] = []
    for (const { path, bytes } of additions) {
      const file = { path, mode: '100644', type: 'blob' }
      if (isUtf8(bytes)) entries.push({ ...file, content: Buffer.from(bytes).toString('utf8') })
      else entries.push({ ...file, sha: await this.#make('blobs', { content: base64(bytes), encoding: 'base64' }) })
    }
    return entries
  }

  /** A tree with these entries, over another one or by itself. */
  async #treeOf(base: string | null, entries: readonly TreeInput[]): Promise<string | null> {
    let tree = base
    for (const piece of piecesOf(entries))
      tree = await this.#make('trees', { tree: piece, ...(tree === null ? {} : { base_tree: tree }) })
    return tree
  }

  /** Directories of other commits as entries of a tree: GitHub has their trees already, so that nothing is sent again. */
  async #taken(directories: CommitRequest['directories'] = []): Promise<TreeInput[]> {
    const entries: TreeInput[] = []
    for (const { path, from } of directories) {
      const [sha] = await this.#askOf(from.commit, treeIdsQuery(from.commit, [from.path]))
      if (sha) entries.push({ path, mode: '040000', type: 'tree', sha })
    }
    return entries
  }

  /**
   * What became of a request whose answer was lost: made, overtaken, or, as far as can be seen, not made (undefined).
   * When a second try lost the race, the newest commit is another one for certain, so a read that still shows the old
   * one, or one before that, is waited out.
   */
  async #settle(request: CommitRequest, hasMoved: boolean): Promise<CommitOutcome | undefined> {
    const { delay = sleep } = this.#options
    for (let waitedMs = 0; ; waitedMs += SETTLE_WAIT_MS) {
      await delay(SETTLE_WAIT_MS)
      const seen = await this.#seenOf(request)
      if (seen !== 'nothing') return seen
      if (!hasMoved) return undefined
      if (waitedMs >= this.readLagMs) return { kind: 'stale' }
    }
  }

  /** What the newest commits say of a request: nothing where they do not go on from the commit that it was made on. */
  async #seenOf({ expectedHead, operation }: CommitRequest): Promise<CommitOutcome | 'nothing'> {
    const newest = await this.newest([])
    if (!newest || newest.info.commit === expectedHead) return 'nothing'
    const commits = await this.history(newest.info.commit, { until: expectedHead, limit: SETTLE_DEPTH })
    const own = commits.find((info) => carriesOperation(info.message, operation))
    if (own) return { kind: 'committed', commit: own.commit }
    const goesOn = expectedHead === null || commits.at(-1)?.parents[0] === expectedHead
    return goesOn ? { kind: 'stale' } : 'nothing'
  }

  async #ask<T>(query: Query<T>): Promise<T> {
    const { client, owner, repo } = this.#options
    const answer = query.parse(await client.graphql(query.text, { owner, name: repo, ...query.variables }))
    if (answer !== undefined) return answer
    throw outside('repository-unreadable', `expected to read ${owner}/${repo}, found no such repository`)
  }

  /** Asks about a commit that is known to exist: where a replica has not seen it yet, the read waits. */
  async #askOf<T>(commit: string, query: Query<T | null>): Promise<T> {
    const { delay = sleep } = this.#options
    for (let waitedMs = 0; ; waitedMs += SETTLE_WAIT_MS) {
      const answer = await this.#ask(query)
      if (answer !== null) return answer
      if (waitedMs >= this.readLagMs) {
        throw outside(
          'commit-unreadable',
          `expected commit ${commit} of ${this.name}, found that GitHub does not show it`,
        )
      }
      await delay(SETTLE_WAIT_MS)
    }
  }

  /** Throws where GitHub could not tell whose signature it is: that makes nobody a stranger, and is asked again. */
  #info(node: CommitNode): CommitInfo {
    const { signatures = 'required' } = this.#options
    const unchecked = signatures === 'required' ? uncheckedState(node) : null
    if (unchecked === null) return infoOf(node, signatures)
    throw outside(
      'github-failed',
      `expected GitHub to check the signature of commit ${node.oid} of ${this.name}, found that it could not (${unchecked})`,
      'GitHub had trouble; it is tried again.',
    )
  }

  /** The exact bytes. What GraphQL cut or changed is read again by REST; bytes that do not make the blob's id are refused. */
  async #bytesOf(blob: BlobNode | null): Promise<Uint8Array | null> {
    if (!blob) return null
    if (!blob.isTruncated && blob.text !== null) {
      const bytes = Buffer.from(blob.text, 'utf8')
      if (blobOid(bytes, blob.oid) === blob.oid) return bytes
    }
    const { client, owner, repo } = this.#options
    const parameters = { owner, repo, file_sha: blob.oid }
    const { data } = await client.request('GET /repos/{owner}/{repo}/git/blobs/{file_sha}', parameters)
    const { content, encoding } = BlobAnswer.parse(data)
    const bytes = Buffer.from(content, encoding === 'base64' ? 'base64' : 'utf8')
    if (blobOid(bytes, blob.oid) === blob.oid) return bytes
    throw outside('unreadable-blob', `expected the bytes of blob ${blob.oid} of ${owner}/${repo}, found others`)
  }
}
