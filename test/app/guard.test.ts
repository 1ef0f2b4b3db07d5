import { afterEach, describe, expect, it } from '@jest/globals'
import { ulid } from 'ulid'
import { openRingmaster, type Ringmaster } from '../../src/app/ringmaster.ts'
import { model } from '../../src/core/model.ts'
import { gitHubApp } from '../../src/github/client.ts'
import { closeEpoch, openEpoch } from '../../src/ledger/epoch.ts'
import { gitHubStore } from '../../src/ledger/github.ts'
import { commitMessage } from '../../src/ledger/store.ts'
import { CONFIGURATION, gateRequested } from '../engine/stage.ts'
import { startRun } from '../sandbox/actions.ts'
import { gitHubSchema } from '../sandbox/graphql/schema.ts'
import type { Sandbox } from '../sandbox/sandbox.ts'
import { recordedBuild } from './recorded-build.ts'
import { startWorld } from './world.ts'

const releases = { owner: 'acme', repo: 'releases' }
const DATA = 'ringmaster-data'

let sandbox: Sandbox | undefined
const running: Ringmaster[] = []
afterEach(async () => {
  for (const ringmaster of running.splice(0)) await ringmaster.close()
  await sandbox?.stop()
  sandbox = undefined
})

/** A release repository with a configuration in force and a ledger of some events. */
async function begun(): Promise<Sandbox> {
  sandbox = await startWorld(CONFIGURATION)
  await start(sandbox)
  return sandbox
}

async function start(on: Sandbox): Promise<Ringmaster> {
  const ringmaster = await open(on)
  await ringmaster.sweep()
  await ringmaster.idle()
  return ringmaster
}

async function open(on: Sandbox): Promise<Ringmaster> {
  const { id, privateKey } = on.app('ringmaster')
  const ringmaster = await openRingmaster({
    app: gitHubApp({ appId: id, privateKey, apiUrl: on.origin }, { nowMs: on.clock.epochMs, pushesPerMinute: 60_000 }),
    releaseRepository: 'acme/releases',
    publisher: null,
    clock: () => new Date(on.clock.epochMs()).toISOString(),
    log: { info: () => {}, error: () => {} },
    delay: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds / 100)),
  })
  running.push(ringmaster)
  return ringmaster
}

const head = async (on: Sandbox, branch = DATA): Promise<string> =>
  (await on.repository('acme/releases').head(branch)) ?? ''
const grow = async (ringmaster: Ringmaster, run: number) => {
  await ringmaster.engine.submit(gateRequested(run))
  await ringmaster.engine.idle().catch(() => {})
}

/** A running App, with the head of its log at two moments. */
async function grown(): Promise<{ on: Sandbox; first: Ringmaster; older: string; newest: string }> {
  const on = await begun()
  const [first] = running
  if (!first) throw new Error('expected a running App')
  await grow(first, 600)
  const older = await head(on)
  await grow(first, 601)
  return { on, first, older, newest: await head(on) }
}

const alarms = async (on: Sandbox) => {
  const { data } = await on
    .as('ann')
    .octokit.rest.issues.listForRepo({ ...releases, state: 'all', labels: 'ringmaster-alarm' })
  return data.filter((issue) => issue.title.includes('log cannot be trusted'))
}

const admin = (on: Sandbox) => on.as('ann').octokit
const force = (on: Sandbox, sha: string, branch = DATA) =>
  admin(on).rest.git.updateRef({ ...releases, ref: `heads/${branch}`, sha, force: true })

/** A commit of ann on top of another, with one file changed. */
async function commitOn(on: Sandbox, parent: string, path: string, content: string): Promise<string> {
  const { rest } = admin(on)
  const { data: before } = await rest.git.getCommit({ ...releases, commit_sha: parent })
  const tree = await rest.git.createTree({
    ...releases,
    base_tree: before.tree.sha,
    tree: [{ path, mode: '100644', type: 'blob', content }],
  })
  const made = await rest.git.createCommit({ ...releases, message: 'Tidy up', tree: tree.data.sha, parents: [parent] })
  return made.data.sha
}

/** A run with a job that deploys to an environment. */
const deploy = (on: Sandbox, environment: string) =>
  startRun(on, {
    repository: 'acme/platform',
    workflow: '.github/workflows/deploy.yml',
    actor: 'ann',
    jobs: [{ name: 'deploy', environment, steps: [async () => {}] }],
  })

/** Hands an App every webhook of so far, as the server does. */
async function deliver(on: Sandbox, ringmaster: Ringmaster): Promise<void> {
  await on.webhooks.settled()
  for (const { guid, event, request, deliveredAt } of on.webhooks.attempts)
    ringmaster.intake.take({ id: guid, event, payload: request.payload, receivedAt: deliveredAt })
  await ringmaster.idle()
}

const TOKEN = 'POST /app/installations/{installation_id}/access_tokens'

/** What the App asked GitHub to change. */
async function changesOf(on: Sandbox): Promise<string[]> {
  const mutations = (await gitHubSchema()).getMutationType()?.getFields() ?? {}
  return on.requests
    .filter(({ identity, route }) => identity.startsWith('ringmaster') && route !== TOKEN)
    .flatMap(({ method, route, fields }) => {
      if (route === 'POST /graphql') return fields.filter((field) => field in mutations)
      return method === 'GET' ? [] : [route ?? method]
    })
}

interface Harm {
  readonly name: string
  readonly code: string
  readonly says: RegExp
  do(on: Sandbox, older: string, newest: string): Promise<unknown>
}

const HARM: readonly Harm[] = [
  {
    name: 'an administrator edits it',
    code: 'foreign-author',
    says: /signed by the platform/,
    do: async (on, _older, newest) => force(on, await commitOn(on, newest, 'head.json', '{}')),
  },
  {
    name: 'it is cut back to an older commit',
    code: 'ledger-rewound',
    says: /was truncated: /,
    do: (on, older) => force(on, older),
  },
  {
    name: 'it is deleted',
    code: 'ledger-missing',
    says: /found none/,
    do: (on) => admin(on).rest.git.deleteRef({ ...releases, ref: `heads/${DATA}` }),
  },
  {
    name: 'it is replaced by another history',
    code: 'foreign-author',
    says: /signed by the platform/,
    do: async (on) => {
      const main = (await on.repository('acme/releases').head('main')) ?? ''
      return force(on, await commitOn(on, main, 'head.json', '{}'))
    },
  },
]

describe('a log that cannot be trusted', () => {
  it.each(HARM)(
    'closes everything while the App runs, and is named in an alarm until it is whole again: $name',
    async (harm) => {
      const { on, first, older, newest } = await grown()
      await harm.do(on, older, newest)
      const harmed = await head(on)
      on.requests.length = 0
      await first.sweep()
      await first.sweep()
      expect(first.ledger.trouble?.code).toBe(harm.code)
      expect(first.ledger.trouble?.message).toMatch(harm.says)
      await expect(first.engine.submit(gateRequested(602))).rejects.toMatchObject({ code: harm.code })
      expect(await head(on)).toBe(harmed)
      expect(on.requests.flatMap(({ fields }) => fields)).not.toContain('createCommitOnBranch')
      expect(await alarms(on)).toMatchObject([{ state: 'open', user: { login: 'ringmaster[bot]' } }])
      expect((await alarms(on))[0]?.body).toContain('To recover')
      await first.close()
      if (harmed === '') await admin(on).rest.git.createRef({ ...releases, ref: `refs/heads/${DATA}`, sha: newest })
      else await force(on, newest)
      const second = await start(on)
      expect(second.ledger.trouble).toBeUndefined()
      await grow(second, 603)
      expect(await head(on)).not.toBe(newest)
      expect(await alarms(on)).toMatchObject([{ state: 'closed' }])
      expect(on.violations).toEqual([])
    },
    60_000,
  )

  it('keeps a job waiting at its gate that it would let through otherwise, and nothing leaves the App but the alarm', async () => {
    const on = await begun()
    const [first] = running
    if (!first) throw new Error('expected a running App')
    const integration = { owner: 'acme', repo: 'platform', environment_name: 'integration' }
    await admin(on).rest.repos.createOrUpdateEnvironment(integration)
    await admin(on).rest.repos.createDeploymentProtectionRule({
      ...integration,
      integration_id: on.app('ringmaster').id,
    })
    await recordedBuild(on, '1.0.0')
    await deliver(on, first)
    const older = await head(on)
    const before = await deploy(on, 'integration')
    await before.atRest()
    await deliver(on, first)
    expect(await before.finished()).toBe('success')
    await first.close()
    /** Who is told of it freezes every environment for that alone. */
    on.webhooks.drop({ event: 'push' })
    await force(on, older)
    on.requests.length = 0
    const second = await open(on)
    const after = await deploy(on, 'integration')
    await after.atRest()
    await deliver(on, second)
    await second.sweep()
    await second.idle()
    await after.atRest()
    expect(after.status).toBe('waiting')
    expect(await changesOf(on)).toEqual(['POST /repos/{owner}/{repo}/issues'])
    expect(await alarms(on)).toMatchObject([{ state: 'open', labels: [{ name: 'ringmaster-alarm' }] }])
  }, 60_000)

  it('is named again in its alarm where somebody closes it meanwhile', async () => {
    const on = await begun()
    const first = running[0]
    if (!first) throw new Error('expected a running App')
    await grow(first, 600)
    await admin(on).rest.git.deleteRef({ ...releases, ref: `heads/${DATA}` })
    await first.sweep()
    const [alarm] = await alarms(on)
    await admin(on).rest.issues.update({ ...releases, issue_number: alarm?.number ?? 0, state: 'closed' })
    await first.sweep()
    expect(await alarms(on)).toMatchObject([{ state: 'closed' }])
    on.clock.advance(10 * 60_000)
    await first.sweep()
    expect(await alarms(on)).toMatchObject([{ state: 'open', number: alarm?.number }])
  }, 60_000)

  it('is seen at a start, too: a history cut off while the App was away looks whole by itself', async () => {
    const { on, first, older, newest } = await grown()
    await first.close()
    await force(on, older)
    const second = await open(on)
    /** What arrives before the first sweep is not written onto it either. */
    await expect(second.engine.submit(gateRequested(602))).rejects.toMatchObject({ code: 'ledger-rewound' })
    await second.sweep()
    expect(second.ledger.trouble?.message).toMatch(/was truncated: expected it to hold commit .* "ann" forced it/)
    expect(second.ledger.trouble?.message).toContain(newest)
    expect(await alarms(on)).toMatchObject([{ state: 'open', body: expect.stringContaining('It was **truncated**') }])
    expect(await head(on)).toBe(older)
  }, 60_000)
})

describe('a log of a newer version', () => {
  it('is named in an alarm by an App that starts and by one that runs, which write nothing more to it', async () => {
    const on = await begun()
    const [first] = running
    if (!first) throw new Error('expected a running App')
    const store = gitHubStore({ client: on.app('ringmaster').octokit('acme') as never, ...releases, branch: DATA })
    const newest = await store.newest(['head.json'])
    const text = Buffer.from(newest?.files.get('head.json') ?? []).toString()
    await store.commit({
      expectedHead: newest?.info.commit ?? null,
      operation: ulid(),
      message: commitMessage('ledger: raise the version', ulid()),
      additions: [
        { path: 'head.json', bytes: Buffer.from(text.replace(/"minWriter":"[^"]*"/, '"minWriter":"7.0.0"')) },
      ],
      deletions: [],
    })
    const raised = await head(on)
    await first.sweep()
    expect(first.ledger.trouble).toMatchObject({ code: 'writer-too-old' })
    const second = await start(on)
    expect(second.ledger.trouble).toMatchObject({ code: 'writer-too-old' })
    expect(await alarms(on)).toHaveLength(1)
    expect(await head(on)).toBe(raised)
  }, 60_000)
})

describe('a log that was put back', () => {
  it('is trusted by an App that starts at once, although GitHub shows it for a moment as it was before', async () => {
    const { on, first, older, newest } = await grown()
    await first.close()
    await force(on, older)
    on.clock.advance(40_000)
    await force(on, newest)
    on.faults.add({ kind: 'lag', route: 'GET /repos/{owner}/{repo}/git/ref/{ref}', times: 1 })
    on.requests.length = 0
    const second = await open(on)
    expect(second.ledger.trouble).toBeUndefined()
    /** Both kinds of rewrites, and the first one once more. */
    expect(on.requests.filter(({ path }) => path.includes('/activity')).length).toBe(3)
  }, 60_000)
})

describe('a history cut off while the App was away', () => {
  it('is seen where somebody took a commit of their own away, and the last ones of the App with it', async () => {
    const { on, first, older, newest } = await grown()
    await first.close()
    const foreign = await commitOn(on, newest, 'note.txt', 'one')
    await admin(on).rest.git.updateRef({ ...releases, ref: `heads/${DATA}`, sha: foreign })
    await force(on, newest)
    expect((await open(on)).ledger.trouble).toBeUndefined()
    await running.pop()?.close()
    await admin(on).rest.git.updateRef({ ...releases, ref: `heads/${DATA}`, sha: foreign })
    await force(on, older)
    const { trouble } = (await open(on)).ledger
    expect(trouble).toMatchObject({ code: 'ledger-rewound', message: expect.stringContaining(newest) })
  }, 60_000)

  it('is seen behind more rewrites than a page of the activity log tells', async () => {
    const { on, first, older, newest } = await grown()
    await first.close()
    await force(on, older)
    const foreign = [await commitOn(on, older, 'note.txt', 'one'), await commitOn(on, older, 'note.txt', 'two')]
    for (let turn = 0; turn < 33; turn += 1) await force(on, foreign[turn % 2] ?? '')
    await force(on, older)
    on.requests.length = 0
    const second = await open(on)
    expect(second.ledger.trouble).toMatchObject({ code: 'ledger-rewound', message: expect.stringContaining(newest) })
    /** What was forced away several times is compared once, at each of seven looks until nothing can be shown late. */
    expect(on.requests.filter(({ path }) => path.includes('/compare/')).length).toBeLessThan(5 * 7)
    expect(on.violations).toEqual([])
  }, 60_000)
})

describe('a log in a later epoch', () => {
  const NEXT = 'ringmaster-data-2'

  /** An App that runs while its log goes on in a new epoch, by the hand of the App's own command line. */
  async function turned(): Promise<{ on: Sandbox; first: Ringmaster; last: string }> {
    const on = await begun()
    const [first] = running
    if (!first) throw new Error('expected a running App')
    await grow(first, 600)
    const storeOf = (branch: string) =>
      gitHubStore({ client: on.app('ringmaster').octokit('acme') as never, ...releases, branch })
    const making = {
      now: new Date(on.clock.epochMs()).toISOString(),
      newId: () => ulid(),
      writer: { version: '0.1.0' },
    }
    const closed = await closeEpoch(storeOf(DATA), model, NEXT, making)
    await openEpoch({ from: storeOf(DATA), closed, branch: DATA }, storeOf(NEXT), model, making)
    await grow(first, 601)
    return { on, first, last: closed.commit }
  }

  it('is gone on with by a running App and by one that starts, and the branch before stays as it was', async () => {
    const { on, first, last } = await turned()
    expect(first.ledger.epoch).toBe(2)
    expect(await head(on)).toBe(last)
    await first.close()
    const second = await start(on)
    const { seq } = (await second.ledger.view()).head
    await grow(second, 602)
    expect((await second.ledger.view()).head.seq).toBeGreaterThan(seq)
    expect(await head(on)).toBe(last)
    const { seq: after } = (await second.ledger.view()).head
    // A gate of the epoch before is known: asking once more is no event.
    await grow(second, 600)
    expect((await second.ledger.view()).head.seq).toBe(after)
    expect(await alarms(on)).toEqual([])
    expect(on.violations).toEqual([])
  }, 60_000)

  it.each<[string, string, (on: Sandbox, last: string) => Promise<unknown>]>([
    ['deleted', 'ledger-missing', (on) => admin(on).rest.git.deleteRef({ ...releases, ref: `heads/${DATA}` })],
    ['gone on with', 'foreign-author', async (on, last) => force(on, await commitOn(on, last, 'note.txt', 'hello'))],
  ])(
    'is not trusted when the branch before is %s',
    async (_, code, harm) => {
      const { on, first, last } = await turned()
      await harm(on, last)
      on.clock.advance(11 * 60_000)
      await first.sweep()
      expect(first.ledger.trouble?.code).toBe(code)
      await first.close()
      const second = await open(on)
      expect(second.ledger.trouble?.code).toBe(code)
      expect(await alarms(on)).toMatchObject([{ state: 'open', body: expect.stringContaining(`refs/heads/${DATA}\``) }])
    },
    60_000,
  )

  it('is not trusted by one that starts when the newest branch was deleted, which the alarm says to put back', async () => {
    const { on, first } = await turned()
    await first.close()
    await admin(on).rest.git.deleteRef({ ...releases, ref: `heads/${NEXT}` })
    const second = await open(on)
    expect(second.ledger.trouble?.problems).toMatchObject([{ code: 'ledger-missing', branch: NEXT }])
    expect(await alarms(on)).toMatchObject([{ state: 'open', body: expect.stringContaining(`refs/heads/${NEXT}\``) }])
  }, 60_000)

  it('is waited for, without an alarm, when it was never begun', async () => {
    const on = await begun()
    await running[0]?.close()
    const client = on.app('ringmaster').octokit('acme') as never
    await closeEpoch(gitHubStore({ client, ...releases, branch: DATA }), model, NEXT, {
      now: new Date(on.clock.epochMs()).toISOString(),
      newId: () => ulid(),
      writer: { version: '0.1.0' },
    })
    await expect(open(on)).rejects.toMatchObject({ code: 'epoch-unopened', hint: expect.stringContaining('activity') })
    expect(await alarms(on)).toEqual([])
  }, 60_000)

  it('is not trusted by one that starts when somebody else wrote to the newest branch, which the alarm says to put back', async () => {
    const { on, first } = await turned()
    await first.close()
    await force(on, await commitOn(on, await head(on, NEXT), 'note.txt', 'hello'), NEXT)
    const second = await open(on)
    expect(second.ledger.trouble?.problems).toMatchObject([{ code: 'foreign-author', branch: NEXT }])
    expect(await alarms(on)).toMatchObject([{ state: 'open', body: expect.stringContaining(`refs/heads/${NEXT}\``) }])
  }, 60_000)
})

describe('a branch that was put back', () => {
  /** A commit on which nothing stands, of whoever the client is. */
  async function rootOf(octokit: ReturnType<typeof admin>, path: string, message: string): Promise<string> {
    const { git } = octokit.rest
    const tree = await git.createTree({ ...releases, tree: [{ path, mode: '100644', type: 'blob', content: '{}' }] })
    const made = await git.createCommit({ ...releases, message, tree: tree.data.sha, parents: [] })
    return made.data.sha
  }

  it.each<[string, (on: Sandbox, newest: string) => Promise<string>]>([
    [
      'a commit that a stranger made under the address of the App',
      async (on, newest) => {
        const { git } = admin(on).rest
        const { data: own } = await git.getCommit({ ...releases, commit_sha: newest })
        const odd = await git.getCommit({ ...releases, commit_sha: await commitOn(on, newest, 'head.json', '{}') })
        const { author, message } = own
        const parents = [newest]
        const { data } = await git.createCommit({ ...releases, message, tree: odd.data.tree.sha, parents, author })
        return data.sha
      },
    ],
    [
      'a branch that holds what the App proposed',
      (on) => rootOf(on.app('ringmaster').octokit('acme'), 'releases/r1.yaml', 'Propose r1'),
    ],
    [
      'a branch that holds what the App published',
      (on) => rootOf(on.app('ringmaster').octokit('acme'), 'cohort.json', 'Publish 1 file(s)\n\n\nOperation: 01J\n'),
    ],
  ])(
    'is trusted again after %s was forced onto it',
    async (_, odd) => {
      const on = await begun()
      const [first] = running
      if (!first) throw new Error('expected a running App')
      await grow(first, 600)
      const newest = await head(on)
      await first.close()
      await force(on, await odd(on, newest))
      await force(on, newest)
      expect((await open(on)).ledger.trouble).toBeUndefined()
      expect(on.violations).toEqual([])
    },
    60_000,
  )
})
