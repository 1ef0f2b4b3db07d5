import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { type PastCommit, pairReleases, replay, scoresOf } from '../../../src/core/version/backtest.ts'
import { CommitGraph } from '../../../src/core/version/commit-graph.ts'
import { parseTagPattern, readTags, type Tag } from '../../../src/core/version/tags.ts'

const shaOf = (name: string): string => Buffer.from(name).toString('hex').padEnd(40, '0')

/** Newest first: `name < parents | message`. */
const past = (...lines: readonly string[]): PastCommit[] =>
  lines.map((line) => {
    const [, name = '', parents = '', message = ''] = /^(\w+)(?: < ([\w ]+))?(?: \| (.*))?$/.exec(line) ?? []
    return { sha: shaOf(name), parents: parents.split(' ').filter(Boolean).map(shaOf), message }
  })

function pair(commits: readonly PastCommit[], tags: Readonly<Record<string, string>>, head = commits[0]?.sha ?? '') {
  const pattern = parseTagPattern('v{version}')
  const list: Tag[] = Object.entries(tags).map(([name, at]) => ({ name, sha: shaOf(at) }))
  const reading = pattern.ok ? readTags(pattern.value, list) : pattern
  if (!reading.ok) throw new Error('refused')
  return pairReleases({ tags: reading.value, commits, head, counts: null, firstParent: false })
}

const nameOf = ({ sha }: { sha: string }): string => Buffer.from(sha, 'hex').toString().replaceAll('\0', '')
const shown = ({ transitions }: ReturnType<typeof pair>): string[] =>
  transitions.map(
    ({ tag, previous, commits }) => `${previous?.name ?? '-'} ${tag.name}: ${commits.map(nameOf).join(' ')}`,
  )

describe('pairing releases', () => {
  it('follows ancestry where maintenance lines are interleaved with the main one', () => {
    const history = past('e < d', 'm2 < m1', 'd < c', 'm1 < a', 'c < b', 'b < a', 'a')
    const tags = { 'v1.0.0': 'a', 'v1.1.0': 'b', 'v2.0.0': 'c', 'v1.0.1': 'm1', 'v1.0.2': 'm2', 'v2.1.0': 'd' }
    expect(shown(pair(history, tags))).toEqual([
      '- v1.0.0: a',
      'v1.0.0 v1.0.1: m1',
      'v1.0.1 v1.0.2: m2',
      'v1.0.0 v1.1.0: b',
      'v1.1.0 v2.0.0: c',
      'v2.0.0 v2.1.0: d',
    ])
  })

  it('puts nothing between two tags on one commit', () => {
    const history = past('b < a', 'a')
    expect(shown(pair(history, { 'v1.0.0': 'a', 'v1.0.1': 'b', 'v1.1.0': 'b' }))).toEqual([
      '- v1.0.0: a',
      'v1.0.0 v1.0.1: b',
      'v1.0.1 v1.1.0: ',
    ])
  })

  it('counts from the later of two tags of one version', () => {
    const history = past('d < c', 'c < b', 'b < a', 'a')
    const tags = { 'v1.0.0': 'a', 'v1.1.0+a': 'b', 'v1.1.0+b': 'c', 'v1.2.0': 'd' }
    expect(shown(pair(history, tags)).at(-1)).toBe('v1.1.0+b v1.2.0: d')
    expect(shown(pair(history, { ...tags, 'v1.1.0+a': 'c', 'v1.1.0+b': 'b' })).at(-1)).toBe('v1.1.0+a v1.2.0: d')
  })

  it('passes over pre-releases, and over a higher version that was tagged earlier', () => {
    const history = past('d < c', 'c < b', 'b < a', 'a')
    const tags = { 'v9.0.0': 'a', 'v1.0.0': 'b', 'v1.1.0-rc.1': 'c', 'v1.1.0': 'd' }
    expect(shown(pair(history, tags))).toEqual(['- v1.0.0: b a', 'v1.0.0 v1.1.0: d c', '- v9.0.0: a'])
  })

  it('tells what is not released yet, and which tags lead elsewhere', () => {
    const history = past('c < b', 'b < a', 'a')
    const paired = pair(history, { 'v1.0.0': 'a', 'v1.1.0': 'gone' })
    expect(paired.unreleased.commits.map(nameOf)).toEqual(['c', 'b'])
    expect(paired.unreleased.previous?.name).toBe('v1.0.0')
    expect(paired.outside.map(({ name }) => name)).toEqual(['v1.1.0'])
    expect(pair(history, {}).unreleased.commits).toHaveLength(3)
  })

  it('keeps to first parents where that is asked for', () => {
    const history = past('m < b s', 's < a', 'b < a', 'a')
    const graph = new CommitGraph(history)
    expect(graph.between(3, 0)).toEqual([0, 1, 2])
    expect(graph.between(3, 0, true)).toEqual([0, 2])
  })

  it('agrees with plain reachability on any history', () => {
    const parentsOf = fc.array(fc.nat(), { maxLength: 3 })
    const graphs = fc.array(parentsOf, { minLength: 1, maxLength: 25 })
    fc.assert(
      fc.property(graphs, fc.nat(), fc.nat(), (lists, a, b) => {
        const size = lists.length
        const parents = lists.map((list, at) => (at + 1 < size ? list.map((n) => at + 1 + (n % (size - at - 1))) : []))
        const reach = (from: number): Set<number> => {
          const seen = new Set([from])
          for (const place of seen) for (const parent of parents[place] ?? []) seen.add(parent)
          return seen
        }
        const graph = new CommitGraph(parents.map((list, at) => ({ sha: `${at}`, parents: list.map(String) })))
        const [from, to] = [a % size, b % size]
        const expected = [...reach(to)].filter((place) => !reach(from).has(place)).sort((x, y) => x - y)
        expect(graph.between(from, to)).toEqual(expected)
        expect(graph.between(null, to)).toEqual([...reach(to)].sort((x, y) => x - y))
        const leads = graph.ancestorsOf(to)
        const order = parents.map((_, at) => (at * 7 + a) % size)
        expect(order.map((place) => place >= to && leads(place))).toEqual(order.map((place) => reach(to).has(place)))
      }),
    )
  })

  it('takes thousands of releases in a few seconds', () => {
    const count = 4_000
    const commits = Array.from({ length: count * 3 }, (_, at): PastCommit => {
      const number = count * 3 - at
      return { sha: shaOf(`c${number}`), parents: number > 1 ? [shaOf(`c${number - 1}`)] : [], message: 'fix: x' }
    })
    const tags = Object.fromEntries(Array.from({ length: count }, (_, at) => [`v1.0.${at}`, `c${at * 3 + 1}`]))
    const started = performance.now()
    const paired = pair(commits, tags)
    expect(paired.transitions).toHaveLength(count)
    expect(paired.transitions.every(({ previous, commits: all }) => previous === null || all.length === 3)).toBe(true)
    expect(performance.now() - started).toBeLessThan(10_000)
  })
})

describe('replaying a release', () => {
  const contenders = [{ name: 'ringmaster', config: { preset: 'ringmaster' as const } }]
  it.each([
    ['v1.1.0', 'feat: x', 'same'],
    ['v1.2.0', 'feat: x', 'step'],
    ['v1.1.0', 'feat!: x', 'higher'],
    ['v1.1.0', 'fix: x', 'lower'],
    ['v1.1.0', 'docs: x', 'nothing'],
    ['v1.1.0', 'docs: x\n\nRelease-As: 1.1.0', 'same'],
  ])('that was tagged %s after 1.0.0 with "%s" is %s', (tag, message, agreement) => {
    const [commit] = past('b < a')
    const history = [{ ...commit!, message }, ...past('a')]
    const replayed = pair(history, { 'v1.0.0': 'a', [tag]: 'b' }).transitions.map((one) => replay(one, contenders))
    expect(replayed.map(({ choices }) => choices[0]?.agreement)).toEqual(['first', agreement])
    expect(scoresOf(replayed)).toMatchObject([{ name: 'ringmaster', compared: 1, counts: { [agreement]: 1 } }])
  })
})
