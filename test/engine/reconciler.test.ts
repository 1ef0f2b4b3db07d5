import { describe, expect, it } from '@jest/globals'
import { digestOf } from '../../src/core/json.ts'
import { type OutboxState, outboxKey } from '../../src/core/outbox.ts'
import type { Request } from '../../src/core/request.ts'
import { Reconciler } from '../../src/engine/reconciler.ts'
import type { Output } from '../../src/render/output.ts'
import {
  ann,
  buildReported,
  CONFIGURATION,
  command,
  configurationSeen,
  eventsOf,
  gateRequested,
  type Outside,
  PLATFORM,
  play,
  proposalSeen,
  proposedHead,
  RELEASES,
  releaseReview,
  SHA,
  stage,
  started,
} from './stage.ts'

const counted = (effects: readonly string[], key: string): string[] => effects.filter((effect) => effect.endsWith(key))

describe('what should stand outside', () => {
  it('is created once, and edited only when it differs', async () => {
    const on = stage()
    await started(on)
    expect(counted(on.outside.effects, 'r12/board')[0]).toBe('create r12/board')
    expect(counted(on.outside.effects, 'r12/proposal')).toEqual(['create r12/proposal'])
    const before = [...on.outside.effects]
    await on.engine.sweep()
    await on.engine.idle()
    expect(on.outside.effects).toEqual(before)
    await play(on, buildReported('1.1.0', 'd'.repeat(40)), command('add', 'user-service@1.1.0'))
    expect(counted(on.outside.effects, 'r12/proposal')).toEqual(['create r12/proposal', 'edit r12/proposal'])
  })

  it('is not written again because the log has grown', async () => {
    const on = stage()
    await started(on)
    on.outside.approve('eve', proposedHead(on.outside))
    await play(on, releaseReview(), gateRequested())
    const before = [...on.outside.effects]
    await play(on, buildReported('7.0.0', 'f'.repeat(40)))
    await on.engine.sweep()
    await on.engine.idle()
    expect(on.outside.effects).toEqual(before)
  })

  it('names the head of the log in what anchors it', async () => {
    const on = stage()
    await started(on)
    await play(on, gateRequested())
    const answer = on.outside.standing.get('gate/78/600/production/1300/report-1')?.output
    expect(answer).toMatchObject({ comment: expect.stringMatching(/Log head `[1-9][0-9]*:sha256:[0-9a-f]{64}`/) })
  })

  it('is set right when somebody has changed it: a proposal at once, the rest when it is looked at', async () => {
    const on = stage()
    await started(on)
    const { standing, effects } = on.outside
    await on.engine.sweep()
    await on.engine.idle()
    const head = proposedHead(on.outside)
    standing.delete('r12/proposal')
    await play(on, proposalSeen(head))
    expect(effects.at(-1)).toBe('create r12/proposal')
    standing.delete('r12/board')
    await on.engine.sweep()
    await on.engine.idle()
    expect(standing.has('r12/board')).toBe(false)
    on.now = '2026-11-20T10:20:00Z'
    await on.engine.sweep()
    await on.engine.idle()
    expect(effects.at(-1)).toBe('create r12/board')
  })

  it('is set right when it is looked at where two processes left the check run of the signatures wrong', async () => {
    const on = stage()
    await started(on)
    const { standing, effects } = on.outside
    const key = `r12/signoff/${proposedHead(on.outside)}`
    await on.engine.sweep()
    await on.engine.idle()
    standing.delete(key)
    on.now = '2026-11-20T10:20:00Z'
    await on.engine.sweep()
    await on.engine.idle()
    expect(effects.at(-1)).toBe(`create ${key}`)
  })

  it('is set right when it is looked at where somebody closed the alarm of a refused configuration', async () => {
    const on = stage()
    on.outside.files.set('worse', 'colour: blue')
    await play(on, { ...configurationSeen, commit: 'worse' })
    const { standing, effects } = on.outside
    await on.engine.sweep()
    await on.engine.idle()
    standing.delete('alarm/configuration-refused')
    on.now = '2026-11-20T10:20:00Z'
    await on.engine.sweep()
    await on.engine.idle()
    expect(effects.at(-1)).toBe('create alarm/configuration-refused')
  })

  it('is looked at once more when its outlet asks for that, whatever the log says of it', async () => {
    const on = stage()
    const { outside, waits, engine } = on
    outside.lookInMs = ({ key }) => (key === 'r12/board' ? 60_000 : null)
    await started(on)
    await play(on, buildReported('2.0.0', 'e'.repeat(40)))
    expect(waits.milliseconds).toContain(60_000)
    outside.lookInMs = () => null
    const later = async () => {
      outside.standing.delete('r12/board')
      waits.pass()
      await new Promise((resolve) => setImmediate(resolve))
      await engine.idle()
      return outside.standing.has('r12/board')
    }
    expect(await later()).toBe(true)
    expect(await later()).toBe(false)
  })

  it('is looked at once more behind a change that comes at the same moment', async () => {
    const on = stage()
    const { outside, waits, engine } = on
    outside.lookInMs = ({ key }) => (key === 'r12/board' ? 60_000 : null)
    await started(on)
    const looks: boolean[] = []
    outside.waitFor = async (output) => {
      if (output.key === 'r12/board') looks.push(output.kind === 'comment' && output.body.includes('**held**'))
    }
    outside.broken = ({ key }) => (key === 'r12/board' ? 'GitHub answered 502' : null)
    await play(on, command('hold', '"wait"'))
    outside.broken = () => null
    looks.length = 0
    waits.pass()
    await new Promise((resolve) => setImmediate(resolve))
    await engine.idle()
    expect(looks).toEqual([true, true])
  })

  it('gives no answer to a gate a second time by looking', async () => {
    const on = stage()
    await started(on)
    await play(on, gateRequested())
    on.outside.standing.clear()
    const given = counted(on.outside.effects, 'report-1').length
    on.now = '2026-11-20T10:20:00Z'
    await on.engine.sweep()
    await on.engine.idle()
    expect(counted(on.outside.effects, 'report-1')).toHaveLength(given)
    expect(on.outside.effects.at(-1)).not.toContain('gate/')
  })
})

describe('a board that changes again and again', () => {
  const boards = (on: ReturnType<typeof stage>): number => counted(on.outside.effects, 'r12/board').length
  /** Lets everything go on that waits for nothing. */
  const rest = async () => {
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  }
  const told = async (on: ReturnType<typeof stage>, ...names: readonly string[]) => {
    for (const name of names) {
      await on.engine.submit(command(name, name === 'hold' ? '"wait"' : ''))
      await rest()
    }
  }
  async function opened() {
    const on = stage()
    await started(on)
    on.now = '2026-11-20T10:30:00Z'
    on.outside.effects.length = 0
    on.waits.milliseconds.length = 0
    return on
  }

  it('is edited at once, and then with everything that comes within ten seconds; replies do not wait', async () => {
    const on = await opened()
    await told(on, 'hold')
    expect(boards(on)).toBe(1)
    on.now = '2026-11-20T10:30:03Z'
    await told(on, 'unhold', 'hold', 'unhold')
    expect(boards(on)).toBe(1)
    expect(on.outside.effects.filter((effect) => effect.startsWith('create reply/'))).toHaveLength(4)
    expect(on.waits.milliseconds).toEqual([7_000])
    on.now = '2026-11-20T10:30:10Z'
    on.waits.pass()
    await rest()
    expect(boards(on)).toBe(2)
  })

  it('waits no longer where something else is due, and not at all for who wants everything out', async () => {
    const on = await opened()
    await told(on, 'hold', 'unhold')
    expect(boards(on)).toBe(1)
    on.outside.approve('eve', proposedHead(on.outside))
    await on.engine.submit(releaseReview())
    await rest()
    expect(boards(on)).toBe(2)
    expect(on.outside.effects.at(-1)).toMatch(/signoff/)
    const other = await opened()
    await told(other, 'hold', 'unhold')
    await other.engine.idle()
    expect(boards(other)).toBe(2)
  })
})

/** Keeps the writing of an output back, once it has been begun, until it is let through. */
function writingLate(outside: Outside, isIt: (output: Output) => boolean) {
  let write = () => {}
  let begin = () => {}
  const isWriting = new Promise<void>((resolve) => {
    begin = resolve
  })
  const late = new Promise<void>((resolve) => {
    write = resolve
  })
  outside.waitFor = async (output) => {
    if (!isIt(output)) return
    begin()
    await late
  }
  return { isWriting, write: () => write() }
}

describe('an output that comes back to what it was', () => {
  const hold = () => command('hold', '"wait"')
  const unhold = () => command('unhold')
  const standing = ({ outside }: ReturnType<typeof stage>) => digestOf(outside.standing.get('r12/board')?.output)
  const known = async ({ ledger }: ReturnType<typeof stage>) => {
    const outbox = (await (await ledger.view()).state(outboxKey('release/r12'))) as OutboxState
    return outbox.settled.find(({ output }) => output === 'r12/board')?.digest
  }
  /** A commit, with which the notes of what is out go. */
  const noted = (on: ReturnType<typeof stage>, version: string) => play(on, buildReported(version, 'e'.repeat(40)))
  async function held() {
    const on = stage()
    await started(on)
    await play(on, hold())
    return { on, digest: standing(on) }
  }

  it('is known as it was written last, however often', async () => {
    const { on, digest } = await held()
    await play(on, unhold())
    const other = standing(on)
    expect(other).not.toBe(digest)
    await play(on, hold())
    await noted(on, '2.0.0')
    expect([standing(on), await known(on)]).toEqual([digest, digest])
    await play(on, unhold())
    await noted(on, '2.1.0')
    expect([standing(on), await known(on)]).toEqual([other, other])
  })

  it('is written again where another process wrote in between', async () => {
    const { on, digest } = await held()
    await noted(on, '2.0.0')
    const second = stage({ branch: on.branch, outside: on.outside })
    await play(second, unhold())
    await noted(second, '2.1.0')
    expect(standing(on)).not.toBe(digest)
    await play(on, hold())
    expect(standing(on)).toBe(digest)
    await noted(on, '2.2.0')
    expect(await known(on)).toBe(digest)
  })

  it('is written again where two wrote at once and the older came last, by whoever sees it in the log', async () => {
    const on = stage()
    const { outside, branch } = on
    await started(on)
    outside.broken = ({ key }) => (key === 'r12/board' ? 'GitHub answered 502' : null)
    await play(on, hold())
    outside.broken = () => null
    const second = stage({ branch, outside })
    const { isWriting, write } = writingLate(
      outside,
      (output) => output.kind === 'comment' && output.body.includes('**held**'),
    )
    await second.engine.sweep()
    await isWriting
    await play(on, unhold())
    const wanted = standing(on)
    write()
    await second.engine.idle()
    expect(standing(on)).not.toBe(wanted)
    await noted(on, '2.0.0')
    await noted(second, '2.1.0')
    await second.engine.idle()
    expect(standing(on)).toBe(wanted)
    await noted(second, '2.2.0')
    expect(await known(second)).toBe(wanted)
  })

  it('is written again where a look at what was wanted before came late, although the release has ended since', async () => {
    const on = stage()
    const { outside, branch } = on
    await started(on)
    await noted(on, '2.0.0')
    const second = stage({ branch, outside })
    const { isWriting, write } = writingLate(outside, ({ key }) => key === 'r12/board')
    await second.engine.sweep()
    await isWriting
    outside.waitFor = async () => {}
    await play(on, command('cancel', 'no budget'))
    const wanted = standing(on)
    write()
    await second.engine.idle()
    expect(standing(on)).not.toBe(wanted)
    await noted(on, '2.1.0')
    await second.engine.sweep()
    await second.engine.idle()
    expect(standing(on)).toBe(wanted)
  })

  it.each([
    ['board', 'r12/board'],
    ['label', 'r12/label'],
  ])('is brought out after the end of its release although its %s failed and the App died then', async (_, failing) => {
    const first = stage()
    const { outside, branch } = first
    await started(first)
    outside.broken = ({ key }) => (key === failing ? 'GitHub answered 502' : null)
    await play(first, command('cancel', 'no budget'))
    await noted(first, '2.0.0')
    expect(outside.standing.get('r12/proposal-end')).toBeDefined()
    const before = outside.standing.get(failing)?.digest
    await first.engine.close()
    outside.broken = () => null
    const second = stage({ branch, outside })
    await second.engine.sweep()
    await second.engine.idle()
    expect(outside.standing.get(failing)?.digest).not.toBe(before)
    for (const version of ['2.1.0', '2.2.0']) {
      await second.engine.sweep()
      await second.engine.idle()
      await noted(second, version)
    }
    expect(await (await second.ledger.view()).state('index/open')).toMatchObject({ ending: [] })
    expect(counted(outside.effects, 'r12/proposal-end')).toHaveLength(1)
  })

  it('is edited at once where the clock was set back to before it was written last', async () => {
    const { on } = await held()
    on.now = '2026-11-20T09:00:00Z'
    const before = standing(on)
    await on.engine.submit(unhold())
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(standing(on)).not.toBe(before)
  })

  it('is written again where nobody knows whether the change was', async () => {
    const { on, digest } = await held()
    on.outside.dying = ({ key }) => key === 'r12/board'
    await play(on, unhold())
    expect(standing(on)).not.toBe(digest)
    on.outside.dying = () => false
    await play(on, hold())
    expect(standing(on)).toBe(digest)
  })

  it('is noted no more often for being looked at', async () => {
    const { on } = await held()
    for (const [index, minute] of [15, 30, 45].entries()) {
      on.now = `2026-11-20T10:${minute}:00Z`
      await on.engine.sweep()
      await on.engine.idle()
      if (index > 0) await noted(on, `2.${index}.0`)
    }
    const notes = eventsOf(on.branch).filter(({ data }) => data['output'] === 'r12/board')
    expect(notes.map(({ data }) => data['digest']).filter((digest) => digest === standing(on))).toHaveLength(1)
  })
})

it('the check run of the signatures is as it was decided last when its release has ended, whoever wrote late', async () => {
  const on = stage()
  const { outside, branch } = on
  outside.broken = ({ kind }) => (kind === 'check-run' ? 'GitHub answered 502' : null)
  await started(on)
  outside.broken = () => null
  const second = stage({ branch, outside })
  const isRunning = (output: Output) => output.kind === 'check-run' && output.status === 'in_progress'
  const { isWriting, write } = writingLate(outside, isRunning)
  await second.engine.sweep()
  await isWriting
  outside.approve('eve', proposedHead(outside))
  const conclusion = () => outside.standing.get(`r12/signoff/${proposedHead(outside)}`)?.output
  await play(on, releaseReview(), command('cancel', '"no longer wanted"'))
  expect(conclusion()).toMatchObject({ conclusion: 'success' })
  write()
  await second.engine.idle()
  expect(conclusion()).toMatchObject({ conclusion: null })
  await play(on, buildReported('2.0.0', 'e'.repeat(40)))
  await play(second, buildReported('2.1.0', 'e'.repeat(40)))
  expect(conclusion()).toMatchObject({ conclusion: 'success' })
})

describe('an outside that cannot be reached', () => {
  it('is tried again with growing waits, and does not keep other subjects back', async () => {
    const on = stage()
    await play(on, configurationSeen)
    on.outside.broken = (output) => (output.subject === 'issue/77/12' ? 'GitHub answered 502' : null)
    await on.engine.submit(command('help', '', 12))
    await on.engine.submit(command('help', '', 13))
    await on.engine.idle()
    expect(on.engine.failing).toEqual(['issue/77/12'])
    const subjects = [...on.outside.standing.values()].map(({ output }) => output.subject)
    expect(subjects).toContain('issue/77/13')
    expect(subjects).not.toContain('issue/77/12')
    for (let attempt = 0; attempt < 9; attempt += 1) {
      on.waits.pass()
      await new Promise((resolve) => setImmediate(resolve))
      await on.engine.idle()
    }
    expect(on.waits.milliseconds).toEqual([500, 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000, 60000])
    on.outside.broken = () => null
    on.waits.pass()
    await new Promise((resolve) => setImmediate(resolve))
    await on.engine.idle()
    expect(on.engine.failing).toEqual([])
    expect(on.outside.effects.filter((effect) => /re(action|ply)/.test(effect))).toHaveLength(4)
  })

  describe('until somebody changes something there', () => {
    async function failed(broken: Outside['broken']) {
      const on = stage({ engine: { isLasting: (error) => String(error).includes('404') } })
      await play(on, configurationSeen)
      let tries = 0
      on.outside.broken = (output) => {
        if (output.kind === 'comment') tries += 1
        return broken(output)
      }
      await play(on, command('help', '', 12))
      for (let attempt = 0; attempt < 12; attempt += 1) {
        on.waits.pass()
        await new Promise((resolve) => setImmediate(resolve))
        await on.engine.idle()
      }
      return { on, tries: () => tries }
    }

    it('is tried every ten minutes in the end, and no more often because the clock calls', async () => {
      const { on, tries } = await failed(() => 'GitHub answered 404')
      expect(on.waits.milliseconds.slice(6)).toEqual([32_000, 64_000, 128_000, 256_000, 512_000, 600_000, 600_000])
      const before = tries()
      await on.engine.sweep()
      await on.engine.idle()
      expect(tries()).toBe(before)
      await play(on, command('help', '', 12))
      expect(tries()).toBeGreaterThan(before)
      on.outside.broken = () => null
      on.waits.pass()
      await new Promise((resolve) => setImmediate(resolve))
      await on.engine.idle()
      expect(on.engine.failing).toEqual([])
    })

    it('is tried every minute where something of the subject may pass by itself', async () => {
      const { on, tries } = await failed(({ kind }) => `GitHub answered ${kind === 'comment' ? 404 : 502}`)
      expect(on.waits.milliseconds.slice(-2)).toEqual([60_000, 60_000])
      const before = tries()
      await on.engine.sweep()
      await on.engine.idle()
      expect(tries()).toBeGreaterThan(before)
    })
  })

  it('has only one try waiting for a subject, however often the subject is marked', async () => {
    const on = stage()
    await started(on)
    /** A board that waited for further changes; it is out by now. */
    const before = on.waits.open
    on.outside.broken = () => 'GitHub answered 502'
    for (let step = 0; step < 5; step += 1) await play(on, command('add', 'user-service@1.0.0'), releaseReview())
    await on.engine.sweep()
    await on.engine.idle()
    expect(on.waits.open - before).toBe(on.engine.failing.length)
  })

  it('keeps one output back, and not the others of its subject', async () => {
    const on = stage()
    on.outside.broken = (output) => (output.kind === 'label' ? 'GitHub answered 410' : null)
    await started(on)
    expect(on.engine.failing).toEqual(['release/r12'])
    expect(on.outside.standing.has('r12/proposal')).toBe(true)
    expect([...on.outside.standing.values()].map(({ kind }) => kind)).toContain('check-run')
    expect(on.logged[0]?.data).toMatchObject({ subject: 'release/r12', error: 'Error: GitHub answered 410' })
  })

  it('does not lose what was learned on the way when it cannot be recorded', async () => {
    const on = stage()
    await play(
      on,
      configurationSeen,
      buildReported(),
      command('release', '"First"'),
      command('add', 'user-service@1.0.0'),
    )
    let isDown = true
    const looked = on.outside.files.get.bind(on.outside.files)
    on.outside.files.get = (commit) => {
      if (isDown && commit !== 'config') throw new Error('no answer')
      return looked(commit)
    }
    await play(on, command('start'))
    expect(on.engine.failing).toContain('release/r12')
    isDown = false
    on.waits.pass()
    await new Promise((resolve) => setImmediate(resolve))
    await on.engine.idle()
    expect(on.engine.failing).toEqual([])
    expect(eventsOf(on.branch).filter((event) => event.type === 'proposal.seen')).toHaveLength(1)
  })
})

const COHORT_CONFIGURATION = `${CONFIGURATION.replace('gate: { signoff: true, previousRing: false }', 'cohorts: [fleet]')}cohorts:
  - { id: fleet, product: user-service }
`
const FIRMWARE = { name: 'fw', size: 3, sha256: 'a'.repeat(64), url: 'https://example.test/fw' }
const withFirmware = (): Request => {
  const built = buildReported()
  return built.kind === 'build-reported' ? { ...built, record: { ...built.record, artifacts: [FIRMWARE] } } : built
}
const asked = { at: '2026-11-20T10:00:00Z', actor: ann, source: { kind: 'webhook' } } as const
const deployed: Request = {
  kind: 'deployment-reported',
  repository: PLATFORM,
  deploymentId: 900,
  environment: 'production',
  sha: SHA,
  status: 'completed',
  statusId: 1,
  record: {
    schema: 'ringmaster/deployment/1',
    product: 'user-service',
    version: '1.0.0',
    run: { id: 600, attempt: 1, job: 'deploy' },
  },
  run: { id: 600, attempt: 1 },
  byActions: false,
  url: '',
  trust: 'platform',
  ...asked,
}
const signed: Request = {
  kind: 'bundles-signed',
  document: '{}',
  version: 1,
  bundles: ['user-service@1.0.0'],
  isVerified: true,
  ...asked,
}
const trouble: Request = {
  kind: 'condition-seen',
  alarm: 'disk',
  code: 'publication-failed',
  message: 'expected room, found none',
  holds: true,
  ...asked,
}
const release: readonly Request[] = [
  configurationSeen,
  buildReported(),
  command('release', '"First"'),
  command('add', 'user-service@1.0.0'),
  command('start'),
]

/** Outputs that end or publish something: what is there before, and the requests that bring them about. */
const ENDINGS: readonly (readonly [string, string, readonly Request[], readonly Request[]])[] = [
  ['a proposal’s end', 'r12/proposal-end', release, [command('cancel', '"no longer wanted"')]],
  ['an alarm', 'alarm/disk', [configurationSeen], [trouble]],
  ['a manifest', 'fleet/manifest', [configurationSeen, withFirmware(), deployed], [signed]],
  [
    'a refusal',
    `refused/${'d'.repeat(40)}/78`,
    [configurationSeen, buildReported()],
    [buildReported('1.0.0', 'd'.repeat(40))],
  ],
]

it('a party that nobody could sign for is shown with its team, as it is written with its organization', async () => {
  const on = stage()
  on.outside.files.set('config', CONFIGURATION.replace('users: [eve]', 'team: engineering'))
  await play(on, configurationSeen, buildReported(), command('release', '"First"'))
  await play(on, command('add', 'user-service@1.0.0'), command('start'))
  await on.engine.sweep()
  await on.engine.idle()
  const check = on.outside.standing.get(`r12/signoff/${proposedHead(on.outside)}`)?.output
  expect(check).toMatchObject({ summary: expect.stringContaining('| nobody (team acme/engineering) |') })
})

it('what is distrusted is looked at after all where the log could not be read at first', async () => {
  const on = stage()
  const { ledger, outside, waits } = on
  await started(on)
  await play(on, buildReported('2.0.0', 'e'.repeat(40)))
  let isDown = true
  const view = async () => {
    if (isDown) throw new Error('no answer')
    return ledger.view()
  }
  const reconciler = new Reconciler({
    ledger: { view, ride: ledger.ride.bind(ledger) } as never,
    outlets: outside.outlets,
    around: () => ({ releaseRepository: RELEASES, unprotected: false }),
    clock: () => on.now,
    log: { info: () => {}, error: () => {} },
    delay: waits.delay,
    random: () => 'ab'.repeat(16),
    observe: async () => {},
  })
  outside.standing.delete('r12/board')
  reconciler.suspect(['release/r12'])
  await reconciler.idle()
  expect(reconciler.failing).toEqual(['release/r12'])
  isDown = false
  waits.pass()
  await new Promise((resolve) => setImmediate(resolve))
  await reconciler.idle()
  expect(outside.standing.has('r12/board')).toBe(true)
})

describe('a program that dies', () => {
  const KEYS = ['r12/board', 'r12/label', 'r12/proposal', '/signoff/', 'reply/', 'reaction/', '/report-1', '/answer']

  it.each(KEYS)('after the effect of %s and before its note does nothing twice', async (key) => {
    const first = stage()
    const { outside, branch } = first
    outside.dying = (output) => output.key.includes(key)
    await play(first, configurationSeen, buildReported(), command('release', '"First"'))
    await play(first, command('add', 'user-service@1.0.0'), command('start'))
    await first.engine.close()
    outside.dying = () => false
    const second = stage({ branch, outside })
    await second.engine.sweep()
    await second.engine.idle()
    outside.dying = (output) => output.key.includes(key)
    await play(second, gateRequested())
    outside.approve('eve', proposedHead(outside))
    await play(second, releaseReview())
    await second.engine.close()
    outside.dying = () => false
    const third = stage({ branch, outside })
    await third.engine.sweep()
    await third.engine.idle()

    const created = (effects: readonly string[]) => effects.filter((effect) => effect.startsWith('create')).length
    expect(created(outside.effects)).toBe(new Set(outside.effects.filter((one) => one.startsWith('create'))).size)
    expect(third.engine.failing).toEqual([])
    expect(
      [...outside.standing.keys()].filter((one) => one.startsWith('r12') || one.startsWith('gate')).sort(),
    ).toEqual(
      expect.arrayContaining([
        'gate/78/600/production/1300/answer',
        'r12/board',
        'r12/label',
        'r12/proposal',
        `r12/signoff/${proposedHead(outside)}`,
      ]),
    )
  })

  it.each(ENDINGS)(
    'before or after the effect of %s leaves it neither undone nor done twice',
    async (_, key, given, last) => {
      for (const when of ['broken', 'dying'] as const) {
        const first = stage()
        const { outside, branch } = first
        outside.files.set('config', COHORT_CONFIGURATION)
        await play(first, ...given)
        const isIt = (output: { readonly key: string }): boolean => output.key === key
        outside.broken = (output) => (when === 'broken' && isIt(output) ? 'killed' : null)
        outside.dying = (output) => when === 'dying' && isIt(output)
        await play(first, ...last)
        await first.engine.close()
        const done = () => outside.effects.filter((effect) => effect.endsWith(` ${key}`))
        const settled = () =>
          eventsOf(branch).filter(({ type, data }) => type === 'output.settled' && data['output'] === key)
        expect([done().length, settled()]).toEqual([when === 'dying' ? 1 : 0, []])
        outside.broken = () => null
        outside.dying = () => false
        const second = stage({ branch, outside })
        await second.engine.sweep()
        await second.engine.idle()
        /** Notes of what is out ride with the next event. */
        await play(second, buildReported('9.0.0', 'a'.repeat(40)))
        await second.engine.close()
        expect(done()).toEqual([`create ${key}`])
        expect(settled()).toHaveLength(1)
        expect(second.engine.failing).toEqual([])
      }
    },
  )

  it('finds everything open after a restart from the same log', async () => {
    const first = stage()
    const { outside, branch } = first
    outside.broken = () => 'the network is away'
    await started(first)
    await first.engine.submit(gateRequested())
    await first.engine.idle()
    await first.engine.close()
    expect(outside.effects).toEqual([])
    outside.broken = () => null
    const second = stage({ branch, outside })
    await second.engine.sweep()
    await second.engine.idle()
    const kinds = [...outside.standing.values()].map(({ kind }) => kind)
    expect(kinds).toEqual(
      expect.arrayContaining(['comment', 'label', 'proposal', 'check-run', 'reaction', 'gate-answer']),
    )
    expect(kinds.filter((kind) => kind === 'reaction')).toHaveLength(3)
  })

  it('leaves alone after a restart what its notes say is out', async () => {
    const first = stage()
    await started(first)
    await play(first, buildReported('9.0.0', 'a'.repeat(40)))
    await first.engine.close()
    const before = first.outside.effects.length
    let applied = 0
    first.outside.waitFor = async (output) => {
      if (output.kind === 'reaction') applied += 1
    }
    const second = stage({ branch: first.branch, outside: first.outside })
    await second.engine.sweep()
    await second.engine.idle()
    expect(first.outside.effects).toHaveLength(before)
    expect(applied).toBe(0)
  })
})
