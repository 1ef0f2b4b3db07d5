import { BOT, commentsOf, person, proposals } from './github.ts'
import type { Plot } from './scenes.ts'
import type { Stage } from './stage.ts'

const releases = { owner: 'acme', repo: 'releases' } as const

/** Everything that Ringmaster left outside, counted: what must be the same however often it was killed on the way. */
export interface Traces {
  readonly comments: readonly string[]
  readonly proposals: readonly string[]
  readonly checks: readonly string[]
  readonly labels: readonly string[]
  readonly gateAnswers: readonly string[]
}

const keyOf = (body: string | undefined): string => /<!-- ringmaster:([^ ]+) -->/.exec(body ?? '')?.[1] ?? 'unmarked'

/** Ids and keys of comments differ between runs: what counts is how many there are of each kind, and on which head. */
const kindOf = (key: string): string => decodeURIComponent(key).replace(/[0-9]{2,}/g, '#')

export async function tracesOf(stage: Stage, plot: Plot): Promise<Traces> {
  const octokit = person(stage, 'olga')
  const own = (await commentsOf(stage, plot.issue)).filter((comment) => comment.user?.login === BOT)
  const pulls = await proposals(stage)
  const { data: issue } = await octokit.rest.issues.get({ ...releases, issue_number: plot.issue })
  const head = pulls[0]?.head.sha ?? ''
  const { data: checks } = await octokit.rest.checks.listForRef({ ...releases, ref: head, filter: 'all' })
  const answers = await Promise.all(
    plot.waiting.map(async (run) => {
      const [owner = '', repo = ''] = [run.record.repository.owner.login, run.record.repository.name]
      const { data } = await octokit.request('GET /repos/{owner}/{repo}/actions/runs/{run_id}/approvals', {
        owner,
        repo,
        run_id: run.id,
      })
      return data.filter((approval) => approval.state !== ('pending' as string)).map((approval) => approval.state)
    }),
  )
  return {
    comments: own.map((comment) => kindOf(keyOf(comment.body))).sort(),
    proposals: pulls.map((pull) => `${pull.title}: ${pull.merged_at ? 'merged' : pull.state}`),
    checks: checks.check_runs.map((run) => `${run.name}: ${run.conclusion}`).sort(),
    labels: issue.labels.map((label) => (typeof label === 'string' ? label : (label.name ?? ''))),
    gateAnswers: answers.map((states) => states.join(',')),
  }
}
