import { listedUntilMs } from '../git/lag.ts'
import { appOf } from '../identity.ts'
import {
  type Context,
  created,
  type Handler,
  invalid,
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
import { appBody, type Body, htmlUrl, nodeId, repositoryBody, repositoryUrl } from '../shapes/common.ts'
import type { App, Repository } from '../store.ts'
import type { World } from '../world.ts'
import { type Annotation, type CheckRun, type CheckSuite, checksOf } from './check-state.ts'
import { pullsOf } from './pulls.ts'

function pullRequests(world: World, repository: Repository, oid: string): Body[] {
  const repo = { id: repository.id, url: repositoryUrl(world, repository), name: repository.name }
  return pullsOf(repository)
    .filter((issue) => issue.state === 'open' && issue.pull.headOid === oid)
    .map(({ number, pull }) => ({
      url: `${repositoryUrl(world, repository)}/pulls/${number}`,
      id: pull.id,
      number,
      head: { ref: pull.headRef, sha: pull.headOid, repo },
      base: { ref: pull.baseRef, sha: pull.baseOid, repo },
    }))
}

export function checkRunBody(world: World, repository: Repository, run: CheckRun): Body {
  const url = `${repositoryUrl(world, repository)}/check-runs/${run.id}`
  const html = htmlUrl(world, repository, `/runs/${run.id}`)
  return {
    id: run.id,
    name: run.name,
    node_id: nodeId('CR', run.id),
    head_sha: run.suite.headOid,
    external_id: run.externalId,
    url,
    html_url: html,
    details_url: run.detailsUrl ?? html,
    status: run.status,
    conclusion: run.conclusion,
    started_at: run.startedAt,
    completed_at: run.completedAt,
    output: {
      title: run.title,
      summary: run.summary,
      text: run.text,
      annotations_count: run.annotations.length,
      annotations_url: `${url}/annotations`,
    },
    check_suite: { id: run.suite.id },
    app: appBody(world, run.suite.app),
    pull_requests: pullRequests(world, repository, run.suite.headOid),
  }
}

const runsOf = (repository: Repository, suite: CheckSuite): CheckRun[] =>
  [...checksOf(repository).runs.values()].filter((run) => run.suite === suite)

/** Completed when all its runs are; its conclusion is the worst of theirs. */
function outcomeOf(runs: readonly CheckRun[]): { status: string; conclusion: string | null } {
  if (runs.length === 0) return { status: 'queued', conclusion: null }
  if (runs.some((run) => run.status !== 'completed')) return { status: 'in_progress', conclusion: null }
  const order = ['failure', 'timed_out', 'cancelled', 'action_required', 'stale', 'success', 'neutral', 'skipped']
  return { status: 'completed', conclusion: order.find((one) => runs.some((run) => run.conclusion === one)) ?? null }
}

async function suiteBody(context: Context, suite: CheckSuite): Promise<Body> {
  const { world } = context
  const repository = context.repository()
  const runs = runsOf(repository, suite)
  const url = `${repositoryUrl(world, repository)}/check-suites/${suite.id}`
  const commit = await context.git().readCommit(suite.headOid)
  return {
    id: suite.id,
    node_id: nodeId('CS', suite.id),
    head_branch: suite.headBranch,
    head_sha: suite.headOid,
    ...outcomeOf(runs),
    url,
    before: commit?.parents[0] ?? null,
    after: suite.headOid,
    pull_requests: pullRequests(world, repository, suite.headOid),
    app: appBody(world, suite.app),
    repository: repositoryBody(world, repository),
    created_at: suite.createdAt,
    updated_at: suite.createdAt,
    head_commit: {
      id: suite.headOid,
      tree_id: commit?.tree ?? '',
      message: commit?.message ?? '',
      timestamp: commit?.committer.date ?? suite.createdAt,
      author: commit ? { name: commit.author.name, email: commit.author.email } : null,
      committer: commit ? { name: commit.committer.name, email: commit.committer.email } : null,
    },
    latest_check_runs_count: runs.length,
    check_runs_url: `${url}/check-runs`,
  }
}

/** Tells Apps of a run; the suite goes along in short, as GitHub sends it. */
export function tellCheckRun(
  world: World,
  repository: Repository,
  run: CheckRun,
  action: string,
  by: { sender: App['bot']; onlyTo?: App; more?: Body },
): void {
  const { suite } = run
  const url = `${repositoryUrl(world, repository)}/check-suites/${suite.id}`
  const checkSuite = {
    id: suite.id,
    node_id: nodeId('CS', suite.id),
    head_branch: suite.headBranch,
    head_sha: suite.headOid,
    ...outcomeOf(runsOf(repository, suite)),
    url,
    before: null,
    after: suite.headOid,
    pull_requests: pullRequests(world, repository, suite.headOid),
    app: appBody(world, suite.app),
    created_at: suite.createdAt,
    updated_at: suite.createdAt,
  }
  world.deliver({
    event: 'check_run',
    action,
    repository,
    sender: by.sender,
    payload: { check_run: { ...checkRunBody(world, repository, run), check_suite: checkSuite }, ...by.more },
    ...(by.onlyTo ? { onlyTo: by.onlyTo } : {}),
  })
}

/** The App's suite of a commit, made when first needed. */
async function suiteFor(context: Context, app: App, oid: string): Promise<CheckSuite> {
  const { suites } = checksOf(context.repository())
  const known = [...suites.values()].find((suite) => suite.app === app && suite.headOid === oid)
  if (known) return known
  const branch = (await context.git().listRefs('refs/heads/')).find((ref) => ref.oid === oid)
  const suite: CheckSuite = {
    id: context.world.nextId(),
    app,
    headOid: oid,
    headBranch: branch?.name.slice('refs/heads/'.length) ?? null,
    createdAt: context.world.clock.now(),
  }
  suites.set(suite.id, suite)
  return suite
}

interface RunWrite {
  readonly name?: string
  readonly head_sha?: string
  readonly details_url?: string
  readonly external_id?: string
  readonly status?: string
  readonly started_at?: string
  readonly conclusion?: string
  readonly completed_at?: string
  readonly output?: {
    readonly title?: string
    readonly summary?: string
    readonly text?: string
    readonly annotations?: readonly Annotation[]
  }
}

function write(context: Context, run: CheckRun, request: RunWrite): void {
  const isCompleted = request.conclusion !== undefined || request.status === 'completed'
  if (isCompleted && request.conclusion === undefined)
    throw unprocessable('Invalid request.\n\n"conclusion" wasn\'t supplied.')
  const { output } = request
  for (const [field, text] of [
    ['summary', output?.summary],
    ['text', output?.text],
  ] as const) {
    if (text !== undefined && text.length > 65_535)
      throw invalid('CheckRun', field, 'too_long', `${field} exceeds a maximum of 65535 characters`)
  }
  if (request.name !== undefined) run.name = request.name
  if (request.external_id !== undefined) run.externalId = request.external_id
  if (request.details_url !== undefined) run.detailsUrl = request.details_url
  if (isCompleted) {
    run.status = 'completed'
    run.conclusion = request.conclusion ?? null
    run.completedAt = request.completed_at ?? context.world.clock.now()
  } else if (request.status !== undefined) {
    Object.assign(run, { status: request.status, conclusion: null, completedAt: null })
  }
  if (!output) return
  if (output.title !== undefined) run.title = output.title
  if (output.summary !== undefined) run.summary = output.summary
  if (output.text !== undefined) run.text = output.text
  run.annotations.push(...(output.annotations ?? []))
}

const actingApp = (context: Context): App => {
  const app = appOf(context.identity)
  if (!app) throw new Refusal(403, 'You must authenticate via a GitHub App.')
  return app
}

const tell = (context: Context, run: CheckRun, action: string): void =>
  tellCheckRun(context.world, context.repository(), run, action, { sender: context.actor() as App['bot'] })

const create: Handler = async (context) => {
  const { world } = context
  const request = context.body as RunWrite
  const app = actingApp(context)
  const oid = await context.git().resolveCommit(request.head_sha ?? '')
  if (oid === undefined || oid !== request.head_sha) throw unprocessable(`No commit found for SHA: ${request.head_sha}`)
  const run: CheckRun = {
    id: world.nextId(),
    suite: await suiteFor(context, app, oid),
    name: request.name ?? '',
    externalId: '',
    detailsUrl: null,
    status: 'queued',
    conclusion: null,
    startedAt: request.started_at ?? world.clock.now(),
    completedAt: null,
    title: null,
    summary: null,
    text: null,
    annotations: [],
    madeAtMs: world.clock.epochMs(),
  }
  write(context, run, request)
  checksOf(context.repository()).runs.set(run.id, run)
  tell(context, run, 'created')
  if (run.status === 'completed') tell(context, run, 'completed')
  return created(checkRunBody(world, context.repository(), run))
}

function runAt(context: Context): CheckRun {
  const run = checksOf(context.repository()).runs.get(Number(context.params['check_run_id']))
  if (!run) throw notFound()
  return run
}

const update: Handler = (context) => {
  const run = runAt(context)
  const app = actingApp(context)
  if (run.suite.app !== app) {
    throw new Refusal(
      403,
      `Invalid app_id \`${app.id}\` - check run can only be modified by the GitHub App that created it.`,
    )
  }
  const was = run.status
  write(context, run, context.body as RunWrite)
  if (was !== 'completed' && run.status === 'completed') tell(context, run, 'completed')
  return ok(checkRunBody(context.world, context.repository(), run))
}

/** `filter=latest` (default): of each name in a suite only the newest. */
function select(context: Context, runs: readonly CheckRun[]) {
  const { query } = context
  const [name, status, appId] = [query.get('check_name'), query.get('status'), query.get('app_id')]
  const matching = runs
    .filter((run) => name === null || run.name === name)
    .filter((run) => status === null || run.status === status)
    .filter((run) => appId === null || String(run.suite.app.id) === appId)
  const latest = new Map(matching.map((run) => [`${run.suite.id} ${run.name}`, run]))
  const shown = query.get('filter') === 'all' ? matching : [...latest.values()]
  return paged(context, shown.toReversed(), (page) => ({
    total_count: shown.length,
    check_runs: page.map((run) => checkRunBody(context.world, context.repository(), run)),
  }))
}

const LIST_FOR_REF = 'GET /repos/{owner}/{repo}/commits/{ref}/check-runs'

async function oidAt(context: Context): Promise<string> {
  const oid = await context.git().resolveCommit(context.params['ref'] ?? '')
  if (oid === undefined) throw unprocessable(`No commit found for SHA: ${context.params['ref']}`)
  return oid
}

/** The `lag` fault does not list yet what was made in the last half minute. */
const listForRef: Handler = async (context) => {
  const oid = await oidAt(context)
  const seenMs = listedUntilMs(context.world, { route: LIST_FOR_REF, text: '' })
  return select(
    context,
    [...checksOf(context.repository()).runs.values()].filter(
      (run) => run.suite.headOid === oid && run.madeAtMs <= seenMs,
    ),
  )
}

function suiteAt(context: Context): CheckSuite {
  const suite = checksOf(context.repository()).suites.get(Number(context.params['check_suite_id']))
  if (!suite) throw notFound()
  return suite
}

const listSuites: Handler = async (context) => {
  const oid = await oidAt(context)
  const appId = context.query.get('app_id')
  const suites = [...checksOf(context.repository()).suites.values()]
    .filter((suite) => suite.headOid === oid)
    .filter((suite) => appId === null || String(suite.app.id) === appId)
  const bodies = await Promise.all(suites.map((suite) => suiteBody(context, suite)))
  return paged(context, bodies, (page) => ({ total_count: bodies.length, check_suites: page }))
}

const listAnnotations: Handler = (context) => {
  const run = runAt(context)
  return paged(context, run.annotations, (page) =>
    page.map((annotation) => ({
      start_column: null,
      end_column: null,
      title: null,
      raw_details: null,
      ...annotation,
      blob_href: htmlUrl(context.world, context.repository(), `/blob/${run.suite.headOid}/${annotation.path}`),
    })),
  )
}

/** Only the App that made the run is asked to run it again. */
const rerequest: Handler = (context) => {
  const run = runAt(context)
  const sender = context.actor() as App['bot']
  tellCheckRun(context.world, context.repository(), run, 'rerequested', { sender, onlyTo: run.suite.app })
  return created({})
}

const appsOnly = { only: 'apps' } as const

/** Check runs and suites: only Apps write them. */
export const checks: Resource = {
  routes: [
    route('POST /repos/{owner}/{repo}/check-runs', writes('checks', appsOnly), create),
    route('GET /repos/{owner}/{repo}/check-runs/{check_run_id}', reads('checks'), (context) =>
      ok(checkRunBody(context.world, context.repository(), runAt(context))),
    ),
    route('PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}', writes('checks', appsOnly), update),
    route('GET /repos/{owner}/{repo}/check-runs/{check_run_id}/annotations', reads('checks'), listAnnotations),
    route('POST /repos/{owner}/{repo}/check-runs/{check_run_id}/rerequest', writes('checks'), rerequest),
    route(LIST_FOR_REF, reads('checks'), listForRef),
    route('GET /repos/{owner}/{repo}/commits/{ref}/check-suites', reads('checks'), listSuites),
    route('GET /repos/{owner}/{repo}/check-suites/{check_suite_id}', reads('checks'), async (context) =>
      ok(await suiteBody(context, suiteAt(context))),
    ),
    route('GET /repos/{owner}/{repo}/check-suites/{check_suite_id}/check-runs', reads('checks'), (context) =>
      select(context, runsOf(context.repository(), suiteAt(context))),
    ),
  ],
}
