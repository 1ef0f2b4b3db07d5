import { describe, expect, it } from '@jest/globals'
import { checkAuthorship } from '../../src/ledger/authorship.ts'
import { type MemoryBranch, memoryBranch, memoryStore } from '../../src/ledger/memory.ts'
import type { Author, CommitInfo, LedgerStore } from '../../src/ledger/store.ts'
import { BOT } from './fake-github.ts'

const EVE: Author = { name: 'eve', email: 'eve@example.org' }

/** Commits by these authors, oldest first; their ids in the same order. */
async function committed(branch: MemoryBranch, authors: readonly Author[]): Promise<string[]> {
  const commits: string[] = []
  for (const [index, author] of authors.entries()) {
    const request = { expectedHead: branch.head, operation: '', message: `${index}`, additions: [], deletions: [] }
    const outcome = await memoryStore(branch, author).commit(request)
    commits.push(outcome.kind === 'committed' ? outcome.commit : '')
  }
  return commits
}

const times = (count: number, author: Author) => Array.from({ length: count }, () => author)

/** The store as if it told something else about one commit. */
const telling = (store: LedgerStore, commit: string, more: Partial<CommitInfo>): LedgerStore => ({
  ...store,
  history: async (from, options) =>
    (await store.history(from, options)).map((info) => (info.commit === commit ? { ...info, ...more } : info)),
})

describe('who made the commits of a branch', () => {
  it('is looked at to its beginning, and the oldest commit of somebody else is named', async () => {
    const branch = memoryBranch()
    const authors = [BOT, ...times(10, BOT), EVE, EVE, ...times(2_100, BOT), EVE, BOT]
    const commits = await committed(branch, authors)
    const store = memoryStore(branch)
    const named = { code: 'foreign-author', message: expect.stringContaining(`commit ${commits[11]} by ${BOT.email}`) }
    await expect(checkAuthorship(store, branch.head ?? '', {})).rejects.toMatchObject(named)
    await expect(checkAuthorship(store, branch.head ?? '', { author: BOT })).rejects.toMatchObject(named)
    const later = checkAuthorship(store, branch.head ?? '', { author: BOT, until: commits[13] ?? '' })
    await expect(later).rejects.toMatchObject({ message: expect.stringContaining(`commit ${commits.at(-2)} by`) })
    await checkAuthorship(store, commits.at(-3) ?? '', { author: BOT, until: commits[12] ?? '' })
    await checkAuthorship(store, commits[10] ?? '', {})
    await expect(checkAuthorship(store, commits[10] ?? '', { author: EVE })).rejects.toMatchObject({
      message: expect.stringContaining(`commit ${commits[0]} by ${EVE.email}`),
    })
  })

  it.each<[string, Partial<CommitInfo>, string]>([
    ['is not signed where commits are', { signed: 'no' }, 'to be signed by the platform, found it is not'],
    ['is a merge', { parents: ['a', 'b'] }, 'to have one parent, found a merge'],
  ])('does not count for a commit that %s', async (_, more, message) => {
    const branch = memoryBranch()
    const commits = await committed(branch, times(3, BOT))
    const store = telling(memoryStore(branch), commits[1] ?? '', more)
    await expect(checkAuthorship(store, branch.head ?? '', { author: BOT })).rejects.toMatchObject({
      code: 'foreign-author',
      message: expect.stringContaining(`expected commit ${commits[1]} ${message}`),
    })
  })
})
