import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { manifestPermissions } from '../../src/app/permissions.ts'
import { checkRunOutlet } from '../../src/github/checks.ts'
import { type GitHubApp, gitHubApp } from '../../src/github/client.ts'
import { commentOutlet } from '../../src/github/comments.ts'
import { alarmOutlet } from '../../src/github/issues.ts'
import type { Output, OutputKind, OutputOf } from '../../src/render/output.ts'
import { type Sandbox, startSandbox } from '../sandbox/sandbox.ts'

const releases = { owner: 'acme', repo: 'releases' }
const clock = () => '2026-11-20T12:00:00Z'
let sandbox: Sandbox
let issue = 0
let sha = ''

beforeAll(async () => {
  sandbox = await startSandbox({
    seed: {
      people: ['ann'],
      organizations: [{ login: 'acme', owners: ['ann'], members: [] }],
      repositories: [{ name: 'acme/releases', commits: [{ message: 'Begin', files: { 'README.md': '#' } }] }],
      apps: [
        { slug: 'ringmaster', permissions: manifestPermissions(), events: [], installations: [{ account: 'acme' }] },
      ],
    },
  })
  issue = (await sandbox.as('ann').octokit.rest.issues.create({ ...releases, title: 'A release' })).data.number
  sha = (await sandbox.repository('acme/releases').head('main')) ?? ''
}, 60_000)
afterAll(async () => {
  await sandbox?.stop()
})

/** One process of the App, whose requests that create something wait until they are let through. */
async function processOf(mayCreate: Promise<void>): Promise<{ app: GitHubApp; isAboutToCreate: Promise<void> }> {
  const { id, privateKey } = sandbox.app('ringmaster')
  const app = gitHubApp({ appId: id, privateKey, apiUrl: sandbox.origin })
  const octokit = await app.forRepository('acme/releases')
  const isAboutToCreate = new Promise<void>((resolve) => {
    octokit.hook.before('request', async ({ method, url }) => {
      if (method !== 'POST' || url.includes('access_tokens')) return
      resolve()
      await mayCreate
    })
  })
  return { app, isAboutToCreate }
}

const outputOf = <K extends OutputKind>(kind: K, rest: object): OutputOf<K> => {
  const repository = { id: sandbox.repository('acme/releases').id, fullName: 'acme/releases' }
  return { kind, subject: 'release/r1', repository, ...rest } as Output as OutputOf<K>
}

/** Both have looked and found nothing; then the second creates it, and the first, whose request is late, does too. */
async function raced(apply: (app: GitHubApp) => Promise<{ remote: string | null }>) {
  let letThrough = () => {}
  const late = await processOf(
    new Promise((resolve) => {
      letThrough = resolve
    }),
  )
  const first = apply(late.app)
  await late.isAboutToCreate
  const second = await apply((await processOf(Promise.resolve())).app)
  letThrough()
  return [await first, second]
}

describe('two processes that make the same thing at once', () => {
  it('leave one comment', async () => {
    const board = outputOf('comment', { key: 'r1/board', issue, body: 'The board' })
    const [first, second] = await raced((app) => commentOutlet(app, clock)(board, null))
    expect(first).toEqual(second)
    const { data } = await sandbox.as('ann').octokit.rest.issues.listComments({ ...releases, issue_number: issue })
    expect(data.map(({ id }) => String(id))).toEqual([first?.remote])
  })

  it('leave one comment where lists show neither the other’s, once they have looked again', async () => {
    const { octokit } = sandbox.as('ann')
    const issue_number = (await octokit.rest.issues.create({ ...releases, title: 'Another release' })).data.number
    const board = outputOf('comment', { key: 'r2/board', issue: issue_number, body: 'The board' })
    const say = (app: GitHubApp, remote: string | null, isLook = false) =>
      commentOutlet(app, () => sandbox.clock.now())(board, remote, isLook)
    const route = 'GET /repos/{owner}/{repo}/issues/{issue_number}/comments'
    sandbox.faults.add({ kind: 'lag', route, times: 4 })
    const [first, second] = await raced((app) => say(app, null))
    const comments = async () => (await octokit.rest.issues.listComments({ ...releases, issue_number })).data
    expect(await comments()).toHaveLength(2)
    sandbox.clock.advance(60_000)
    for (const made of [first, second])
      expect(await say((await processOf(Promise.resolve())).app, made?.remote ?? null, true)).toEqual({
        remote: second?.remote,
      })
    expect(await comments()).toHaveLength(1)
  })

  it('leave one alarm open, which both go on with', async () => {
    const alarm = outputOf('alarm', { key: 'alarm/x', title: 'Ringmaster alarm: x', body: 'It broke', isOpen: true })
    const [first, second] = await raced((app) => alarmOutlet(app, clock)(alarm))
    expect(first).toEqual(second)
    const { data } = await sandbox
      .as('ann')
      .octokit.rest.issues.listForRepo({ ...releases, state: 'all', labels: 'ringmaster-alarm' })
    expect(data.filter(({ state }) => state === 'open').map(({ number }) => String(number))).toEqual([first?.remote])
    expect(data.filter(({ state }) => state === 'closed')).toMatchObject([
      { state_reason: 'not_planned', body: `Opened twice: see #${first?.remote}.` },
    ])
    const { app } = await processOf(Promise.resolve())
    expect(await alarmOutlet(app, clock)({ ...alarm, isOpen: false })).toEqual(first)
  })

  it('go on with the check run that GitHub shows, and end the other', async () => {
    const check = (conclusion: 'success' | null) =>
      outputOf('check-run', {
        key: 'r1/signoff',
        sha,
        name: 'ringmaster/sign-off',
        status: conclusion === null ? 'in_progress' : 'completed',
        conclusion,
        title: 'Sign-off',
        summary: '',
        annotations: [],
      })
    await raced((app) => checkRunOutlet(app, clock)(check(null), null))
    const { app } = await processOf(Promise.resolve())
    await checkRunOutlet(app, clock)(check('success'), null)
    const { data } = await sandbox
      .as('ann')
      .octokit.rest.checks.listForRef({ ...releases, ref: sha, check_name: 'ringmaster/sign-off', filter: 'all' })
    expect(data.check_runs.map(({ conclusion }) => conclusion)).toEqual(['success', 'neutral'])
  })

  const LIST = 'GET /repos/{owner}/{repo}/commits/{ref}/check-runs'
  const built = (name: string, conclusion: 'success' | null) =>
    outputOf('check-run', {
      ...{ key: name, sha, name, title: 'Build', summary: '', annotations: [], conclusion },
      status: conclusion === null ? 'in_progress' : 'completed',
    })
  const conclusions = async (name: string) => {
    const at = { ...releases, ref: sha, check_name: name, filter: 'all' } as const
    const { data } = await sandbox.as('ann').octokit.rest.checks.listForRef(at)
    return data.check_runs.map(({ conclusion }) => conclusion)
  }

  it('go on with the check run that the log names where a list does not show it yet', async () => {
    const { app } = await processOf(Promise.resolve())
    const apply = checkRunOutlet(app, clock)
    const { remote } = await apply(built('named', null), null)
    sandbox.faults.add({ kind: 'lag', route: LIST })
    expect(await apply(built('named', 'success'), remote)).toEqual({ remote })
    expect(await conclusions('named')).toEqual(['success'])
  })

  it('end the check run that a list did not show when another was made', async () => {
    const { app } = await processOf(Promise.resolve())
    const apply = checkRunOutlet(app, clock)
    await apply(built('unseen', null), null)
    sandbox.faults.add({ kind: 'lag', route: LIST })
    await apply(built('unseen', null), null)
    expect(await conclusions('unseen')).toEqual([null, 'neutral'])
  })

  it('end what lists kept from both at the next look', async () => {
    const { app } = await processOf(Promise.resolve())
    const apply = checkRunOutlet(app, clock)
    const { remote: first } = await apply(built('both', null), null)
    sandbox.faults.add({ kind: 'lag', route: LIST, times: 2 })
    const { remote: second } = await apply(built('both', null), null)
    expect(await conclusions('both')).toEqual([null, null])
    expect(await apply(built('both', null), first, true)).toEqual({ remote: second })
    expect(await conclusions('both')).toEqual([null, 'neutral'])
  })

  it('ask GitHub only for what its description accepts', () => {
    expect(sandbox.violations).toEqual([])
  })
})
