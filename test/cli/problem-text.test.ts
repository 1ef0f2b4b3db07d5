import { afterEach, describe, expect, it } from '@jest/globals'
import nock from 'nock'
import { ledgerLog } from '../../src/cli/ledger.ts'
import { problemText, withNamedTrouble } from '../../src/cli/problem-text.ts'
import type { Problem } from '../../src/core/problem.ts'
import { runCommand } from './stage.ts'

describe('a problem on the command line', () => {
  it.each<[string, Problem, string]>([
    ['by its code', { code: 'a-b', message: 'expected x, found y' }, 'a-b: expected x, found y'],
    [
      'with what to do',
      { code: 'a-b', message: 'expected x, found y', hint: 'do z' },
      'a-b: expected x, found y\n  do z',
    ],
    [
      'with its file and line',
      { code: 'a-b', message: 'expected x, found y', path: 'web/package.json', line: 3 },
      'a-b: web/package.json:3: expected x, found y',
    ],
    [
      'with its file once',
      { code: 'a-b', message: 'expected x in pom.xml, found y', path: 'pom.xml' },
      'a-b: expected x in pom.xml, found y',
    ],
  ])('is told %s', (_, problem, text) => {
    expect(problemText(problem)).toBe(text)
  })
})

describe('trouble of GitHub or the network', () => {
  afterEach(() => nock.cleanAll())

  const met = async (): Promise<unknown> => {
    const env = { GITHUB_TOKEN: 'ghs_1' }
    const args = ['--repo', 'acme/releases']
    return runCommand(ledgerLog, args, false, '2026-03-04T05:06:07Z', env).catch(withNamedTrouble)
  }

  it.each([
    ['a token that is not taken', 401, { message: 'Bad credentials' }, 'github-refused'],
    ['a used-up limit', 403, { message: 'API rate limit exceeded' }, 'github-limited'],
    ['an outage', 502, 'Bad Gateway', 'github-failed'],
    ['a limit of GraphQL', 200, { errors: [{ type: 'RATE_LIMITED', message: 'wait' }] }, 'github-limited'],
  ])('is no bug: %s', async (_, status, body, code) => {
    nock('https://api.github.com').post('/graphql').times(5).reply(status, body)
    expect(await met()).toMatchObject({ fault: 'outside', code })
  })

  it('leaves other errors as they are', async () => {
    const error = new TypeError('a bug')
    expect(await withNamedTrouble(error)).toBe(error)
  })
})
