import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import nock from 'nock'
import { unwrap } from '../../src/core/problem.ts'
import type { CommitSource } from '../../src/core/product/bump-options.ts'
import { parseTagPattern } from '../../src/core/version/tags.ts'
import { computeVersion } from '../../src/git/compute-version.ts'
import { nextVersion } from '../../src/github/next-version.ts'
import { ScratchRepository } from '../git/scratch-repository.ts'
import { serve } from './served-repository.ts'
import { app } from './stage.ts'

let repository: ScratchRepository

beforeEach(() => {
  nock.disableNetConnect()
  repository = ScratchRepository.init()
})
afterEach(() => {
  nock.cleanAll()
  repository.remove()
})

const source: CommitSource = {
  ...{ tagPattern: 'v{version}', scheme: 'semver', bump: { preset: 'ringmaster' } },
  ...{ path: null, exclude: [], otherPaths: [] },
}

const next = async () => nextVersion(await app.forRepository('acme/platform'), 'acme/platform', source)

/** The same question, asked in a checkout. */
async function inCheckout() {
  const { previousVersion, version } = await computeVersion({
    ...{ directory: repository.directory, pattern: unwrap(parseTagPattern('v{version}')), counts: null, path: null },
    ...{ config: source.bump, line: { kind: 'release' }, firstParent: false, ownRef: null, below: null },
  })
  return { from: previousVersion, to: version }
}

const TAGGER = 'Ann <ann@example.org> 1767225600 +0000'

/** Releases of a line that left the trunk and never came back, each of a commit of its own. */
function besideTrunk(count: number, isAnnotated: boolean): void {
  const stream = Array.from({ length: count }, (_, at) => {
    const from = at === 0 ? 'from refs/heads/main^0\n' : ''
    const tag = isAnnotated
      ? `tag v1.2.${at + 1}\nfrom refs/heads/release\ntagger ${TAGGER}\ndata 4\ntold`
      : `reset refs/tags/v1.2.${at + 1}\nfrom refs/heads/release\n`
    return `commit refs/heads/release\ncommitter ${TAGGER}\ndata 6\nfix: a\n${from}\n${tag}\n`
  })
  repository.gitWith(stream.join(''), 'fast-import', '--quiet')
}

describe('what comes next, asked of GitHub', () => {
  it.each([
    ['lightweight', false],
    ['annotated', true],
  ])('is counted from the last release of the trunk below any number of others: %s tags', async (_, isAnnotated) => {
    repository.commit('feat: begin')
    repository.git('tag', 'v1.2.0')
    besideTrunk(22, isAnnotated)
    repository.commit('feat: more')
    const asked = serve(repository)
    expect(await next()).toMatchObject({
      from: '1.2.0',
      to: '1.3.0',
      policy: 'as-asked',
      commits: [{ level: 'minor' }],
    })
    expect(await inCheckout()).toEqual({ from: '1.2.0', to: '1.3.0' })
    expect(asked.filter((path) => path.startsWith('/compare/'))).toHaveLength(21)
  })

  it('is a first release where no release is behind the trunk, however many stand beside it', async () => {
    repository.commit('feat: begin')
    besideTrunk(22, false)
    serve(repository)
    expect(await next()).toMatchObject({ from: null, to: '0.1.0', policy: 'first-release' })
    expect(await inCheckout()).toEqual({ from: null, to: '0.1.0' })
  })

  it('is not guessed where the history is too long to find the release in', async () => {
    repository.commitAll(Array.from({ length: 501 }, (_, at) => `fix: ${at}`))
    repository.git('tag', 'v1.2.0')
    besideTrunk(21, false)
    serve(repository)
    expect(await next()).toBe('too-many')
  })

  it.each([
    ['in the order of their names', 'v1.2.0+a', 'v1.2.0+b', '1.2.0+b'],
    ['against it', 'v1.2.0+b', 'v1.2.0+a', '1.2.0+a'],
  ])('is counted from the later of two tags of one version: %s', async (_, first, second, from) => {
    repository.commit('feat: begin')
    repository.git('tag', '-a', '-m', 'told', first)
    repository.commit('feat: between')
    repository.git('tag', '-a', '-m', 'told', second)
    repository.commit('fix: after')
    serve(repository)
    expect(await next()).toMatchObject({ from, to: '1.2.1', commits: [{ level: 'patch' }] })
    expect(await inCheckout()).toEqual({ from, to: '1.2.1' })
  })

  it('passes over a tag of the same version that is not behind the trunk', async () => {
    repository.commit('feat: begin')
    repository.git('tag', 'v1.2.0+a')
    repository.git('checkout', '-q', '-b', 'other')
    repository.commit('feat: elsewhere')
    repository.git('tag', 'v1.2.0+b')
    repository.git('checkout', '-q', 'main')
    repository.commit('fix: after')
    serve(repository)
    expect(await next()).toMatchObject({ from: '1.2.0+a', to: '1.2.1' })
    expect(await inCheckout()).toEqual({ from: '1.2.0+a', to: '1.2.1' })
  })
})
