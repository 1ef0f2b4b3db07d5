import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { matchesPattern } from './rulesets.ts'
import { type Sandbox, startSandbox } from './sandbox.ts'
import { acme } from './seeds.ts'
import { refusal } from './testing.ts'

const repo = { owner: 'acme', repo: 'app' }
let sandbox: Sandbox
let other = ''

const app = () => sandbox.app('ringmaster').octokit('acme').rest
const as = (login: string) => sandbox.as(login).octokit.rest
const handle = () => sandbox.repository('acme/app')
const head = async (branch = 'data') => (await handle().head(branch)) ?? ''

beforeAll(async () => {
  sandbox = await startSandbox({ seed: acme })
  await handle().commit({ message: 'begin', branch: 'data', author: 'ann', files: { 'head.json': '{}' } })
  other = await handle().commit({ message: 'other', branch: 'other', author: 'bob', files: { other: '1' } })
  await as('ann').repos.createRepoRuleset({
    ...repo,
    name: 'the log',
    target: 'branch',
    enforcement: 'active',
    conditions: { ref_name: { include: ['refs/heads/data*'], exclude: [] } },
    rules: [{ type: 'creation' }, { type: 'update' }, { type: 'deletion' }, { type: 'non_fast_forward' }],
    bypass_actors: [{ actor_id: sandbox.app('ringmaster').id, actor_type: 'Integration', bypass_mode: 'always' }],
  })
})
afterAll(() => sandbox.stop())
afterEach(() => {
  expect(sandbox.violations.splice(0)).toEqual([])
})

const commitBy = async (token: string) => {
  const input = {
    branch: { repositoryNameWithOwner: 'acme/app', branchName: 'data' },
    expectedHeadOid: await head(),
    message: { headline: 'x' },
    fileChanges: { additions: [{ path: 'x', contents: '' }] },
  }
  const query =
    'mutation($input: CreateCommitOnBranchInput!) { createCommitOnBranch(input: $input) { commit { oid } } }'
  const response = await fetch(sandbox.graphqlUrl, {
    method: 'POST',
    headers: { authorization: `bearer ${token}` },
    body: JSON.stringify({ query, variables: { input } }),
  })
  const { errors } = (await response.json()) as { errors?: { message: string }[] }
  if (errors) throw Object.assign(new Error(errors[0]?.message), { status: response.status })
}

/** A pull request into the protected branch. */
async function pullInto(branch: string) {
  await handle().commit({ message: 'y', branch: 'into', author: 'bob', files: { [`${Math.random()}`]: 'y' } })
  await as('bob').git.updateRef({ ...repo, ref: 'heads/into', sha: await head(branch), force: true })
  const sha = await handle().commit({
    message: 'y',
    branch: 'into',
    author: 'bob',
    files: { y: String(sandbox.world.nextId()) },
  })
  const open = (await app().pulls.list({ ...repo, head: 'acme:into' })).data[0]
  const pull = open ?? (await as('bob').pulls.create({ ...repo, title: 'y', head: 'into', base: branch })).data
  return { ...repo, pull_number: pull.number, sha }
}

describe('a branch that only the App writes', () => {
  it.each([
    [
      'REST',
      async () => as('ann').git.updateRef({ ...repo, ref: 'heads/data', sha: other }),
      /^422 Repository rule violations found\n\nCannot update this protected ref/,
    ],
    [
      'REST by force',
      async () => as('ann').git.updateRef({ ...repo, ref: 'heads/data', sha: other, force: true }),
      /^422 Repository rule violations found[\s\S]*Cannot force-push/,
    ],
    [
      'a deletion',
      () => as('ann').git.deleteRef({ ...repo, ref: 'heads/data' }),
      /^422 Repository rule violations found\n\nCannot delete this protected ref/,
    ],
    [
      'a branch of that name',
      () => as('ann').git.createRef({ ...repo, ref: 'refs/heads/data-2', sha: other }),
      /^422 Repository rule violations found\n\nCannot create ref/,
    ],
    [
      'a file',
      () =>
        as('ann').repos.createOrUpdateFileContents({ ...repo, branch: 'data', path: 'x', message: 'x', content: '' }),
      /^409 Repository rule violations found/,
    ],
    ['GraphQL', () => commitBy(sandbox.as('ann').token), /^200 Repository rule violations found/],
    ['another App', () => commitBy(sandbox.app('reader').token('acme')), /^200 Resource not accessible by integration/],
    [
      'a merge of branches',
      () => as('ann').repos.merge({ ...repo, base: 'data', head: 'other' }),
      /^409 Repository rule violations found/,
    ],
    [
      'a merged pull request',
      async () => as('ann').pulls.merge(await pullInto('data')),
      /^405 Repository rule violations found/,
    ],
    [
      'a run’s token',
      () =>
        commitBy(
          sandbox.world.mintActionsToken(
            [...sandbox.world.store.repositories.values()][0]!,
            new Map([['contents', 'write']]),
            1,
          ),
        ),
      /^200 Repository rule violations found/,
    ],
  ])('refuses %s of anybody else', async (_, work, expected) => {
    const before = await head()
    expect(await refusal(work())).toMatch(expected)
    expect(await head()).toBe(before)
    expect(await head('data-2')).toBe('')
  })

  it('refuses a push of anybody else, and lets other branches through', async () => {
    const run = promisify(execFile)
    const url = handle().cloneUrl(sandbox.as('ann').token)
    const env = {
      ...process.env,
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_AUTHOR_NAME: 'a',
      GIT_AUTHOR_EMAIL: 'a@x',
      GIT_COMMITTER_NAME: 'a',
      GIT_COMMITTER_EMAIL: 'a@x',
    }
    const script = `git clone -q ${url} pushed && cd pushed && git checkout -q data && git commit -q --allow-empty -m x && git push origin HEAD:data HEAD:free HEAD~1:refs/heads/data-3`
    const output = await run('bash', ['-ec', script], { env, cwd: sandbox.world.directory }).catch(
      (error: { stderr: string }) => error,
    )
    expect(output.stderr).toContain('Repository rule violations found for refs/heads/data.')
    expect(output.stderr).toContain('Cannot update this protected ref.')
    expect(await head('data-3')).toBe('')
    await run('bash', ['-ec', 'git push -q origin HEAD:free'], { env, cwd: `${sandbox.world.directory}/pushed` })
    expect(await head('free')).not.toBe('')
  })

  it('takes commits, merges and force pushes of the App', async () => {
    const before = await head()
    await commitBy(sandbox.app('ringmaster').token('acme'))
    await app().pulls.merge(await pullInto('data'))
    await app().git.updateRef({ ...repo, ref: 'heads/data', sha: before, force: true })
    expect(await head()).toBe(before)
  })

  it('shows the rules to all and the bypass to admins only', async () => {
    const rules = await app().repos.getBranchRules({ ...repo, branch: 'data' })
    expect(rules.data.map(({ type }) => type)).toEqual(['creation', 'update', 'deletion', 'non_fast_forward'])
    const [ruleset] = (await as('eve').repos.getRepoRulesets(repo)).data
    const read = async (login: string) =>
      (await as(login).repos.getRepoRuleset({ ...repo, ruleset_id: ruleset?.id ?? 0 })).data
    expect((await read('ann')).bypass_actors).toMatchObject([{ actor_type: 'Integration', bypass_mode: 'always' }])
    expect((await read('eve')).bypass_actors).toBeUndefined()
    expect((await app().repos.getBranch({ ...repo, branch: 'data' })).data.protected).toBe(true)
    expect((await app().repos.getBranchRules({ ...repo, branch: 'other' })).data).toEqual([])
    expect(await refusal(as('bob').repos.deleteRepoRuleset({ ...repo, ruleset_id: ruleset?.id ?? 0 }))).toMatch(/^403/)
  })

  it('leaves a trace of each push in the activity', async () => {
    const { data } = await app().repos.listActivities({ ...repo, ref: 'refs/heads/data' })
    expect(data.slice(0, 3).map(({ activity_type, actor }) => `${activity_type} ${actor?.login}`)).toEqual([
      'force_push ringmaster[bot]',
      'push ringmaster[bot]',
      'push ringmaster[bot]',
    ])
  })
})

describe('a branch that asks for reviews and checks', () => {
  it('merges when both are there, and not before', async () => {
    await handle().commit({ message: 'begin', branch: 'strict', author: 'ann' })
    await as('ann').repos.createRepoRuleset({
      ...repo,
      name: 'strict',
      enforcement: 'active',
      conditions: { ref_name: { include: ['refs/heads/strict'] } },
      rules: [
        {
          type: 'pull_request',
          parameters: {
            required_approving_review_count: 1,
            dismiss_stale_reviews_on_push: true,
            require_code_owner_review: false,
            require_last_push_approval: false,
            required_review_thread_resolution: false,
          },
        },
        {
          type: 'required_status_checks',
          parameters: { required_status_checks: [{ context: 'ci' }], strict_required_status_checks_policy: false },
        },
      ],
    })
    await expect(handle().commit({ message: 'x', branch: 'strict', author: 'ann' })).rejects.toThrow(
      'Changes must be made through a pull request.',
    )
    const { sha, ...pull } = await pullInto('strict')
    expect(await refusal(as('bob').pulls.merge(pull))).toMatch(
      /^405 [\s\S]*1 approving review is required[\s\S]*"ci" is expected/,
    )
    await as('eve').pulls.createReview({ ...pull, event: 'APPROVE' })
    expect(await refusal(as('bob').pulls.merge(pull))).toMatch(/approving review/)
    await as('ann').pulls.createReview({ ...pull, event: 'APPROVE' })
    const later = (await pullInto('strict')).sha
    expect((await app().pulls.listReviews(pull)).data.map(({ state }) => state)).toEqual(['DISMISSED', 'DISMISSED'])
    await as('ann').pulls.createReview({ ...pull, event: 'APPROVE' })
    await app().repos.createCommitStatus({ ...repo, sha, state: 'success', context: 'ci' })
    expect(await refusal(as('bob').pulls.merge(pull))).toMatch(/^405 [\s\S]*"ci" is expected/)
    await app().repos.createCommitStatus({ ...repo, sha: later, state: 'success', context: 'ci' })
    expect((await as('bob').pulls.merge(pull)).data.merged).toBe(true)
  })
})

describe('patterns', () => {
  it.each([
    ['refs/heads/data', 'refs/heads/data', true],
    ['refs/heads/data*', 'refs/heads/data-2', true],
    ['refs/heads/*', 'refs/heads/a/b', false],
    ['refs/heads/**', 'refs/heads/a/b', true],
    ['refs/heads/a.b', 'refs/heads/axb', false],
    ['refs/heads/a?c', 'refs/heads/abc', true],
  ])('%s on %s: %s', (pattern, name, expected) => {
    expect(matchesPattern(pattern, name)).toBe(expected)
  })
})

describe('checks and statuses', () => {
  it('keeps check runs of an App with their external id', async () => {
    const head_sha = await head('other')
    const created = await app().checks.create({
      ...repo,
      name: 'ringmaster/build',
      head_sha,
      external_id: 'key',
      status: 'in_progress',
      output: {
        title: 't',
        summary: 's',
        annotations: [{ path: 'a', start_line: 1, end_line: 1, annotation_level: 'notice', message: 'm' }],
      },
    })
    expect(created.data).toMatchObject({
      external_id: 'key',
      status: 'in_progress',
      conclusion: null,
      app: { slug: 'ringmaster' },
    })
    const check_run_id = created.data.id
    await app().checks.update({ ...repo, check_run_id, conclusion: 'success' })
    const listed = await app().checks.listForRef({ ...repo, ref: 'other', check_name: 'ringmaster/build' })
    expect(listed.data).toMatchObject({
      total_count: 1,
      check_runs: [{ status: 'completed', conclusion: 'success', output: { annotations_count: 1 } }],
    })
    expect((await app().checks.listAnnotations({ ...repo, check_run_id })).data).toMatchObject([
      { path: 'a', message: 'm' },
    ])
    expect((await app().checks.listSuitesForRef({ ...repo, ref: 'other' })).data.check_suites).toMatchObject([
      { conclusion: 'success', head_branch: 'other' },
    ])
    await sandbox.webhooks.settled()
    const told = sandbox.webhooks.attempts.filter(({ event }) => event === 'check_run').map(({ action }) => action)
    expect(told).toEqual(['created', 'completed'])
  })

  it.each([
    ['a person', async () => as('ann').checks.create({ ...repo, name: 'x', head_sha: await head('other') }), /^403/],
    [
      'an App without the permission',
      async () =>
        sandbox
          .app('reader')
          .octokit('acme')
          .rest.checks.create({ ...repo, name: 'x', head_sha: await head('other') }),
      /^403 Resource not accessible/,
    ],
    [
      'a commit that is not there',
      () => app().checks.create({ ...repo, name: 'x', head_sha: 'f'.repeat(40) }),
      /^422 No commit found/,
    ],
  ])('takes no check run of %s', async (_, work, expected) => {
    expect(await refusal(work())).toMatch(expected)
  })

  it('takes at most 50 annotations and 65,535 characters at once', async () => {
    const annotation = { path: 'a', start_line: 1, end_line: 1, annotation_level: 'notice', message: 'm' } as const
    const run = { ...repo, name: 'x', head_sha: await head('other') }
    const summary = 'x'
    expect(
      await refusal(
        app().checks.create({ ...run, output: { title: 't', summary, annotations: Array(51).fill(annotation) } }),
      ),
    ).toMatch(/^422/)
    expect(await refusal(app().checks.create({ ...run, output: { title: 't', summary: 'x'.repeat(65_536) } }))).toMatch(
      /^422/,
    )
    expect(sandbox.violations.splice(0)).toHaveLength(2)
  })

  it('combines the latest status of each context', async () => {
    const sha = await head('other')
    const set = (context: string, state: 'pending' | 'success' | 'failure') =>
      app().repos.createCommitStatus({ ...repo, sha, context, state })
    await set('a', 'pending')
    await set('b', 'success')
    const state = async () => (await app().repos.getCombinedStatusForRef({ ...repo, ref: 'other' })).data
    expect(await state()).toMatchObject({ state: 'pending', total_count: 2 })
    await set('a', 'success')
    expect((await state()).state).toBe('success')
    await set('b', 'failure')
    expect((await state()).state).toBe('failure')
    expect((await app().repos.listCommitStatusesForRef({ ...repo, ref: sha })).data).toHaveLength(4)
    expect(
      await refusal(app().repos.createCommitStatus({ ...repo, sha, state: 'success', description: 'x'.repeat(141) })),
    ).toMatch(/^422 description is too long/)
  })
})
