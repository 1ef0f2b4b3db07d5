import { describe, expect, it } from '@jest/globals'
import { DEPLOYMENT_STATUSES } from '../../../src/core/deployment/schema.ts'
import {
  isTerminal,
  parseBuildStatus,
  parseDeploymentStatus,
  STATE_OF_STATUS,
  statusOfState,
} from '../../../src/core/deployment/status.ts'

const WORDS = {
  pending: ['pending', 'queued', 'scheduled'],
  started: ['started', 'in_progress', 'init'],
  completed: ['completed', 'success', 'complete', 'finished'],
  failed: ['failed', 'fail', 'failure', 'error'],
  aborted: ['aborted', 'abort', 'cancelled', 'canceled', 'cancel', 'skipped'],
}
const rows = Object.entries(WORDS).flatMap(([status, words]) => words.map((word) => [word, status] as const))

describe('the words for a status', () => {
  it.each(rows)('"%s" means %s, for builds and deployments', (word, status) => {
    expect(parseDeploymentStatus(word)).toEqual({ ok: true, value: status })
    expect(parseBuildStatus(` ${word.toUpperCase()}\n`)).toEqual({ ok: true, value: status })
  })

  it.each([
    ['deploying', 'started'],
    ['deployed', 'completed'],
  ])('"%s" means %s for deployments only', (word, status) => {
    expect(parseDeploymentStatus(word)).toEqual({ ok: true, value: status })
    expect(parseBuildStatus(word)).toMatchObject({ ok: false })
  })

  it.each([
    ['building', 'started'],
    ['built', 'completed'],
  ])('"%s" means %s for builds only', (word, status) => {
    expect(parseBuildStatus(word)).toEqual({ ok: true, value: status })
    expect(parseDeploymentStatus(word)).toMatchObject({ ok: false })
  })

  it.each(['', 'done', '__proto__', 'constructor', 'in progress'])('refuses "%s" and lists what it knows', (word) => {
    expect(parseDeploymentStatus(word)).toMatchObject({
      ok: false,
      problems: [{ code: 'unknown-status', path: 'status', hint: expect.stringContaining('in_progress') }],
    })
  })
})

describe('the states of a GitHub deployment', () => {
  it.each(DEPLOYMENT_STATUSES)('%s can be read back from what the Action writes', (status) => {
    expect(statusOfState(STATE_OF_STATUS[status], { own: true })).toBe(status)
  })

  it.each([
    ['waiting', 'pending'],
    ['pending', 'pending'],
    ['queued', 'pending'],
    ['in_progress', 'started'],
    ['success', 'completed'],
    ['failure', 'failed'],
    ['error', 'failed'],
    ['inactive', 'superseded'],
    ['teleported', 'unknown'],
    ['__proto__', 'unknown'],
  ])('%s of another tool means %s', (state, meaning) => {
    expect(statusOfState(state, { own: false })).toBe(meaning)
  })

  it('no two statuses are written alike', () => {
    expect(new Set(Object.values(STATE_OF_STATUS)).size).toBe(DEPLOYMENT_STATUSES.length)
  })

  it('an attempt ends by being completed, failed or aborted', () => {
    expect(DEPLOYMENT_STATUSES.filter(isTerminal)).toEqual(['completed', 'failed', 'aborted'])
  })
})
