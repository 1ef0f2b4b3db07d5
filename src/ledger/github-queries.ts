import { z } from 'zod'
import type { CommitInfo, TreeEntry } from './store.ts'

const COMMIT_FIELDS = `
  oid
  message
  parents(first: 2) { nodes { oid } }
  author { name email }
  signature { isValid state wasSignedByGitHub }
`
const BLOB_FIELDS = '__typename ... on Blob { oid byteSize isTruncated isBinary text }'

/** What is read of a commit: loose, because GitHub may add. */
export const CommitNode = z.object({
  oid: z.string(),
  message: z.string(),
  parents: z.object({ nodes: z.array(z.object({ oid: z.string() })) }),
  author: z.object({ name: z.string().nullable(), email: z.string().nullable() }).nullable(),
  signature: z.object({ isValid: z.boolean(), state: z.string(), wasSignedByGitHub: z.boolean() }).nullable(),
})
export type CommitNode = z.infer<typeof CommitNode>

const BlobNode = z.object({
  __typename: z.literal('Blob'),
  oid: z.string(),
  byteSize: z.number(),
  isTruncated: z.boolean(),
  isBinary: z.boolean().nullable(),
  text: z.string().nullable(),
})
export type BlobNode = z.infer<typeof BlobNode>

/** A blob; null for nothing there and for anything that is no file. */
const MaybeBlob = z.union([BlobNode, z.unknown().transform(() => null)])

const aliases = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}`)

const declared = (names: readonly string[]): string => names.map((name) => `, $${name}: String!`).join('')

export interface Query<T> {
  readonly text: string
  readonly variables: Record<string, unknown>
  /** Takes the answer apart; undefined when the repository is not there or not readable. */
  readonly parse: (data: unknown) => T | undefined
}

const repositoryOf = <T extends z.ZodType>(inner: T) => z.object({ repository: inner.nullable() })

/** The newest commit of a branch with some of its files, from one tree. Null when there is no such branch. */
export function newestQuery(
  branch: string,
  paths: readonly string[],
): Query<{ commit: CommitNode; blobs: (BlobNode | null)[] } | null> {
  const names = aliases('p', paths.length)
  const files = names.map((name) => `${name}: file(path: $${name}) { object { ${BLOB_FIELDS} } }`).join('\n')
  const text = `query($owner: String!, $name: String!, $ref: String!${declared(names)}) {
    repository(owner: $owner, name: $name) {
      ref(qualifiedName: $ref) { target { ... on Commit { ${COMMIT_FIELDS} ${files} } } }
    }
  }`
  const Target = CommitNode.catchall(z.unknown())
  const Answer = repositoryOf(z.object({ ref: z.object({ target: Target.nullable() }).nullable() }))
  const Entry = z.object({ object: MaybeBlob }).nullable()
  return {
    text,
    variables: { ref: `refs/heads/${branch}`, ...Object.fromEntries(names.map((name, index) => [name, paths[index]])) },
    parse(data) {
      const { repository } = Answer.parse(data)
      if (!repository) return undefined
      const commit = repository.ref?.target
      if (!commit) return null
      return { commit, blobs: names.map((name) => Entry.parse(commit[name] ?? null)?.object ?? null) }
    },
  }
}

/** What a replica that lags behind has not seen yet: not the same as what is not there. */
const Seen = z.unknown().transform((found) => found !== null && found !== undefined)

/** What stands at paths of one commit, in the order asked, null where nothing does; null when the commit itself is not there. */
function objectsQuery<T>(
  commit: string,
  paths: readonly string[],
  fields: string,
  schema: z.ZodType<T | null>,
): Query<(T | null)[] | null> {
  const names = aliases('e', paths.length)
  const objects = names.map((name) => `${name}: object(expression: $${name}) { ${fields} }`).join('\n')
  const text = `query($owner: String!, $name: String!, $commit: GitObjectID!${declared(names)}) {
    repository(owner: $owner, name: $name) { commit: object(oid: $commit) { oid } ${objects} }
  }`
  const Answer = repositoryOf(z.object({ commit: Seen }).catchall(z.unknown()))
  const expressions = paths.map((path) => `${commit}:${path}`)
  return {
    text,
    variables: { commit, ...Object.fromEntries(names.map((name, index) => [name, expressions[index]])) },
    parse(data) {
      const { repository } = Answer.parse(data)
      if (!repository) return undefined
      return repository.commit ? names.map((name) => schema.parse(repository[name] ?? null)) : null
    },
  }
}

/** Blobs of one commit by path, in the order asked; null when the commit itself is not there. */
export const blobsQuery = (commit: string, paths: readonly string[]): Query<(BlobNode | null)[] | null> =>
  objectsQuery(commit, paths, BLOB_FIELDS, MaybeBlob)

const KIND_OF: ReadonlyMap<string, TreeEntry['kind']> = new Map([
  ['blob', 'file'],
  ['tree', 'directory'],
])

/** The entries of a directory, none when it is not there; null when the commit itself is not there. */
export function treeQuery(commit: string, directory: string): Query<TreeEntry[] | null> {
  const text = `query($owner: String!, $name: String!, $commit: GitObjectID!, $expression: String!) {
    repository(owner: $owner, name: $name) {
      commit: object(oid: $commit) { oid }
      object(expression: $expression) { ... on Tree { entries { name type } } }
    }
  }`
  const Tree = z.object({ entries: z.array(z.object({ name: z.string(), type: z.string() })).nullish() })
  const Answer = repositoryOf(z.object({ commit: Seen, object: Tree.nullable() }))
  return {
    text,
    variables: { commit, expression: `${commit}:${directory}` },
    parse(data) {
      const { repository } = Answer.parse(data)
      if (!repository) return undefined
      if (!repository.commit) return null
      const entries = repository.object?.entries ?? []
      return entries.map(({ name, type }) => ({ name, kind: KIND_OF.get(type) ?? 'file' }))
    },
  }
}

/** The id of a directory; null for nothing there and for anything that is no directory. */
const MaybeTreeId = z
  .object({ oid: z.string().optional() })
  .nullable()
  .transform((tree) => tree?.oid ?? null)

/** The ids of directories of one commit, in the order asked, null where there is none; null when the commit is not there. */
export const treeIdsQuery = (commit: string, directories: readonly string[]): Query<(string | null)[] | null> =>
  objectsQuery(commit, directories, '... on Tree { oid }', MaybeTreeId)

export interface HistoryPage {
  readonly commits: readonly CommitNode[]
  /** Where the next page begins; null at the end. */
  readonly next: string | null
}

/** A page of at most 100 commits from `commit` backwards; null when the commit itself is not there. */
export function historyQuery(commit: string, first: number, after: string | null): Query<HistoryPage | null> {
  const text = `query($owner: String!, $name: String!, $oid: GitObjectID!, $first: Int!, $after: String) {
    repository(owner: $owner, name: $name) {
      object(oid: $oid) {
        ... on Commit { history(first: $first, after: $after) { nodes { ${COMMIT_FIELDS} } pageInfo { hasNextPage endCursor } } }
      }
    }
  }`
  const History = z.object({
    nodes: z.array(CommitNode),
    pageInfo: z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullable() }),
  })
  const Answer = repositoryOf(z.object({ object: z.object({ history: History }).nullable() }))
  return {
    text,
    variables: { oid: commit, first, after },
    parse(data) {
      const { repository } = Answer.parse(data)
      if (!repository) return undefined
      const history = repository.object?.history
      if (!history) return null
      return { commits: history.nodes, next: history.pageInfo.hasNextPage ? history.pageInfo.endCursor : null }
    },
  }
}

export const COMMIT_MUTATION = `mutation($input: CreateCommitOnBranchInput!) {
  createCommitOnBranch(input: $input) { commit { oid } }
}`

/** Trouble of GitHub's own, which says nothing of a signature: https://docs.github.com/graphql/reference/enums#gitsignaturestate */
const UNCHECKED: ReadonlySet<string> = new Set(['GPGVERIFY_UNAVAILABLE', 'GPGVERIFY_ERROR'])

/** Why GitHub could not look at the signature of a commit; null where it could, or where there is none. */
export function uncheckedState({ signature }: CommitNode): string | null {
  return signature && !signature.isValid && UNCHECKED.has(signature.state) ? signature.state : null
}

/** What a commit says about itself; `signatures` tells whether an unsigned one is a stranger's. */
export const infoOf = (node: CommitNode, signatures: 'required' | 'not-kept'): CommitInfo => ({
  commit: node.oid,
  parents: node.parents.nodes.map((parent) => parent.oid),
  author: { name: node.author?.name ?? '', email: node.author?.email ?? '' },
  signed:
    node.signature?.isValid && node.signature.wasSignedByGitHub
      ? 'by-platform'
      : signatures === 'required'
        ? 'no'
        : 'unknown',
  message: node.message,
})
