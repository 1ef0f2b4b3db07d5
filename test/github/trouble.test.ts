import { describe, expect, it } from '@jest/globals'
import { GraphqlResponseError } from '@octokit/graphql'
import { Octokit } from '@octokit/rest'
import { RingmasterError } from '../../src/core/problem.ts'
import { outside, outsideOrNull, statusOf, translated } from '../../src/github/trouble.ts'

/** What Octokit throws: the request with its token stands in the error, and must not be told. */
const rest = (status: number, message: string) =>
  Object.assign(new Error(message), { status, request: { headers: { authorization: 'token secret' } } })
const graphql = (type: string | undefined, message: string) =>
  new GraphqlResponseError(
    { method: 'POST', url: '/graphql' },
    {},
    { data: null as never, errors: [{ type, message } as never] },
  )

describe('what GitHub says, in our words', () => {
  it.each<[unknown, string, string]>([
    [rest(400, 'Problems parsing JSON'), 'github-failed', 'GitHub answered 400 (Problems parsing JSON)'],
    [rest(401, 'Bad credentials'), 'github-refused', 'GitHub answered 401 (Bad credentials)'],
    [rest(403, 'Resource not accessible by integration'), 'github-refused', 'GitHub answered 403'],
    [rest(403, 'API rate limit exceeded for installation'), 'github-limited', 'GitHub answered 403'],
    [rest(403, 'You have exceeded a secondary rate limit'), 'github-limited', 'GitHub answered 403'],
    [rest(429, 'Too many'), 'github-limited', 'GitHub answered 429'],
    [rest(404, 'Not Found'), 'github-not-found', 'GitHub answered 404'],
    [rest(410, 'Issues are disabled'), 'github-not-found', 'GitHub answered 410'],
    [rest(405, 'Not allowed'), 'github-conflict', 'GitHub answered 405'],
    [rest(405, 'Base branch was modified. Review and try the merge again.'), 'github-failed', 'GitHub answered 405'],
    [rest(409, 'Conflict'), 'github-conflict', 'GitHub answered 409'],
    [rest(422, 'Validation Failed'), 'github-conflict', 'GitHub answered 422'],
    [rest(500, 'oops'), 'github-failed', 'GitHub answered 500'],
    [rest(504, 'We couldn’t respond in time'), 'github-failed', 'GitHub answered 504'],
    [graphql('STALE_DATA', 'Expected branch to point to "x"'), 'github-conflict', 'GitHub answered 409'],
    [graphql('FORBIDDEN', 'Resource not accessible by integration'), 'github-refused', 'GitHub answered 403'],
    [graphql('NOT_FOUND', 'Could not resolve'), 'github-not-found', 'GitHub answered 404'],
    [graphql('RATE_LIMITED', 'API rate limit exceeded'), 'github-limited', 'GitHub answered 429'],
    [graphql(undefined, 'Something went wrong'), 'github-failed', 'GitHub answered 502'],
    [new TypeError('fetch failed'), 'github-unreachable', 'GitHub could not be reached (fetch failed)'],
    ['not even an error', 'github-unreachable', 'GitHub could not be reached (not even an error)'],
    [Object.assign(new Error('odd'), { status: 'soon' }), 'github-unreachable', 'GitHub could not be reached (odd)'],
  ])('%s', (error, code, words) => {
    const told = translated('look', error)
    expect(told.code).toBe(code)
    expect(told.fault).toBe('outside')
    expect(told.message).toContain(`could not look: ${words}`)
    expect(told.hint).toBeTruthy()
    expect(told.message).not.toContain('secret')
    expect(told.cause).toBe(error)
  })

  it('says of a GitHub that does not answer that it could not be reached, although Octokit calls it 500', async () => {
    const octokit = new Octokit({
      baseUrl: 'http://127.0.0.1:1',
      log: { debug() {}, info() {}, warn() {}, error() {} },
    })
    const told = await outside('look', () => octokit.request('GET /app')).catch((error: unknown) => error)
    expect(told).toMatchObject({
      code: 'github-unreachable',
      message: expect.stringMatching(/^could not look: GitHub could not be reached/),
    })
    expect((told as Error).message).not.toContain('500')
  })

  it('leaves alone what is said already', () => {
    const said = new RingmasterError('refused', { code: 'x', message: 'y' })
    expect(translated('look', said)).toBe(said)
  })

  it('keeps to one line of what GitHub said', () => {
    const told = translated('look', rest(422, `first\nsecond ${'x'.repeat(1_000)}`))
    expect(told.message).toBe('could not look: GitHub answered 422 (first)')
  })

  it('takes only 404 for absent', async () => {
    const fails = (status: number) => outsideOrNull('look', async () => Promise.reject(rest(status, 'no')))
    expect(await fails(404)).toBeNull()
    await expect(fails(410)).rejects.toMatchObject({ code: 'github-not-found' })
    await expect(outside('look', async () => Promise.reject(rest(404, 'no')))).rejects.toMatchObject({
      code: 'github-not-found',
    })
    expect(statusOf(rest(404, 'no'))).toBe(404)
  })
})
