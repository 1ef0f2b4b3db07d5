import { DEPLOYMENT_TASK, DeploymentRecord, type DeploymentStatus } from '../core/deployment/schema.ts'
import { isTerminal, parseDeploymentStatus, STATE_OF_STATUS, statusOfState } from '../core/deployment/status.ts'
import { type Problem, quoted, valueOf as valueIn } from '../core/problem.ts'
import { EnvironmentName } from '../core/product/schema.ts'
import { codeSpan, escapeMarkdown, markdownTable, truncate } from '../render/text.ts'
import { type RunContext, readContext, runUrl } from './context.ts'
import type { GitHubClient } from './github-client.ts'
import type { Inputs } from './inputs.ts'
import type { Outcome } from './outcome.ts'
import { productNameOf } from './product-name.ts'
import { checkRecord } from './schema-problems.ts'
import { connectWith, type Shell } from './shell.ts'
import { together } from './together.ts'

const PURPOSE = { what: 'keep the deployment', permission: 'deployments: write' }

/** GitHub answers 422 above this (https://docs.github.com/rest/deployments/statuses). */
const MAX_DESCRIPTION_LENGTH = 140

/** Environments of these names, or with one of them as first word, are shown as production on GitHub. */
const PRODUCTION = /^(production|prod|live)\b/i

interface Attempt {
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

/**
 * Records one step of an attempt to deploy, as a GitHub Deployment for each run, attempt, product, version and
 * environment, with a status. Jobs of one run share it: a `pending` that an earlier job recorded is carried on. A
 * repeated step changes nothing; a new beginning after an end is an attempt of its own.
 */
export async function recordDeployment(inputs: Inputs, shell: Shell): Promise<Outcome<'record-deployment'>> {
  const context = valueIn(readContext(shell.environment))
  const [status, product, environment] = together(
    parseDeploymentStatus(inputs.status),
    productNameOf(inputs, context),
    checkRecord(EnvironmentName, inputs.environment),
  )
  const record = valueIn(
    checkRecord(DeploymentRecord, {
      schema: 'ringmaster/deployment/1',
      product,
      version: inputs.version,
      run: { id: context.runId, attempt: context.runAttempt, job: context.job },
    }),
  )
  const attempt: Attempt = {
    client: await connectWith(inputs, context, shell.clock),
    context,
    sha: inputs.sha ?? context.sha,
    environment,
    record,
    status,
    description: truncate(inputs.description ?? `${product} ${record.version}: ${status}`, MAX_DESCRIPTION_LENGTH),
    environmentUrl: inputs.environmentUrl ?? '',
  }
  const written = inputs.dryRun ? await rehearse(attempt) : await write(attempt)
  return {
    outputs: { 'deployment-id': String(written.id ?? ''), version: record.version, product, status },
    summary: renderSummary(attempt, written.did),
    said: `${written.did} ${product} ${record.version} in ${environment}: ${status}`,
    warnings: [],
    ...(status === 'failed' && inputs.failOnFailedStatus ? { failures: [failedDeployment(attempt)] } : {}),
  }
}

type Written = { readonly id: number | null; readonly did: string }

async function rehearse(attempt: Attempt): Promise<Written> {
  const found = await attempt.client.retrying(PURPOSE, () => findDeployment(attempt))
  if (found === null) return { id: null, did: 'Dry run: would record' }
  return { id: found.id, did: isSaid(found.latest, attempt) ? 'Already recorded:' : 'Dry run: would carry on' }
}

async function write(attempt: Attempt): Promise<Written> {
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

function renderSummary({ record, environment, status, context, sha, environmentUrl }: Attempt, did: string): string {
  const rows = [
    ['Product', escapeMarkdown(record.product)],
    ['Version', codeSpan(record.version)],
    ['Environment', escapeMarkdown(environment)],
    ['Status', status],
    ['Commit', codeSpan(sha)],
    ['Run', `${context.runId}, attempt ${context.runAttempt}`],
    ...(environmentUrl === '' ? [] : [['Address', codeSpan(environmentUrl)]]),
  ]
  return `### ${did} ${escapeMarkdown(record.product)} ${codeSpan(record.version)}\n\n${markdownTable(['Deployment', ''], rows)}`
}

const failedDeployment = ({ record, environment }: Attempt): Problem => ({
  code: 'deployment-failed',
  message: `expected ${quoted(record.product)} ${record.version} to be deployed to ${quoted(environment)}, found failed; it is recorded as such`,
  hint: 'set `fail-on-failed-status: false` to let the step pass',
})
