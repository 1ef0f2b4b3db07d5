import { markdownTable } from '../render/text.ts'

/** One kind of fact that can be looked up again when its webhook was lost for good. */
export interface SweepRow {
  readonly kind: string
  /** What is recovered. */
  readonly fact: string
  /** Where it is read. */
  readonly endpoint: string
  /** The slot that makes reading it again harmless. */
  readonly key: string
  /** What the endpoint does not tell any more. */
  readonly lost: string
  /** Whether it is read in the release repository or in those of the products. */
  readonly where: 'release' | 'products'
  /** The concerns of webhooks whose facts it finds again. */
  readonly concerns: readonly string[]
}

/** One kind of fact that GitHub tells once, by its webhook. */
export interface OnceRow extends Pick<SweepRow, 'kind' | 'fact' | 'lost' | 'concerns'> {}

/**
 * In the order in which they are read: builds before what deploys them, deployments before the ends of their runs.
 * Every kind of fact, where it is read again after an outage longer than GitHub keeps deliveries, and what is lost.
 */
export const SWEEPS = [
  {
    kind: 'builds',
    fact: 'builds that the Action recorded, questions for a build number, bundles that were handed over',
    endpoint: 'GET /repos/{owner}/{repo}/actions/runs, GET /repos/{owner}/{repo}/commits/{ref}/check-runs',
    key: 'repository, run, attempt and digest of the record; of a question run, attempt and product',
    lost: 'builds and questions of runs that began more than a day before the outage, and check runs that GitHub has deleted (it keeps 1,000 of a name on a commit)',
    where: 'products',
    concerns: ['builds', 'buildNumbers', 'bundles'],
  },
  {
    kind: 'deployments',
    fact: 'deployments and their statuses, of the Action, of jobs, of other tools',
    endpoint:
      'GET /repos/{owner}/{repo}/deployments, GET /repos/{owner}/{repo}/deployments/{deployment_id}/statuses, GET /repos/{owner}/{repo}/actions/jobs/{job_id}',
    key: 'deployment id, status id, product and version',
    lost: 'deployments that were deleted or began more than a day before the outage, and those of jobs that are gone: of which attempt of their run they were, nothing else tells',
    where: 'products',
    concerns: ['deployments'],
  },
  {
    kind: 'gates',
    fact: 'jobs that wait for a protection rule',
    endpoint:
      'GET /repos/{owner}/{repo}/actions/runs?status=waiting, GET /repos/{owner}/{repo}/actions/runs/{run_id}/pending_deployments',
    key: 'repository, run, environment and deployment id',
    lost: 'jobs that were rejected, timed out or let in by an administrator meanwhile: their deployments tell',
    where: 'products',
    concerns: ['gates'],
  },
  {
    kind: 'runs',
    fact: 'runs that ended',
    endpoint: 'GET /repos/{owner}/{repo}/actions/runs',
    key: 'repository, run and attempt',
    lost: 'runs that were deleted or began more than a day before the outage, and the ends of attempts before the last',
    where: 'products',
    concerns: ['runs'],
  },
  {
    kind: 'proposals',
    fact: 'proposals as they stand, and that their reviews are worth deciding again; configurations that a pull request proposes',
    endpoint: 'GET /repos/{owner}/{repo}/pulls?sort=updated, GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews',
    key: 'pull request, head, content and merge; the reviews by id and state; a configuration by commit and digest',
    lost: 'who dismissed a review (it then counts as dismissed by nobody who may), and heads that were replaced meanwhile',
    where: 'release',
    concerns: ['proposals', 'reviews', 'proposedConfiguration'],
  },
  {
    kind: 'checks',
    fact: 'check runs under our names that another App made on an open proposal, and commit statuses under them',
    endpoint:
      'GET /repos/{owner}/{repo}/pulls?base, GET /repos/{owner}/{repo}/commits/{ref}/check-runs, GET /repos/{owner}/{repo}/commits/{ref}/statuses',
    key: 'id of the check run or status, and its address where the release knows it',
    lost: 'those on heads that were replaced meanwhile: they can pass for nothing any more',
    where: 'release',
    concerns: ['forgedChecks', 'forgedStatuses'],
  },
  {
    kind: 'comments',
    fact: 'commands in comments',
    endpoint: 'GET /repos/{owner}/{repo}/issues/comments?since',
    key: 'repository, comment and number of the command',
    lost: 'comments that were deleted, or edited since: what they first said is not known, so they ask for nothing',
    where: 'release',
    concerns: ['comments'],
  },
  {
    kind: 'configuration',
    fact: 'the configuration on the default branch',
    endpoint: 'GET /repos/{owner}/{repo}/git/ref/{ref}',
    key: 'commit and digest',
    lost: 'configurations that were replaced before anybody saw them: they were never in force',
    where: 'release',
    concerns: ['configuration'],
  },
] as const satisfies readonly SweepRow[]

/** What nothing lists afterwards. A delivery that GitHub kept is read all the same, for three days. */
export const TOLD_ONCE = [
  {
    kind: 'changed comments',
    fact: 'that somebody edited or deleted a comment',
    lost: 'who did it, and what stood there; comments of ours are set right when everything open is looked at again',
    concerns: ['comments'],
  },
  {
    kind: 'pushes',
    fact: 'pushes of others to branches that only Ringmaster writes',
    lost: 'that it freezes every environment; a foreign, forced or deleted branch of the log is found at each look at it, and the App stops',
    concerns: ['pushes'],
  },
] as const satisfies readonly OnceRow[]

export type SweepKind = (typeof SWEEPS)[number]['kind']

const code = (text: string): string => `\`${text}\``

/** The table for people: each kind of fact, where it is read again, and what cannot be recovered. */
export const sweepTable = (): string =>
  markdownTable(
    ['Kind', 'What', 'Read again from', 'Slot', 'Not recovered'],
    [
      ...SWEEPS.map(({ kind, fact, endpoint, key, lost }) => [
        kind,
        fact,
        endpoint.split(', ').map(code).join('<br>'),
        key,
        lost,
      ]),
      ...TOLD_ONCE.map(({ kind, fact, lost }) => [kind, fact, 'nowhere: not recovered', '', lost]),
    ],
  )
