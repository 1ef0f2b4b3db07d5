import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { type Sandbox, startSandbox } from './sandbox.ts'
import { acme } from './seeds.ts'

let sandbox: Sandbox

beforeAll(async () => {
  sandbox = await startSandbox({ seed: acme })
})
afterAll(() => sandbox.stop())
afterEach(() => {
  expect(sandbox.violations.splice(0)).toEqual([])
})

const handle = () => sandbox.repository('acme/app')
const head = async (branch = 'main') => (await handle().head(branch)) ?? ''

interface Result {
  readonly data?: Record<string, unknown>
  readonly errors?: readonly { readonly type?: string; readonly message: string; readonly path?: readonly string[] }[]
}

/** The bare answer: errors come with HTTP 200. */
async function ask(token: string, query: string, variables: object = {}): Promise<Result> {
  const response = await fetch(sandbox.graphqlUrl, {
    method: 'POST',
    headers: { authorization: `bearer ${token}` },
    body: JSON.stringify({ query, variables }),
  })
  expect(response.status).toBe(200)
  return (await response.json()) as Result
}
const dataOf = ({ data }: Result): Record<string, unknown> => data ?? {}
const appToken = () => sandbox.app('ringmaster').token('acme')

const commitMutation = `mutation($input: CreateCommitOnBranchInput!) {
  createCommitOnBranch(input: $input) {
    commit { oid message author { name email user { login } } committer { name } signature { isValid wasSignedByGitHub } }
    ref { name target { oid } }
  }
}`
const base64 = (text: string) => Buffer.from(text).toString('base64')
const input = (branchName: string, expectedHeadOid: string, fileChanges: object = {}) => ({
  input: {
    branch: { repositoryNameWithOwner: 'acme/app', branchName },
    expectedHeadOid,
    message: { headline: 'one', body: 'two' },
    fileChanges,
  },
})

describe('queries', () => {
  it('reads a ref and many files in one request', async () => {
    const oid = await head()
    const result = await ask(
      appToken(),
      `query($one: String!) { repository(owner: "ACME", name: "App") {
        nameWithOwner isEmpty
        defaultBranchRef { name prefix target { oid ... on Commit { messageHeadline messageBody history(first: 5) { totalCount nodes { oid } } } } }
        missing: ref(qualifiedName: "refs/heads/none") { name }
        one: object(expression: $one) { ... on Blob { text isTruncated isBinary byteSize } }
        none: object(expression: "main:none.txt") { oid }
        dir: object(expression: "main:src") { ... on Tree { entries { name path type mode oid object { ... on Blob { text } } } } }
      } }`,
      { one: `${oid}:src/a.txt` },
    )
    expect(result.errors).toBeUndefined()
    expect(result.data?.['repository']).toMatchObject({
      nameWithOwner: 'acme/app',
      isEmpty: false,
      defaultBranchRef: {
        name: 'main',
        prefix: 'refs/heads/',
        target: { oid, messageHeadline: 'fix: second', messageBody: 'why', history: { totalCount: 2 } },
      },
      missing: null,
      one: { text: 'two\n', isTruncated: false, isBinary: false, byteSize: 4 },
      none: null,
      dir: {
        entries: [
          { name: 'a.txt', path: 'src/a.txt', type: 'blob', mode: 33188, object: { text: 'two\n' } },
          { name: 'b.txt', path: 'src/b.txt' },
        ],
      },
    })
  })

  it('cuts texts at 512,000 bytes and says so', async () => {
    await handle().commit({
      message: 'big',
      branch: 'big',
      files: { 'big.txt': 'x'.repeat(512_001), 'fits.txt': 'y'.repeat(512_000) },
      author: 'bob',
    })
    const result = await ask(
      appToken(),
      `{ repository(owner: "acme", name: "app") {
        big: object(expression: "big:big.txt") { ... on Blob { text isTruncated byteSize } }
        fits: object(expression: "big:fits.txt") { ... on Blob { isTruncated } } } }`,
    )
    const { big, fits } = dataOf(result)['repository'] as {
      big: { text: string; isTruncated: boolean; byteSize: number }
      fits: object
    }
    expect([big.text.length, big.isTruncated, big.byteSize]).toEqual([512_000, true, 512_001])
    expect(fits).toEqual({ isTruncated: false })
  })

  it('names the viewer', async () => {
    expect((await ask(sandbox.as('bob').token, '{ viewer { login } }')).data).toEqual({ viewer: { login: 'bob' } })
    expect((await ask(appToken(), '{ viewer { login } }')).data).toEqual({ viewer: { login: 'ringmaster[bot]' } })
  })

  it('hides what a stranger may not see', async () => {
    const result = await ask(sandbox.as('mal').token, '{ repository(owner: "acme", name: "app") { id } }')
    expect(result).toMatchObject({ data: { repository: null }, errors: [{ type: 'NOT_FOUND', path: ['repository'] }] })
  })

  it.each([
    [
      'a list without a bound',
      'defaultBranchRef { target { ... on Commit { history { totalCount } } } }',
      'MISSING_PAGINATION_BOUNDARIES',
    ],
    [
      'more than a hundred at once',
      'refs(refPrefix: "refs/heads/", first: 101) { totalCount }',
      'EXCESSIVE_PAGINATION',
    ],
  ])('refuses %s', async (_, field, type) => {
    const result = await ask(appToken(), `{ repository(owner: "acme", name: "app") { ${field} } }`)
    expect(result.errors?.[0]?.type).toBe(type)
  })

  it('knows no field that GitHub does not have, and records one that the sandbox lacks', async () => {
    const unknown = await ask(appToken(), '{ repository(owner: "acme", name: "app") { colour } }')
    expect(unknown.errors?.[0]?.message).toContain('Cannot query field "colour"')
    expect(sandbox.violations.splice(0)).toMatchObject([{ kind: 'request' }])
    await ask(appToken(), '{ repository(owner: "acme", name: "app") { diskUsage } }')
    expect(sandbox.violations.splice(0)).toMatchObject([
      { kind: 'not-implemented', problems: ['Repository.diskUsage'] },
    ])
  })
})

describe('createCommitOnBranch', () => {
  it('commits as the App, signed by GitHub, and moves the branch', async () => {
    const before = await head()
    const changes = {
      additions: [{ path: 'log/1.txt', contents: base64('first') }],
      deletions: [{ path: 'src/b.txt' }],
    }
    const result = await ask(appToken(), commitMutation, input('main', before, changes))
    const after = await head()
    expect(result).toMatchObject({
      data: {
        createCommitOnBranch: {
          commit: {
            oid: after,
            message: 'one\n\ntwo',
            author: {
              name: 'ringmaster[bot]',
              email: expect.stringMatching(/^\d+\+ringmaster\[bot\]@users\.noreply\.github\.com$/),
              user: null,
            },
            committer: { name: 'GitHub' },
            signature: { isValid: true, wasSignedByGitHub: true },
          },
          ref: { name: 'main', target: { oid: after } },
        },
      },
    })
    expect(await handle().read('log/1.txt')).toBe('first')
    expect(await handle().read('src/b.txt')).toBeUndefined()
  })

  it('makes an empty commit out of no changes', async () => {
    const before = await head()
    await ask(appToken(), commitMutation, input('refs/heads/main', before))
    expect(await head()).not.toBe(before)
  })

  it('refuses a stale head exactly as github.com does', async () => {
    const before = await head()
    const old = await head('v1.0.0')
    const result = await ask(
      appToken(),
      commitMutation,
      input('main', old, { additions: [{ path: 'x', contents: '' }] }),
    )
    expect(result).toEqual({
      data: { createCommitOnBranch: null },
      errors: [
        {
          type: 'STALE_DATA',
          path: ['createCommitOnBranch'],
          locations: [{ line: 2, column: 3 }],
          message: `Expected branch to point to "${old}" but it did not.  Pull and try again.`,
        },
      ],
    })
    expect(await head()).toBe(before)
  })

  it('lets one of two racing writers win', async () => {
    const before = await head()
    const race = await Promise.all(
      ['a', 'b', 'c'].map((name) =>
        ask(
          appToken(),
          commitMutation,
          input('main', before, { additions: [{ path: `race/${name}`, contents: base64(name) }] }),
        ),
      ),
    )
    expect(race.filter(({ errors }) => errors === undefined)).toHaveLength(1)
    expect(race.flatMap(({ errors = [] }) => errors.map(({ type }) => type))).toEqual(['STALE_DATA', 'STALE_DATA'])
  })

  it.each([
    [
      'a path twice',
      { additions: [{ path: 'a', contents: '' }], deletions: [{ path: 'a' }] },
      'UNPROCESSABLE',
      'Path must be unique: a',
    ],
    [
      'the deletion of a missing path',
      { deletions: [{ path: 'none' }] },
      'UNPROCESSABLE',
      'A path was requested for deletion which does not exist as of commit oid',
    ],
    ['a path with a leading slash', { additions: [{ path: '/a', contents: '' }] }, 'UNPROCESSABLE', 'not valid'],
    ['a path upwards', { additions: [{ path: 'a/../b', contents: '' }] }, 'UNPROCESSABLE', 'not valid'],
    [
      'contents that are no base64',
      { additions: [{ path: 'a', contents: 'no!' }] },
      'UNPROCESSABLE',
      'not valid base64',
    ],
    [
      'a workflow file without the permission',
      { additions: [{ path: '.github/workflows/x.yml', contents: '' }] },
      'FORBIDDEN',
      'refusing to allow a GitHub App',
    ],
  ])('refuses %s and changes nothing', async (_, changes, type, message) => {
    const before = await head()
    const result = await ask(appToken(), commitMutation, input('main', before, changes))
    expect(result.errors).toMatchObject([{ type, message: expect.stringContaining(message) }])
    expect(await head()).toBe(before)
  })

  it('refuses an App that may only read', async () => {
    const result = await ask(sandbox.app('reader').token('acme'), commitMutation, input('main', await head()))
    expect(result.errors).toMatchObject([{ type: 'FORBIDDEN', message: 'Resource not accessible by integration' }])
  })
})

describe('updateRefs', () => {
  const mutation = 'mutation($input: UpdateRefsInput!) { updateRefs(input: $input) { clientMutationId } }'
  const zero = '0'.repeat(40)
  const update = async (refUpdates: object[]) => {
    const found = await ask(appToken(), '{ repository(owner: "acme", name: "app") { id } }')
    const { id } = dataOf(found)['repository'] as { id: string }
    return ask(appToken(), mutation, { input: { repositoryId: id, refUpdates } })
  }

  it('moves several refs or none', async () => {
    const oid = await head()
    const made = await update([
      { name: 'refs/heads/u1', beforeOid: zero, afterOid: oid },
      { name: 'refs/heads/u2', afterOid: oid },
    ])
    expect(made.errors).toBeUndefined()
    const lost = await update([
      { name: 'refs/heads/u1', beforeOid: oid, afterOid: zero },
      { name: 'refs/heads/u2', beforeOid: await head('v1.0.0'), afterOid: zero },
    ])
    expect(lost.errors?.[0]?.type).toBe('STALE_DATA')
    expect([await head('u1'), await head('u2')]).toEqual([oid, oid])
    expect((await update([{ name: 'refs/heads/u1', beforeOid: zero, afterOid: oid }])).errors?.[0]?.type).toBe(
      'UNPROCESSABLE',
    )
    await update(['u1', 'u2'].map((name) => ({ name: `refs/heads/${name}`, beforeOid: oid, afterOid: zero })))
    expect(await head('u1')).toBe('')
  })
})
