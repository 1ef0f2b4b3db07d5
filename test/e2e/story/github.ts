import type { Octokit } from '@octokit/rest'
import { markerIn } from '../../../src/render/output.ts'
import { eventually, type Stage } from './stage.ts'

const releases = { owner: 'acme', repo: 'releases' } as const
export const BOT = 'ringmaster[bot]'

export const person = (stage: Stage, login: string): Octokit => stage.sandbox.as(login).octokit

export async function openIssue(stage: Stage, login: string, title: string, body = ''): Promise<number> {
  const { data } = await person(stage, login).rest.issues.create({ ...releases, title, body })
  return data.number
}

/** Comments as a person and resolves with Ringmaster's reply to that comment. */
export async function say(stage: Stage, login: string, issue: number, body: string): Promise<string> {
  const { data } = await person(stage, login).rest.issues.createComment({ ...releases, issue_number: issue, body })
  return eventually(`a reply to ${JSON.stringify(body)}`, () => replyTo(stage, issue, data.id))
}

async function replyTo(stage: Stage, issue: number, comment: number): Promise<string | undefined> {
  const all = await commentsOf(stage, issue)
  return all.find((entry) => entry.user?.login === BOT && entry.body?.includes(`reply%2F${comment}`))?.body
}

export async function commentsOf(stage: Stage, issue: number) {
  const octokit = person(stage, 'olga')
  return octokit.paginate(octokit.rest.issues.listComments, { ...releases, issue_number: issue, per_page: 100 })
}

/** The comment with the matrix, when it says what is waited for. */
export const board = (stage: Stage, issue: number, what: string, has: (body: string) => boolean): Promise<string> =>
  eventually(what, async () => {
    const found = (await commentsOf(stage, issue)).find(
      (entry) => entry.user?.login === BOT && markerIn(entry.body ?? '')?.endsWith('/board'),
    )
    return found?.body && has(found.body) ? found.body : undefined
  })

export async function proposals(stage: Stage) {
  const { data } = await person(stage, 'olga').rest.pulls.list({
    ...releases,
    base: 'ringmaster-releases',
    state: 'all',
  })
  return data
}

export async function review(
  stage: Stage,
  login: string,
  pull: number,
  event: 'APPROVE' | 'REQUEST_CHANGES',
  body = '',
): Promise<void> {
  await person(stage, login).rest.pulls.createReview({
    ...releases,
    pull_number: pull,
    event,
    ...(body === '' ? {} : { body }),
  })
}

/** The sign-off check run on the head of a proposal, when its title fits. */
export const signoffCheck = (
  stage: Stage,
  pull: number,
  what: string,
  fits: (title: string, conclusion: string | null) => boolean,
) =>
  eventually(what, async () => {
    const octokit = person(stage, 'olga')
    const { data } = await octokit.rest.pulls.get({ ...releases, pull_number: pull })
    const { data: checks } = await octokit.rest.checks.listForRef({
      ...releases,
      ref: data.head.sha,
      check_name: 'ringmaster/sign-off',
    })
    const check = checks.check_runs[0]
    return check && fits(check.output.title ?? '', check.conclusion) ? check : undefined
  })
