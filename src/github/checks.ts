import { sha256 } from '../core/json.ts'
import { RingmasterError } from '../core/problem.ts'
import type { Applied } from '../engine/ports.ts'
import type { OutputOf } from '../render/output.ts'
import { withoutAnchors } from './anchors.ts'
import { type GitHubApp, splitName } from './client.ts'
import { Doubts, inDoubt, LOOK_IN_MS } from './doubts.ts'
import { isFinal, outside, outsideOrNull } from './trouble.ts'

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

const isSuperseded = ({ conclusion, output }: Run): boolean =>
  conclusion === superseded.conclusion && output.title === superseded.output.title

/** A check run of ours, as GitHub shows it. */
interface Run {
  readonly id: number
  readonly status: string
  readonly conclusion: string | null
  readonly output: {
    readonly title: string | null
    readonly summary: string | null
    readonly text: string | null
    readonly annotations_count: number
  }
}

/** One of anybody. */
interface Shown extends Omit<Run, 'id'> {
  readonly id: number | bigint
  readonly external_id: string | null
  readonly app: { readonly id: number } | null
}

const contentOf = (output: CheckRun) => ({
  status: output.status,
  ...(output.conclusion === null ? {} : { conclusion: output.conclusion }),
  output: {
    title: output.title,
    summary: output.summary.slice(0, 65_000),
    ...(output.text === undefined ? {} : { text: output.text }),
    ...(output.annotations.length === 0 ? {} : { annotations: output.annotations.map(toAnnotation) }),
  },
})

/** GitHub adds annotations to those that a check run has, and takes none away: one that has some is given no more. */
const changeOf = (content: ReturnType<typeof contentOf>, run: Run) => {
  if (run.output.annotations_count === 0) return content
  const { annotations: _, ...output } = content.output
  return { ...content, output }
}

/** The log's head is no reason to write. */
const isAsWanted = ({ status, conclusion, output: shown }: Run, output: CheckRun): boolean =>
  status === output.status &&
  conclusion === output.conclusion &&
  shown.title === output.title &&
  withoutAnchors(shown.summary ?? '') === withoutAnchors(contentOf(output).output.summary) &&
  (shown.text ?? undefined) === output.text &&
  (shown.annotations_count > 0 || output.annotations.length === 0)

/** Our check runs of a key: those that GitHub lists, and the one that the log names, which a list may not show yet. */
async function ownRuns(app: GitHubApp, output: CheckRun, remote: string | null): Promise<readonly Run[]> {
  const octokit = await app.forRepository(output.repository.fullName)
  const at = splitName(output.repository.fullName)
  const profile = await app.profile()
  const externalId = sha256(output.key)
  const listed = await outside('list the check runs of a commit', () =>
    octokit.paginate('GET /repos/{owner}/{repo}/commits/{ref}/check-runs', {
      ...at,
      ref: output.sha,
      check_name: output.name,
      filter: 'all',
      per_page: 100,
    }),
  )
  const isListed = remote === null || listed.some(({ id }) => String(id) === remote)
  const known = isListed
    ? null
    : await outsideOrNull('read a check run', () =>
        octokit.request('GET /repos/{owner}/{repo}/check-runs/{check_run_id}', { ...at, check_run_id: Number(remote) }),
      )
  const shown: readonly Shown[] = [...listed, ...(known ? [known.data] : [])]
  return shown
    .filter((run) => run.external_id === externalId && run.app?.id === profile.id)
    .map(({ id, status, conclusion, output }) => ({ id: Number(id), status, conclusion, output }))
}

interface Writing {
  readonly app: GitHubApp
  readonly doubts: Doubts
}

const CREATING = 'create a check run'

/**
 * One check run of ours per key on a commit, found again by its external id; another App's of that name never counts.
 * GitHub deletes none: when several processes create it at once, the newest is kept up to date, for it is the one that
 * GitHub shows and that a required check rests on; older ones are ended as superseded, by whoever made them, by whoever
 * finds them later, and a minute after one was made, when lists show those of a process that was killed, too.
 */
async function write(
  { app, doubts }: Writing,
  output: CheckRun,
  remote: string | null,
  isLook: boolean,
): Promise<Applied> {
  const isInDoubt = doubts.has(output.key)
  const octokit = await app.forRepository(output.repository.fullName)
  const at = splitName(output.repository.fullName)
  const content = contentOf(output)
  const update = (id: number, to: ReturnType<typeof changeOf> | typeof superseded) =>
    outside('update a check run', () =>
      octokit.request('PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}', { ...at, check_run_id: id, ...to }),
    )
  const settled = async (runs: readonly Run[], isRight: (newest: Run) => boolean): Promise<Applied | null> => {
    const [newest, ...older] = runs.toSorted((a, b) => b.id - a.id)
    if (newest === undefined) return null
    if (!isRight(newest)) await update(newest.id, changeOf(content, newest))
    for (const run of older) if (!isSuperseded(run)) await update(run.id, superseded)
    return { remote: String(newest.id) }
  }
  /** What a list shows may be older than what stands: where something changed, it is written whatever is shown. */
  const found = await settled(await ownRuns(app, output, remote), (run) => isLook && isAsWanted(run, output))
  if (found) return found
  if (isInDoubt) throw inDoubt(CREATING)
  const { data } = await doubts.making(CREATING, output.key, () =>
    octokit.request('POST /repos/{owner}/{repo}/check-runs', {
      ...at,
      name: output.name,
      head_sha: output.sha,
      external_id: sha256(output.key),
      ...content,
    } as never),
  )
  const made: Run = { ...data, id: Number(data.id) }
  const others = (await ownRuns(app, output, null)).filter(({ id }) => id !== made.id)
  const stands = (await settled([...others, made], ({ id }) => id === made.id)) ?? { remote: String(made.id) }
  return { ...stands, lookInMs: LOOK_IN_MS }
}

/** Writes a check run; one that GitHub takes from nobody as things are becomes the alarm that stands for it, where it has one. */
export const checkRunOutlet = (app: GitHubApp, clock: () => string) => {
  const writing: Writing = { app, doubts: new Doubts(clock) }
  return async (output: CheckRun, remote: string | null, isLook = false): Promise<Applied> => {
    if (output.otherwise === undefined) return write(writing, output, remote, isLook)
    const alarm = { kind: 'condition-seen', ...output.otherwise, actor: null, source: { kind: 'reconciler' } } as const
    try {
      const applied = await write(writing, output, remote, isLook)
      return { ...applied, observed: [{ ...alarm, holds: false, at: clock() }] }
    } catch (error) {
      if (!(error instanceof RingmasterError) || !isFinal(error)) throw error
      return { remote: null, observed: [{ ...alarm, holds: true, at: clock() }] }
    }
  }
}
