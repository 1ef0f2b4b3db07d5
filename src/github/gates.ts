import type { Octokit } from '@octokit/rest'
import { sha256 } from '../core/json.ts'
import type { Applied } from '../engine/ports.ts'
import { marker, markerIn, type OutputOf } from '../render/output.ts'
import { truncate } from '../render/text.ts'
import { type GitHubApp, splitName } from './client.ts'
import { isGone } from './gone.ts'
import { statusOf, translated } from './trouble.ts'

/** GitHub's limit for the comment of an answer to a deployment protection rule. */
const MAX_COMMENT = 1_024

/** The answers that a run was given; null when the run is gone, and every job of it. */
async function answersOf(octokit: Octokit, at: { owner: string; repo: string; run_id: number }) {
  try {
    const { data } = await octokit.request('GET /repos/{owner}/{repo}/actions/runs/{run_id}/approvals', at)
    return data
  } catch (error) {
    if (await isGone(octokit, at, error)) return null
    throw translated('list the answers of a run', error)
  }
}

/**
 * Answers a waiting job: a decision, or a status report that leaves it waiting. An answer of ours that stands already is
 * not given again (GitHub lists them with their comments, beside those of reviewers, which count for nothing whatever they
 * carry); one that GitHub holds decided (422, 404) needs no other, so that one that it listed under another name would only
 * be sent once more.
 */
export const gateOutlet =
  (app: GitHubApp) =>
  async (output: OutputOf<'gate-answer'>): Promise<Applied> => {
    const octokit = await app.forRepository(output.repository.fullName)
    const at = { ...splitName(output.repository.fullName), run_id: output.runId }
    const key = `gate/${sha256(output.key).slice(7, 31)}`
    const mark = marker(key)
    const { botLogin } = await app.profile()
    const answers = await answersOf(octokit, at)
    const isGiven = answers?.some(({ user, comment }) => user?.login === botLogin && markerIn(comment) === key) ?? true
    if (isGiven) return { remote: null }
    const comment = `${truncate(output.comment, MAX_COMMENT - mark.length - 2)}\n\n${mark}`
    const body = { ...at, environment_name: output.environment, comment }
    try {
      await octokit.request(
        'POST /repos/{owner}/{repo}/actions/runs/{run_id}/deployment_protection_rule',
        output.state === null ? body : { ...body, state: output.state },
      )
    } catch (error) {
      const status = statusOf(error)
      if (status !== 422 && status !== 404) throw translated('answer a deployment protection rule', error)
    }
    return { remote: null }
  }
