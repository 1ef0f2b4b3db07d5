import { sha256 } from '../core/json.ts'
import { RingmasterError } from '../core/problem.ts'
import type { Applied } from '../engine/ports.ts'
import type { OutputOf } from '../render/output.ts'
import { type GitHubApp, splitName } from './client.ts'
import { isFinal, outside } from './trouble.ts'

const toAnnotation = ({ path, line, message }: OutputOf<'check-run'>['annotations'][number]) => ({
  path,
  start_line: line,
  end_line: line,
  annotation_level: 'failure' as const,
  message,
})

type CheckRun = OutputOf<'check-run'>

const superseded = {
  status: 'completed',
  conclusion: 'neutral',
  output: { title: 'Superseded', summary: 'Made twice at once: the newer check run of this name goes on.' },
} as const

/**
 * One check run of ours per key on a commit, found again by its external id; another App's of that name never counts.
 * GitHub deletes none: when several processes create it at once, the newest is kept up to date, for it is the one that
 * GitHub shows and that a required check rests on; older ones that nobody would ever complete are ended as superseded.
 */
async function write(app: GitHubApp, output: CheckRun): Promise<Applied> {
  const octokit = await app.forRepository(output.repository.fullName)
  const at = splitName(output.repository.fullName)
  const profile = await app.profile()
  const externalId = sha256(output.key)
  const runs = await outside('list the check runs of a commit', () =>
    octokit.paginate('GET /repos/{owner}/{repo}/commits/{ref}/check-runs', {
      ...at,
      ref: output.sha,
      check_name: output.name,
      filter: 'all',
      per_page: 100,
    }),
  )
  const ours = runs.filter((run) => run.external_id === externalId && run.app?.id === profile.id)
  const [found, ...older] = ours.sort((a, b) => b.id - a.id)
  const content = {
    status: output.status,
    ...(output.conclusion === null ? {} : { conclusion: output.conclusion }),
    output: {
      title: output.title,
      summary: output.summary.slice(0, 65_000),
      ...(output.text === undefined ? {} : { text: output.text }),
      ...(output.annotations.length === 0 ? {} : { annotations: output.annotations.map(toAnnotation) }),
    },
  }
  const update = (id: number, to: typeof content | typeof superseded) =>
    outside('update a check run', () =>
      octokit.request('PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}', { ...at, check_run_id: id, ...to }),
    )
  if (found) {
    await update(found.id, content)
    for (const { id, status } of older) if (status !== 'completed') await update(id, superseded)
    return { remote: String(found.id) }
  }
  const created = await outside('create a check run', () =>
    octokit.request('POST /repos/{owner}/{repo}/check-runs', {
      ...at,
      name: output.name,
      head_sha: output.sha,
      external_id: externalId,
      ...content,
    } as never),
  )
  return { remote: String((created.data as { id: number }).id) }
}

/** Writes a check run; one that GitHub takes from nobody as things are becomes the alarm that stands for it, where it has one. */
export const checkRunOutlet =
  (app: GitHubApp, clock: () => string) =>
  async (output: CheckRun): Promise<Applied> => {
    if (output.otherwise === undefined) return write(app, output)
    const alarm = { kind: 'condition-seen', ...output.otherwise, actor: null, source: { kind: 'reconciler' } } as const
    try {
      const applied = await write(app, output)
      return { ...applied, observed: [{ ...alarm, holds: false, at: clock() }] }
    } catch (error) {
      if (!(error instanceof RingmasterError) || !isFinal(error)) throw error
      return { remote: null, observed: [{ ...alarm, holds: true, at: clock() }] }
    }
  }
