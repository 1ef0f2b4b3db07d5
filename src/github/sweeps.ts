import type { Octokit } from '@octokit/rest'
import { isByActions } from '../core/actions-app.ts'
import { DEPLOYMENT_TASK } from '../core/deployment/schema.ts'
import { RingmasterError } from '../core/problem.ts'
import { QUESTION_CHECK_PREFIX } from '../core/product/build-line-schema.ts'
import { BUILD_CHECK_PREFIX } from '../core/product/schema.ts'
import { RELEASES_BRANCH } from '../core/release/composition.ts'
import type { Log } from '../engine/ports.ts'
import type { SweepKind } from '../engine/sweeps.ts'
import { branchHead } from './branches.ts'
import { splitName } from './client.ts'
import { isFinal, outside, statusOf } from './trouble.ts'

/** A repository as its webhooks describe it. */
export interface SweptRepository {
  readonly id: number
  readonly full_name: string
  readonly default_branch: string
}

/** What a webhook would have told, put together from what GitHub lists. */
export interface Found {
  readonly event: string
  readonly payload: Readonly<Record<string, unknown>>
}

interface Place {
  readonly octokit: Octokit
  readonly repository: SweptRepository
  readonly installationId: number
  /** Only what happened from here on, milliseconds since 1970. */
  readonly sinceMs: number
  /**
   * How many commits of runs, and how many deployments, are looked into one by one, the newest first; the rest is left out, and
   * long lists are read less far back. Infinite where something is missing: then everything that GitHub lists is read.
   */
  readonly most: number
  readonly log: Log
}

type Reader = (place: Place) => AsyncIterable<Found>

/** Runs and deployments are listed by when they began: those that began this much earlier are looked at, too. */
const LONGEST_RUN_MS = 24 * 3_600_000
/** The same behind the newest 300 of a repository, where nothing is missing: more would cost a request for each hundred. */
const USUAL_RUN_MS = 2 * 3_600_000
const READ_FAR_BACK = 300
const BUNDLES_CHECK = 'ringmaster/bundles'

const iso = (ms: number): string => new Date(ms).toISOString()
const at = ({ repository }: Place) => splitName(repository.full_name)

/**
 * What GitHub tells of one of the things that it listed; null where it never will: that is told, and keeps nothing else back.
 * Nobody leaves out what the installation may not see: a denial is seldom about one thing, and somebody may grant it.
 */
async function ofOne<T>({ repository, log }: Place, what: string, work: () => Promise<T>): Promise<T | null> {
  try {
    return await outside(what, work)
  } catch (error) {
    if (!(error instanceof RingmasterError) || error.code === 'github-refused' || !isFinal(error)) throw error
    log.error({ repository: repository.full_name, error: String(error) }, 'one thing is left out of what is looked up')
    return null
  }
}

/** The check runs of a commit, all of them; none where GitHub tells none for good. */
const checkRuns = async (place: Place, ref: string) =>
  (await ofOne(place, `list the check runs of ${ref}`, () =>
    place.octokit.paginate('GET /repos/{owner}/{repo}/commits/{ref}/check-runs', {
      ...at(place),
      ref,
      filter: 'all',
      per_page: 100,
    }),
  )) ?? []

/** What may have changed since, of what is listed by when it began, the newest first. */
async function* notTooOld<T extends { readonly created_at: string; readonly updated_at: string }>(
  { sinceMs, most }: Place,
  pages: AsyncIterable<{ readonly data: readonly T[] }>,
): AsyncGenerator<T> {
  let read = 0
  for await (const { data } of pages) {
    for (const one of data) {
      const isFarBack = most < Number.POSITIVE_INFINITY && read >= READ_FAR_BACK
      if (Date.parse(one.created_at) < sinceMs - (isFarBack ? USUAL_RUN_MS : LONGEST_RUN_MS)) return
      read += 1
      yield one
    }
  }
}

const recentRuns = (place: Place) =>
  notTooOld(
    place,
    place.octokit.paginate.iterator('GET /repos/{owner}/{repo}/actions/runs', { ...at(place), per_page: 100 }),
  )

const leftOut = ({ repository, most, log }: Place, kind: SweepKind): void =>
  log.info(
    { repository: repository.full_name, kind, most },
    'the regular look went no further back: the delivery log has told the rest',
  )

const isRecord = (name: string): boolean =>
  name === BUNDLES_CHECK || [BUILD_CHECK_PREFIX, QUESTION_CHECK_PREFIX].some((prefix) => name.startsWith(prefix))

const READERS: { readonly [K in SweepKind]: Reader } = {
  async *builds(place) {
    const { repository, sinceMs, most } = place
    const seen = new Set<string>()
    for await (const run of recentRuns(place)) {
      /** A run records before it ends. */
      const isOver = run.status === 'completed' && Date.parse(run.updated_at) < sinceMs
      if (isOver || seen.has(run.head_sha)) continue
      if (seen.size >= most) return leftOut(place, 'builds')
      seen.add(run.head_sha)
      for (const check_run of await checkRuns(place, run.head_sha)) {
        if (!isRecord(check_run.name)) continue
        yield { event: 'check_run', payload: { action: 'completed', check_run, repository } }
      }
    }
  },

  async *deployments(place) {
    const { octokit, sinceMs, most } = place
    const pages = octokit.paginate.iterator('GET /repos/{owner}/{repo}/deployments', { ...at(place), per_page: 100 })
    let read = 0
    for await (const deployment of notTooOld(place, pages)) {
      if (Date.parse(deployment.updated_at) < sinceMs) continue
      if (read >= most) return leftOut(place, 'deployments')
      read += 1
      yield* statusesOf(place, deployment)
    }
  },

  async *gates(place) {
    const { octokit, repository, installationId } = place
    const waiting = await octokit.paginate('GET /repos/{owner}/{repo}/actions/runs', {
      ...at(place),
      status: 'waiting',
      per_page: 100,
    })
    for (const run of waiting) {
      const pending = await ofOne(place, `read what run ${run.id} waits for`, () =>
        octokit.request('GET /repos/{owner}/{repo}/actions/runs/{run_id}/pending_deployments', {
          ...at(place),
          run_id: run.id,
        }),
      )
      for (const { environment } of pending?.data ?? []) {
        const name = environment.name ?? ''
        const deployment = await ofOne(place, `find the deployment of run ${run.id}`, () =>
          jobDeployment(place, { id: run.id, sha: run.head_sha }, name),
        )
        if (deployment === null) continue
        const callback = `${run.url}/deployment_protection_rule`
        const payload = { action: 'requested', environment: name, deployment, deployment_callback_url: callback }
        yield {
          event: 'deployment_protection_rule',
          payload: { ...payload, repository, installation: { id: installationId } },
        }
      }
    }
  },

  async *runs(place) {
    const { repository, sinceMs } = place
    for await (const run of recentRuns(place)) {
      if (run.status !== 'completed' || Date.parse(run.updated_at) < sinceMs) continue
      yield {
        event: 'workflow_run',
        payload: { action: 'completed', workflow_run: run, repository, sender: run.actor },
      }
    }
  },

  async *proposals(place) {
    const { octokit, repository, sinceMs } = place
    const pages = octokit.paginate.iterator('GET /repos/{owner}/{repo}/pulls', {
      ...at(place),
      state: 'all',
      sort: 'updated',
      direction: 'desc',
      per_page: 100,
    })
    for await (const { data } of pages) {
      for (const pull_request of data) {
        if (Date.parse(pull_request.updated_at) < sinceMs) return
        yield { event: 'pull_request', payload: { action: 'synchronize', pull_request, repository } }
        const reviews = await ofOne(place, `list the reviews of #${pull_request.number}`, () =>
          octokit.request('GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews', {
            ...at(place),
            pull_number: pull_request.number,
            per_page: 1,
          }),
        )
        /** One is enough: it makes all of them worth reading again. */
        for (const review of reviews?.data ?? [])
          yield { event: 'pull_request_review', payload: { action: 'submitted', review, pull_request, repository } }
      }
    }
  },

  /** Whoever forges one may say that it is old: all are looked at as long as they could pass for ours. */
  async *checks(place) {
    const { octokit, repository } = place
    const pulls = await octokit.paginate('GET /repos/{owner}/{repo}/pulls', {
      ...at(place),
      state: 'open',
      base: RELEASES_BRANCH,
      per_page: 100,
    })
    for (const pull of pulls) {
      for (const check_run of await checkRuns(place, pull.head.sha))
        yield { event: 'check_run', payload: { action: 'completed', check_run, repository } }
      const commit = { html_url: `${pull.base.repo.html_url}/commit/${pull.head.sha}` }
      for (const { id, context, creator } of await commitStatuses(place, pull.head.sha))
        yield { event: 'status', payload: { id, sha: pull.head.sha, context, commit, repository, sender: creator } }
    }
  },

  async *comments(place) {
    const { octokit, repository, sinceMs } = place
    const issues = new Map<number, unknown>()
    const issueOf = async (issue_number: number): Promise<unknown> => {
      if (!issues.has(issue_number)) {
        const read = await ofOne(place, `read #${issue_number}`, () =>
          octokit.request('GET /repos/{owner}/{repo}/issues/{issue_number}', { ...at(place), issue_number }),
        )
        issues.set(issue_number, read?.data ?? null)
      }
      return issues.get(issue_number)
    }
    const pages = octokit.paginate.iterator('GET /repos/{owner}/{repo}/issues/comments', {
      ...at(place),
      since: iso(sinceMs),
      sort: 'created',
      direction: 'asc',
      per_page: 100,
    })
    for await (const { data } of pages) {
      for (const comment of data) {
        const isAsWritten = comment.updated_at === comment.created_at && Date.parse(comment.created_at) >= sinceMs
        if (!isAsWritten) continue
        const number = Number(/\/issues\/([0-9]+)$/.exec(comment.issue_url)?.[1])
        const issue = await issueOf(number)
        if (issue === null) continue
        yield {
          event: 'issue_comment',
          payload: { action: 'created', comment, issue, repository, sender: comment.user },
        }
      }
    }
  },

  async *configuration({ octokit, repository }) {
    const after = await branchHead(octokit, repository.full_name, repository.default_branch)
    if (after === null) return
    yield { event: 'push', payload: { ref: `refs/heads/${repository.default_branch}`, after, repository } }
  },
}

/**
 * The statuses of a commit. None where the installation may not see them: the doctor says so, and an installation that
 * has not been asked for it yet loses nothing else.
 */
async function commitStatuses(place: Place, ref: string) {
  try {
    const statuses = await ofOne(place, `list the statuses of ${ref}`, () =>
      place.octokit.paginate('GET /repos/{owner}/{repo}/commits/{ref}/statuses', {
        ...at(place),
        ref,
        per_page: 100,
      }),
    )
    return statuses ?? []
  } catch (error) {
    if (error instanceof RingmasterError && error.code === 'github-refused' && statusOf(error.cause) === 403) return []
    throw error
  }
}

interface ListedDeployment {
  readonly id: number
  readonly task: string
  readonly performed_via_github_app?: { readonly slug?: string } | null
}

interface Logged {
  readonly log_url?: string | null
  readonly target_url?: string | null
}

const urlOf = (status: Logged | undefined): string => status?.log_url || status?.target_url || ''

const runIdIn = (url: string): number | null =>
  Number(/\/actions\/runs\/([1-9][0-9]{0,15})(?:\/|$)/.exec(url)?.[1]) || null
const jobIdIn = (url: string): number | null =>
  Number(/\/actions\/runs\/[1-9][0-9]{0,15}\/job\/([1-9][0-9]{0,15})(?:[/?#]|$)/.exec(url)?.[1]) || null

/**
 * The run of a job's deployment, with the attempt that the job is of: a gate of the next attempt must not end with the one
 * before. Null where GitHub does not tell it, as of a run that is gone.
 */
async function runOf(place: Place, url: string): Promise<{ readonly id: number; readonly run_attempt: number } | null> {
  const id = runIdIn(url)
  if (id === null) return null
  const job_id = jobIdIn(url)
  if (job_id !== null) {
    const job = await ofOne(place, `read job ${job_id}`, () =>
      place.octokit.request('GET /repos/{owner}/{repo}/actions/jobs/{job_id}', { ...at(place), job_id }),
    )
    return job === null ? null : { id, run_attempt: job.data.run_attempt ?? 1 }
  }
  const run = await ofOne(place, `read run ${id}`, () =>
    place.octokit.request('GET /repos/{owner}/{repo}/actions/runs/{run_id}', { ...at(place), run_id: id }),
  )
  return run?.data.run_attempt === 1 ? { id, run_attempt: 1 } : null
}

async function* statusesOf(place: Place, deployment: ListedDeployment): AsyncGenerator<Found> {
  const { repository } = place
  const statuses = await ofOne(place, `list the statuses of deployment ${deployment.id}`, () =>
    place.octokit.paginate('GET /repos/{owner}/{repo}/deployments/{deployment_id}/statuses', {
      ...at(place),
      deployment_id: deployment.id,
      per_page: 100,
    }),
  )
  const isOfJob = isByActions(deployment.performed_via_github_app) && deployment.task !== DEPLOYMENT_TASK
  const url = (statuses ?? []).map(urlOf).find((one) => runIdIn(one) !== null)
  const workflow_run = isOfJob && url !== undefined ? await runOf(place, url) : null
  /** Without its attempt a job counts for none: the end of its run says what becomes of it. */
  if (isOfJob && url !== undefined && workflow_run === null) return
  for (const deployment_status of (statuses ?? []).reverse()) {
    const payload = { action: 'created', deployment, deployment_status, workflow_run, repository }
    yield { event: 'deployment_status', payload: { ...payload, sender: deployment_status.creator } }
  }
}

/** The deployment that GitHub made for the job of a run; null when it is not told apart from those of other runs. */
async function jobDeployment(place: Place, run: { readonly id: number; readonly sha: string }, environment: string) {
  const { data } = await place.octokit.request('GET /repos/{owner}/{repo}/deployments', {
    ...at(place),
    sha: run.sha,
    environment,
    per_page: 100,
  })
  const byActions = data.filter((one) => isByActions(one.performed_via_github_app))
  for (const deployment of byActions) {
    const { data: statuses } = await place.octokit.request(
      'GET /repos/{owner}/{repo}/deployments/{deployment_id}/statuses',
      { ...at(place), deployment_id: Number(deployment.id), per_page: 1 },
    )
    if (runIdIn(urlOf(statuses[0])) === run.id) return deployment
  }
  return byActions.length === 1 ? byActions[0] : null
}

/** Everything of one kind that GitHub lists of a repository since an instant. Throws what cannot be read. */
export async function* readAgain(kind: SweepKind, place: Place): AsyncGenerator<Found> {
  const found = READERS[kind](place)[Symbol.asyncIterator]()
  for (;;) {
    const next = await outside(`sweep the ${kind} of ${place.repository.full_name}`, () => found.next())
    if (next.done) return
    yield next.value
  }
}
