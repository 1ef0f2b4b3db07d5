import { describe, expect, it } from '@jest/globals'
import type { IssueState } from '../../src/core/process/issue.ts'
import { nothingOpen, OPEN_KEY, type OpenIndex } from '../../src/core/release/open.ts'
import { memoryBranch, memoryStore } from '../../src/ledger/memory.ts'
import type { LedgerStore } from '../../src/ledger/store.ts'
import { command, eventsOf, Outside, play, RELEASES, type Stage, stage, started } from './stage.ts'

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

const commentOf = (request: ReturnType<typeof command>): number =>
  request.kind === 'command-given' ? request.comment.id : 0

const openReplies = async ({ ledger }: Stage): Promise<OpenIndex['replies']> =>
  (((await (await ledger.view()).state(OPEN_KEY)) as OpenIndex | undefined) ?? nothingOpen).replies

const replyTo = (on: Stage, request: ReturnType<typeof command>): string => {
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
    const told = [`create reply/${comment}`, `create reaction/${comment}`]
    expect(on.outside.effects).toEqual(isTold ? told : [])
    expect(eventsOf(slow.branch).some(({ data }) => data['comment'] === comment)).toBe(false)
    slow.letGo()
    await submitted
    await on.engine.idle()
    expect(on.outside.effects.filter((effect) => effect.includes(`/${comment}`))).toEqual(told)
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
  const [hold, status] = [command('hold', 'Too hot'), command('status')]
  const both = Promise.all([on.engine.submit(hold), on.engine.submit(status)])
  await turns()
  const told = replyTo(on, status)
  expect(told).not.toContain('Too hot')
  slow.letGo()
  await both
  await on.engine.idle()
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
  expect(on.outside.effects).toEqual([`create reaction/${commentOf(status)}`])
  slow.letGo()
  await submitted
  await on.engine.idle()
  expect(on.outside.effects).toContain(`create reply/${commentOf(status)}`)
})
