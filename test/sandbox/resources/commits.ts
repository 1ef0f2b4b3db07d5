import { visibleRef } from '../git/lag.ts'
import { changeRefs, gitHubSignature, signatureOf } from '../git/ref-update.ts'
import type { Commit } from '../git/repository.ts'
import {
  type Context,
  created,
  type Handler,
  noContent,
  notFound,
  ok,
  paged,
  Refusal,
  type Resource,
  reads,
  route,
  unprocessable,
  writes,
} from '../router.ts'
import { rulesInForce } from '../rulesets.ts'
import { type Body, htmlUrl, nodeId, repositoryUrl } from '../shapes/common.ts'
import { commitBody, diffEntryBody, markVerified } from '../shapes/git.ts'

/** GitHub lists at most 300 files of a commit or comparison and 250 commits of a comparison. */
const mostFiles = 300
const mostCommits = 250

const noCommit = (ref: string) => unprocessable(`No commit found for SHA: ${ref}`)

async function commitAt(context: Context, revision: string): Promise<Commit> {
  const oid = await context.git().resolveCommit(revision)
  const commit = oid === undefined ? undefined : await context.git().readCommit(oid)
  if (!commit) throw noCommit(revision)
  return commit
}

const readCommit: Handler = async (context) => {
  const { world } = context
  const commit = await commitAt(context, context.params['ref'] ?? '')
  if (context.accept.includes('sha'))
    return { status: 200, raw: Buffer.from(commit.oid), headers: { 'content-type': 'text/plain' } }
  const files = await context.git().changedFiles(commit.parents[0], commit.oid)
  const [additions, deletions] = [sum(files.map((file) => file.additions)), sum(files.map((file) => file.deletions))]
  return ok({
    ...commitBody(world, context.repository(), commit),
    stats: { additions, deletions, total: additions + deletions },
    files: files.slice(0, mostFiles).map((file) => diffEntryBody(world, context.repository(), commit.oid, file)),
  })
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0)

const listCommits: Handler = async (context) => {
  const git = context.git()
  if (await git.isEmpty()) throw new Refusal(409, 'Git Repository is empty.')
  const start = await git.resolveCommit(context.query.get('sha') ?? context.repository().defaultBranch)
  if (start === undefined) throw notFound()
  const options = ['since', 'until', 'author', 'committer'].flatMap((name) => {
    const value = context.query.get(name)
    return value === null ? [] : [`--${name}=${value}`]
  })
  const oids = await git.listCommits([start], options, context.query.get('path') ?? undefined)
  const page = paged(context, oids)
  const commits = await git.readCommits(page.body as string[])
  return { ...page, body: commits.map((commit) => commitBody(context.world, context.repository(), commit)) }
}

const compare: Handler = async (context) => {
  const { world } = context
  const git = context.git()
  const basehead = context.params['basehead'] ?? ''
  const dots = basehead.indexOf('...')
  const [baseName, headName] = dots < 0 ? ['', ''] : [basehead.slice(0, dots), basehead.slice(dots + 3)]
  const withoutOwner = (name: string) => name.replace(/^[^:/]+:/, '')
  const [base, head] = await Promise.all(
    [withoutOwner(baseName), withoutOwner(headName)].map((name) => git.resolveCommit(name)),
  )
  if (base === undefined || head === undefined) throw notFound()
  const mergeBase = await git.mergeBase(base, head)
  if (mergeBase === undefined) throw new Refusal(404, `No common ancestor between ${baseName} and ${headName}.`)
  const [ahead, behind] = await Promise.all([
    git.listCommits([head, `^${base}`], ['--reverse']),
    git.listCommits([base, `^${head}`]),
  ])
  const isPaged = context.query.has('page') || context.query.has('per_page')
  const page = isPaged ? paged(context, ahead) : ok(ahead.slice(-mostCommits))
  const [commits, ends, files] = await Promise.all([
    git.readCommits(page.body as string[]),
    git.readCommits([base, mergeBase]),
    git.changedFiles(mergeBase, head),
  ])
  const [baseCommit, mergeBaseCommit] = ends
  if (!baseCommit || !mergeBaseCommit) throw notFound()
  const status =
    ahead.length > 0 ? (behind.length > 0 ? 'diverged' : 'ahead') : behind.length > 0 ? 'behind' : 'identical'
  const html = htmlUrl(
    world,
    context.repository(),
    `/compare/${encodeURIComponent(baseName)}...${encodeURIComponent(headName)}`,
  )
  const body: Body = {
    url: `${repositoryUrl(world, context.repository())}/compare/${encodeURIComponent(baseName)}...${encodeURIComponent(headName)}`,
    html_url: html,
    permalink_url: htmlUrl(world, context.repository(), `/compare/${base}...${head}`),
    diff_url: `${html}.diff`,
    patch_url: `${html}.patch`,
    base_commit: commitBody(world, context.repository(), baseCommit),
    merge_base_commit: commitBody(world, context.repository(), mergeBaseCommit),
    status,
    ahead_by: ahead.length,
    behind_by: behind.length,
    total_commits: ahead.length,
    commits: commits.map((commit) => commitBody(world, context.repository(), commit)),
    files: files.slice(0, mostFiles).map((file) => diffEntryBody(world, context.repository(), head, file)),
  }
  return { ...page, body }
}

const isProtected = (context: Context, branch: string): boolean =>
  rulesInForce(context.world, context.repository(), undefined, `refs/heads/${branch}`, false).length > 0

const listBranches: Handler = async (context) => {
  const base = repositoryUrl(context.world, context.repository())
  const refs = await context.git().listRefs('refs/heads/')
  const wanted = context.query.get('protected')
  const branches = refs
    .map(({ name, oid }) => ({ name: name.slice('refs/heads/'.length), oid }))
    .map(({ name, oid }) => ({
      name,
      commit: { sha: oid, url: `${base}/commits/${oid}` },
      protected: isProtected(context, name),
    }))
  return paged(
    context,
    branches.filter((branch) => wanted === null || String(branch.protected) === wanted),
  )
}

const readBranch: Handler = async (context) => {
  const name = context.params['branch'] ?? ''
  const oid = await visibleRef(
    { ...context, route: 'GET /repos/{owner}/{repo}/branches/{branch}' },
    `refs/heads/${name}`,
  )
  const commit = oid === undefined ? undefined : await context.git().readCommit(oid)
  if (!commit) throw new Refusal(404, 'Branch not found')
  const url = `${repositoryUrl(context.world, context.repository())}/branches/${encodeURIComponent(name)}`
  return ok({
    name,
    commit: commitBody(context.world, context.repository(), commit),
    _links: { self: url, html: htmlUrl(context.world, context.repository(), `/tree/${encodeURIComponent(name)}`) },
    protected: isProtected(context, name),
    protection: { enabled: false, required_status_checks: { enforcement_level: 'off', contexts: [], checks: [] } },
    protection_url: `${url}/protection`,
  })
}

const listTags: Handler = async (context) => {
  const base = repositoryUrl(context.world, context.repository())
  const refs = await context.git().listRefs('refs/tags/')
  const tags = refs.map(({ name, peeled }) => {
    const tag = name.slice('refs/tags/'.length)
    const archive = (kind: string) => `${base}/${kind}/${name.split('/').map(encodeURIComponent).join('/')}`
    const commit = { sha: peeled, url: `${base}/commits/${peeled}` }
    return {
      name: tag,
      commit,
      zipball_url: archive('zipball'),
      tarball_url: archive('tarball'),
      node_id: nodeId('REF', `${base}:${name}`),
    }
  })
  return paged(context, tags.toReversed())
}

const branchesWhereHead: Handler = async (context) => {
  const base = repositoryUrl(context.world, context.repository())
  const commit = await commitAt(context, context.params['commit_sha'] ?? '')
  const refs = (await context.git().listRefs('refs/heads/')).filter(({ oid }) => oid === commit.oid)
  return ok(
    refs.map(({ name, oid }) => {
      const branch = name.slice('refs/heads/'.length)
      return {
        name: branch,
        commit: { sha: oid, url: `${base}/commits/${oid}` },
        protected: isProtected(context, branch),
      }
    }),
  )
}

const merge: Handler = async (context) => {
  const { world, identity } = context
  const git = context.git()
  const {
    base,
    head,
    commit_message: message,
  } = context.body as { base: string; head: string; commit_message?: string }
  const ours = await git.readRef(`refs/heads/${base}`)
  if (ours === undefined) throw new Refusal(404, 'Base does not exist')
  const theirs = await git.resolveCommit(head)
  if (theirs === undefined) throw new Refusal(404, 'Head does not exist')
  if (await git.isAncestor(theirs, ours)) return noContent()
  const tree = await git.mergeTrees(ours, theirs)
  if (tree === undefined) throw new Refusal(409, 'Merge conflict')
  const now = world.clock.now()
  const oid = await git.writeCommit({
    tree,
    parents: [ours, theirs],
    author: signatureOf(context.actor(), now),
    committer: gitHubSignature(now),
    message: message ?? `Merge ${head} into ${base}`,
  })
  markVerified(world, context.repository(), oid)
  const outcome = await changeRefs(world, context.repository(), identity, [
    { ref: `refs/heads/${base}`, after: oid, before: ours },
  ])
  if (outcome.kind !== 'done') throw new Refusal(409, outcome.kind === 'rules' ? outcome.message : 'Merge conflict')
  return created(commitBody(world, context.repository(), await commitAt(context, oid)))
}

/** Commits, comparisons, branches, tags. */
export const commits: Resource = {
  routes: [
    route('GET /repos/{owner}/{repo}/commits', reads('contents'), listCommits),
    route('GET /repos/{owner}/{repo}/commits/{ref}', reads('contents'), readCommit),
    route('GET /repos/{owner}/{repo}/commits/{commit_sha}/branches-where-head', reads('contents'), branchesWhereHead),
    route('GET /repos/{owner}/{repo}/compare/{basehead}', reads('contents'), compare),
    route('GET /repos/{owner}/{repo}/branches', reads('contents'), listBranches),
    route('GET /repos/{owner}/{repo}/branches/{branch}', reads('contents'), readBranch),
    route('GET /repos/{owner}/{repo}/tags', reads('contents'), listTags),
    route('POST /repos/{owner}/{repo}/merges', writes('contents'), merge),
  ],
}
