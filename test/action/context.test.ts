import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { readContext, runUrl } from '../../src/action/context.ts'
import { unwrap } from '../../src/core/problem.ts'
import { insideFolder } from '../../src/git/checkout-file.ts'
import { RUN } from './stage.ts'

const read = (bent: Record<string, string>) => unwrap(readContext({ ...RUN, ...bent }))

describe('the run that a step belongs to', () => {
  it('is the one of github.com where the runner names no server', () => {
    const context = read({ GITHUB_API_URL: '', GITHUB_SERVER_URL: '' })
    expect(context.apiUrl).toBe('https://api.github.com')
    expect(runUrl(context)).toBe('https://github.com/acme/api/actions/runs/77')
  })

  it('is the one of an Enterprise Server where the runner names one', () => {
    const context = read({ GITHUB_API_URL: 'https://ghe.example.org/api/v3/' })
    expect(context.apiUrl).toBe('https://ghe.example.org/api/v3')
    expect(runUrl(context)).toBe('https://ghe.example.org/acme/api/actions/runs/77')
  })

  it.each([
    ['a push', {}, 'main'],
    ['a pull request', { GITHUB_HEAD_REF: 'topic', GITHUB_REF_NAME: '7/merge' }, 'topic'],
    ['a tag', { GITHUB_REF_TYPE: 'tag', GITHUB_REF_NAME: 'v1' }, null],
  ])('names the branch of %s', (_, bent, branch) => {
    expect(read(bent).branch).toBe(branch)
  })

  it('reports every variable that is missing or odd', () => {
    const checked = readContext({
      GITHUB_REPOSITORY: 'a/b/c',
      GITHUB_SHA: 'main',
      GITHUB_RUN_ID: '0',
      GITHUB_RUN_ATTEMPT: '1',
    })
    const said = checked.ok ? [] : checked.problems.map(({ message }) => /variable (\w+)/.exec(message)?.[1])
    expect(said).toEqual(['GITHUB_REPOSITORY', 'GITHUB_SHA', 'GITHUB_RUN_ID', 'GITHUB_JOB'])
  })
})

describe('a path from the workspace', () => {
  it.each([
    ['.', '/w'],
    ['dist/app', '/w/dist/app'],
    ['a/../b', '/w/b'],
    ['/w/b', '/w/b'],
    ['..app', '/w/..app'],
    ['..', null],
    ['../w2', null],
    ['a/../../b', null],
    ['/etc/passwd', null],
  ])('%s leads to %s', (path, expected) => {
    expect(insideFolder(join('/w'), path)).toBe(expected)
  })
})
