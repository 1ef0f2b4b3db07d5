import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import nock from 'nock'
import { unwrap } from '../../src/core/problem.ts'
import type { CommitSource } from '../../src/core/product/bump-options.ts'
import { parseTagPattern } from '../../src/core/version/tags.ts'
import { computeVersion } from '../../src/git/compute-version.ts'
import { nextVersion } from '../../src/github/next-version.ts'
import { readVersionNotes } from '../../src/github/version-notes.ts'
import { renderNotes } from '../../src/render/notes.ts'
import { ScratchRepository } from '../git/scratch-repository.ts'
import { serve } from './served-repository.ts'
import { API, app } from './stage.ts'

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

const next = async (more: Partial<CommitSource> = {}) =>
  nextVersion(await app.forRepository('acme/platform'), 'acme/platform', { ...source, ...more })

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

describe('what pull requests say in the place of their commits', () => {
  const merged = (number: number, title: string, ...labels: readonly string[]) => ({
    ...{ number, title, merged: true, mergeCommit: null },
    labels: { nodes: labels.map((name) => ({ name })) },
  })

  /** Answers by the hash of a commit; returns how many were asked about at a time. */
  function brought(by: Readonly<Record<string, object>>): number[] {
    const asked: number[] = []
    nock(API)
      .persist()
      .post('/graphql', { query: /associatedPullRequests/, variables: { owner: 'acme', name: 'platform' } })
      .reply((_, body) => {
        const { query } = body as { query: string }
        const objects = [...query.matchAll(/(c\d+): object\(oid: "([0-9a-f]{40})"\)/g)]
        asked.push(objects.length)
        const answers = objects.map(([, name = '', sha = '']) => {
          const node = by[sha]
          return [name, { associatedPullRequests: { nodes: node === undefined ? [] : [node] } }]
        })
        return [200, { data: { repository: Object.fromEntries(answers) } }]
      })
    return asked
  }

  /** Two commits of one pull request, one of another, and one that came by none. */
  function history(): void {
    repository.commit('feat: begin')
    repository.git('tag', 'v1.2.0')
    const [first, second, third] = ['feat!: words', 'more words', 'feat: other words'].map((message) =>
      repository.commit(message),
    ) as [string, string, string]
    repository.commit('fix: by nobody')
    serve(repository)
    const seven = merged(7, 'fix: seven', 'Feature')
    brought({ [first]: seven, [second]: seven, [third]: merged(8, 'docs: eight', 'skip-release') })
  }

  it('counts each by its title, once, and by its own message what came by none', async () => {
    history()
    const told = await next({ pullRequests: { by: 'titles', labelLevels: [] } })
    expect(told).toMatchObject({ from: '1.2.0', to: '1.2.1', commits: [{}, { level: 'none' }, { rule: 'type fix' }] })
  })

  it.each([
    ['the usual labels', [], '1.3.0'],
    ['those of the team', ['feature: major', '*: patch'], '2.0.0'],
  ])('counts each by %s, and for nothing what came by none', async (_, labelLevels, to) => {
    history()
    const told = await next({ pullRequests: { by: 'labels', labelLevels } })
    expect(told).toMatchObject({
      to,
      commits: [{ rule: 'no pull request', warnings: ['not-counted'] }, {}, { rule: 'label Feature' }],
    })
  })

  it('is told in notes, too', async () => {
    history()
    const octokit = await app.forRepository('acme/platform')
    const about = { version: '1.2.1', sha: repository.head() }
    const of: CommitSource = { ...source, pullRequests: { by: 'titles', labelLevels: [] } }
    const tell = await readVersionNotes(octokit, { owner: 'acme', repo: 'platform' }, of, about)
    if (typeof tell === 'string') throw new Error(`expected notes, found ${tell}`)
    expect(renderNotes(tell({ audience: 'external' }), null)).toBe('### Bug fixes\n\n- by nobody\n- seven')
  })

  it('is asked about fifty commits at a time', async () => {
    repository.commitAll(Array.from({ length: 60 }, (_, at) => `fix: ${at}`))
    serve(repository)
    const asked = brought({})
    expect(await next({ pullRequests: { by: 'titles', labelLevels: [] } })).toMatchObject({ to: '0.1.0' })
    expect(asked).toEqual([50, 10])
  })

  it('is not guessed where GitHub does not name them', async () => {
    repository.commit('feat: begin')
    serve(repository)
    nock(API)
      .post('/graphql')
      .reply(200, { errors: [{ type: 'FORBIDDEN', message: 'Resource not accessible by integration' }] })
    await expect(next({ pullRequests: { by: 'titles', labelLevels: [] } })).rejects.toThrow('not accessible')
  })
})
