import { DEPLOYMENT_TASK, DeploymentRecord, type DeploymentStatus } from '../core/deployment/schema.ts'
import { isTerminal, STATE_OF_STATUS, statusOfState } from '../core/deployment/status.ts'
import { quoted } from '../core/problem.ts'
import { truncate } from '../render/text.ts'
import { type RunContext, runUrl } from './context.ts'
import type { GitHubClient } from './github-client.ts'

const PURPOSE = { what: 'keep the deployment', permission: 'deployments: write' }

/** GitHub answers 422 above this (https://docs.github.com/rest/deployments/statuses). */
export const MAX_DESCRIPTION_LENGTH = 140

/** Environments of these names, or with one of them as first word, are shown as production on GitHub. */
const PRODUCTION = /^(production|prod|live)\b/i

/** One step of an attempt to deploy, ready to be written. */
export interface Attempt {
  readonly client: GitHubClient
  readonly context: RunContext
  readonly sha: string
  readonly environment: string
  readonly record: DeploymentRecord
  readonly status: DeploymentStatus
  readonly description: string
  readonly environmentUrl: string
}

interface FoundStatus {
  readonly state: string
  readonly description: string
  readonly environmentUrl: string
}

interface FoundDeployment {
  readonly id: number
  readonly latest: FoundStatus | null
}

/** The Deployment that holds the attempt (null where a dry run found none), and what was done, as a heading begins. */
export type Written = { readonly id: number | null; readonly did: string }

/** Says what `writeAttempt` would do, and writes nothing. */
export async function rehearseAttempt(attempt: Attempt): Promise<Written> {
  const found = await attempt.client.retrying(PURPOSE, () => findDeployment(attempt))
  if (found === null) return { id: null, did: 'Dry run: would record' }
  return { id: found.id, did: isSaid(found.latest, attempt) ? 'Already recorded:' : 'Dry run: would carry on' }
}

/** Makes GitHub hold this step exactly once: finds or creates the Deployment, then adds the status unless it is the latest. */
export async function writeAttempt(attempt: Attempt): Promise<Written> {
  const { client } = attempt
  const { value: deployment, created } = await client.findOrCreate<FoundDeployment>(PURPOSE, {
    find: () => findDeployment(attempt),
    create: () => createDeployment(attempt),
  })
  // What was just read need not be asked again: a token has few requests an hour. Only a second try looks anew.
  let known: FoundStatus | null | 'to be read' = deployment.latest
  const said = await client.findOrCreate(PURPOSE, {
    find: async () => {
      const latest = known === 'to be read' ? await readLatestStatus(attempt, deployment.id) : known
      known = 'to be read'
      return isSaid(latest, attempt) ? latest : null
    },
    create: () => createStatus(attempt, deployment.id),
  })
  return { id: deployment.id, did: created ? 'Recorded' : said.created ? 'Carried on' : 'Already recorded:' }
}

/** What our status would add nothing to. */
const isSaid = (latest: FoundStatus | null, { status, description, environmentUrl }: Attempt): boolean =>
  latest !== null &&
  latest.state === STATE_OF_STATUS[status] &&
  latest.description === description &&
  latest.environmentUrl === environmentUrl

const repositoryOf = ({ context }: Attempt) => ({ owner: context.owner, repo: context.repository })

const PAGE_SIZE = 100
const MOST_PAGES = 10

/** The newest deployment of this attempt that our status belongs to. */
async function findDeployment(attempt: Attempt): Promise<FoundDeployment | null> {
  for (let page = 1; page <= MOST_PAGES; page += 1) {
    const { data } = await attempt.client.octokit.request('GET /repos/{owner}/{repo}/deployments', {
      ...repositoryOf(attempt),
      sha: attempt.sha,
      task: DEPLOYMENT_TASK,
      environment: attempt.environment,
      per_page: PAGE_SIZE,
      page,
    })
    // Newest first; the ids grow, and are surer than an order that is not promised.
    const own = data
      .filter(({ payload }) => isOfAttempt(payload, attempt.record))
      .sort((a, b) => Number(b.id) - Number(a.id))
    if (own[0]) return carriedOn(attempt, Number(own[0].id))
    if (data.length < PAGE_SIZE) return null
  }
  return null
}

async function carriedOn(attempt: Attempt, id: number): Promise<FoundDeployment | null> {
  const latest = await readLatestStatus(attempt, id)
  const meaning = latest === null ? null : statusOfState(latest.state, { own: true })
  const ended = meaning === 'superseded' || (meaning !== null && meaning !== 'unknown' && isTerminal(meaning))
  return ended && !isTerminal(attempt.status) ? null : { id, latest }
}

/** The job is not compared: the job that announces a deployment is seldom the one that makes it. */
function isOfAttempt(payload: unknown, { product, version, run }: DeploymentRecord): boolean {
  const read = DeploymentRecord.safeParse(typeof payload === 'string' ? jsonOrNull(payload) : payload)
  return (
    read.success &&
    read.data.product === product &&
    read.data.version === version &&
    read.data.run.id === run.id &&
    read.data.run.attempt === run.attempt
  )
}

/** GitHub hands an object back as it was sent, yet also as text where it was sent as text. */
function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

async function createDeployment(attempt: Attempt): Promise<FoundDeployment> {
  const { data } = await attempt.client.octokit.request('POST /repos/{owner}/{repo}/deployments', {
    ...repositoryOf(attempt),
    ref: attempt.sha,
    task: DEPLOYMENT_TASK,
    // GitHub's own defaults would merge the default branch into ours and ask for every status to be green.
    auto_merge: false,
    required_contexts: [],
    environment: attempt.environment,
    description: truncate(`${attempt.record.product} ${attempt.record.version}`, MAX_DESCRIPTION_LENGTH),
    payload: attempt.record,
    transient_environment: false,
    production_environment: PRODUCTION.test(attempt.environment),
  })
  if (!('id' in data))
    throw new Error(`Ringmaster asked for no merge, yet GitHub answered ${quoted(data.message)}; please report it.`)
  return { id: Number(data.id), latest: null }
}

async function readLatestStatus(attempt: Attempt, deploymentId: number): Promise<FoundStatus | null> {
  const { data } = await attempt.client.octokit.request(
    'GET /repos/{owner}/{repo}/deployments/{deployment_id}/statuses',
    { ...repositoryOf(attempt), deployment_id: deploymentId, per_page: PAGE_SIZE },
  )
  const [latest] = [...data].sort((a, b) => Number(b.id) - Number(a.id))
  if (!latest) return null
  return { state: latest.state, description: latest.description, environmentUrl: latest.environment_url ?? '' }
}

async function createStatus(attempt: Attempt, deploymentId: number): Promise<FoundStatus> {
  const { description, environmentUrl, context, status } = attempt
  await attempt.client.octokit.request('POST /repos/{owner}/{repo}/deployments/{deployment_id}/statuses', {
    ...repositoryOf(attempt),
    deployment_id: deploymentId,
    state: STATE_OF_STATUS[status],
    description,
    log_url: runUrl(context),
    // What takes whose place is for the App to say; GitHub would also send no webhook for it.
    auto_inactive: false,
    ...(environmentUrl === '' ? {} : { environment_url: environmentUrl }),
  })
  return { state: STATE_OF_STATUS[status], description, environmentUrl }
}
