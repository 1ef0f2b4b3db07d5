import { visibleRef } from '../git/lag.ts'
import { changeRefs, type RefOutcome, signatureOf } from '../git/ref-update.ts'
import { isRefName, isSafePath, type Signature, type TreeChange, typeOfMode, zeroOid } from '../git/repository.ts'
import { appOf } from '../identity.ts'
import {
  type Context,
  created,
  type Handler,
  noContent,
  notFound,
  ok,
  Refusal,
  type Resource,
  reads,
  route,
  unprocessable,
  writes,
} from '../router.ts'
import { type Body, nodeId, repositoryUrl } from '../shapes/common.ts'
import { gitCommitBody, markVerified, refBody } from '../shapes/git.ts'

const emptyRepository = () => new Refusal(409, 'Git Repository is empty.')
const refuseEmpty = async (context: Context): Promise<void> => {
  if (await context.git().isEmpty()) throw emptyRepository()
}

/** REST's words for a ref that did not move; none of it happened. */
export function refuseRef(outcome: RefOutcome): void {
  switch (outcome.kind) {
    case 'done':
      return
    case 'exists':
      throw unprocessable('Reference already exists')
    case 'missing':
      throw unprocessable('Reference does not exist')
    case 'stale':
    case 'not-fast-forward':
      throw unprocessable('Update is not a fast forward')
    case 'rules':
      throw new Refusal(422, outcome.message)
  }
}

const readRef: Handler = async (context) => {
  await refuseEmpty(context)
  const ref = `refs/${context.params['ref']}`
  const oid = await visibleRef(context, ref)
  const object = oid === undefined ? undefined : await context.git().readObject(oid)
  if (!object) throw notFound()
  return ok(refBody(context.world, context.repository(), ref, object))
}

/** All of them: GitHub's description knows no pages here. */
const matchingRefs: Handler = async (context) => {
  await refuseEmpty(context)
  const refs = await context.git().listRefs(`refs/${context.params['ref']}`)
  return ok(refs.map(({ name, oid, type }) => refBody(context.world, context.repository(), name, { oid, type })))
}

const createRef: Handler = async (context) => {
  await refuseEmpty(context)
  const { ref, sha } = context.body as { ref: string; sha: string }
  if (!/^refs\/[^/]+\/./.test(ref) || !isRefName(ref)) {
    throw unprocessable(`${JSON.stringify(ref)} is not a valid ref name.`)
  }
  const object = /^[0-9a-f]{40}$/.test(sha) ? await context.git().readObject(sha) : undefined
  if (!object) throw unprocessable('Object does not exist')
  if (ref.startsWith('refs/heads/') && object.type !== 'commit') throw unprocessable('Object is not a commit')
  const change = { ref, after: sha, before: zeroOid }
  refuseRef(await changeRefs(context.world, context.repository(), context.identity, [change]))
  return created(refBody(context.world, context.repository(), ref, object))
}

const updateRef: Handler = async (context) => {
  const { sha, force } = context.body as { sha: string; force?: boolean }
  const ref = `refs/${context.params['ref']}`
  const git = context.git()
  if ((await git.readRef(ref)) === undefined) throw unprocessable('Reference does not exist')
  const object = /^[0-9a-f]{40}$/.test(sha) ? await git.readObject(sha) : undefined
  if (!object) throw unprocessable('Object does not exist')
  const asked = { route: 'PATCH /repos/{owner}/{repo}/git/refs/{ref}', text: '' }
  if (context.world.faults.take(['stale'], asked)) throw unprocessable('Update is not a fast forward')
  const change = { ref, after: sha, force: force ?? false }
  refuseRef(await changeRefs(context.world, context.repository(), context.identity, [change]))
  return ok(refBody(context.world, context.repository(), ref, object))
}

const deleteRef: Handler = async (context) => {
  const change = { ref: `refs/${context.params['ref']}`, after: zeroOid }
  if (change.ref === `refs/heads/${context.repository().defaultBranch}`) {
    throw unprocessable('Cannot delete the default branch')
  }
  refuseRef(await changeRefs(context.world, context.repository(), context.identity, [change]))
  return noContent()
}

const readTree: Handler = async (context) => {
  const git = context.git()
  const sha = context.params['tree_sha'] ?? ''
  const commit = await git.resolveCommit(sha)
  const oid = commit === undefined ? sha : ((await git.readCommit(commit))?.tree ?? sha)
  return ok(await treeBody(context, oid, context.query.has('recursive')))
}

/** GitHub cuts recursive trees at 100,000 entries. */
const mostEntries = 100_000

async function treeBody(context: Context, oid: string, recursive: boolean): Promise<Body> {
  const git = context.git()
  const entries = await git.readTree(oid)
  if (!entries) throw notFound()
  const base = `${repositoryUrl(context.world, context.repository())}/git`
  const listed = await git.listTree(oid)
  const shown = recursive ? listed : listed.filter(({ name }) => !name.includes('/'))
  return {
    sha: oid,
    url: `${base}/trees/${oid}`,
    tree: shown.slice(0, mostEntries).map((entry) => {
      const type = typeOfMode(entry.mode)
      const size = entry.size === undefined ? {} : { size: entry.size }
      return { path: entry.name, mode: entry.mode, type, sha: entry.oid, ...size, url: `${base}/${type}s/${entry.oid}` }
    }),
    truncated: shown.length > mostEntries,
  }
}

interface TreeItem {
  readonly path?: string
  readonly mode?: string
  readonly type?: string
  readonly sha?: string | null
  readonly content?: string
}

const createTree: Handler = async (context) => {
  await refuseEmpty(context)
  const git = context.git()
  const { tree, base_tree: base } = context.body as { tree: readonly TreeItem[]; base_tree?: string }
  if (tree.length === 0) throw unprocessable('Invalid tree info')
  const baseTree = base === undefined ? undefined : await peelToTree(context, base)
  const changes: TreeChange[] = []
  for (const item of tree) changes.push(await treeChange(context, item, baseTree))
  const contents = tree.flatMap((item) => (item.content === undefined ? [] : [Buffer.from(item.content)]))
  const oids = await git.writeBlobs(contents)
  let next = 0
  const complete = changes.map((change, i) =>
    tree[i]?.content === undefined ? change : { ...change, oid: oids[next++] ?? null },
  )
  return created(await treeBody(context, await git.writeTree(baseTree, complete), false))
}

async function treeChange(context: Context, item: TreeItem, baseTree: string | undefined): Promise<TreeChange> {
  const { path = '', mode = '', sha, content } = item
  if (!isSafePath(path)) throw unprocessable('tree.path contains a malformed path component')
  if (content === undefined && sha === undefined) throw unprocessable('Must supply either tree.sha or tree.content')
  if (content !== undefined && sha !== undefined) throw unprocessable('Must supply either tree.sha or tree.content')
  if (sha === null) {
    const entry = baseTree === undefined ? undefined : await context.git().entryAt(baseTree, path)
    if (!entry) throw unprocessable('GitRPC::BadObjectState')
    return { path, mode: '100644', oid: null }
  }
  if (mode === '') throw unprocessable('Must supply a valid tree.mode')
  if (sha === undefined) return { path, mode, oid: null }
  const object = /^[0-9a-f]{40}$/.test(sha) ? await context.git().readObject(sha) : undefined
  if (object?.type !== typeOfMode(mode)) throw unprocessable(`tree.sha ${sha} is not a valid ${typeOfMode(mode)}`)
  return { path, mode, oid: sha }
}

async function peelToTree(context: Context, sha: string): Promise<string> {
  const object = /^[0-9a-f]{40}$/.test(sha) ? await context.git().readObject(`${sha}^{tree}`) : undefined
  if (!object) throw unprocessable('base_tree is not a valid tree oid')
  return object.oid
}

type Named = { readonly name: string; readonly email: string; readonly date?: string }

const createCommit: Handler = async (context) => {
  await refuseEmpty(context)
  const { world, identity } = context
  const git = context.git()
  const {
    message,
    tree,
    parents = [],
    author,
    committer,
  } = context.body as {
    message: string
    tree: string
    parents?: readonly string[]
    author?: Named
    committer?: Named
  }
  if ((await git.readTree(tree)) === undefined) throw unprocessable('Tree SHA does not exist')
  for (const parent of parents) {
    if ((await git.readCommit(parent)) === undefined)
      throw unprocessable('Parent SHA does not exist or is not a commit object')
  }
  const now = world.clock.now()
  const own = signatureOf(context.actor(), now)
  const written = author ? signature(author, now) : own
  const oid = await git.writeCommit({
    tree,
    parents,
    author: written,
    committer: committer ? signature(committer, now) : written,
    message,
  })
  if (appOf(identity) && !author && !committer) markVerified(world, context.repository(), oid)
  const commit = await git.readCommit(oid)
  if (!commit) throw notFound()
  return created(gitCommitBody(world, context.repository(), commit))
}

const signature = ({ name, email, date }: Named, now: string): Signature => ({ name, email, date: date ?? now })

const createTag: Handler = async (context) => {
  const git = context.git()
  const { tag, message, object, type, tagger } = context.body as {
    tag: string
    message: string
    object: string
    type: string
    tagger?: Named
  }
  const target = /^[0-9a-f]{40}$/.test(object) ? await git.readObject(object) : undefined
  if (target?.type !== type) throw unprocessable('Object does not exist')
  const now = context.world.clock.now()
  const by = tagger ? signature(tagger, now) : signatureOf(context.actor(), now)
  const oid = await git.writeTag({ object, type, name: tag, tagger: by, message })
  const base = `${repositoryUrl(context.world, context.repository())}/git`
  return created({
    node_id: nodeId('TA', oid),
    tag,
    sha: oid,
    url: `${base}/tags/${oid}`,
    message,
    tagger: by,
    object: { sha: object, type, url: `${base}/${type}s/${object}` },
    verification: { verified: false, reason: 'unsigned', signature: null, payload: null, verified_at: null },
  })
}

const readTag: Handler = async (context) => {
  const sha = context.params['tag_sha'] ?? ''
  const object = /^[0-9a-f]{40}$/.test(sha) ? await context.git().readObject(sha) : undefined
  if (object?.type !== 'tag') throw notFound()
  const text = object.bytes.toString()
  const field = (name: string) => new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1] ?? ''
  const [, name = '', email = '', seconds = '0'] = /^(.*) <(.*)> (\d+)/.exec(field('tagger')) ?? []
  const base = `${repositoryUrl(context.world, context.repository())}/git`
  return ok({
    node_id: nodeId('TA', sha),
    tag: field('tag'),
    sha,
    url: `${base}/tags/${sha}`,
    message: text.slice(text.indexOf('\n\n') + 2),
    tagger: { name, email, date: `${new Date(Number(seconds) * 1000).toISOString().slice(0, 19)}Z` },
    object: { sha: field('object'), type: field('type'), url: `${base}/${field('type')}s/${field('object')}` },
    verification: { verified: false, reason: 'unsigned', signature: null, payload: null, verified_at: null },
  })
}

const readCommit: Handler = async (context) => {
  await refuseEmpty(context)
  const commit = await context.git().readCommit(context.params['commit_sha'] ?? '')
  if (!commit) throw notFound()
  return ok(gitCommitBody(context.world, context.repository(), commit))
}

const createBlob: Handler = async (context) => {
  await refuseEmpty(context)
  const { content, encoding = 'utf-8' } = context.body as { content: string; encoding?: string }
  const [oid = ''] = await context.git().writeBlobs([Buffer.from(content, encoding === 'base64' ? 'base64' : 'utf8')])
  return created({ sha: oid, url: `${repositoryUrl(context.world, context.repository())}/git/blobs/${oid}` })
}

const readBlob: Handler = async (context) => {
  const sha = context.params['file_sha'] ?? ''
  const object = /^[0-9a-f]{40}$/.test(sha) ? await context.git().readObject(sha) : undefined
  if (object?.type !== 'blob') throw notFound()
  if (context.accept.includes('raw'))
    return { status: 200, raw: object.bytes, headers: { 'content-type': 'application/octet-stream' } }
  return ok({
    sha,
    node_id: nodeId('B', sha),
    size: object.bytes.length,
    url: `${repositoryUrl(context.world, context.repository())}/git/blobs/${sha}`,
    content: object.bytes.toString('base64').replace(/.{60}/g, '$&\n'),
    encoding: 'base64',
  })
}

/** Objects and refs (`/git/…`). */
export const gitData: Resource = {
  routes: [
    route('GET /repos/{owner}/{repo}/git/ref/{ref}', reads('contents'), readRef),
    route('GET /repos/{owner}/{repo}/git/matching-refs/{ref}', reads('contents'), matchingRefs),
    route('POST /repos/{owner}/{repo}/git/refs', writes('contents'), createRef),
    route('PATCH /repos/{owner}/{repo}/git/refs/{ref}', writes('contents'), updateRef),
    route('DELETE /repos/{owner}/{repo}/git/refs/{ref}', writes('contents'), deleteRef),
    route('GET /repos/{owner}/{repo}/git/trees/{tree_sha}', reads('contents'), readTree),
    route('POST /repos/{owner}/{repo}/git/trees', writes('contents'), createTree),
    route('GET /repos/{owner}/{repo}/git/commits/{commit_sha}', reads('contents'), readCommit),
    route('POST /repos/{owner}/{repo}/git/commits', writes('contents'), createCommit),
    route('POST /repos/{owner}/{repo}/git/blobs', writes('contents'), createBlob),
    route('GET /repos/{owner}/{repo}/git/blobs/{file_sha}', reads('contents'), readBlob),
    route('POST /repos/{owner}/{repo}/git/tags', writes('contents'), createTag),
    route('GET /repos/{owner}/{repo}/git/tags/{tag_sha}', reads('contents'), readTag),
  ],
}
