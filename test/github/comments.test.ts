import { describe, expect, it } from '@jest/globals'
import { commentOutlet, reactionOutlet } from '../../src/github/comments.ts'
import { marker } from '../../src/render/output.ts'
import { app, BOT, failure, github, linkTo, output, useNock } from './stage.ts'

useNock()

const list = '/repos/acme/releases/issues/12/comments'
const one = (id: number) => `/repos/acme/releases/issues/comments/${id}`
const mark = marker('r12/board')
const board = output('comment', { issue: 12, body: 'The board' })
const comment = (id: number, login: string | null, body: string) => ({
  id,
  user: login === null ? null : { login },
  body,
})
const AT = '2026-11-20T12:00:00Z'
/** A process that has just started. */
const apply: ReturnType<typeof commentOutlet> = (...asked) => commentOutlet(app, () => AT)(...asked)

/** What is looked at once more behind a comment that was made. */
const again = () => github().get(`${list}?per_page=100&since=2026-11-20T11%3A58%3A00.000Z`)

describe('what can not be said', () => {
  const cannot = (holds: boolean) => ({
    observed: [
      { kind: 'condition-seen', alarm: expect.stringMatching(/^unsayable:\d+\/12$/), code: 'unsayable', holds },
    ],
  })

  it('on a locked issue is let be, with an alarm', async () => {
    github().get(`${list}?per_page=100`).reply(200, [])
    github().post(list).reply(403, { message: 'Unable to create comment because issue is locked.' })
    expect(await apply(board, null)).toMatchObject({ remote: null, ...cannot(true) })
  })

  it('and could be said later ends the alarm, also of a process that has just started', async () => {
    github().get(`${list}?per_page=100`).reply(200, [])
    github().post(list).reply(201, { id: 5, created_at: AT })
    again().reply(200, [])
    expect(await commentOutlet(app, () => AT)(board, null)).toMatchObject({ remote: '5', ...cannot(false) })
  })

  it.each(['The board', 'The board of yesterday'])('is not ended by a comment that stands there: %s', async (body) => {
    github()
      .get(`${list}?per_page=100`)
      .reply(200, [comment(5, BOT, `${body}\n\n${mark}`)])
    if (body !== board.body) github().patch(one(5)).reply(200, { id: 5 })
    expect(await apply(board, null)).toEqual({ remote: '5' })
  })

  it('on a deleted issue is let be', async () => {
    github().get(`${list}?per_page=100`).reply(410, { message: 'This issue was deleted' })
    expect(await commentOutlet(app, () => AT)(board, null)).toMatchObject({ remote: null, ...cannot(true) })
  })

  const moved = () => {
    github().get(`${list}?per_page=100`).reply(404, { message: 'Not Found' })
    return github().get('/repos/acme/releases/issues/12')
  }
  const notFound = { message: 'Not Found' }

  it('on an issue that was moved out of sight is let be, with an alarm', async () => {
    moved().reply(404, notFound)
    github().get('/repos/acme/releases').reply(200, { id: 77 })
    expect(await apply(board, null)).toMatchObject({
      remote: null,
      observed: [{ alarm: 'unsayable:77/12', holds: true, message: expect.stringContaining('is out of sight.') }],
    })
  })

  it('is tried again where the issue is there, or its repository is not seen either', async () => {
    moved().reply(200, { number: 12 })
    expect(await failure(apply(board, null))).toMatchObject({ code: 'github-not-found' })
    moved().reply(404, notFound)
    github().get('/repos/acme/releases').reply(404, notFound)
    expect(await failure(apply(board, null))).toMatchObject({ code: 'github-not-found' })
  })

  it('for want of a permission is tried again', async () => {
    github().get(`${list}?per_page=100`).reply(200, [])
    github().post(list).reply(403, { message: 'Resource not accessible by integration' })
    expect((await failure(apply(board, null))).code).toBe('github-refused')
  })
})

describe('our comment', () => {
  it('is written where there is none, with its marker at the end', async () => {
    github().get(`${list}?per_page=100`).reply(200, [])
    github()
      .post(list, { body: `The board\n\n${mark}` })
      .reply(201, { id: 5, created_at: AT })
    again().reply(200, [comment(5, BOT, `The board\n\n${mark}`)])
    expect(await apply(board, null)).toMatchObject({ remote: '5' })
  })

  it('is looked for no further back than it can have been made: an issue may have a thousand comments', async () => {
    const since = '2026-11-20T11:45:00.000Z'
    github()
      .get(`${list}?per_page=100&since=2026-11-20T11%3A45%3A00.000Z`)
      .reply(200, [comment(5, BOT, `The board\n\n${mark}`)])
    expect(await apply({ ...board, since }, null)).toEqual({ remote: '5' })
  })

  it('is kept when another process makes it later at the same time, whose comment is removed', async () => {
    github().get(`${list}?per_page=100`).reply(200, [])
    github().post(list).reply(201, { id: 5, created_at: AT })
    again().reply(200, [comment(5, BOT, `The board\n\n${mark}`), comment(6, BOT, `The board\n\n${mark}`)])
    github().delete(one(6)).reply(204)
    expect(await apply(board, null)).toMatchObject({ remote: '5' })
  })

  it('is removed again when another process was first, whose comment is kept and brought up to date', async () => {
    github().get(`${list}?per_page=100`).reply(200, [])
    github().post(list).reply(201, { id: 6, created_at: AT })
    again().reply(200, [comment(5, BOT, `Old\n\n${mark}`), comment(6, BOT, `The board\n\n${mark}`)])
    github().delete(one(6)).reply(204)
    github()
      .patch(one(5), { body: `The board\n\n${mark}` })
      .reply(200, { id: 5 })
    expect(await apply(board, null)).toMatchObject({ remote: '5' })
  })

  it('is kept when it is not listed yet and the one of another process is', async () => {
    github().get(`${list}?per_page=100`).reply(200, [])
    github().post(list).reply(201, { id: 5, created_at: AT })
    again().reply(200, [comment(6, BOT, `The board\n\n${mark}`)])
    github().delete(one(6)).reply(204)
    expect(await apply(board, null)).toMatchObject({ remote: '5' })
  })

  it('is looked for at once where nobody knows whether it was made', async () => {
    github().get(`${list}?per_page=100`).reply(200, [])
    github().post(list).reply(502, { message: 'Server Error' })
    github()
      .get(`${list}?per_page=100`)
      .reply(200, [comment(5, BOT, `The board\n\n${mark}`)])
    expect(await apply(board, null)).toMatchObject({ remote: '5' })
  })

  it('is tried again where it was not made', async () => {
    github().get(`${list}?per_page=100`).reply(200, [])
    github().post(list).reply(502, { message: 'Server Error' })
    github().get(`${list}?per_page=100`).reply(200, [])
    expect(await failure(apply(board, null))).toMatchObject({ code: 'github-failed' })
  })

  describe('of which nobody knows whether it was made', () => {
    const unlisted = () => github().get(`${list}?per_page=100`).reply(200, [])
    /** A process that asked for it at noon and got no answer; its clock is moved by the test. */
    async function doubtful() {
      const on = { now: AT }
      const say = commentOutlet(app, () => on.now)
      unlisted()
      github().post(list).reply(502, { message: 'Server Error' })
      unlisted()
      expect(await failure(say(board, null))).toMatchObject({ code: 'github-failed' })
      return { on, say }
    }

    it('is not made again on the word of a list that may not show it yet', async () => {
      const { on, say } = await doubtful()
      on.now = '2026-11-20T12:00:29Z'
      unlisted()
      expect(await failure(say(board, null))).toEqual({
        code: 'github-failed',
        message: expect.stringMatching(/^could not comment on #12: it may be done already/),
      })
    })

    it('is made again where it is still not listed after half a minute', async () => {
      const { on, say } = await doubtful()
      on.now = '2026-11-20T12:00:30Z'
      unlisted()
      github().post(list).reply(201, { id: 5, created_at: AT })
      again().reply(200, [])
      expect(await say(board, null)).toMatchObject({ remote: '5' })
    })

    it('is the one that is listed late', async () => {
      const { say } = await doubtful()
      github()
        .get(`${list}?per_page=100`)
        .reply(200, [comment(5, BOT, `The board\n\n${mark}`)])
      expect(await say(board, null)).toEqual({ remote: '5' })
    })

    it('keeps no other comment back', async () => {
      const { say } = await doubtful()
      unlisted()
      github().post(list).reply(201, { id: 6, created_at: AT })
      again().reply(200, [])
      expect(await say({ ...board, key: 'r12/cohorts' }, null)).toMatchObject({ remote: '6' })
    })
  })

  describe('that was made a moment ago', () => {
    const young = (id: number) => ({ ...comment(id, BOT, `The board\n\n${mark}`), created_at: AT })
    const shown = (id: number) => github().get(one(id)).reply(200, young(id))

    it('is to be looked at once more when lists show what others made', async () => {
      github().get(`${list}?per_page=100`).reply(200, [])
      github().post(list).reply(201, { id: 5, created_at: AT })
      again().reply(200, [])
      expect(await apply(board, null)).toMatchObject({ remote: '5', lookInMs: 60_000 })
    })

    it('is kept by a look, and the one that another process made after it is removed', async () => {
      shown(5)
      again().reply(200, [young(5), young(6)])
      github().delete(one(6)).reply(204)
      expect(await apply(board, '5', true)).toEqual({ remote: '5' })
    })

    it('is removed by a look where another process was first', async () => {
      shown(6)
      again().reply(200, [young(5), young(6)])
      github().delete(one(6)).reply(204)
      expect(await apply(board, '6', true)).toEqual({ remote: '5' })
    })

    it('is read alone by a look when an hour has passed', async () => {
      shown(5)
      expect(await commentOutlet(app, () => '2026-11-20T13:00:00Z')(board, '5', true)).toEqual({ remote: '5' })
    })
  })

  it('is found among many pages and edited in place', async () => {
    const others = Array.from({ length: 100 }, (_, index) => comment(index + 1, 'ann', 'hello'))
    const next = '/repositories/77/issues/12/comments?per_page=100&page=2'
    github().get(`${list}?per_page=100`).reply(200, others, linkTo(next))
    github()
      .get(next)
      .reply(200, [comment(201, BOT, `Old\n\n${mark}`)])
    github()
      .patch(one(201), { body: `The board\n\n${mark}` })
      .reply(200, { id: 201 })
    expect(await apply(board, null)).toEqual({ remote: '201' })
  })

  it('that the log names is put right where somebody took its marker out', async () => {
    github()
      .get(one(5))
      .reply(200, comment(5, BOT, 'all is signed'))
    github()
      .patch(one(5), { body: `The board\n\n${mark}` })
      .reply(200, { id: 5 })
    expect(await apply(board, '5')).toEqual({ remote: '5' })
  })

  it('is left alone when it says so already', async () => {
    github()
      .get(`${list}?per_page=100`)
      .reply(200, [comment(5, BOT, `The board\n\n${mark}`)])
    expect(await apply(board, null)).toEqual({ remote: '5' })
  })

  it.each([
    ['a person’s', comment(6, 'mallory', `The board\n\n${mark}`)],
    ['another bot’s', comment(6, 'ringmaster-fake[bot]', `The board\n\n${mark}`)],
    ['a deleted account’s', comment(6, null, `The board\n\n${mark}`)],
    ['ours of another key', comment(6, BOT, `The board\n\n${marker('r13/board')}`)],
    ['ours that quotes our marker', comment(6, BOT, `\`${mark}\`\n\n${marker('reply/9')}`)],
    ['one without a body', { id: 6, user: { login: BOT } }],
  ])('is not mistaken for %s', async (_, other) => {
    github().get(`${list}?per_page=100`).reply(200, [other])
    github().post(list).reply(201, { id: 7, created_at: AT })
    again().reply(200, [other, comment(7, BOT, `The board\n\n${mark}`)])
    expect(await apply(board, null)).toMatchObject({ remote: '7' })
  })

  it('is read by its id where that is known', async () => {
    github()
      .get(one(5))
      .reply(200, comment(5, BOT, `The board\n\n${mark}`))
    expect(await apply(board, '5')).toEqual({ remote: '5' })
  })

  it.each([
    ['was deleted', 404, { message: 'Not Found' }],
    ['is somebody else’s now', 200, comment(5, 'mallory', mark)],
    ['carries another marker', 200, comment(5, BOT, marker('reply/1'))],
  ])('is looked for when the one that was known %s', async (_, status, body) => {
    github().get(one(5)).reply(status, body)
    github()
      .get(`${list}?per_page=100`)
      .reply(200, [comment(8, BOT, `Old\n\n${mark}`)])
    github().patch(one(8)).reply(200, { id: 8 })
    expect(await apply(board, '5')).toEqual({ remote: '8' })
  })

  it('is not written a second time when the list cannot be read', async () => {
    github().get(`${list}?per_page=100`).reply(502, { message: 'Server Error' })
    expect(await failure(apply(board, null))).toEqual({
      code: 'github-failed',
      message: 'could not list the comments of #12: GitHub answered 502 (Server Error)',
    })
  })
})

describe('a reaction', () => {
  const react = reactionOutlet(app)
  const given = output('reaction', { key: 'reaction/9', comment: 9, content: '+1' })

  it('is given', async () => {
    github()
      .post(`${one(9)}/reactions`, { content: '+1' })
      .reply(201, { id: 1 })
    expect(await react(given)).toEqual({ remote: null })
  })

  it('is not needed on a comment that is gone', async () => {
    github()
      .post(`${one(9)}/reactions`)
      .reply(404, { message: 'Not Found' })
    expect(await react(given)).toEqual({ remote: null })
  })

  it('is tried again when it is refused', async () => {
    github()
      .post(`${one(9)}/reactions`)
      .reply(403, { message: 'Resource not accessible by integration' })
    expect(await failure(react(given))).toMatchObject({ code: 'github-refused' })
  })
})
