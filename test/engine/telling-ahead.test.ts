import { describe, expect, it } from '@jest/globals'
import type { IssueState } from '../../src/core/process/issue.ts'
import { nothingOpen, OPEN_KEY, type OpenIndex } from '../../src/core/release/open.ts'
import type { Request } from '../../src/core/request.ts'
import { memoryBranch, memoryStore } from '../../src/ledger/memory.ts'
import type { LedgerStore } from '../../src/ledger/store.ts'
import { integrityError, integrityProblem } from '../../src/ledger/trouble.ts'
import { ann, command, eventsOf, Outside, play, RELEASES, type Stage, stage, started } from './stage.ts'

const eve = { login: 'eve', id: 2 }
const person = (id: number) => ({ login: `person-${id}`, id })

/** A branch whose commits wait while it is held, and fail while it is down. */
function slowBranch() {
  const branch = memoryBranch()
  const memory = memoryStore(branch)
  const waiting: (() => void)[] = []
  const self = { branch, isHeld: false, isDown: false }
  const store: LedgerStore = {
    ...memory,
    commit: async (request) => {
      if (self.isHeld) await new Promise<void>((resolve) => waiting.push(resolve))
      if (self.isDown) throw new TypeError('fetch failed')
      return memory.commit(request)
    },
  }
  const letGo = () => {
    self.isHeld = false
    for (const go of waiting.splice(0)) go()
  }
  return Object.assign(self, { store, letGo })
}

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 30; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

/** A release that has begun, in the hands of a process that is alone or not. */
async function begun({ isAlone = true, outside = new Outside() } = {}) {
  const slow = slowBranch()
  const on = stage({ branch: slow.branch, store: slow.store, outside, engine: { isAlone } })
  await started(on)
  on.outside.effects.length = 0
  return { on, slow }
}

/** Lets the commit through, and settles when what was submitted is decided and everything is out. */
async function recorded({ on, slow }: Awaited<ReturnType<typeof begun>>, submitted: Promise<unknown>): Promise<void> {
  slow.letGo()
  await submitted
  await on.engine.idle()
}

const commentOf = (request: Request): number => (request.kind === 'command-given' ? request.comment.id : 0)

const openReplies = async ({ ledger }: Stage): Promise<OpenIndex['replies']> =>
  (((await (await ledger.view()).state(OPEN_KEY)) as OpenIndex | undefined) ?? nothingOpen).replies

const replyTo = (on: Stage, request: Request): string => {
  const output = on.outside.standing.get(`reply/${commentOf(request)}`)?.output
  return output?.kind === 'comment' ? output.body : ''
}

describe('while its commit is under way', () => {
  it.each([
    ['what only tells how things stand', true, () => command('status'), true],
    ['help', true, () => command('help'), true],
    ['what a command would come to', true, () => command('dry-run', 'hold Too hot'), true],
    ['what is done', true, () => command('hold', 'Too hot'), false],
    ['what is refused', true, () => command('unhold'), false],
    ['anything, beside other processes', false, () => command('status'), false],
  ])('%s is told: alone %s', async (_name, isAlone, asked, isTold) => {
    const { on, slow } = await begun({ isAlone })
    const request = asked()
    const comment = commentOf(request)
    slow.isHeld = true
    const submitted = on.engine.submit(request)
    await turns()
    expect(on.outside.effects).toEqual(isTold ? [`create reply/${comment}`] : [])
    expect(eventsOf(slow.branch).some(({ data }) => data['comment'] === comment)).toBe(false)
    await recorded({ on, slow }, submitted)
    expect(on.outside.effects.filter((effect) => effect.includes(`/${comment}`))).toEqual([
      `create reply/${comment}`,
      `create reaction/${comment}`,
    ])
    /** Its receipt goes with the next commit, and ends it. */
    await play(on, command('help'), command('help'))
    const settled = eventsOf(slow.branch).filter(({ type }) => type === 'output.settled')
    expect(settled.filter(({ data }) => data['output'] === `reply/${comment}`)).toHaveLength(1)
    expect((await openReplies(on)).some((reply) => reply.comment === comment)).toBe(false)
  })
})

it('what was told is what is recorded, although things have changed meanwhile', async () => {
  const { on, slow } = await begun()
  slow.isHeld = true
  const [hold, status] = [command('hold', 'Too hot'), { ...command('status'), actor: eve }]
  const both = Promise.all([on.engine.submit(hold), on.engine.submit(status)])
  await turns()
  const told = replyTo(on, status)
  expect(told).not.toContain('Too hot')
  await recorded({ on, slow }, both)
  expect(replyTo(on, status)).toBe(told)
  const issue = (await (await on.ledger.view()).state(`issue/${RELEASES.id}/12`)) as IssueState
  const answer = issue.comments.find(({ comment }) => comment === commentOf(status))?.answers[0]?.answer
  expect(JSON.stringify(answer?.values)).not.toContain('Too hot')
  expect(on.outside.effects.filter((effect) => effect.startsWith('edit reply/'))).toEqual([])
})

it('what could not be recorded is told again, in the same place', async () => {
  const { on, slow } = await begun()
  const status = command('status')
  slow.isDown = true
  await expect(on.engine.submit(status)).rejects.toThrow('fetch failed')
  await on.engine.idle()
  expect(on.outside.effects).toContain(`create reply/${commentOf(status)}`)
  slow.isDown = false
  await play(on, command('hold', 'Too hot'), status)
  expect(replyTo(on, status)).toContain('Too hot')
  expect(on.outside.effects.filter((effect) => effect.includes(`reply/${commentOf(status)}`))).toEqual([
    `create reply/${commentOf(status)}`,
    `edit reply/${commentOf(status)}`,
  ])
})

it('what was told before a kill is not told a second time', async () => {
  const { on, slow } = await begun()
  const status = command('status')
  slow.isDown = true
  await expect(on.engine.submit(status)).rejects.toThrow('fetch failed')
  await on.engine.idle()
  slow.isDown = false
  const after = stage({ branch: slow.branch, outside: on.outside, engine: { isAlone: true } })
  await play(after, status, command('help'))
  expect(on.outside.effects.filter((effect) => effect.includes(`reply/${commentOf(status)}`))).toEqual([
    `create reply/${commentOf(status)}`,
  ])
  expect((await openReplies(after)).some(({ comment }) => comment === commentOf(status))).toBe(false)
})

it('what cannot be brought out ahead is brought out once it is recorded', async () => {
  const { on, slow } = await begun()
  const status = command('status')
  slow.isHeld = true
  on.outside.broken = ({ key }) => (key.startsWith('reply/') ? 'locked' : null)
  const submitted = on.engine.submit(status)
  await turns()
  on.outside.broken = () => null
  expect(on.outside.effects).toEqual([])
  await recorded({ on, slow }, submitted)
  expect(on.outside.effects).toContain(`create reply/${commentOf(status)}`)
})

it('is held back where the same person has another command under way, which the log counts first', async () => {
  const { on, slow } = await begun()
  slow.isHeld = true
  const [hold, status] = [command('hold', 'Too hot'), command('status')]
  const both = Promise.all([on.engine.submit(hold), on.engine.submit(status)])
  await turns()
  expect(on.outside.effects).toEqual([])
  await recorded({ on, slow }, both)
  expect(replyTo(on, status)).toContain('Too hot')
})

it('lets nobody give more commands than are taken of one person', async () => {
  const { on } = await begun()
  const asked = Array.from({ length: 50 }, (_, issue) => ({ ...command('help', '', 100 + issue), actor: eve }))
  await Promise.all(asked.map((request) => on.engine.submit(request)))
  await on.engine.idle()
  const answered = eventsOf(on.branch).filter(
    ({ type, data }) => type === 'command.answered' && data['command'] === 'help',
  )
  const codes = answered.map(({ data }) => (data['answer'] as { readonly code: string }).code)
  expect(codes.filter((code) => code === 'help')).toHaveLength(30)
})

it('takes no more places than other outputs, and tells the rest once it is recorded', async () => {
  const { on, slow } = await begun()
  slow.isHeld = true
  let [under, most] = [0, 0]
  on.outside.waitFor = async () => {
    under += 1
    most = Math.max(most, under)
    await turns()
    under -= 1
  }
  const asked = Array.from({ length: 12 }, (_, at) => ({ ...command('help', '', 200 + at), actor: person(50 + at) }))
  const all = Promise.all(asked.map((request) => on.engine.submit(request)))
  await turns()
  expect(most).toBe(4)
  await recorded({ on, slow }, all)
  expect(most).toBe(4)
  expect(asked.filter((request) => replyTo(on, request) === '')).toEqual([])
})

/** Lets the view of what would follow take its time: `meanwhile` happens between. */
function slowView({ ledger }: Stage, meanwhile: () => Promise<void>): void {
  const { viewWith } = ledger
  ledger.viewWith = async (events) => {
    const session = await viewWith.call(ledger, events)
    ledger.viewWith = viewWith
    await meanwhile()
    return session
  }
}

/** Keeps outputs from coming out until they are let go. */
function heldOutside(on: Stage, isHeld: (key: string) => boolean): () => void {
  let letGo = (): void => {}
  const gone = new Promise<void>((resolve) => {
    letGo = resolve
  })
  on.outside.waitFor = async ({ key }) => {
    if (isHeld(key)) await gone
  }
  return letGo
}

it('is waited for by who waits for everything', async () => {
  const { on, slow } = await begun()
  const status = command('status')
  slow.isDown = true
  slowView(on, turns)
  on.outside.waitFor = turns
  await expect(on.engine.submit(status)).rejects.toThrow('fetch failed')
  await on.engine.idle()
  expect(on.outside.effects).toEqual([`create reply/${commentOf(status)}`])
})

it('waits for its turn behind what is being brought out of the same issue', async () => {
  const { on, slow } = await begun()
  const [hold, status] = [command('hold', 'Too hot'), { ...command('status'), actor: eve }]
  const letGo = heldOutside(on, (key) => key === `reply/${commentOf(hold)}`)
  await on.engine.submit(hold)
  await turns()
  slow.isHeld = true
  const submitted = on.engine.submit(status)
  await turns()
  expect(on.outside.effects.filter((effect) => effect.endsWith(`/${commentOf(status)}`))).toEqual([])
  letGo()
  await recorded({ on, slow }, submitted)
  expect(replyTo(on, status)).toContain('Too hot')
})

it('is not told by who must not write', async () => {
  const { on } = await begun()
  on.ledger.distrust(integrityError(integrityProblem('ledger-rewound', 'it was cut off')))
  await expect(on.engine.submit(command('status'))).rejects.toMatchObject({ code: 'ledger-rewound' })
  await on.engine.idle()
  expect(on.outside.effects).toEqual([])
})

it('touches nothing of other comments, however old its view of them is', async () => {
  const { on } = await begun()
  const [earlier, status] = [command('hold', 'Too hot'), { ...command('status'), actor: eve }]
  await play(on, earlier)
  slowView(on, async () => {
    for (const request of [command('unhold'), command('hold', 'Once more')]) {
      await on.engine.submit(request)
      await turns()
    }
  })
  await on.engine.submit(status)
  await on.engine.idle()
  await play(on, command('help'), command('help'))
  for (const request of [earlier, status]) {
    const output = `reply/${commentOf(request)}`
    expect(on.outside.effects.filter((effect) => effect.endsWith(output))).toEqual([`create ${output}`])
    const settled = eventsOf(on.branch).filter(
      ({ type, data }) => type === 'output.settled' && data['output'] === output,
    )
    expect(settled).toHaveLength(1)
  }
})

it('is looked at once more when its outlet asks for that, from the time on when it is recorded', async () => {
  const { on, slow } = await begun()
  const status = command('status')
  on.outside.lookInMs = ({ key }) => (key === `reply/${commentOf(status)}` ? 60_000 : null)
  slow.isHeld = true
  const submitted = on.engine.submit(status)
  await turns()
  expect(on.waits.milliseconds).not.toContain(60_000)
  await recorded({ on, slow }, submitted)
  expect(on.waits.milliseconds).toContain(60_000)
  on.outside.standing.delete(`reply/${commentOf(status)}`)
  on.waits.pass()
  await turns()
  await on.engine.idle()
  expect(replyTo(on, status)).not.toBe('')
})

it('is told to the log although somebody touched it before that', async () => {
  const { on, slow } = await begun()
  const status = command('status')
  const comment = commentOf(status)
  const letGo = heldOutside(on, (key) => key === `reply/${comment}`)
  slow.isHeld = true
  const submitted = on.engine.submit(status)
  await turns()
  const touched: Request = {
    kind: 'comment-touched',
    repository: RELEASES,
    issue: 12,
    comment: 1,
    change: 'edited',
    by: 'ann',
    url: 'https://github.example/c/1',
    at: on.now,
    actor: ann,
    source: { kind: 'webhook', delivery: 'd' },
  }
  const touching = on.engine.submit(touched)
  slow.letGo()
  await Promise.all([submitted, touching])
  letGo()
  await on.engine.idle()
  await play(on, command('help', '', 300), command('help', '', 301))
  const settled = eventsOf(on.branch).filter(({ type }) => type === 'output.settled')
  expect(settled.filter(({ data }) => data['output'] === `reply/${comment}`)).toHaveLength(1)
})
