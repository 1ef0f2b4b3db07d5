import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { manifestPermissions } from '../../src/app/permissions.ts'
import type { RunningServer } from '../../src/app/server.ts'
import { simulateSignoff } from '../../src/cli/release.ts'
import { releaseKey } from '../../src/core/release/open.ts'
import type { ReleaseState } from '../../src/core/release/schema.ts'
import { EVENTS } from '../../src/webhooks/index.ts'
import { type Sandbox, startSandbox } from '../sandbox/sandbox.ts'
import { startApp } from './story/app-server.ts'
import { eventually } from './story/stage.ts'

const CONFIGURATION = `schemaVersion: 1
products:
  - { name: api, repository: acme/platform }
  - { name: web, repository: acme/platform }
rings:
  - { ring: "0", label: integration, environments: [integration] }
signoff:
  parties:
    - { name: Engineering, users: [eve] }
    - { name: Product, users: [pia] }
    - { name: QA, users: [quinn] }
    - { name: Security, users: [sam] }
  expiresHours: 24
  dismissers: [olga]
  reminders: { afterHours: 30 }
completion: { environments: [integration] }
roles:
  - { role: admin, users: [olga] }
  - { role: release_manager, users: [ann] }
`
const SIGNERS = ['eve', 'pia', 'quinn', 'sam']
const HOUR_MS = 3_600_000
const repo = { owner: 'acme', repo: 'releases' }
const BOT = 'ringmaster[bot]'

let sandbox: Sandbox
let server: RunningServer
let platformCommit = ''

beforeAll(async () => {
  const app = { permissions: manifestPermissions(), installations: [{ account: 'acme' }] }
  const people = ['olga', 'ann', ...SIGNERS]
  /** Far enough back that the days which pass never lie ahead of the machine's clock, on which limits are counted. */
  const startAt = new Date(Date.now() - 60 * HOUR_MS).toISOString()
  sandbox = await startSandbox({
    startAt,
    seed: {
      people,
      organizations: [{ login: 'acme', owners: ['olga'], members: people.slice(1) }],
      repositories: [
        {
          name: 'acme/releases',
          private: true,
          collaborators: Object.fromEntries(people.slice(1).map((login) => [login, 'write' as const])),
          commits: [{ message: 'Configure', files: { '.github/ringmaster.yml': CONFIGURATION } }],
        },
        { name: 'acme/platform', commits: [{ message: 'feat: begin', files: { 'a.txt': 'a' } }] },
      ],
      apps: [
        { slug: 'ringmaster', events: [...EVENTS], ...app },
        { slug: 'copycat', events: [], ...app },
      ],
    },
  })
  platformCommit = (await sandbox.repository('acme/platform').head()) ?? ''
  server = await startApp(sandbox)
  for (const product of ['api', 'web']) await built(product)
}, 60_000)
/**
 * The App lives on the clock of the sandbox, so that a day can pass in a moment. Its pace towards GitHub does not: each
 * test begins with an App that has just started, which is a scene of its own.
 */
beforeEach(async () => {
  await server.ringmaster.idle()
  await server.stop()
  server = await startApp(sandbox)
}, 60_000)
afterAll(async () => {
  await server?.stop()
  await sandbox?.stop()
})

const now = () => new Date(sandbox.clock.epochMs()).toISOString()
const platform = () => ({ id: sandbox.repository('acme/platform').id, fullName: 'acme/platform' })
const asked = () => ({
  at: now(),
  actor: null,
  source: { kind: 'operator' as const },
  url: '',
  trust: 'platform' as const,
})

const built = (product: string) =>
  server.ringmaster.engine.submit({
    kind: 'build-reported',
    repository: platform(),
    sha: platformCommit,
    checkRunId: 1,
    record: {
      schema: 'ringmaster/build/1',
      product,
      version: '1.0.0',
      previousVersion: null,
      bump: 'minor',
      status: 'completed',
      run: { id: 1, attempt: 1, job: 'build' },
      artifacts: [],
    },
    ...asked(),
  })

const deployed = (product: string, deploymentId: number) =>
  server.ringmaster.engine.submit({
    kind: 'deployment-reported',
    repository: platform(),
    deploymentId,
    environment: 'integration',
    sha: platformCommit,
    status: 'completed',
    statusId: deploymentId,
    record: { schema: 'ringmaster/deployment/1', product, version: '1.0.0', run: { id: 2, attempt: 1, job: 'deploy' } },
    run: { id: 2, attempt: 1 },
    byActions: true,
    ...asked(),
  })

const as = (login: string) => sandbox.as(login).octokit

const commentsOf = async (issue: number) =>
  (await as('olga').rest.issues.listComments({ ...repo, issue_number: issue, per_page: 100 })).data

async function say(login: string, issue: number, body: string): Promise<string> {
  const { data } = await as(login).rest.issues.createComment({ ...repo, issue_number: issue, body })
  return eventually(`a reply to ${body}`, async () => {
    const all = await commentsOf(issue)
    return all.find((entry) => entry.user?.login === BOT && entry.body?.includes(`reply%2F${data.id}`))?.body
  })
}

interface Proposed {
  readonly issue: number
  readonly pull: number
}

async function release(title: string): Promise<Proposed> {
  const { data } = await as('ann').rest.issues.create({ ...repo, title })
  await say('ann', data.number, '/release\n/add api@1.0.0\n/add web@1.0.0\n/start')
  const pull = await eventually('a proposal', async () => (await stateOf(data.number))?.proposal?.number)
  return { issue: data.number, pull }
}

const stateOf = async (issue: number) =>
  (await (await server.ringmaster.ledger.view()).state(releaseKey(`r${issue}`))) as ReleaseState | undefined

const review = (login: string, { pull }: Proposed, event: 'APPROVE' | 'REQUEST_CHANGES') =>
  as(login).rest.pulls.createReview({ ...repo, pull_number: pull, event, body: 'said' })

async function approve(logins: readonly string[], proposed: Proposed): Promise<void> {
  for (const login of logins) await review(login, proposed, 'APPROVE')
}

/** The check run that people see, once it says what is waited for. */
const check = (proposed: Proposed, fits: (title: string, conclusion: string | null) => boolean) =>
  eventually(`the check of #${proposed.pull}`, async () => {
    const { data: pull } = await as('olga').rest.pulls.get({ ...repo, pull_number: proposed.pull })
    const { data } = await as('olga').rest.checks.listForRef({
      ...repo,
      ref: pull.head.sha,
      check_name: 'ringmaster/sign-off',
    })
    const own = data.check_runs.find((run) => run.app?.id === sandbox.app('ringmaster').id)
    return own && fits(own.output.title ?? '', own.conclusion) ? own : undefined
  })
const signedOff = (proposed: Proposed) => check(proposed, (_title, conclusion) => conclusion === 'success')

async function pass(ms: number): Promise<void> {
  sandbox.clock.advance(ms)
  await server.ringmaster.sweep()
  await server.ringmaster.idle()
}

describe('four parties sign two releases at once', () => {
  let first: Proposed
  let second: Proposed

  it('each by its own approvals', async () => {
    ;[first, second] = await Promise.all([release('Spring'), release('Summer')])
    await Promise.all([approve(SIGNERS, first), approve(['eve', 'pia'], second)])
    await signedOff(first)
    await check(second, (title) => title === 'Missing: QA, Security')
    const types = (await stateOf(first.issue))?.signoff?.evidence.map(({ login }) => login)
    expect([...(types ?? [])].sort()).toEqual(SIGNERS)
  }, 60_000)

  it('keeps an objection that somebody dismissed without the right, and names who did', async () => {
    const { data: veto } = await review('quinn', second, 'REQUEST_CHANGES')
    await check(second, (title) => title === 'Vetoed by quinn')
    const dismiss = (login: string) =>
      as(login).rest.pulls.dismissReview({ ...repo, pull_number: second.pull, review_id: veto.id, message: 'go on' })
    await dismiss('ann')
    const found = await eventually('the dismissal to be named', async () => {
      const { output } = await check(second, (title) => title === 'Vetoed by quinn')
      return output.summary?.includes('ann dismissed a review of quinn') ? output.summary : undefined
    })
    expect(found).toContain('asked for changes')
  }, 60_000)

  it('takes an objection back when somebody dismisses it who may, or its author approves', async () => {
    await review('quinn', second, 'APPROVE')
    await check(second, (title) => title === 'Missing: Security')
    const { data: veto } = await review('sam', second, 'REQUEST_CHANGES')
    await check(second, (title) => title === 'Vetoed by sam')
    await as('olga').rest.pulls.dismissReview({
      ...repo,
      pull_number: second.pull,
      review_id: veto.id,
      message: 'settled',
    })
    await check(second, (title) => title === 'Missing: Security')
    await review('sam', second, 'APPROVE')
    await signedOff(second)
  }, 60_000)

  it('voids the approvals of a composition that changed, and says whose', async () => {
    const reply = await say('ann', second.issue, '/remove web')
    for (const login of SIGNERS) expect(reply).toContain(login)
    /** quinn's objection was answered by an approval of another content: on this one it stands. */
    await check(second, (title) => title === 'Vetoed by quinn')
    expect((await stateOf(first.issue))?.signoff?.status).toBe('approved')
    await approve(SIGNERS, second)
    await signedOff(second)
  }, 60_000)

  it('puts back what others touched, names them, and holds what could deceive', async () => {
    const board = (await commentsOf(first.issue)).find((entry) => entry.body?.includes('%2Fboard'))
    const before = board?.body ?? ''
    await as('olga').rest.issues.updateComment({ ...repo, comment_id: board?.id ?? 0, body: 'all is signed' })
    const { data: pull } = await as('olga').rest.pulls.get({ ...repo, pull_number: first.pull })
    await sandbox
      .app('copycat')
      .octokit('acme')
      .rest.checks.create({
        ...repo,
        name: 'ringmaster/sign-off',
        head_sha: pull.head.sha,
        status: 'completed',
        conclusion: 'success',
      })
    await as('olga').rest.repos.createCommitStatus({
      ...repo,
      sha: pull.head.sha,
      state: 'success',
      context: 'ringmaster/sign-off',
    })
    const touched = await eventually('all of it to be named', async () => {
      const state = await stateOf(first.issue)
      return state && state.conduct.interference.length >= 3 ? state.conduct : undefined
    })
    expect(touched.interference.map(({ what, by }) => [what, by]).sort()).toEqual([
      ['check-forged', 'copycat'],
      ['comment-edited', 'olga'],
      ['status-forged', 'olga'],
    ])
    expect(touched.hold?.reason).toMatch(/copycat made a check run|olga set a commit status/)
    await eventually('the board to be put back', async () => {
      const body = (await commentsOf(first.issue)).find((entry) => entry.id === board?.id)?.body
      return body?.includes('held') && body.includes(before.split('\n')[0] ?? '?') ? true : undefined
    })
    await say('ann', first.issue, '/unhold')
    expect((await stateOf(first.issue))?.conduct.hold).toBeNull()
  }, 60_000)

  it('restores a proposal that somebody pushed to, and counts nothing meanwhile', async () => {
    const branch = `ringmaster/proposal-r${second.issue}`
    const path = `releases/r${second.issue}.yaml`
    const releases = sandbox.repository('acme/releases')
    const composed = await releases.read(path, branch)
    const { data: file } = await as('olga').rest.repos.getContent({ ...repo, path, ref: branch })
    await as('olga').rest.repos.createOrUpdateFileContents({
      ...repo,
      path,
      branch,
      message: 'sneak',
      content: Buffer.from('other: content\n').toString('base64'),
      sha: Array.isArray(file) ? '' : file.sha,
    })
    await eventually('the push to be named', async () =>
      (await stateOf(second.issue))?.conduct.interference.some(
        ({ what, by }) => what === 'proposal-pushed' && by === 'olga',
      )
        ? true
        : undefined,
    )
    await eventually('the composition to be restored', async () =>
      (await releases.read(path, branch)) === composed ? true : undefined,
    )
    await signedOff(second)
  }, 60_000)

  it('takes the sign-off back when approvals run out, and has it again with new ones', async () => {
    await pass(25 * HOUR_MS)
    await check(first, (title) => title === 'Missing: Engineering, Product, QA, Security')
    await approve(SIGNERS, first)
    await signedOff(first)
  }, 60_000)

  it('calls those who have not signed, once', async () => {
    await pass(31 * HOUR_MS)
    await pass(60_000)
    const calls = (await commentsOf(second.pull)).filter((entry) => entry.body?.includes('%2Freminder'))
    expect(calls).toHaveLength(1)
    expect(calls[0]?.body).toMatch(/^@eve @pia @quinn @sam\n/)
  }, 60_000)

  it('can be tried on the command line before anybody signs', async () => {
    const simulated = async (...approve: readonly string[]) => {
      const said: string[] = []
      const io = { out: (line: string) => said.push(line), err: () => {}, json: false, env: {}, now: now() }
      const repository = ['--repo', sandbox.repository('acme/releases').gitDirectory, '--release', `r${second.issue}`]
      const code = await simulateSignoff.run([...repository, ...approve.flatMap((login) => ['--approve', login])], io)
      return { code, first: said[0], all: said.join('\n') }
    }
    expect(await simulated()).toMatchObject({ code: 1, first: 'Sign-off: pending' })
    expect((await simulated('eve', 'pia', 'quinn')).all).toContain('Security: 0 of 1 (none); could sign: sam')
    expect(await simulated(...SIGNERS)).toMatchObject({ code: 0, first: 'Sign-off: approved' })
    expect((await simulated('ann')).all).toContain('does not count: ann: not a member of any party')
    expect((await stateOf(second.issue))?.signoff?.status).toBe('pending')
  }, 60_000)

  it('completes what is signed off and live, and nothing else', async () => {
    await approve(SIGNERS, first)
    await signedOff(first)
    expect(await say('ann', first.issue, '/complete')).toContain('live')
    await deployed('api', 70)
    await deployed('web', 71)
    expect(await say('ann', first.issue, '/complete')).toContain('complete')
    await eventually('the proposal to be merged', async () =>
      (await as('olga').rest.pulls.get({ ...repo, pull_number: first.pull })).data.merged ? true : undefined,
    )
    expect(await say('ann', second.issue, '/complete')).toContain('expected a signed-off release')
    expect((await stateOf(second.issue))?.status).toBe('in_progress')
    const { data: alarms } = await as('olga').rest.issues.listForRepo({
      ...repo,
      state: 'open',
      labels: 'ringmaster-alarm',
    })
    expect(alarms.map(({ title }) => title)).toEqual([])
    expect(sandbox.violations).toEqual([])
  }, 60_000)
})
