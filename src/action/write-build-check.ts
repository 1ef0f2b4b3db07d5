import { digestOf } from '../core/json.ts'
import { type BuildRecord, buildExternalId } from '../core/product/schema.ts'
import type { BuildCheck } from './build-check.ts'
import { type RunContext, runUrl } from './context.ts'
import type { GitHubClient } from './github-client.ts'

const PURPOSE = { what: 'keep the build as a check run', permission: 'checks: write' }

/** A build, ready to be written on a commit. */
export interface Writing {
  readonly client: GitHubClient
  readonly context: RunContext
  readonly sha: string
  readonly record: BuildRecord
  readonly check: BuildCheck
  readonly dryRun: boolean
}

interface FoundCheck {
  readonly id: number
  readonly same: boolean
}

/**
 * Makes GitHub hold the build exactly once: creates its check run, or edits the one of the same run, attempt and
 * product unless it says the same. Returns its id (null where a dry run found none), and what was done.
 */
export async function writeBuildCheck(writing: Writing): Promise<{ readonly id: number | null; readonly did: string }> {
  const { client, context, check, dryRun } = writing
  const find = () => findCheck(writing)
  if (dryRun) {
    const found = await client.retrying(PURPOSE, find)
    return { id: found?.id ?? null, did: found ? 'Dry run: would update the build of' : 'Dry run: would record' }
  }
  const { value, created } = await client.findOrCreate<FoundCheck>(PURPOSE, {
    find,
    create: () => createCheck(writing),
  })
  if (created) return { id: value.id, did: 'Recorded' }
  if (value.same) return { id: value.id, did: 'Already recorded:' }
  const { owner, repository: repo } = context
  await client.retrying(PURPOSE, () =>
    client.octokit.request('PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}', {
      owner,
      repo,
      check_run_id: value.id,
      details_url: runUrl(context),
      ...check.state,
      output: check.output,
    }),
  )
  return { id: value.id, did: 'Updated the build of' }
}

const externalIdOf = (record: BuildRecord): string => buildExternalId(record.run, digestOf(record.product))

async function createCheck({ client, context, sha, record, check }: Writing): Promise<FoundCheck> {
  const { data } = await client.octokit.request('POST /repos/{owner}/{repo}/check-runs', {
    owner: context.owner,
    repo: context.repository,
    name: check.name,
    head_sha: sha,
    external_id: externalIdOf(record),
    details_url: runUrl(context),
    ...check.state,
    output: check.output,
  })
  return { id: Number(data.id), same: true }
}

const PAGE_SIZE = 100
/** GitHub keeps 1,000 check runs of one name in a suite. */
const MOST_PAGES = 10

async function findCheck({ client, context, sha, record, check }: Writing): Promise<FoundCheck | null> {
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
    const found = data.check_runs.find((run) => run.external_id === externalIdOf(record))
    if (found) return { id: Number(found.id), same: isSame(found, check) }
    if (data.check_runs.length < PAGE_SIZE) return null
  }
  return null
}

const isSame = (
  found: {
    readonly status: string
    readonly conclusion: string | null
    readonly output: { readonly text: string | null }
  },
  { state, output }: BuildCheck,
): boolean =>
  found.status === state.status &&
  found.conclusion === ('conclusion' in state ? state.conclusion : null) &&
  // GitHub trims what it keeps.
  found.output.text?.trim() === output.text.trim()
