import { describe, expect, it } from '@jest/globals'
import { failureOf, type RequestFailure, translateFailure, waitBeforeRetryMs } from '../../src/action/github-errors.ts'

const NOW_MS = 1_000_000_000_000

const failure = (status: number | null, headers: Record<string, string> = {}, message = 'no'): RequestFailure => ({
  status,
  headers: new Map(Object.entries(headers)),
  message,
})

describe('waiting before a request is repeated', () => {
  it.each<[string, RequestFailure, number, number | null]>([
    ['no answer, first time', failure(null), 1, 1000],
    ['no answer, second time', failure(null), 2, 2000],
    ['no answer, fourth time', failure(null), 4, null],
    ['a server error', failure(503), 1, 1000],
    ['a time-out', failure(408), 1, 1000],
    ['a bad request', failure(422), 1, null],
    ['no permission', failure(403), 1, null],
    ['not found', failure(404), 1, null],
    ['too many requests, with a time', failure(429, { 'retry-after': '7' }), 1, 7_000],
    ['too many requests, without one', failure(429), 1, 60_000],
    ['the secondary limit', failure(403, {}, 'You have exceeded a secondary rate limit'), 1, 60_000],
    ['the secondary limit, with a time', failure(403, { 'retry-after': '30' }), 1, 30_000],
    ['longer than a job should wait', failure(429, { 'retry-after': '3600' }), 1, null],
    [
      'the primary limit, nearly over',
      failure(403, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(NOW_MS / 1000 + 20) }),
      1,
      20_000,
    ],
    [
      'the primary limit, just over',
      failure(403, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(NOW_MS / 1000 - 5) }),
      1,
      1_000,
    ],
    [
      'the primary limit, far from over',
      failure(403, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(NOW_MS / 1000 + 3000) }),
      1,
      null,
    ],
  ])('%s', (_, failed, attempt, expected) => {
    expect(waitBeforeRetryMs(failed, attempt, NOW_MS)).toBe(expected)
  })
})

describe('what GitHub says, in our words', () => {
  it.each<[RequestFailure, string, string]>([
    [failure(null, {}, 'connect ECONNREFUSED'), 'github-unavailable', 'outside'],
    [failure(502), 'github-unavailable', 'outside'],
    [failure(429), 'github-limited', 'outside'],
    [failure(401), 'github-unauthorised', 'outside'],
    [failure(403), 'github-forbidden', 'outside'],
    [failure(404), 'github-not-found', 'outside'],
    [failure(409), 'github-refused', 'refused'],
    [failure(422), 'github-refused', 'refused'],
  ])('%o is %s', (failed, code, fault) => {
    expect(translateFailure(failed, 'keep it', 'checks: write', null)).toMatchObject({ code, fault })
  })

  it('is one sentence, without the address of the manual', () => {
    const { message } = translateFailure(
      failure(404, {}, 'Not Found - https://docs.github.com/x'),
      'keep it',
      'a: b',
      null,
    )
    expect(message).toBe('expected GitHub to keep it, found 404: "Not Found"')
  })
})

describe('an error of the client', () => {
  it('without an answer has no status, whatever number the client gives it', () => {
    expect(failureOf(Object.assign(new Error('down'), { status: 500 }))).toMatchObject({
      status: null,
      message: 'down',
    })
  })

  it.each([new TypeError('a bug'), 'text', null])('is no failure of a request when it is %p', (error) => {
    expect(failureOf(error)).toBeNull()
  })
})
