import { createHash } from 'node:crypto'
import { schema as octokitSchema } from '@octokit/graphql-schema'
import { buildSchema, execute, type GraphQLSchema, isAbstractType, parse, validate } from 'graphql'
import type { GitHubClient } from '../../src/ledger/github.ts'
import { type MemoryBranch, memoryStore } from '../../src/ledger/memory.ts'
import type { Author, CommitInfo } from '../../src/ledger/store.ts'

let built: GraphQLSchema | undefined

/** GitHub's public schema; abstract types go by the `__typename` of what the resolvers return. */
function githubSchema(): GraphQLSchema {
  if (built) return built
  built = buildSchema(octokitSchema.idl, { assumeValidSDL: true })
  for (const type of Object.values(built.getTypeMap())) {
    if (isAbstractType(type)) type.resolveType = (value: { __typename?: string }) => value.__typename
  }
  return built
}

/** What a client rejects with; GitHub's own fields. */
export class GitHubFailure extends Error {
  readonly status: number | undefined
  readonly errors: readonly unknown[] | undefined
  constructor(message: string, told: { status?: number; errors?: readonly unknown[] } = {}) {
    super(message)
    this.status = told.status
    this.errors = told.errors
  }
}

export const BOT: Author = { name: 'ringmaster[bot]', email: '1+ringmaster[bot]@users.noreply.github.com' }

export interface Fault {
  /** Called for each mutation, before and after it is done; throws what the client is to see. */
  before?: () => void
  after?: () => void
}

/** How the fake deviates from a healthy GitHub. */
export interface FakeOptions {
  /** Blobs above this many bytes come truncated. */
  readonly truncateAbove?: number
  readonly author?: Author
  readonly signed?: boolean
  /** What GitHub says of a signature at this moment; that it is valid when left out. */
  readonly signatureState?: () => 'VALID' | 'INVALID' | 'GPGVERIFY_UNAVAILABLE' | 'GPGVERIFY_ERROR'
  readonly fault?: Fault
  /** Reads of the ref show this commit instead of the newest one, when it returns one. */
  readonly lag?: () => string | null | undefined
  /** Whether the replica that answers has not seen any commit yet. */
  readonly isUnseen?: () => boolean
}

const oid = (bytes: Uint8Array): string =>
  createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex')

/**
 * One branch of one repository, answering GraphQL by GitHub's real schema (so that a query GitHub would refuse fails
 * here too) and the few REST calls that make a branch.
 */
export function fakeGitHub(branch: MemoryBranch, options: FakeOptions = {}) {
  const { author = BOT, truncateAbove = 512_000, signed = true, fault = {} } = options
  const store = memoryStore(branch, author)
  const blobs = new Map<string, Uint8Array>()
  const pending = new Map<string, { message: string; tree: string; parents: readonly string[] }>()
  const trees = new Map<string, ReadonlyMap<string, Uint8Array>>()
  const calls: string[] = []

  const blobNode = (bytes: Uint8Array) => {
    blobs.set(oid(bytes), bytes)
    const isTruncated = bytes.length > truncateAbove
    const text = Buffer.from(bytes).toString('utf8')
    const isBinary = bytes.includes(0)
    return {
      __typename: 'Blob',
      oid: oid(bytes),
      byteSize: bytes.length,
      isTruncated,
      isBinary,
      text: isBinary ? null : isTruncated ? text.slice(0, truncateAbove) : text,
    }
  }
  const signatureNode = () => {
    const state = options.signatureState?.() ?? 'VALID'
    const isValid = state === 'VALID'
    return { __typename: 'GpgSignature', isValid, state, wasSignedByGitHub: isValid }
  }
  const commitNode = (info: CommitInfo): Record<string, unknown> => ({
    __typename: 'Commit',
    oid: info.commit,
    message: info.message,
    parents: { nodes: info.parents.map((parent) => ({ oid: parent })) },
    author: info.author,
    signature: signed ? signatureNode() : null,
    file: async ({ path }: { path: string }) => {
      const bytes = (await store.read(info.commit, [path])).get(path)
      return bytes ? { object: blobNode(bytes) } : null
    },
    history: async ({ first, after }: { first: number; after?: string }) => {
      const all = await store.history(info.commit, { limit: 100_000 })
      const from = after ? Number(after) : 0
      const hasNextPage = all.length > from + first
      return {
        nodes: all.slice(from, from + first).map(commitNode),
        pageInfo: { hasNextPage, endCursor: String(from + first) },
      }
    },
  })
  const objectAt = async (expression: string): Promise<unknown> => {
    const colon = expression.indexOf(':')
    const [commit, path] = [expression.slice(0, colon), expression.slice(colon + 1)]
    const bytes = (await store.read(commit, [path])).get(path)
    if (bytes) return blobNode(bytes)
    const entries = await store.list(commit, path)
    const typed = entries.map(({ name, kind }) => ({ name, type: kind === 'file' ? 'blob' : 'tree' }))
    if (entries.length === 0) return null
    const below = path === '' ? '' : `${path}/`
    const files = [...(branch.commits.get(commit)?.tree ?? [])].filter(([name]) => name.startsWith(below))
    return {
      __typename: 'Tree',
      entries: typed,
      oid: keptTree(files.map(([name, file]) => [name.slice(below.length), file])),
    }
  }
  const keptTree = (files: Iterable<readonly [string, Uint8Array]>): string => {
    const tree = new Map([...files].sort(([a], [b]) => (a < b ? -1 : 1)))
    const sha = createHash('sha1')
      .update(JSON.stringify([...tree].map(([name, bytes]) => [name, oid(bytes)])))
      .digest('hex')
    trees.set(sha, tree)
    return sha
  }
  const repository = {
    ref: ({ qualifiedName }: { qualifiedName: string }) => {
      const head = options.lag?.() ?? branch.head
      const found = qualifiedName === 'refs/heads/ringmaster-data' && head !== null && branch.commits.get(head)
      return found ? { target: commitNode(found.info) } : null
    },
    object: ({ expression, oid: wanted }: { expression?: string; oid?: string }) => {
      if (expression !== undefined) return options.isUnseen?.() ? null : objectAt(expression)
      const found = options.isUnseen?.() ? undefined : branch.commits.get(wanted ?? '')
      return found ? commitNode(found.info) : null
    },
  }
  type Input = {
    branch: { repositoryNameWithOwner: string; branchName: string }
    expectedHeadOid: string
    message: { headline: string; body: string }
    fileChanges: { additions: { path: string; contents: string }[]; deletions: { path: string }[] }
  }
  const createCommitOnBranch = async ({ input }: { input: Input }) => {
    fault.before?.()
    if (branch.head !== input.expectedHeadOid) {
      const message = `Expected branch to point to "${input.expectedHeadOid}" but it did not.  Pull and try again.`
      throw new GitHubFailure(message, {
        status: 200,
        errors: [{ type: 'STALE_DATA', path: ['createCommitOnBranch'], message }],
      })
    }
    const outcome = await store.commit({
      expectedHead: input.expectedHeadOid,
      operation: '',
      message: `${input.message.headline}\n\n${input.message.body}`,
      additions: input.fileChanges.additions.map(({ path, contents }) => ({
        path,
        bytes: Buffer.from(contents, 'base64'),
      })),
      deletions: input.fileChanges.deletions.map(({ path }) => path),
    })
    fault.after?.()
    return { commit: { oid: outcome.kind === 'committed' ? outcome.commit : '' } }
  }

  const graphql: GitHubClient['graphql'] = async (text, variables) => {
    const document = parse(text)
    const mistakes = validate(githubSchema(), document)
    if (mistakes.length > 0) throw new GitHubFailure(mistakes.join('\n'), { status: 200, errors: mistakes })
    calls.push(text.startsWith('mutation') ? 'mutation' : 'query')
    const answer = await execute({
      schema: githubSchema(),
      document,
      rootValue: { repository: () => repository, createCommitOnBranch },
      variableValues: variables,
    })
    const first = answer.errors?.[0]
    if (first?.originalError instanceof GitHubFailure) throw first.originalError
    if (first) throw new GitHubFailure(first.message, { status: 200, errors: answer.errors ?? [] })
    return JSON.parse(JSON.stringify(answer.data)) as unknown
  }

  const moveTo = (commit: string): void => {
    const { message, tree, parents } = pending.get(commit) ?? { message: '', tree: '', parents: [] }
    const info: CommitInfo = { commit, parents, author, signed: 'unknown', message }
    branch.commits.set(commit, { info, tree: trees.get(tree) ?? new Map() })
    branch.head = commit
  }

  const routes: Record<string, (parameters: Record<string, unknown>) => Promise<unknown>> = {
    'GET /repos/{owner}/{repo}/git/blobs/{file_sha}': async ({ file_sha }) => {
      const bytes = blobs.get(String(file_sha))
      if (!bytes) throw new GitHubFailure('Not Found', { status: 404 })
      return {
        sha: file_sha,
        encoding: 'base64',
        content: Buffer.from(bytes).toString('base64').replace(/.{60}/g, '$&\n'),
      }
    },
    'POST /repos/{owner}/{repo}/git/blobs': async ({ content }) => {
      const bytes = Buffer.from(String(content), 'base64')
      blobs.set(oid(bytes), bytes)
      return { sha: oid(bytes) }
    },
    'POST /repos/{owner}/{repo}/git/trees': async ({ tree, base_tree }) => {
      const files = new Map(trees.get(String(base_tree)))
      for (const { path, type, content, sha } of tree as Record<string, string>[]) {
        if (path === undefined) throw new GitHubFailure('Invalid tree info', { status: 422 })
        if (sha === null && !files.delete(path)) throw new GitHubFailure('GitRPC::BadObjectState', { status: 422 })
        if (content !== undefined) files.set(path, Buffer.from(content))
        else if (type === 'tree') {
          for (const name of files.keys()) if (name.startsWith(`${path}/`)) files.delete(name)
          for (const [name, bytes] of trees.get(sha ?? '') ?? []) files.set(`${path}/${name}`, bytes)
        } else if (sha !== null) files.set(path, blobs.get(sha ?? '') ?? new Uint8Array())
      }
      return { sha: keptTree(files) }
    },
    'POST /repos/{owner}/{repo}/git/commits': async ({ message, tree, parents }) => {
      const sha = createHash('sha1')
        .update(JSON.stringify([message, tree, parents]))
        .digest('hex')
      pending.set(sha, { message: String(message), tree: String(tree), parents: parents as readonly string[] })
      return { sha }
    },
    'POST /repos/{owner}/{repo}/git/refs': async ({ ref, sha }) => {
      fault.before?.()
      if (ref !== 'refs/heads/ringmaster-data') throw new GitHubFailure('Not Found', { status: 404 })
      if (branch.head !== null) throw new GitHubFailure('Reference already exists', { status: 422 })
      moveTo(String(sha))
      fault.after?.()
      return { ref, object: { sha } }
    },
    'PATCH /repos/{owner}/{repo}/git/refs/{ref}': async ({ ref, sha }) => {
      fault.before?.()
      if (ref !== 'heads/ringmaster-data') throw new GitHubFailure('Not Found', { status: 404 })
      if (pending.get(String(sha))?.parents[0] !== branch.head)
        throw new GitHubFailure('Update is not a fast forward', { status: 422 })
      moveTo(String(sha))
      fault.after?.()
      return { ref, object: { sha } }
    },
  }
  const request: GitHubClient['request'] = async (route, parameters) => {
    calls.push(route.replace('/repos/{owner}/{repo}', ''))
    const answer = routes[route]
    if (!answer) throw new GitHubFailure(`no route ${route}`, { status: 404 })
    return { data: await answer(parameters) }
  }
  return { client: { graphql, request } satisfies GitHubClient, calls }
}
