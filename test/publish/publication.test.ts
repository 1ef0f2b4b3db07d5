import { execFileSync } from 'node:child_process'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { PublishedFile } from '../../src/core/manifest/publication.ts'
import { gitStore } from '../../src/ledger/git.ts'
import { branchPublication, type PublicationBranch } from '../../src/publish/branch.ts'
import { directoryPublication } from '../../src/publish/directory.ts'
import { getOne, type Publication } from '../../src/publish/publication.ts'

const file = (path: string, text: string, immutable = true): PublishedFile => ({
  path,
  bytes: Buffer.from(text),
  immutable,
})

const textAt = async (publication: Publication, path: string): Promise<string> =>
  Buffer.from((await getOne(publication, path)) ?? []).toString('utf8')

/** A branch in memory; `losesRaces` commits are stale before one succeeds. */
function memoryBranch(losesRaces = 0) {
  const files = new Map<string, Uint8Array>()
  const messages: string[] = []
  let races = losesRaces
  const branch: PublicationBranch = {
    name: 'acme/releases@ringmaster-pages',
    newest: async (paths) =>
      messages.length === 0
        ? null
        : {
            info: { commit: `c${messages.length}` },
            files: new Map(paths.map((path) => [path, files.get(path) ?? null])),
          },
    commit: async (request) => {
      if (races-- > 0) return { kind: 'stale' }
      for (const { path, bytes } of request.additions) files.set(path, bytes)
      messages.push(request.message)
      return { kind: 'committed', commit: `c${messages.length}` }
    },
  }
  return { branch, messages }
}

/** The real adapter over a bare repository of its own. */
function newGitBranch() {
  const repository = join(directory, 'pages.git')
  execFileSync('git', ['init', '--quiet', '--bare', repository])
  const author = { name: 'Ringmaster', email: 'ringmaster@example.invalid' }
  return gitStore({ directory: repository, branch: 'ringmaster-pages', author, clock: () => '2026-11-20T12:00:00Z' })
}

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ringmaster-publication-'))
})
afterEach(() => rm(directory, { recursive: true }))

describe.each<[string, () => Publication]>([
  ['a directory', () => directoryPublication(directory)],
  ['a branch in memory', () => branchPublication(memoryBranch().branch)],
  ["a branch of a git repository, by the ledger's store", () => branchPublication(newGitBranch())],
])('a publication in %s', (_name, make) => {
  it('answers null for what is not there', async () => {
    expect(await getOne(make(), 'metadata/timestamp.json')).toBeNull()
  })

  it('keeps what it was given, and replaces the pointer', async () => {
    const publication = make()
    await publication.put([file('a/1', 'one'), file('pointer', 'first', false)])
    expect(await publication.put([file('a/2', 'two'), file('pointer', 'second', false)])).toEqual({ kind: 'stored' })
    expect(await Promise.all(['a/1', 'a/2', 'pointer'].map(async (path) => await textAt(publication, path)))).toEqual([
      'one',
      'two',
      'second',
    ])
  })

  it('writes an immutable file again with the same bytes, and changes nothing when they differ', async () => {
    const publication = make()
    await publication.put([file('a', 'one'), file('pointer', 'first', false)])
    expect(await publication.put([file('a', 'one')])).toEqual({ kind: 'stored' })
    expect(await publication.put([file('a', 'other'), file('pointer', 'second', false)])).toEqual({
      kind: 'conflict',
      paths: ['a'],
    })
    expect(await textAt(publication, 'pointer')).toBe('first')
  })
})

describe('a directory', () => {
  it('leaves no half-written files', async () => {
    await directoryPublication(directory).put([file('a/b/c', 'one')])
    expect(await readdir(join(directory, 'a/b'))).toEqual(['c'])
  })

  it('stores the pointer last: when a file before it cannot be written, the pointer stays', async () => {
    const publication = directoryPublication(directory)
    await publication.put([file('pointer', 'first', false)])
    await writeFile(join(directory, 'blocked'), 'a file where a directory is needed')
    await expect(publication.put([file('blocked/x', 'one'), file('pointer', 'second', false)])).rejects.toMatchObject({
      code: 'publication-io',
    })
    expect(await textAt(publication, 'pointer')).toBe('first')
  })
})

describe('a branch', () => {
  it('gets a publication as one commit, which starts no checks', async () => {
    const { branch, messages } = memoryBranch()
    await branchPublication(branch).put([file('a', 'one'), file('b', 'two'), file('pointer', 'first', false)])
    expect(messages).toEqual([
      expect.stringMatching(/^Publish 3 file\(s\)\n\n\nOperation: \w{26}\nskip-checks: true\n$/),
    ])
  })

  it('is tried again after a lost race, and given up with a reason after five', async () => {
    expect(await branchPublication(memoryBranch(2).branch).put([file('a', 'one')])).toEqual({ kind: 'stored' })
    await expect(branchPublication(memoryBranch(9).branch).put([file('a', 'one')])).rejects.toMatchObject({
      code: 'publication-race',
    })
  })

  it('gets no commit when everything is there already', async () => {
    const { branch, messages } = memoryBranch()
    const publication = branchPublication(branch)
    await publication.put([file('a', 'one')])
    await publication.put([file('a', 'one')])
    expect(messages).toHaveLength(1)
  })
})
