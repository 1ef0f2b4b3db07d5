import { type RunContext, runUrl } from './context.ts'
import type { GitHubClient, Purpose } from './github-client.ts'

/** What a check run says. */
export interface Check {
  readonly name: string
  readonly state:
    | { readonly status: 'queued' | 'in_progress' }
    | { readonly status: 'completed'; readonly conclusion: 'success' | 'failure' | 'cancelled' | 'neutral' }
  readonly output: { readonly title: string; readonly summary: string; readonly text?: string }
}

/** A check run, ready to be written on a commit. */
export interface Writing {
  readonly client: GitHubClient
  readonly context: RunContext
  readonly purpose: Purpose
  readonly sha: string
  /** What tells it from others of its name on the commit. */
  readonly externalId: string
  readonly check: Check
  readonly dryRun: boolean
}

export interface Written {
  /** Null where a dry run found none. */
  readonly id: number | null
  readonly did: 'created' | 'updated' | 'left' | 'would-create' | 'would-update'
}

interface FoundCheck {
  readonly id: number
  readonly same: boolean
}

/** Makes GitHub hold the check run exactly once: creates it, or edits the one of the same external id unless it says the same. */
export async function writeCheck(writing: Writing): Promise<Written> {
  const { client, context, purpose, check, dryRun } = writing
  const find = () => findCheck(writing)
  if (dryRun) {
    const found = await client.retrying(purpose, find)
    return { id: found?.id ?? null, did: found ? 'would-update' : 'would-create' }
  }
  const { value, created } = await client.findOrCreate<FoundCheck>(purpose, {
    find,
    create: () => createCheck(writing),
  })
  if (created) return { id: value.id, did: 'created' }
  if (value.same) return { id: value.id, did: 'left' }
  const { owner, repository: repo } = context
  await client.retrying(purpose, () =>
    client.octokit.request('PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}', {
      owner,
      repo,
      check_run_id: value.id,
      details_url: runUrl(context),
      ...check.state,
      output: check.output,
    }),
  )
  return { id: value.id, did: 'updated' }
}

async function createCheck({ client, context, sha, externalId, check }: Writing): Promise<FoundCheck> {
  const { data } = await client.octokit.request('POST /repos/{owner}/{repo}/check-runs', {
    owner: context.owner,
    repo: context.repository,
    name: check.name,
    head_sha: sha,
    external_id: externalId,
    details_url: runUrl(context),
    ...check.state,
    output: check.output,
  })
  return { id: Number(data.id), same: true }
}

const PAGE_SIZE = 100
/** GitHub keeps 1,000 check runs of one name in a suite. */
const MOST_PAGES = 10

async function findCheck({ client, context, sha, externalId, check }: Writing): Promise<FoundCheck | null> {
  for (let page = 1; page <= MOST_PAGES; page += 1) {
    const { data } = await client.octokit.request('GET /repos/{owner}/{repo}/commits/{ref}/check-runs', {
      owner: context.owner,
      repo: context.repository,
      ref: sha,
      check_name: check.name,
      filter: 'all',
      per_page: PAGE_SIZE,
      page,
    })
    const found = data.check_runs.find((run) => run.external_id === externalId)
    if (found) return { id: Number(found.id), same: isSame(found, check) }
    if (data.check_runs.length < PAGE_SIZE) return null
  }
  return null
}

const isSame = (
  found: {
    readonly status: string
    readonly conclusion: string | null
    readonly output: { readonly text: string | null; readonly summary: string | null }
  },
  { state, output }: Check,
): boolean =>
  found.status === state.status &&
  found.conclusion === ('conclusion' in state ? state.conclusion : null) &&
  // GitHub trims what it keeps. Where there is a text, it is the record, and the summary is made from it.
  (output.text === undefined
    ? found.output.summary?.trim() === output.summary.trim()
    : found.output.text?.trim() === output.text.trim())
