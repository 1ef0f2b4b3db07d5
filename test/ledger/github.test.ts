import { describe, expect, it } from '@jest/globals'
import { checkAuthorship } from '../../src/ledger/authorship.ts'
import { gitHubStore } from '../../src/ledger/github.ts'
import { failureOf } from '../../src/ledger/github-outcome.ts'
import { type MemoryBranch, memoryBranch } from '../../src/ledger/memory.ts'
import { type CommitRequest, commitMessage, type LedgerStore } from '../../src/ledger/store.ts'
import { BOT, type FakeOptions, fakeGitHub, GitHubFailure } from './fake-github.ts'
import { nextId, opened, record } from './opened.ts'
import { counted } from './small-model.ts'

const onGitHub = (branch: MemoryBranch, options: FakeOptions = {}) => {
  const fake = fakeGitHub(branch, options)
  const waited: number[] = []
  const delay = async (milliseconds: number) => void waited.push(milliseconds)
  const store = gitHubStore({ client: fake.client, owner: 'acme', repo: 'releases', branch: 'ringmaster-data', delay })
  return { store, calls: fake.calls, waited }
}

const badGateway = () => {
  throw new GitHubFailure("We couldn't respond to your request in time", { status: 502 })
}

/** A fault that strikes at these calls, counted from 1. */
const at = (strikes: readonly number[], strike: () => void) => {
  let count = 0
  return () => {
    count += 1
    if (strikes.includes(count)) strike()
  }
}

const total = async (store: LedgerStore) => (await opened(store).view()).state('product/a')

describe('a commit whose answer was lost', () => {
  it.each<[string, FakeOptions['fault'], number]>([
    ['a 502 before the first commit', { before: at([1], badGateway) }, 2],
    ['a 502 after the first commit', { after: at([1], badGateway) }, 2],
    ['a 502 before a later commit', { before: at([2], badGateway) }, 2],
    ['a 502 after a later commit', { after: at([2], badGateway) }, 2],
    [
      'a cut connection after a commit',
      {
        after: at([2], () => {
          throw new TypeError('fetch failed')
        }),
      },
      2,
    ],
    [
      "GraphQL's own fault after a commit",
      {
        after: at([2], () => {
          throw new GitHubFailure('x', {
            status: 200,
            errors: [{ message: 'Something went wrong while executing your query' }],
          })
        }),
      },
      2,
    ],
  ])('is made once in spite of %s', async (_, fault, commits) => {
    const branch = memoryBranch()
    const { store } = onGitHub(branch, { fault: fault ?? {} })
    const ledger = opened(store)
    await record(ledger, counted(['a']))
    await record(ledger, counted(['a']))
    expect(branch.commits.size).toBe(commits)
    expect(await total(onGitHub(branch).store)).toEqual({ total: 2, last: 2 })
  })

  it('is found although reads lag behind it, and is not made again', async () => {
    const branch = memoryBranch()
    let lagging = 0
    let old: string | null = null
    const lag = () => {
      lagging -= 1
      return lagging >= 0 ? old : undefined
    }
    const after = at([2], () => {
      lagging = 4
      badGateway()
    })
    const { store, waited } = onGitHub(branch, { fault: { after }, lag })
    const ledger = opened(store)
    await record(ledger, counted(['a']))
    old = branch.head
    expect((await record(ledger, counted(['a']))).events).toHaveLength(1)
    expect(waited.length).toBeGreaterThan(1)
    expect(await total(onGitHub(branch).store)).toEqual({ total: 2, last: 2 })
  })

  /** A request on the second commit of a branch; its first answer is lost, and from then on reads show the commit before. */
  async function lost(when: 'before' | 'after', reads: number) {
    const branch = memoryBranch()
    const other = opened(onGitHub(branch).store)
    await record(other, counted(['a']))
    const older = branch.head
    await record(other, counted(['a']))
    let lagging = 0
    const strike = at([1], () => {
      lagging = reads
      badGateway()
    })
    const lag = () => {
      lagging -= 1
      return lagging >= 0 ? older : undefined
    }
    const { store, waited } = onGitHub(branch, { fault: { [when]: strike }, lag })
    const operation = nextId()
    const request: CommitRequest = {
      expectedHead: branch.head,
      operation,
      message: commitMessage('a document', operation),
      additions: [{ path: 'configs/a.yml', bytes: Buffer.from('a') }],
      deletions: [],
    }
    return { branch, older, other, request, store, waited }
  }

  it('is found although reads lag even behind the commit that it was made on', async () => {
    const { branch, request, store, waited } = await lost('after', 4)
    const outcome = await store.commit(request)
    expect(outcome).toEqual({ kind: 'committed', commit: branch.head })
    expect(waited).toHaveLength(5)
  })

  it('says stale behind such reads only when another writer committed, or when they cannot lag any more', async () => {
    const overtaken = await lost('before', 4)
    await record(overtaken.other, counted(['a']))
    expect(await overtaken.store.commit(overtaken.request)).toEqual({ kind: 'stale' })
    expect(overtaken.waited).toHaveLength(5)
    const rewound = await lost('before', 0)
    rewound.branch.head = rewound.older
    expect(await rewound.store.commit(rewound.request)).toEqual({ kind: 'stale' })
    expect(rewound.waited.length).toBeGreaterThanOrEqual(30)
  })

  it('says stale when another writer committed instead', async () => {
    const branch = memoryBranch()
    const other = opened(onGitHub(branch).store)
    await record(other, counted(['a']))
    const fake = fakeGitHub(branch)
    let isOvertaken = false
    const client: typeof fake.client = {
      ...fake.client,
      graphql: async (text, variables) => {
        if (!text.startsWith('mutation') || isOvertaken) return fake.client.graphql(text, variables)
        isOvertaken = true
        await record(other, counted(['a']))
        throw new GitHubFailure('Bad Gateway', { status: 502 })
      },
    }
    const store = gitHubStore({
      client,
      owner: 'acme',
      repo: 'releases',
      branch: 'ringmaster-data',
      delay: async () => {},
    })
    await record(opened(store), counted(['a']))
    expect(await total(onGitHub(branch).store)).toEqual({ total: 3, last: 3 })
  })

  it('fails after a bounded number of requests when GitHub stays down', async () => {
    const { store, calls } = onGitHub(memoryBranch(), { fault: { before: badGateway } })
    await expect(record(opened(store), counted(['a']))).rejects.toMatchObject({ status: 502 })
    expect(calls.length).toBeLessThan(20)
  })
})

describe('reading from GitHub', () => {
  it('reads by REST what GraphQL cuts', async () => {
    const branch = memoryBranch()
    await record(opened(onGitHub(branch).store, { snapshotEvery: 2 }), counted(['a'], 3), counted(['b']))
    const { store, calls } = onGitHub(branch, { truncateAbove: 10 })
    expect(await total(store)).toEqual({ total: 3, last: 1 })
    expect(calls).toContain('GET /git/blobs/{file_sha}')
  })

  it('waits for a replica that has not seen the commit yet, and does not take it for damage', async () => {
    const branch = memoryBranch()
    await record(opened(onGitHub(branch).store), counted(['a'], 3))
    let unseen = 6
    const { store, waited } = onGitHub(branch, {
      isUnseen: () => {
        unseen -= 1
        return unseen >= 0
      },
    })
    expect(await total(store)).toEqual({ total: 3, last: 1 })
    expect(waited.length).toBeGreaterThan(0)
    const never = onGitHub(branch, { isUnseen: () => true }).store
    await expect(total(never)).rejects.toMatchObject({ code: 'commit-unreadable', fault: 'outside' })
  })

  it('waits for the history of such a commit, too: an empty one would have no stranger in it', async () => {
    const branch = memoryBranch()
    const eve = { name: 'eve', email: 'eve@users.noreply.github.com' }
    await record(opened(onGitHub(branch, { author: eve }).store), counted(['a']))
    const head = branch.head ?? ''
    let unseen = 3
    const { store, waited } = onGitHub(branch, {
      isUnseen: () => {
        unseen -= 1
        return unseen >= 0
      },
    })
    await expect(checkAuthorship(store, head, { author: BOT })).rejects.toMatchObject({ code: 'foreign-author' })
    expect(waited).toHaveLength(3)
    const never = onGitHub(branch, { isUnseen: () => true }).store
    await expect(checkAuthorship(never, head, { author: BOT })).rejects.toMatchObject({
      code: 'commit-unreadable',
      fault: 'outside',
    })
  })

  it('refuses bytes that do not make the blob', async () => {
    const branch = memoryBranch()
    await record(opened(onGitHub(branch).store), counted(['a']))
    const fake = fakeGitHub(branch, { truncateAbove: 10 })
    const client: typeof fake.client = {
      ...fake.client,
      request: async () => ({ data: { content: Buffer.from('{}').toString('base64'), encoding: 'base64' } }),
    }
    const store = gitHubStore({ client, owner: 'acme', repo: 'releases', branch: 'ringmaster-data' })
    await expect(opened(store).view()).rejects.toMatchObject({ code: 'unreadable-blob', fault: 'outside' })
  })

  it('opens with four requests whatever the length of the log, and appends with one once it is warm', async () => {
    const branch = memoryBranch()
    const writer = opened(onGitHub(branch).store)
    for (let turn = 0; turn < 70; turn += 1) await record(writer, counted(['a']))
    const { store, calls } = onGitHub(branch)
    const ledger = opened(store)
    await (await ledger.view()).state('product/a')
    expect(calls).toEqual(['query', 'query', 'query', 'query'])
    await record(ledger, counted(['a']))
    await record(ledger, counted(['a']))
    // The board's page and shard, and the page and the file of its event's key.
    expect(calls.slice(4)).toEqual(['query', 'query', 'query', 'query', 'mutation', 'mutation'])
  })

  it('takes an unsigned commit for a stranger, unless the server does not sign', async () => {
    const branch = memoryBranch()
    await record(opened(onGitHub(branch).store), counted(['a']))
    const { client } = fakeGitHub(branch, { signed: false })
    const place = { client, owner: 'acme', repo: 'releases', branch: 'ringmaster-data' }
    await expect(opened(gitHubStore(place)).view()).rejects.toMatchObject({ code: 'foreign-author' })
    const lenient = opened(gitHubStore({ ...place, signatures: 'not-kept' }))
    expect((await lenient.view()).head.seq).toBe(1)
  })

  it.each(['GPGVERIFY_UNAVAILABLE', 'GPGVERIFY_ERROR'] as const)(
    'does not take a signature that GitHub could not check for a forged one: %s',
    async (trouble) => {
      const branch = memoryBranch()
      await record(opened(onGitHub(branch).store), counted(['a']))
      let state: ReturnType<NonNullable<FakeOptions['signatureState']>> = trouble
      const { store } = onGitHub(branch, { signatureState: () => state })
      const ledger = opened(store)
      const failed = { code: 'github-failed', fault: 'outside', message: expect.stringContaining(trouble) }
      await expect(ledger.view()).rejects.toMatchObject(failed)
      await expect(checkAuthorship(store, branch.head ?? '', { author: BOT })).rejects.toMatchObject(failed)
      expect(ledger.trouble).toBeUndefined()
      state = 'VALID'
      expect((await ledger.view()).head.seq).toBe(1)
      state = 'INVALID'
      await expect(opened(store).view()).rejects.toMatchObject({ code: 'foreign-author' })
    },
  )

  it('takes a commit by another account for a stranger', async () => {
    const branch = memoryBranch()
    const eve = { name: 'eve', email: 'eve@users.noreply.github.com' }
    await record(opened(onGitHub(branch, { author: eve }).store), counted(['a']))
    const ledger = opened(onGitHub(branch).store, { writer: { version: '0.1.0', author: BOT } })
    await expect(ledger.view()).rejects.toMatchObject({ code: 'foreign-author' })
  })

  it('names an empty repository and what to do', async () => {
    const fake = fakeGitHub(memoryBranch())
    const client: typeof fake.client = {
      ...fake.client,
      request: async () => {
        throw new GitHubFailure('Git Repository is empty.', { status: 409 })
      },
    }
    const store = gitHubStore({ client, owner: 'acme', repo: 'releases', branch: 'ringmaster-data' })
    await expect(record(opened(store), counted(['a']))).rejects.toMatchObject({
      code: 'empty-repository',
      hint: expect.stringContaining('first commit'),
    })
  })
})

describe('failures of a mutation', () => {
  it.each<[string, unknown, string]>([
    ['STALE_DATA', { errors: [{ type: 'STALE_DATA', message: 'x' }] }, 'stale'],
    ['STALE_HEAD_OID', { errors: [{ type: 'STALE_HEAD_OID', message: 'x' }] }, 'stale'],
    [
      'the sentence alone',
      { errors: [{ message: 'Expected branch to point to "a" but it did not.  Pull and try again.' }] },
      'stale',
    ],
    ['an existing reference', { status: 422, message: 'Reference already exists' }, 'exists'],
    ['another 422', { status: 422, message: 'Object does not exist' }, 'refused'],
    ['FORBIDDEN', { errors: [{ type: 'FORBIDDEN', message: 'Resource not accessible by integration' }] }, 'refused'],
    ['a secondary limit', { status: 403, message: 'You have exceeded a secondary rate limit.' }, 'refused'],
    [
      'a secondary limit as HTTP 200',
      { errors: [{ message: 'You have exceeded a secondary rate limit.' }] },
      'refused',
    ],
    ['a primary limit', { status: 429, message: 'API rate limit exceeded' }, 'refused'],
    ['502', { status: 502, message: 'Bad Gateway' }, 'unknown'],
    ['504', { status: 504, message: 'timeout' }, 'unknown'],
    ['a cut connection', new TypeError('fetch failed'), 'unknown'],
    [
      'a commit beside an error',
      { data: { createCommitOnBranch: {} }, errors: [{ type: 'INTERNAL', message: 'x' }] },
      'unknown',
    ],
    ['nothing at all', undefined, 'unknown'],
  ])('%s means %s', (_, error, failure) => {
    expect(failureOf(error)).toBe(failure)
  })
})
