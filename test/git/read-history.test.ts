import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from '@jest/globals'
import { type History, type HistoryQuestion, readHistory } from '../../src/git/read-history.ts'
import type { GitTag } from '../../src/git/read-tags.ts'
import { ScratchRepository } from './scratch-repository.ts'

const made: ScratchRepository[] = []
const keep = (repository: ScratchRepository): ScratchRepository => {
  made.push(repository)
  return repository
}
const fresh = (): ScratchRepository => keep(ScratchRepository.init())

afterEach(() => {
  for (const repository of made.splice(0)) repository.remove()
})

/** Greatest by number, then by name: a fixed order, as the question demands. */
const greatest = (tags: readonly GitTag[]): GitTag | null =>
  tags
    .filter(({ name }) => /^v\d+$/.test(name))
    .sort((a, b) => Number(a.name.slice(1)) - Number(b.name.slice(1)))
    .at(-1) ?? null

const ask = (repository: ScratchRepository, bent: Partial<HistoryQuestion> = {}) =>
  readHistory(repository.directory, { choose: greatest, withFiles: false, firstParent: false, ownRef: null, ...bent })

const messages = (history: { commits: readonly { message: string }[] }): string[] =>
  history.commits.map(({ message }) => message.trim())

describe('the history since the last release', () => {
  it('is everything when nothing was ever tagged', async () => {
    const repository = fresh()
    repository.commit('feat: one')
    repository.commit('fix: two')
    const history = await ask(repository)
    expect(history.last).toBeNull()
    expect(messages(history)).toEqual(['fix: two', 'feat: one'])
  })

  it('is what came after the greatest tag, with annotated and nested tags led to their commit', async () => {
    const repository = fresh()
    repository.commit('one')
    repository.git('tag', 'v1')
    const second = repository.commit('two')
    repository.git('tag', '-a', '-m', 'two', 'inner')
    repository.git('tag', '-a', '-m', 'outer', 'v2', 'inner')
    repository.git('tag', 'a-tree', 'HEAD^{tree}')
    repository.commit('three')
    const history = await ask(repository)
    expect(history.last).toEqual({ name: 'v2', sha: second })
    expect(history.tags.map(({ name }) => name)).toEqual(['inner', 'v1', 'v2'])
    expect(messages(history)).toEqual(['three'])
  })

  it('is empty when the checkout is the release, with two tags on its commit', async () => {
    const repository = fresh()
    const sha = repository.commit('one')
    repository.git('tag', 'v1')
    repository.git('tag', 'v2')
    const history = await ask(repository)
    expect(history.last).toEqual({ name: 'v2', sha })
    expect(history.commits).toEqual([])
  })

  it('does not see a tag that is no ancestor, nor one that is no version', async () => {
    const repository = fresh()
    repository.commit('one')
    repository.git('tag', 'v1')
    repository.git('tag', 'nightly')
    repository.git('checkout', '-q', '-b', 'next')
    repository.commit('two')
    repository.git('tag', 'v2')
    repository.git('checkout', '-q', '--detach', 'main')
    repository.commit('hotfix')
    const history = await ask(repository)
    expect(history.last?.name).toBe('v1')
    expect(messages(history)).toEqual(['hotfix'])
  })

  it.each<[string, (repository: ScratchRepository) => void, string]>([
    ['a packed tag', (one) => void one.git('pack-refs', '--all'), 'v2'],
    [
      'a packed annotated tag',
      (one) => void [one.git('tag', '-a', '-m', 'x', 'v3', 'v2'), one.git('pack-refs', '--all')],
      'v3',
    ],
    [
      'a tag whose objects are packed',
      (one) => void [one.git('tag', '-a', '-m', 'x', 'v3', 'v2'), one.git('gc', '-q')],
      'v3',
    ],
    [
      'a tag that was moved since it was packed',
      (one) => void [one.git('tag', 'v3', 'v1'), one.git('pack-refs', '--all'), one.git('tag', '-f', 'v3', 'v2')],
      'v3',
    ],
    ['a tag of a tree', (one) => void one.git('tag', 'v3', 'HEAD^{tree}'), 'v2'],
    [
      'a tag of another branch',
      (one) => void one.git('tag', 'v3', one.git('commit-tree', '-m', 'x', 'HEAD^{tree}')),
      'v2',
    ],
    [
      'a tag behind the second parent',
      (one) => {
        one.git('checkout', '-q', '-b', 'side', 'v1')
        one.commit('side')
        one.git('tag', 'v3')
        one.git('checkout', '-q', 'main')
        one.merge('merge', 'side')
      },
      'v3',
    ],
  ])('is the same whether one git answers or several: %s', async (_, bend, last) => {
    const repository = fresh()
    for (const [message, tag] of [
      ['one', 'v1'],
      ['two', 'v2'],
      ['three', null],
    ] as const) {
      repository.commit(message)
      if (tag !== null) repository.git('tag', tag)
    }
    bend(repository)
    const shape = ({ head, last: chosen, commits }: History) => ({ head, last: chosen, commits })
    for (const firstParent of [false, true]) {
      const spared = await ask(repository, { firstParent, isDoubtful: () => false })
      expect(spared.last?.name).toBe(last)
      expect(shape(spared)).toEqual(shape(await ask(repository, { firstParent })))
    }
  })

  it('counts every commit once in a criss-cross history, children before parents', async () => {
    const repository = fresh()
    repository.commit('base')
    repository.git('tag', 'v1')
    repository.git('checkout', '-q', '-b', 'a')
    repository.commit('a1', ['a'])
    repository.git('checkout', '-q', '-b', 'b', 'main')
    repository.commit('b1', ['b'])
    repository.git('branch', 'b-old')
    repository.merge('merge a into b', 'a')
    repository.git('checkout', '-q', 'a')
    repository.merge('merge b into a', 'b-old')
    repository.merge('last', 'b')
    const history = await ask(repository)
    expect(messages(history).toSorted()).toEqual(['a1', 'b1', 'last', 'merge a into b', 'merge b into a'])
    const place = new Map(history.commits.map(({ sha }, at) => [sha, at]))
    for (const { sha, parents } of history.commits) {
      for (const parent of parents) {
        expect(place.get(parent) ?? Number.POSITIVE_INFINITY).toBeGreaterThan(place.get(sha) ?? -1)
      }
    }
  })

  it('keeps to first parents when asked, so that a merge speaks for what it brought', async () => {
    const repository = fresh()
    repository.commit('base')
    repository.git('tag', 'v1')
    repository.git('checkout', '-q', '-b', 'side')
    repository.commit('wip')
    repository.git('checkout', '-q', 'main')
    repository.merge('Merge pull request #1 from side\n\nfeat: side', 'side')
    expect(messages(await ask(repository))).toHaveLength(2)
    expect(messages(await ask(repository, { firstParent: true }))).toEqual([
      'Merge pull request #1 from side\n\nfeat: side',
    ])
  })

  it('names the files of each commit, both ends of a rename, and for a merge what it brought', async () => {
    const repository = fresh()
    repository.commit('root', ['readme'])
    repository.git('checkout', '-q', '-b', 'side')
    repository.commit('side', ['api/x'])
    repository.git('checkout', '-q', 'main')
    repository.commit('odd names', ['web/line\nbreak', '\nfirst', '0'.repeat(40)])
    repository.commit('')
    repository.git('mv', 'readme', 'api-readme')
    repository.commit('rename')
    repository.merge('merge', 'side')
    const files = new Map((await ask(repository, { withFiles: true })).commits.map((c) => [c.message.trim(), c.files]))
    expect([...files]).toEqual(
      expect.arrayContaining([
        ['merge', ['api/x']],
        ['rename', ['api-readme', 'readme']],
        ['', []],
        ['odd names', ['\nfirst', '0'.repeat(40), 'web/line\nbreak']],
        ['side', ['api/x']],
        ['root', ['readme']],
      ]),
    )
    expect(files.size).toBe(6)
  })

  it.each([false, true])(
    'keeps bytes that are not UTF-8, without spoiling other messages (files: %s)',
    async (withFiles) => {
      const repository = fresh()
      repository.commit('feat: größer ✓')
      repository.commit(Buffer.from('fix: caf\xe9\n', 'latin1'))
      const history = await ask(repository, { withFiles })
      expect(messages(history)).toEqual(['fix: café', 'feat: größer ✓'])
    },
  )

  it('re-codes a message whose commit declares its encoding', async () => {
    const repository = fresh()
    repository.git('config', 'i18n.commitEncoding', 'ISO-8859-1')
    repository.commit(Buffer.from('fix: \xfcber\n', 'latin1'))
    expect(messages(await ask(repository))).toEqual(['fix: über'])
  })

  it('reads a message of five million bytes', async () => {
    const repository = fresh()
    repository.commit(`feat: long\n\n${'x'.repeat(5_000_000)}`)
    const [commit] = (await ask(repository)).commits
    expect(commit?.message.length).toBeGreaterThan(5_000_000)
  })

  it('is the same from a folder inside the repository, whatever diff.relative says', async () => {
    const repository = fresh()
    repository.git('config', 'diff.relative', 'true')
    repository.commit('one', ['api/x', 'web/y'])
    const inside = new ScratchRepository(join(repository.directory, 'api'))
    expect((await ask(inside, { withFiles: true })).commits[0]?.files).toEqual(['api/x', 'web/y'])
  })
})

describe('a whole checkout without a release', () => {
  const withoutTags = (repository: ScratchRepository): ScratchRepository => {
    const clone = fresh()
    clone.git('remote', 'add', 'origin', `file://${repository.directory}`)
    clone.git('fetch', '-q', '--no-tags', 'origin', 'main')
    clone.git('checkout', '-q', '--detach', 'FETCH_HEAD')
    return clone
  }

  it('asks the remote for tags that the clone left out, and takes those of its own history', async () => {
    const repository = fresh()
    repository.commit('one')
    repository.git('tag', '-a', '-m', 'one', 'v1')
    repository.commit('two')
    const clone = withoutTags(repository)
    repository.git('checkout', '-q', '-b', 'next')
    repository.commit('elsewhere')
    repository.git('tag', 'v2')
    const history = await ask(clone)
    expect(history).toMatchObject({ last: { name: 'v1' }, remoteTags: 'asked', deepened: false })
    expect(messages(history)).toEqual(['two'])
  })

  it('says so when the remote does not answer', async () => {
    const repository = fresh()
    repository.commit('one')
    const clone = withoutTags(repository)
    clone.git('remote', 'set-url', 'origin', 'file:///not-there')
    expect(await ask(clone)).toMatchObject({ last: null, remoteTags: 'no-answer' })
  })

  it('asks nobody when a release is there', async () => {
    const repository = fresh()
    repository.commit('one')
    repository.git('tag', 'v1')
    const clone = withoutTags(repository)
    clone.git('tag', 'v1')
    clone.git('remote', 'set-url', 'origin', 'file:///not-there')
    expect(await ask(clone)).toMatchObject({ last: { name: 'v1' }, remoteTags: 'not-asked' })
  })
})

describe('a shallow checkout', () => {
  const longHistory = (): ScratchRepository => {
    const repository = fresh()
    repository.commit('root')
    repository.git('tag', '-a', '-m', 'one', 'v1')
    for (let at = 0; at < 5; at += 1) repository.commit(`fix: ${at}`)
    return repository
  }

  it('is deepened along its own commit until the answer is certain, and no ref or tag is written', async () => {
    const repository = longHistory()
    repository.git('checkout', '-q', '-b', 'other', 'v1')
    repository.commit('other')
    const clone = keep(repository.shallowClone(repository.git('rev-parse', 'main')))
    const history = await ask(clone)
    expect(history).toMatchObject({ last: { name: 'v1' }, deepened: true })
    expect(messages(history)).toEqual(['fix: 4', 'fix: 3', 'fix: 2', 'fix: 1', 'fix: 0'])
    expect(clone.git('for-each-ref')).toBe('')
    expect(() => clone.git('cat-file', '-e', repository.head())).toThrow()
  })

  it('stops as soon as the greatest release of the remote is found and nothing since is missing', async () => {
    const repository = fresh()
    repository.commitAll(Array.from({ length: 100 }, (_, at) => `old ${at}`))
    repository.git('tag', 'v2')
    repository.commit('fix: new')
    const clone = keep(repository.shallowClone())
    expect(messages(await ask(clone))).toEqual(['fix: new'])
    expect(clone.git('rev-parse', '--is-shallow-repository')).toBe('true')
  })

  it('goes on past a smaller release when a greater one might still be an ancestor', async () => {
    const repository = fresh()
    repository.commit('root')
    repository.git('tag', 'v9')
    repository.commitAll(Array.from({ length: 70 }, (_, at) => `fix: ${at}`))
    repository.git('tag', 'v1')
    repository.commit('feat: new')
    const history = await ask(keep(repository.shallowClone()))
    expect(history.last?.name).toBe('v9')
    expect(history.commits).toHaveLength(71)
  })

  it('finds that there is no release only after it has seen everything', async () => {
    const repository = fresh()
    repository.commitAll(Array.from({ length: 70 }, (_, at) => `fix: ${at}`))
    const history = await ask(keep(repository.shallowClone()))
    expect(history.last).toBeNull()
    expect(history.commits).toHaveLength(70)
  })

  it.each([
    ['has no remote', (clone: ScratchRepository) => clone.git('remote', 'remove', 'origin')],
    [
      'has a remote that does not answer',
      (clone: ScratchRepository) => clone.git('remote', 'set-url', 'origin', 'file:///not-there'),
    ],
    [
      'has a remote that is itself cut off',
      (clone: ScratchRepository) => {
        const middle = keep(clone.shallowClone())
        clone.git('remote', 'set-url', 'origin', `file://${middle.directory}`)
      },
    ],
  ])('is refused with the remedy when it %s', async (_, bend) => {
    const repository = longHistory()
    const clone = keep(repository.shallowClone())
    bend(clone)
    await expect(ask(clone)).rejects.toMatchObject({
      name: 'RingmasterError',
      code: 'history-incomplete',
      hint: expect.stringContaining('fetch-depth: 0'),
    })
  })
})

describe('a folder that cannot be read', () => {
  it('is named as no repository', async () => {
    const folder = keep(new ScratchRepository(mkdtempSync(join(tmpdir(), 'ringmaster-none-'))))
    await expect(ask(folder)).rejects.toMatchObject({
      code: 'not-a-repository',
      hint: expect.stringMatching(/checkout/),
    })
  })

  it('is named as no repository when it is not there', async () => {
    const folder = new ScratchRepository(join(tmpdir(), 'ringmaster-not-there'))
    await expect(ask(folder)).rejects.toMatchObject({ code: 'not-a-repository' })
  })

  it('is named as one without commits', async () => {
    await expect(ask(fresh())).rejects.toMatchObject({ code: 'no-commits' })
  })

  it('never shows a credential of the remote’s address', async () => {
    const repository = fresh()
    repository.commit('one')
    const clone = keep(repository.shallowClone())
    clone.git('remote', 'set-url', 'origin', 'https://ann:s3cret@127.0.0.1:1/none')
    await expect(ask(clone)).rejects.toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('s3cret') }),
    )
  })
})
