import { describe, expect, it } from '@jest/globals'
import { RingmasterError } from '../../src/core/problem.ts'
import type { OpenIndex } from '../../src/core/release/open.ts'
import type { ReleaseState } from '../../src/core/release/schema.ts'
import type { Request } from '../../src/core/request.ts'
import type { FactSource } from '../../src/engine/ports.ts'
import { memoryBranch, memoryStore } from '../../src/ledger/memory.ts'
import {
  buildReported,
  CONFIGURATION,
  command,
  configurationSeen,
  eventsOf,
  gateRequested,
  Outside,
  play,
  proposalSeen,
  proposedHead,
  releaseReview,
  stage,
  started,
} from './stage.ts'

const typesOf = (branch: Parameters<typeof eventsOf>[0]): string[] =>
  eventsOf(branch)
    .map((event) => event.type)
    .filter((type) => type !== 'output.settled')

const releaseOf = async (on: ReturnType<typeof stage>): Promise<ReleaseState> =>
  (await (await on.ledger.view()).state('release/r12')) as ReleaseState

describe('deciding', () => {
  it('fetches what a decision needs and records the facts with it', async () => {
    const on = stage()
    await started(on)
    on.outside.approve('eve', proposedHead(on.outside))
    await play(on, releaseReview())
    const decided = eventsOf(on.branch).findLast((event) => event.type === 'signoff.decided')
    expect(decided?.data).toMatchObject({
      signoff: { status: 'approved' },
      facts: [{ query: { kind: 'reviews', number: 900 }, answer: { kind: 'reviews', reviews: on.outside.reviews } }],
    })
  })

  it('gives problems as a value, and changes nothing', async () => {
    const on = stage()
    on.outside.files.set('config', 'schemaVersion: 7\n')
    const outcome = await on.engine.submit(configurationSeen)
    expect(outcome.kind).toBe('refuse')
    await on.engine.idle()
    expect(typesOf(on.branch)).toEqual(['config.refused'])
  })

  it.each([
    ['a configuration, which nobody waits for', configurationSeen, true],
    ['a command', command('release', '"First"'), false],
  ])('asks GitHub so that trouble that passes is waited for, or told at once: %s', async (_, request, expected) => {
    const patience: boolean[] = []
    const outside = new Outside()
    const facts: FactSource = async (query, isPatient) => {
      patience.push(isPatient)
      return outside.facts(query, isPatient)
    }
    const on = stage({ outside, engine: { facts } })
    await on.engine.submit(configurationSeen)
    patience.length = 0
    outside.files.set('config', `${CONFIGURATION}\n# again\n`)
    await on.engine.submit(request)
    expect(new Set(patience)).toEqual(new Set([expected]))
  })

  it('changes nothing when a request is repeated', async () => {
    const on = stage()
    const release = command('release', '"First"')
    await play(on, configurationSeen, release)
    const [before, effects] = [typesOf(on.branch), [...on.outside.effects]]
    await play(on, configurationSeen, release, release)
    expect(typesOf(on.branch)).toEqual(before)
    expect(on.outside.effects).toEqual(effects)
  })

  it('hurries the log for what is new, once its facts are at hand, and not for what was told before', async () => {
    const hurried: string[] = []
    const appending = <T>(request: { readonly kind: string }, append: () => Promise<T>): Promise<T> => {
      hurried.push(`${request.kind} after ${on.outside.asked.length}`)
      return append()
    }
    const on = stage({ engine: { appending } })
    const release = command('release', '"First"')
    await play(on, configurationSeen, release, release)
    expect(hurried.filter((text) => text.startsWith('command-given'))).toEqual(['command-given after 3'])
  })

  it('says of a command that is in the log what it came to, without waiting for a commit', async () => {
    let pace = async (): Promise<void> => {}
    const on = stage({ ledger: { pace: () => pace() } })
    const release = command('release', '"First"')
    await play(on, configurationSeen, release)
    const first = await on.engine.submit(release)
    pace = () => new Promise(() => {})
    expect(await on.engine.submit(release)).toEqual(first)
    expect(first).toMatchObject({ kind: 'accept', answer: { code: 'release-opened' } })
  })

  it.each<[string, Request]>([
    [
      'the end of a condition that nobody raised',
      {
        kind: 'condition-seen',
        alarm: 'unsayable:11/3',
        code: 'unsayable',
        message: 'comments are taken again',
        holds: false,
        at: '2026-11-20T10:00:00Z',
        actor: null,
        source: { kind: 'reconciler' },
      },
    ],
    [
      'another look at a gate that is closed',
      {
        kind: 'gate-review',
        gate: 'gate/11/7/production',
        at: '2026-11-20T10:00:00Z',
        actor: null,
        source: { kind: 'webhook' },
      },
    ],
  ])('lets %s wait for no commit, so that nothing behind it waits either', async (_, request) => {
    let pace = async (): Promise<void> => {}
    const on = stage({ ledger: { pace: () => pace() } })
    await play(on, configurationSeen)
    pace = () => new Promise(() => {})
    expect(await on.engine.submit(request)).toEqual({ kind: 'accept', answer: null })
  })

  it('answers a request that came in twice at once only once', async () => {
    const on = stage()
    await play(on, configurationSeen)
    const release = command('release', '"First"')
    const outcomes = await Promise.all([on.engine.submit(release), on.engine.submit(release)])
    await on.engine.idle()
    expect(outcomes[0]).toEqual(outcomes[1])
    expect(typesOf(on.branch).filter((type) => type === 'release.opened')).toHaveLength(1)
    expect(on.outside.effects.filter((effect) => effect.includes('reply/'))).toHaveLength(1)
    const [reply] = [...on.outside.standing.values()].filter(({ output }) => output.key.startsWith('reply/'))
    expect(reply?.output).toMatchObject({ since: new Date(Date.parse(release.at) - 15 * 60_000).toISOString() })
  })

  it('decides again on the new state after a lost race, with the facts it has fetched', async () => {
    const branch = memoryBranch()
    const first = stage({ branch })
    await play(first, configurationSeen, buildReported())
    await first.ledger.snapshot()
    const store = memoryStore(branch)
    let isRaced = false
    const second = stage({
      branch,
      outside: first.outside,
      store: {
        ...store,
        async commit(request) {
          if (!isRaced) {
            isRaced = true
            await play(first, command('release', '"By the other"'))
          }
          return store.commit(request)
        },
      },
    })
    const outcome = await second.engine.submit(command('release', '"By this one"'))
    expect(isRaced).toBe(true)
    expect(outcome).toMatchObject({ kind: 'accept', answer: { code: 'nothing-changed' } })
    expect((await releaseOf(second)).title).toBe('By the other')
    const people = first.outside.asked.filter((query) => query.kind === 'person')
    expect(people).toHaveLength(2)
  })

  it('rejects what cannot be written, and goes on', async () => {
    const on = stage()
    const broken = buildReported('1.0.0')
    await expect(on.engine.submit({ ...broken, at: 'yesterday' })).rejects.toThrow(RingmasterError)
    await expect(on.engine.submit(broken)).resolves.toMatchObject({ kind: 'accept' })
    await on.engine.idle()
    expect(typesOf(on.branch)).toEqual(['build.recorded'])
  })
})

describe('a log that was edited', () => {
  it('is no longer trusted once a request meets the damage while its facts are looked up', async () => {
    const branch = memoryBranch()
    await play(stage({ branch, ledger: { snapshotEvery: 1 } }), configurationSeen, buildReported())
    const tree = branch.commits.get(branch.head ?? '')?.tree ?? new Map<string, Uint8Array>()
    const shards = [...tree.keys()].filter((path) => path.startsWith('snapshots/') && path.endsWith('/shard.json'))
    await memoryStore(branch).commit({
      expectedHead: branch.head,
      operation: 'edited',
      message: 'Tidy up',
      additions: shards.map((path) => ({ path, bytes: Buffer.from('{}') })),
      deletions: [],
    })
    const after = stage({ branch })
    const submit = () => after.engine.submit(command('release', '"First"'))
    await expect(submit()).rejects.toMatchObject({ code: 'ledger-damaged' })
    expect(after.ledger.trouble?.code).toBe('ledger-damaged')
    const { head } = branch
    await expect(submit()).rejects.toMatchObject({ code: 'ledger-damaged' })
    await expect(after.engine.submit(buildReported('1.1.0'))).rejects.toMatchObject({ code: 'ledger-damaged' })
    expect([branch.head, after.outside.effects]).toEqual([head, []])
  })
})

describe('what follows from an event', () => {
  it('decides the signatures again when the proposal is seen, and the gates when they are decided', async () => {
    const on = stage()
    await started(on)
    await play(on, gateRequested())
    expect(on.outside.standing.get('gate/78/600/production/1300/report-1')?.output).toMatchObject({ state: null })
    on.outside.approve('eve', proposedHead(on.outside))
    await play(on, releaseReview())
    expect(on.outside.standing.get('gate/78/600/production/1300/answer')?.output).toMatchObject({ state: 'approved' })
    expect((await releaseOf(on)).signoff?.status).toBe('approved')
  })

  it('takes the signatures back when the composition changes', async () => {
    const on = stage()
    await started(on)
    on.outside.approve('eve', proposedHead(on.outside))
    await play(on, releaseReview(), buildReported('1.1.0', 'd'.repeat(40)), command('add', 'user-service@1.1.0'))
    const release = await releaseOf(on)
    expect(release.signoff?.status).toBe('pending')
    expect(release.proposal?.head).toBe(proposedHead(on.outside))
    expect(release.signoff?.ignored).toMatchObject([{ login: 'eve' }])
  })

  it('is decided by the next sweep when it could not be decided at once', async () => {
    const on = stage()
    await started(on)
    on.outside.approve('eve', proposedHead(on.outside))
    await on.engine.sweep()
    await on.engine.idle()
    expect((await releaseOf(on)).signoff?.status).toBe('approved')
  })

  it('merges the proposal of a completed release at the commit that was signed, whatever was pushed after', async () => {
    const on = stage()
    await started(on)
    const head = proposedHead(on.outside)
    on.outside.approve('eve', head)
    await play(on, releaseReview())
    on.outside.broken = (output) => (output.kind === 'proposal-end' ? '502' : null)
    const deployed = { kind: 'deployment-reported', environment: 'production', sha: 'c'.repeat(40) } as const
    await play(on, {
      ...deployed,
      repository: { id: 78, fullName: 'acme/platform' },
      deploymentId: 1,
      status: 'completed',
      statusId: 1,
      record: null,
      run: null,
      byActions: false,
      url: '',
      trust: 'claimed',
      at: '2026-11-20T10:00:00Z',
      actor: null,
      source: { kind: 'webhook' },
    })
    await on.ledger.append(async () => ({
      result: null,
      events: [
        {
          type: 'release.completed',
          key: 'by hand',
          at: '2026-11-20T10:00:00Z',
          actor: null,
          source: { kind: 'operator' as const },
          trust: 'platform' as const,
          data: { release: 'r12' },
        },
      ],
    }))
    const moved = 'e'.repeat(40)
    await play(on, proposalSeen(moved))
    on.outside.broken = () => null
    await on.engine.sweep()
    await on.engine.idle()
    expect(on.outside.standing.get('r12/proposal-end')?.output).toMatchObject({ end: 'merge', head })
  })
})

describe('the notes of a release', () => {
  it('are told although the App died before, and although the release has ended since; again when asked again', async () => {
    const on = stage()
    await started(on)
    on.outside.broken = ({ kind }) => (kind === 'notes' ? '502' : null)
    await play(on, command('notes'), command('cancel', 'no budget'))
    await on.engine.close()
    const { branch, outside } = on
    outside.broken = () => null
    const second = stage({ branch, outside })
    await second.engine.sweep()
    await second.engine.idle()
    expect(outside.standing.get('r12/notes')?.output).toMatchObject({
      issue: 12,
      products: [{ product: 'user-service', version: '1.0.0', from: { repository: 'acme/platform' } }],
    })
    await play(second, command('notes'))
    const told = () => outside.effects.filter((effect) => effect.endsWith('r12/notes'))
    expect(told()).toEqual(['create r12/notes', 'edit r12/notes'])
    await second.engine.sweep()
    await second.engine.idle()
    expect(told()).toHaveLength(2)
    /** The receipt of the first notes went with the second asking: what was asked anew is open until its own is in the log. */
    const telling = async () => ((await (await second.ledger.view()).state('index/open')) as OpenIndex).telling
    expect(await telling()).toEqual(['r12'])
    await play(second, buildReported('2.0.0', 'e'.repeat(40)))
    expect(await telling()).toEqual([])
    await second.engine.close()
  })
})

describe('a receipt of what is not wanted any more', () => {
  it('ends nothing: a note to a comment is told although the App died when the receipt of its reply went into the log', async () => {
    const on = stage()
    await started(on)
    const asked = command('status')
    await play(on, asked)
    const { branch, outside } = on
    const reply = () => JSON.stringify([...outside.standing.values()].find(({ output }) => isReplyTo(asked, output)))
    const before = reply()
    outside.broken = ({ kind }) => (kind === 'comment' ? '502' : null)
    await play(on, noteOn(asked))
    expect(eventsOf(branch).filter(({ data }) => (data as { isOutdated?: boolean }).isOutdated)).toHaveLength(1)
    expect(reply()).toBe(before)
    await on.engine.close()
    outside.broken = () => null
    const second = stage({ branch, outside })
    await second.engine.sweep()
    await second.engine.idle()
    expect(reply()).not.toBe(before)
    await play(second, buildReported('2.0.0', 'e'.repeat(40)))
    expect(await (await second.ledger.view()).state('index/open')).toMatchObject({ replies: [] })
    await second.engine.close()
  })
})

type CommandGiven = Extract<Request, { kind: 'command-given' }>

const isReplyTo = (asked: Request, { key }: { readonly key: string }): boolean =>
  key === `reply/${(asked as CommandGiven).comment.id}`

function noteOn(asked: Request): Request {
  const { repository, issue, comment, actor, source } = asked as CommandGiven
  const at = '2026-11-20T10:05:00Z'
  return {
    kind: 'comment-noted',
    repository,
    issue: issue.number,
    comment,
    note: 'edited',
    message: null,
    at,
    actor,
    source,
  }
}

describe('being idle', () => {
  it('waits for decisions, for what follows from them, and for everything outside', async () => {
    const on = stage()
    await started(on)
    let release: (() => void) | undefined
    on.outside.waitFor = (output) =>
      output.kind === 'gate-answer' ? new Promise((resolve) => (release = resolve)) : Promise.resolve()
    let isIdle = false
    void on.engine.submit(gateRequested())
    const idle = on.engine.idle().then(() => {
      isIdle = true
    })
    for (let turn = 0; turn < 200 && release === undefined; turn += 1) await new Promise((next) => setImmediate(next))
    expect(release).toBeDefined()
    expect(isIdle).toBe(false)
    release?.()
    await idle
    expect(on.outside.effects.at(-1)).toBe('create gate/78/600/production/1300/report-1')
  })

  it('ends after close, and nothing is begun any more', async () => {
    const on = stage()
    await started(on)
    const effects = [...on.outside.effects]
    await on.engine.close()
    await on.engine.idle()
    await expect(on.engine.submit(command('cancel', 'no reason'))).rejects.toMatchObject({ code: 'ledger-closed' })
    await on.engine.idle()
    expect(on.outside.effects).toEqual(effects)
  })

  it('lets an output that is under way end before it closes', async () => {
    const on = stage()
    await play(on, configurationSeen)
    let release: (() => void) | undefined
    on.outside.waitFor = () => new Promise((resolve) => (release = resolve))
    await on.engine.submit(command('help'))
    for (let turn = 0; turn < 200 && release === undefined; turn += 1) await new Promise((next) => setImmediate(next))
    const closed = on.engine.close()
    on.outside.waitFor = async () => {}
    release?.()
    await closed
    expect(on.outside.effects.length).toBeGreaterThan(0)
    expect(on.logged).toEqual([])
  })
})
