import { refuseWorkflowFiles, writeGitHubCommit } from '../git/commit.ts'
import { changeRefs } from '../git/ref-update.ts'
import { type Commit, isSafePath, type Signature, type TreeEntry, typeOfMode, zeroOid } from '../git/repository.ts'
import {
  type Answer,
  answer,
  type Context,
  type Handler,
  notFound,
  ok,
  Refusal,
  type Resource,
  reads,
  route,
  unprocessable,
  writes,
} from '../router.ts'
import type { Body } from '../shapes/common.ts'
import { contentBody, gitCommitBody } from '../shapes/git.ts'

/** Full content up to 1 MB, none (only raw) up to 100 MB. */
const inlineBytes = 1_048_576

const cleanPath = (context: Context): string => (context.params['path'] ?? '').replace(/^\/+|\/+$/g, '')

const readContents: Handler = async (context) => {
  const git = context.git()
  const ref = context.query.get('ref') ?? context.repository().defaultBranch
  const oid = await git.resolveCommit(ref)
  if (oid === undefined) {
    throw new Refusal(404, (await git.isEmpty()) ? 'This repository is empty.' : `No commit found for the ref ${ref}`)
  }
  const commit = await git.readCommit(oid)
  const path = cleanPath(context)
  const entry = commit && (await git.entryAt(commit.tree, path))
  if (!entry) throw notFound()
  return entry.mode === '040000' ? readDirectory(context, ref, path, entry.oid) : readFile(context, ref, path, entry)
}

/** At most 1,000 entries, as GitHub lists. */
async function readDirectory(context: Context, ref: string, path: string, treeOid: string): Promise<Answer> {
  const listed = await context.git().listTree(treeOid)
  const entries = listed.filter(({ name }) => !name.includes('/')).slice(0, 1000)
  const bodies = entries.map(({ name, mode, oid, size }) => {
    const full = path === '' ? name : `${path}/${name}`
    return contentBody(context.world, context.repository(), ref, { path: full, mode, oid, size: size ?? 0 })
  })
  return ok(bodies)
}

async function readFile(context: Context, ref: string, path: string, entry: TreeEntry): Promise<Answer> {
  const object = await context.git().readObject(entry.oid)
  if (typeOfMode(entry.mode) !== 'blob' || !object) throw notFound()
  if (context.accept.includes('raw')) {
    return { status: 200, raw: object.bytes, headers: { 'content-type': 'application/octet-stream' } }
  }
  const body = contentBody(context.world, context.repository(), ref, {
    path,
    mode: entry.mode,
    oid: entry.oid,
    size: object.bytes.length,
  })
  if (body['type'] === 'symlink') return ok({ ...body, target: object.bytes.toString() })
  const isInline = object.bytes.length <= inlineBytes
  return ok({
    ...body,
    content: isInline ? object.bytes.toString('base64').replace(/.{60}/g, '$&\n') : '',
    encoding: isInline ? 'base64' : 'none',
  })
}

interface Write {
  readonly message: string
  readonly content?: string
  readonly sha?: string
  readonly branch?: string
  readonly author?: { name: string; email: string; date?: string }
  readonly committer?: { name: string; email: string; date?: string }
}

/** The branch to write to with its head; an empty repository takes its first commit on the default branch. */
async function target(
  context: Context,
  branch: string | undefined,
): Promise<{ ref: string; head: Commit | undefined }> {
  const git = context.git()
  const name = branch ?? context.repository().defaultBranch
  const oid = await git.readRef(`refs/heads/${name}`)
  if (oid === undefined && !(await git.isEmpty())) throw new Refusal(404, `Branch ${name} not found`)
  return { ref: `refs/heads/${name}`, head: oid === undefined ? undefined : await git.readCommit(oid) }
}

const write =
  (isDelete: boolean): Handler =>
  async (context) => {
    const { world, identity } = context
    const body = context.body as unknown as Write
    const path = cleanPath(context)
    if (!isSafePath(path)) throw unprocessable('path contains a malformed path component')
    refuseWorkflowFiles(identity, [{ path }])
    const { ref, head } = await target(context, body.branch)
    const git = context.git()
    const existing = head && (await git.entryAt(head.tree, path))
    if (isDelete && !existing) throw notFound()
    if (existing && body.sha === undefined) throw unprocessable('Invalid request.\n\n"sha" wasn\'t supplied.')
    if (existing ? existing.oid !== body.sha : body.sha !== undefined) {
      throw new Refusal(409, `${path} does not match ${body.sha}`)
    }
    const now = world.clock.now()
    const sign = (who: Write['author']): Signature | undefined => who && { ...who, date: who.date ?? now }
    const [author, committer] = [sign(body.author), sign(body.committer)]
    const content = isDelete ? null : Buffer.from(body.content ?? '', 'base64')
    const oid = await writeGitHubCommit(world, context.repository(), identity, {
      files: [{ path, content }],
      parent: head,
      message: body.message,
      ...(author ? { author } : {}),
      ...(committer ? { committer } : {}),
    })
    const outcome = await changeRefs(world, context.repository(), identity, [
      { ref, after: oid, before: head?.oid ?? zeroOid },
    ])
    if (outcome.kind === 'rules') throw new Refusal(409, outcome.message)
    if (outcome.kind !== 'done') throw new Refusal(409, `is at ${await git.readRef(ref)} but expected ${head?.oid}`)
    return answer(existing || isDelete ? 200 : 201, await writtenBody(context, ref, oid, path))
  }

async function writtenBody(context: Context, ref: string, oid: string, path: string): Promise<Body> {
  const git = context.git()
  const commit = await git.readCommit(oid)
  const entry = commit && (await git.entryAt(commit.tree, path))
  const size = entry ? ((await git.readObject(entry.oid))?.bytes.length ?? 0) : 0
  const branch = ref.slice('refs/heads/'.length)
  return {
    content: entry
      ? contentBody(context.world, context.repository(), branch, { path, mode: entry.mode, oid: entry.oid, size })
      : null,
    commit: commit ? gitCommitBody(context.world, context.repository(), commit) : {},
  }
}

/** Files by path. */
export const contents: Resource = {
  routes: [
    route('GET /repos/{owner}/{repo}/contents/{path}', reads('contents'), readContents),
    { ...route('GET /repos/{owner}/{repo}/contents', reads('contents'), readContents) },
    route('PUT /repos/{owner}/{repo}/contents/{path}', writes('contents'), write(false)),
    route('DELETE /repos/{owner}/{repo}/contents/{path}', writes('contents'), write(true)),
  ],
}
