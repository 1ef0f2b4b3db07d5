import type { Octokit } from '@octokit/rest'
import type { Applied } from '../engine/ports.ts'
import { marker, markerIn, type OutputOf } from '../render/output.ts'
import { type GitHubApp, splitName } from './client.ts'
import { Doubts, inDoubt } from './doubts.ts'
import { isGone } from './gone.ts'
import { outside, statusOf, translated, unsayable } from './trouble.ts'

const LABEL_FAMILY = 'release:'
const ALARM_LABEL = 'ringmaster-alarm'
const OPENING = 'open an alarm issue'

const nameOf = (label: string | { name?: string | null }): string =>
  typeof label === 'string' ? label : (label.name ?? '')

/** GitHub keeps the case of a label and tells none apart by it. */
const isSame = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase()
const isOfFamily = (label: string): boolean => label.toLowerCase().startsWith(LABEL_FAMILY)

/** An issue; null when it was deleted or moved out of sight, which no label outlives. */
async function issueOf(octokit: Octokit, at: { owner: string; repo: string; issue_number: number }) {
  try {
    const { data } = await octokit.request('GET /repos/{owner}/{repo}/issues/{issue_number}', at)
    return data
  } catch (error) {
    if (unsayable(error) === 'deleted' || (await isGone(octokit, at, error))) return null
    throw translated(`read #${at.issue_number}`, error)
  }
}

/** Exactly one label of the family on the issue; labels of others stay. */
export const labelOutlet =
  (app: GitHubApp) =>
  async (output: OutputOf<'label'>, _remote: string | null = null, isLook = false): Promise<Applied> => {
    const octokit = await app.forRepository(output.repository.fullName)
    const at = { ...splitName(output.repository.fullName), issue_number: output.issue }
    const issue = await issueOf(octokit, at)
    if (issue === null) return { remote: null }
    const labels = issue.labels.map(nameOf)
    const isThere = labels.some((label) => isSame(label, output.label))
    if (!isThere) {
      await outside('add a label', () =>
        octokit.request('POST /repos/{owner}/{repo}/issues/{issue_number}/labels', { ...at, labels: [output.label] }),
      )
    }
    const others = labels.filter((label) => isOfFamily(label) && !isSame(label, output.label))
    for (const name of others) {
      await octokit
        .request('DELETE /repos/{owner}/{repo}/issues/{issue_number}/labels/{name}', { ...at, name })
        .catch((error) => {
          if (statusOf(error) !== 404) throw translated('remove a label', error)
        })
    }
    const isRight = isThere && others.length === 0
    return { remote: null, ...(isLook && !isRight ? { isSetRight: true } : {}) }
  }

interface OwnIssue {
  readonly number: number
  readonly state: string
  readonly body: string
  readonly isLabelled: boolean
}

/** An issue of anybody, as GitHub shows it. */
interface Shown {
  readonly number: number
  readonly state: string
  readonly user?: { readonly login: string } | null
  readonly body?: string | null
}

/** The issue that the log names; null when it is gone. One that was moved elsewhere is shown under another number. */
async function namedIssue(octokit: Octokit, at: { owner: string; repo: string; issue_number: number }) {
  try {
    const { data } = await octokit.request('GET /repos/{owner}/{repo}/issues/{issue_number}', at)
    return data.number === at.issue_number ? data : null
  } catch (error) {
    if (statusOf(error) === 404 || unsayable(error) === 'deleted') return null
    throw translated(`read #${at.issue_number}`, error)
  }
}

/**
 * The issues of ours with the marker of an alarm, oldest first: those that are listed under their label, and the one that
 * the log names, whose label somebody may have taken off. Issues of others never count, whatever they carry.
 */
async function ownIssues(
  app: GitHubApp,
  output: OutputOf<'alarm'>,
  remote: string | null,
): Promise<readonly OwnIssue[]> {
  const octokit = await app.forRepository(output.repository.fullName)
  const at = splitName(output.repository.fullName)
  const { botLogin } = await app.profile()
  const listed = await outside('list the alarm issues', () =>
    octokit.paginate('GET /repos/{owner}/{repo}/issues', { ...at, state: 'all', labels: ALARM_LABEL, per_page: 100 }),
  )
  const isListed = remote === null || listed.some(({ number }) => String(number) === remote)
  const named = isListed ? null : await namedIssue(octokit, { ...at, issue_number: Number(remote) })
  const isOurs = ({ user, body }: Shown) => user?.login === botLogin && markerIn(body ?? '') === output.key
  const toOwn = ({ number, state, body }: Shown, isLabelled: boolean): OwnIssue => ({
    ...{ number, state, isLabelled },
    body: body ?? '',
  })
  return [
    ...listed.filter(isOurs).map((issue) => toOwn(issue, true)),
    ...(named !== null && isOurs(named)
      ? [
          toOwn(
            named,
            named.labels.some((label) => isSame(nameOf(label), ALARM_LABEL)),
          ),
        ]
      : []),
  ].toSorted((a, b) => a.number - b.number)
}

/**
 * One issue per condition, found again by its marker among the App's own issues. When several processes open it at
 * once, the oldest is kept. GitHub lets no App delete an issue: a younger one is closed, without its marker, so that it
 * is never taken for the alarm; by whoever opened it, and by whoever finds it where that one was killed or never heard
 * of it.
 */
export const alarmOutlet = (app: GitHubApp, clock: () => string) => {
  const doubts = new Doubts(clock)
  return async (output: OutputOf<'alarm'>, remote: string | null = null): Promise<Applied> => {
    const isInDoubt = doubts.has(output.key)
    const octokit = await app.forRepository(output.repository.fullName)
    const at = splitName(output.repository.fullName)
    const state = output.isOpen ? 'open' : 'closed'
    const body = `${output.body}\n\n${marker(output.key)}`
    const settled = async ([oldest, ...younger]: readonly OwnIssue[]): Promise<Applied | null> => {
      if (oldest === undefined) return null
      for (const { number } of younger) {
        await outside('close an alarm issue that was opened twice', () =>
          octokit.request('PATCH /repos/{owner}/{repo}/issues/{issue_number}', {
            ...at,
            issue_number: number,
            state: 'closed',
            state_reason: 'not_planned',
            body: `Opened twice: see #${oldest.number}.`,
          }),
        )
      }
      /** By its label people find it, and so does the App where it knows no number. */
      if (!oldest.isLabelled) {
        await outside('put the label of an alarm issue back', () =>
          octokit.request('POST /repos/{owner}/{repo}/issues/{issue_number}/labels', {
            ...at,
            issue_number: oldest.number,
            labels: [ALARM_LABEL],
          }),
        )
      }
      if (oldest.state !== state || oldest.body !== body) {
        await outside('edit an alarm issue', () =>
          octokit.request('PATCH /repos/{owner}/{repo}/issues/{issue_number}', {
            ...at,
            issue_number: oldest.number,
            state,
            body,
          }),
        )
      }
      return { remote: String(oldest.number) }
    }
    const found = await settled(await ownIssues(app, output, remote))
    if (found) return found
    if (isInDoubt) throw inDoubt(OPENING)
    if (!output.isOpen) return { remote: null }
    const created = await doubts.making(OPENING, output.key, () =>
      octokit.request('POST /repos/{owner}/{repo}/issues', { ...at, title: output.title, body, labels: [ALARM_LABEL] }),
    )
    const { number } = created.data
    const others = (await ownIssues(app, output, null)).filter((issue) => issue.number !== number)
    const all = [...others, { number, state: 'open', body, isLabelled: true }].toSorted((a, b) => a.number - b.number)
    return (await settled(all)) ?? { remote: String(number) }
  }
}
