import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { type Sandbox, startSandbox } from './sandbox.ts'
import { acme } from './seeds.ts'
import { refusal } from './testing.ts'

const repo = { owner: 'acme', repo: 'app' }
const empty = { owner: 'acme', repo: 'empty' }
let sandbox: Sandbox

beforeAll(async () => {
  sandbox = await startSandbox({ seed: acme })
})
afterAll(() => sandbox.stop())
afterEach(() => {
  expect(sandbox.violations).toEqual([])
})

const app = () => sandbox.app('ringmaster').octokit('acme').rest
const bob = () => sandbox.as('bob').octokit.rest
const head = async (branch = 'main') => (await sandbox.repository('acme/app').head(branch)) ?? ''
const statusOf = (error: unknown) => (error as { status?: number }).status

describe('git data', () => {
  it('makes a file, a commit and a branch out of objects', async () => {
    const { git } = app()
    const base = await head()
    const { data: parent } = await git.getCommit({ ...repo, commit_sha: base })
    const blob = await git.createBlob({ ...repo, content: Buffer.from([0, 1]).toString('base64'), encoding: 'base64' })
    const tree = await git.createTree({
      ...repo,
      base_tree: parent.tree.sha,
      tree: [
        { path: 'data/x.bin', mode: '100644', type: 'blob', sha: blob.data.sha },
        { path: 'data/y.txt', mode: '100755', type: 'blob', content: 'y' },
        { path: 'src/b.txt', mode: '100644', type: 'blob', sha: null },
      ],
    })
    expect(
      (await git.getTree({ ...repo, tree_sha: tree.data.sha, recursive: '1' })).data.tree.map((entry) => entry.path),
    ).toEqual(['README.md', 'data', 'data/x.bin', 'data/y.txt', 'src', 'src/a.txt'])
    const commit = await git.createCommit({ ...repo, message: 'made by hand', tree: tree.data.sha, parents: [base] })
    expect(commit.data).toMatchObject({
      message: 'made by hand',
      author: { name: 'ringmaster[bot]' },
      verification: { verified: true },
    })
    const ref = await git.createRef({ ...repo, ref: 'refs/heads/work/one', sha: commit.data.sha })
    expect(ref.data.object.sha).toBe(commit.data.sha)
    expect((await git.getRef({ ...repo, ref: 'heads/work/one' })).data.ref).toBe('refs/heads/work/one')
    expect((await git.listMatchingRefs({ ...repo, ref: 'heads/work' })).data).toHaveLength(1)
    expect((await git.getBlob({ ...repo, file_sha: blob.data.sha })).data).toMatchObject({ content: 'AAE=', size: 2 })
    await git.deleteRef({ ...repo, ref: 'heads/work/one' })
    expect(await refusal(git.getRef({ ...repo, ref: 'heads/work/one' }))).toBe('404 Not Found')
  })

  it('makes an orphan branch that has no history in common', async () => {
    const { git, repos } = app()
    const tree = await git.createTree({ ...repo, tree: [{ path: 'head.json', mode: '100644', content: '{}' }] })
    const commit = await git.createCommit({ ...repo, message: 'begin', tree: tree.data.sha })
    expect(commit.data.parents).toEqual([])
    await git.createRef({ ...repo, ref: 'refs/heads/data', sha: commit.data.sha })
    expect(await refusal(repos.compareCommitsWithBasehead({ ...repo, basehead: 'main...data' }))).toMatch(
      /^404 No common ancestor/,
    )
  })

  it.each([
    [
      'a ref that exists',
      () =>
        app()
          .git.createRef({ ...repo, ref: 'refs/heads/main', sha: 'x' })
          .catch(() => 0)
          .then(async () => app().git.createRef({ ...repo, ref: 'refs/heads/main', sha: await head() })),
      '422 Reference already exists',
    ],
    [
      'a ref without refs/',
      async () => app().git.createRef({ ...repo, ref: 'main2', sha: await head() }),
      '422 "main2" is not a valid ref name.',
    ],
    [
      'a ref to nothing',
      () => app().git.createRef({ ...repo, ref: 'refs/heads/x', sha: 'f'.repeat(40) }),
      '422 Object does not exist',
    ],
    [
      'an update of no ref',
      async () => app().git.updateRef({ ...repo, ref: 'heads/none', sha: await head() }),
      '422 Reference does not exist',
    ],
    [
      'a move backwards',
      async () =>
        app().git.updateRef({ ...repo, ref: 'heads/main', sha: await head('main').then(() => head('v1.0.0')) }),
      '422 Update is not a fast forward',
    ],
    [
      'the deletion of the default branch',
      () => app().git.deleteRef({ ...repo, ref: 'heads/main' }),
      '422 Cannot delete the default branch',
    ],
    ['an empty tree', () => app().git.createTree({ ...repo, tree: [] }), '422 Invalid tree info'],
    [
      'a path out of the repository',
      () => app().git.createTree({ ...repo, tree: [{ path: '../x', mode: '100644', content: '' }] }),
      '422 tree.path contains a malformed path component',
    ],
    [
      'a path into .git',
      () => app().git.createTree({ ...repo, tree: [{ path: 'a/.GIT/x', mode: '100644', content: '' }] }),
      '422 tree.path contains a malformed path component',
    ],
    [
      'objects in an empty repository',
      () => app().git.createBlob({ ...empty, content: 'x' }),
      '409 Git Repository is empty.',
    ],
    [
      'a writer that may only read',
      () =>
        sandbox
          .app('reader')
          .octokit('acme')
          .rest.git.createBlob({ ...repo, content: 'x' }),
      '403 Resource not accessible by integration',
    ],
    ['a stranger', () => sandbox.as('mal').octokit.rest.git.getRef({ ...repo, ref: 'heads/main' }), '404 Not Found'],
    [
      'a member without write',
      () => sandbox.as('eve').octokit.rest.git.createBlob({ ...repo, content: 'x' }),
      '403 Must have write access to the repository.',
    ],
  ])('refuses %s', async (_, work, expected) => {
    expect(await refusal(Promise.resolve(work()))).toBe(expected)
  })
})

describe('contents', () => {
  it('reads a file, a directory and raw bytes', async () => {
    const { repos } = bob()
    const file = await repos.getContent({ ...repo, path: 'src/a.txt' })
    expect(file.data).toMatchObject({ type: 'file', content: 'dHdvCg==', size: 4 })
    const directory = await repos.getContent({ ...repo, path: 'src', ref: 'v1.0.0' })
    expect((directory.data as { name: string }[]).map(({ name }) => name)).toEqual(['a.txt'])
    const raw = await repos.getContent({ ...repo, path: 'src/a.txt', mediaType: { format: 'raw' } })
    expect(Buffer.from(raw.data as unknown as ArrayBuffer).toString()).toBe('two\n')
  })

  it('writes, changes and deletes a file, and begins an empty repository', async () => {
    const { repos } = app()
    const content = (text: string) => Buffer.from(text).toString('base64')
    const first = await repos.createOrUpdateFileContents({
      ...empty,
      path: 'a/b.txt',
      message: 'begin',
      content: content('1'),
    })
    expect(first.status).toBe(201)
    const sha = first.data.content?.sha ?? ''
    const second = await repos.createOrUpdateFileContents({
      ...empty,
      path: 'a/b.txt',
      message: 'more',
      content: content('2'),
      sha,
    })
    expect(second.status).toBe(200)
    expect(
      await refusal(repos.createOrUpdateFileContents({ ...empty, path: 'a/b.txt', message: 'no', content: '', sha })),
    ).toBe(`409 a/b.txt does not match ${sha}`)
    expect(
      await refusal(repos.createOrUpdateFileContents({ ...empty, path: 'a/b.txt', message: 'no', content: '' })),
    ).toContain('"sha" wasn\'t supplied')
    await repos.deleteFile({ ...empty, path: 'a/b.txt', message: 'gone', sha: second.data.content?.sha ?? '' })
    expect(await refusal(repos.getContent({ ...empty, path: 'a/b.txt' }))).toBe('404 Not Found')
  })
})

describe('commits', () => {
  it('compares, lists and shows commits with their files', async () => {
    const { repos } = bob()
    const { data } = await repos.compareCommitsWithBasehead({ ...repo, basehead: 'v1.0.0...main' })
    expect(data).toMatchObject({ status: 'ahead', ahead_by: 1, behind_by: 0, total_commits: 1 })
    expect(data.files?.map(({ filename, status, patch }) => [filename, status, patch])).toEqual([
      ['src/a.txt', 'modified', '@@ -1 +1 @@\n-one\n+two'],
      ['src/b.txt', 'added', '@@ -0,0 +1 @@\n+b'],
    ])
    const listed = await repos.listCommits({ ...repo, per_page: 1 })
    expect(listed.data.map(({ commit }) => commit.message)).toEqual(['fix: second\n\nwhy'])
    expect(listed.headers.link).toContain('rel="next"')
    const one = await repos.getCommit({ ...repo, ref: 'main' })
    expect(one.data.author?.login).toBe('bob')
    expect(one.data.stats).toEqual({ additions: 2, deletions: 1, total: 3 })
    expect((await repos.getBranch({ ...repo, branch: 'main' })).data.commit.sha).toBe(await head())
    expect((await repos.listTags({ ...repo })).data.map(({ name }) => name)).toEqual(['v1.0.0'])
    const again = await repos
      .getCommit({ ...repo, ref: 'main', headers: { 'if-none-match': String(one.headers.etag) } })
      .catch(statusOf)
    expect(again).toBe(304)
  })

  it('merges branches, and refuses a conflict', async () => {
    const handle = sandbox.repository('acme/app')
    await handle.commit({ message: 'left', branch: 'left', files: { 'left.txt': '1' }, author: 'bob' })
    await handle.commit({ message: 'right', branch: 'right', files: { 'right.txt': '1' }, author: 'bob' })
    const merged = await bob().repos.merge({ ...repo, base: 'left', head: 'right' })
    expect(merged.data.parents).toHaveLength(2)
    expect(await handle.read('right.txt', 'left')).toBe('1')
    await handle.commit({ message: 'right again', branch: 'right', files: { 'left.txt': 'other' }, author: 'bob' })
    expect(await refusal(bob().repos.merge({ ...repo, base: 'left', head: 'right' }))).toBe('409 Merge conflict')
  })
})

describe('git over HTTP', () => {
  it('finds nothing wrong with what the sandbox wrote', async () => {
    const handle = sandbox.repository('acme/app')
    const files = { 'a/b': '1', 'a.b': '2', 'a-b': '3', 'a/c/d': '4', 'ä/é': '5' }
    await handle.commit({ message: 'names that sort otherwise as directories', branch: 'names', author: 'bob', files })
    await handle.commit({
      message: 'a directory becomes a file',
      branch: 'names',
      author: 'bob',
      files: { a: '6', 'a/b': null, 'a/c/d': null },
    })
    await handle.commit({ message: 'and back', branch: 'names', author: 'bob', files: { 'a/new': '7', 'a.b': null } })
    const output = await shell(
      `git -C ${handle.gitDirectory} fsck --full --strict --no-dangling && git -C ${handle.gitDirectory} ls-tree -r --name-only -z names | tr '\\0' ' '`,
    )
    expect(output).toBe('README.md a-b a/new src/a.txt src/b.txt ä/é ')
  })

  const run = promisify(execFile)
  const shell = async (script: string) => {
    const env = {
      ...process.env,
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_TERMINAL_PROMPT: '0',
      GIT_AUTHOR_NAME: 'b',
      GIT_AUTHOR_EMAIL: 'b@x',
      GIT_COMMITTER_NAME: 'b',
      GIT_COMMITTER_EMAIL: 'b@x',
    }
    return run('bash', ['-ec', script], { env, cwd: sandbox.world.directory }).then(
      ({ stdout, stderr }) => stdout + stderr,
      (error: { stdout: string; stderr: string }) => error.stdout + error.stderr,
    )
  }

  it('clones and pushes as the owner of the token, with a webhook', async () => {
    const url = sandbox.repository('acme/app').cloneUrl(sandbox.as('bob').token)
    const output = await shell(
      `git clone -q ${url} work && cd work && echo hi > x && git add x && git commit -qm 'feat: x' && git push -q && git rev-parse HEAD`,
    )
    expect(output.trim()).toBe(await head())
    await sandbox.webhooks.settled()
    const push = sandbox.webhooks.attempts.findLast(({ event }) => event === 'push')
    expect(push?.request.payload).toMatchObject({
      ref: 'refs/heads/main',
      commits: [{ added: ['x'] }],
      sender: { login: 'bob' },
    })
  })

  it.each([
    ['nobody', () => undefined, /could not read Username|Authentication failed|terminal prompts disabled/],
    ['a stranger', () => sandbox.as('mal').token, /not found/],
  ])('shows a private repository to no %s', async (_, token, expected) => {
    expect(await shell(`git ls-remote ${sandbox.repository('acme/app').cloneUrl(token())}`)).toMatch(expected)
  })

  it('takes no push from a reader', async () => {
    const url = sandbox.repository('acme/app').cloneUrl(sandbox.as('eve').token)
    expect(await shell(`cd work && git push ${url} HEAD:refs/heads/eve`)).toMatch(/403/)
    expect(await sandbox.repository('acme/app').head('eve')).toBeUndefined()
  })
})
