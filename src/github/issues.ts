import type { Applied } from '../engine/ports.ts'
import { marker, markerIn, type OutputOf } from '../render/output.ts'
import { type GitHubApp, splitName } from './client.ts'
import { outside, statusOf, translated } from './trouble.ts'

const LABEL_FAMILY = 'release:'
const ALARM_LABEL = 'ringmaster-alarm'

const nameOf = (label: string | { name?: string | null }): string =>
  typeof label === 'string' ? label : (label.name ?? '')

/** GitHub keeps the case of a label and tells none apart by it. */
const isSame = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase()
const isOfFamily = (label: string): boolean => label.toLowerCase().startsWith(LABEL_FAMILY)

/** Exactly one label of the family on the issue; labels of others stay. */
export const labelOutlet =
  (app: GitHubApp) =>
  async (output: OutputOf<'label'>): Promise<Applied> => {
    const octokit = await app.forRepository(output.repository.fullName)
    const at = { ...splitName(output.repository.fullName), issue_number: output.issue }
    const { data: issue } = await outside(`read #${output.issue}`, () =>
      octokit.request('GET /repos/{owner}/{repo}/issues/{issue_number}', at),
    )
    const labels = issue.labels.map(nameOf)
    if (!labels.some((label) => isSame(label, output.label))) {
      await outside('add a label', () =>
        octokit.request('POST /repos/{owner}/{repo}/issues/{issue_number}/labels', { ...at, labels: [output.label] }),
      )
    }
    for (const name of labels.filter((label) => isOfFamily(label) && !isSame(label, output.label))) {
      await octokit
        .request('DELETE /repos/{owner}/{repo}/issues/{issue_number}/labels/{name}', { ...at, name })
        .catch((error) => {
          if (statusOf(error) !== 404) throw translated('remove a label', error)
        })
    }
    return { remote: null }
  }

/** One issue per condition, found again by its marker among the App's own issues. */
export const alarmOutlet =
  (app: GitHubApp) =>
  async (output: OutputOf<'alarm'>): Promise<Applied> => {
    const octokit = await app.forRepository(output.repository.fullName)
    const at = splitName(output.repository.fullName)
    const { botLogin } = await app.profile()
    const state = output.isOpen ? 'open' : 'closed'
    const body = `${output.body}\n\n${marker(output.key)}`
    const issues = await outside('list the alarm issues', () =>
      octokit.paginate('GET /repos/{owner}/{repo}/issues', { ...at, state: 'all', labels: ALARM_LABEL, per_page: 100 }),
    )
    const found = issues.find((issue) => issue.user?.login === botLogin && markerIn(issue.body ?? '') === output.key)
    if (found) {
      if (found.state !== state || found.body !== body) {
        await outside('edit an alarm issue', () =>
          octokit.request('PATCH /repos/{owner}/{repo}/issues/{issue_number}', {
            ...at,
            issue_number: found.number,
            state,
            body,
          }),
        )
      }
      return { remote: String(found.number) }
    }
    if (!output.isOpen) return { remote: null }
    const created = await outside('open an alarm issue', () =>
      octokit.request('POST /repos/{owner}/{repo}/issues', { ...at, title: output.title, body, labels: [ALARM_LABEL] }),
    )
    return { remote: String(created.data.number) }
  }
