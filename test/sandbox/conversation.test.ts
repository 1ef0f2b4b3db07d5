import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { type Sandbox, startSandbox } from './sandbox.ts'
import { acme } from './seeds.ts'
import { refusal } from './testing.ts'

const repo = { owner: 'acme', repo: 'app' }
let sandbox: Sandbox

beforeAll(async () => {
  sandbox = await startSandbox({ seed: acme })
})
afterAll(() => sandbox.stop())
afterEach(() => {
  expect(sandbox.violations.splice(0)).toEqual([])
})

const app = () => sandbox.app('ringmaster').octokit('acme').rest
const as = (login: string) => sandbox.as(login).octokit.rest

/** What the App is told of from here on: event, action and the payload. */
async function told(work: () => Promise<unknown>) {
  await sandbox.webhooks.settled()
  const before = sandbox.webhooks.attempts.length
  await work()
  await sandbox.webhooks.settled()
  return sandbox.webhooks.attempts
    .slice(before)
    .map(({ event, action, request }) => ({ name: `${event}.${action}`, payload: request.payload }))
}
const names = async (work: () => Promise<unknown>) => (await told(work)).map(({ name }) => name)

const numberOf = (events: Awaited<ReturnType<typeof told>>): number =>
  Number(Reflect.get(Object(events[0]?.payload['issue']), 'number'))

let branches = 0
/** A pull request of bob's with one commit of its own. */
async function newPull(files: Record<string, string> = {}, base = 'main') {
  const head = `topic/${++branches}`
  await sandbox
    .repository('acme/app')
    .commit({ message: `feat: ${head}`, branch: head, author: 'bob', files: { [`${head}.txt`]: 'x', ...files } })
  const { data } = await as('bob').pulls.create({ ...repo, title: head, head, base })
  return { at: { ...repo, pull_number: data.number }, data, head }
}

describe('issues', () => {
  it('opens, edits, labels and closes, and tells of each step', async () => {
    const opened = await told(() =>
      as('bob').issues.create({ ...repo, title: 'v2', body: '- [ ] a', labels: ['release'], assignees: ['bob'] }),
    )
    expect(opened.map(({ name }) => name)).toEqual(['issues.opened', 'issues.labeled', 'issues.assigned'])
    const issue_number = numberOf(opened)
    const edited = await told(() => as('bob').issues.update({ ...repo, issue_number, body: '- [x] a' }))
    expect(edited).toMatchObject([
      {
        name: 'issues.edited',
        payload: {
          changes: { body: { from: '- [ ] a' } },
          sender: { login: 'bob', type: 'User' },
          issue: { body: '- [x] a' },
        },
      },
    ])
    expect(await names(() => app().issues.addLabels({ ...repo, issue_number, labels: ['urgent'] }))).toEqual([
      'issues.labeled',
    ])
    expect(await names(() => app().issues.removeLabel({ ...repo, issue_number, name: 'URGENT' }))).toEqual([
      'issues.unlabeled',
    ])
    expect(await names(() => app().issues.update({ ...repo, issue_number, state: 'closed' }))).toEqual([
      'issues.closed',
    ])
    const { data } = await as('eve').issues.get({ ...repo, issue_number })
    expect(data).toMatchObject({
      state: 'closed',
      state_reason: 'completed',
      closed_by: { login: 'ringmaster[bot]', type: 'Bot' },
      labels: [{ name: 'release', color: 'ededed' }],
    })
    expect(
      (await app().issues.listForRepo({ ...repo, state: 'all', labels: 'release' })).data.map(({ number }) => number),
    ).toEqual([issue_number])
    expect((await app().issues.listForRepo({ ...repo })).data).toEqual([])
  })

  it('drops labels of a reporter who may not set them', async () => {
    const { data } = await as('eve').issues.create({ ...repo, title: 'x', labels: ['release'], assignees: ['bob'] })
    expect(data).toMatchObject({
      labels: [],
      assignees: [],
      performed_via_github_app: null,
      author_association: 'NONE',
    })
  })

  it.each([
    [
      'an empty title',
      () => as('bob').issues.create({ ...repo, title: ' ' }),
      '422 Validation Failed: {"resource":"Issue","field":"title","code":"missing_field"}',
    ],
    [
      'a title of 257 characters',
      () => as('bob').issues.create({ ...repo, title: 'x'.repeat(257) }),
      /^422 .*title is too long \(maximum is 256/,
    ],
    [
      'a body of 65,537 characters',
      () => as('bob').issues.create({ ...repo, title: 'x', body: 'x'.repeat(65_537) }),
      /^422 .*body is too long \(maximum is 65536/,
    ],
    [
      'an edit by a reader',
      () => as('eve').issues.update({ ...repo, issue_number: 1, body: 'mine' }),
      '403 Must have admin rights to Repository.',
    ],
    [
      'an App without the permission',
      () =>
        sandbox
          .app('reader')
          .octokit('acme')
          .rest.issues.create({ ...repo, title: 'x' }),
      '403 Resource not accessible by integration',
    ],
    ['an issue that is not there', () => app().issues.get({ ...repo, issue_number: 999 }), '404 Not Found'],
  ])('refuses %s', async (_, work, expected) => {
    expect(await refusal(work())).toMatch(expected)
  })
})

describe('comments', () => {
  it('are created, edited and deleted, with who did it and through which App', async () => {
    const issue = { ...repo, issue_number: 1 }
    const created = await told(() => as('eve').issues.createComment({ ...issue, body: '/status' }))
    expect(created).toMatchObject([
      {
        name: 'issue_comment.created',
        payload: {
          comment: { body: '/status', performed_via_github_app: null },
          issue: { comments: 1 },
          installation: { id: sandbox.app('ringmaster').installationId('acme') },
        },
      },
    ])
    const { data } = await app().issues.createComment({ ...issue, body: 'a' })
    expect(data).toMatchObject({ user: { login: 'ringmaster[bot]' }, performed_via_github_app: { slug: 'ringmaster' } })
    const edited = await told(() => app().issues.updateComment({ ...repo, comment_id: data.id, body: 'b' }))
    expect(edited).toMatchObject([
      { name: 'issue_comment.edited', payload: { changes: { body: { from: 'a' } }, sender: { type: 'Bot' } } },
    ])
    expect(await names(() => app().issues.updateComment({ ...repo, comment_id: data.id, body: 'b' }))).toEqual([])
    expect((await app().issues.listComments(issue)).data.map(({ body }) => body)).toEqual(['/status', 'b'])
    expect(await names(() => app().issues.deleteComment({ ...repo, comment_id: data.id }))).toEqual([
      'issue_comment.deleted',
    ])
  })

  it.each([
    [
      'an empty one',
      () => as('bob').issues.createComment({ ...repo, issue_number: 1, body: '' }),
      /^422 Validation Failed/,
    ],
    [
      'one of 65,537 characters',
      () => as('bob').issues.createComment({ ...repo, issue_number: 1, body: 'x'.repeat(65_537) }),
      /^422 .*maximum is 65536/,
    ],
    [
      'an edit of another’s by a reader',
      async () =>
        as('eve').issues.updateComment({
          ...repo,
          comment_id: (await as('bob').issues.createComment({ ...repo, issue_number: 1, body: 'x' })).data.id,
          body: 'y',
        }),
      /^403/,
    ],
    [
      'one on a locked issue by a reader',
      async () => {
        await as('ann').issues.lock({ ...repo, issue_number: 1 })
        return as('eve')
          .issues.createComment({ ...repo, issue_number: 1, body: 'x' })
          .finally(() => as('ann').issues.unlock({ ...repo, issue_number: 1 }))
      },
      /^403 .*locked/,
    ],
  ])('refuses %s', async (_, work, expected) => {
    expect(await refusal(work())).toMatch(expected)
  })

  it('count 65,536 characters, not bytes', async () => {
    const { status } = await as('bob').issues.createComment({ ...repo, issue_number: 1, body: '😀'.repeat(65_536) })
    expect(status).toBe(201)
  })

  it('take each reaction of an account once', async () => {
    const { data } = await as('bob').issues.createComment({ ...repo, issue_number: 1, body: 'x' })
    const reaction = { ...repo, comment_id: data.id, content: 'rocket' } as const
    const statuses = [
      await app().reactions.createForIssueComment(reaction),
      await app().reactions.createForIssueComment(reaction),
    ]
    expect(statuses.map(({ status }) => status)).toEqual([201, 200])
    expect((await app().reactions.listForIssueComment({ ...repo, comment_id: data.id })).data).toMatchObject([
      { content: 'rocket', user: { login: 'ringmaster[bot]' } },
    ])
    expect((await app().issues.getComment({ ...repo, comment_id: data.id })).data.reactions).toMatchObject({
      rocket: 1,
      total_count: 1,
    })
    await app().reactions.deleteForIssueComment({
      ...repo,
      comment_id: data.id,
      reaction_id: statuses[0]?.data.id ?? 0,
    })
    expect((await app().reactions.listForIssueComment({ ...repo, comment_id: data.id })).data).toEqual([])
  })
})

describe('labels', () => {
  it('are created, renamed and deleted, whatever the case', async () => {
    await app().issues.createLabel({ ...repo, name: 'Ring 1', color: 'ff0000', description: 'first' })
    expect(await refusal(app().issues.createLabel({ ...repo, name: 'ring 1' }))).toMatch(/^422 .*already_exists/)
    await app().issues.updateLabel({ ...repo, name: 'ring 1', new_name: 'Ring 2' })
    expect((await app().issues.getLabel({ ...repo, name: 'RING 2' })).data).toMatchObject({
      name: 'Ring 2',
      color: 'ff0000',
      description: 'first',
    })
    await app().issues.deleteLabel({ ...repo, name: 'Ring 2' })
    expect(await refusal(app().issues.getLabel({ ...repo, name: 'Ring 2' }))).toBe('404 Not Found')
  })
})

describe('pull requests', () => {
  it('are opened, follow their branch and are closed with it', async () => {
    const pull = await newPull()
    expect(pull.data).toMatchObject({
      state: 'open',
      merged: false,
      commits: 1,
      additions: 1,
      changed_files: 1,
      head: { ref: pull.head },
      base: { ref: 'main' },
    })
    const pushed = await told(() =>
      sandbox
        .repository('acme/app')
        .commit({ message: 'more', branch: pull.head, author: 'bob', files: { more: '1' } }),
    )
    expect(pushed.map(({ name }) => name)).toEqual(['push.null', 'pull_request.synchronize'])
    expect(pushed[1]?.payload).toMatchObject({
      before: pull.data.head.sha,
      pull_request: { commits: 2, mergeable: null },
    })
    expect((await app().pulls.get(pull.at)).data).toMatchObject({
      mergeable: true,
      mergeable_state: 'clean',
      head: { sha: await sandbox.repository('acme/app').head(pull.head) },
    })
    expect((await app().pulls.listFiles(pull.at)).data.map(({ filename }) => filename)).toEqual([
      'more',
      `${pull.head}.txt`,
    ])
    expect((await app().pulls.listCommits(pull.at)).data.map(({ commit }) => commit.message)).toEqual([
      `feat: ${pull.head}`,
      'more',
    ])
    expect((await app().pulls.list({ ...repo, head: `acme:${pull.head}` })).data.map(({ number }) => number)).toEqual([
      pull.at.pull_number,
    ])
    expect(
      (await app().repos.listPullRequestsAssociatedWithCommit({ ...repo, commit_sha: pull.data.head.sha })).data.map(
        ({ number }) => number,
      ),
    ).toEqual([pull.at.pull_number])
    const deleted = await names(() => as('bob').git.deleteRef({ ...repo, ref: `heads/${pull.head}` }))
    expect(deleted).toEqual(['push.null', 'delete.null', 'pull_request.closed'])
    expect((await app().issues.get({ ...repo, issue_number: pull.at.pull_number })).data).toMatchObject({
      state: 'closed',
      pull_request: { merged_at: null },
    })
  })

  it.each([
    [
      'a head that is not there',
      () => app().pulls.create({ ...repo, title: 'x', head: 'none', base: 'main' }),
      /^422 .*"field":"head"/,
    ],
    [
      'a base that is not there',
      async () => app().pulls.create({ ...repo, title: 'x', head: (await newPull()).head, base: 'none' }),
      /^422 .*"field":"base"/,
    ],
    [
      'nothing to merge',
      async () => {
        await as('bob').git.createRef({
          ...repo,
          ref: 'refs/heads/same',
          sha: (await sandbox.repository('acme/app').head()) ?? '',
        })
        return app().pulls.create({ ...repo, title: 'x', head: 'same', base: 'main' })
      },
      /^422 .*No commits between main and same/,
    ],
    [
      'a second one of the same branches',
      async () => app().pulls.create({ ...repo, title: 'x', head: (await newPull()).head, base: 'main' }),
      /^422 .*A pull request already exists for acme:topic/,
    ],
    [
      'an empty title',
      async () => app().pulls.create({ ...repo, title: '', head: (await newPull()).head, base: 'main' }),
      /^422 .*missing_field/,
    ],
  ])('refuse %s', async (_, work, expected) => {
    expect(await refusal(work())).toMatch(expected)
  })

  it('are edited by their author and by who may write', async () => {
    const pull = await newPull()
    const edited = await told(() => as('bob').pulls.update({ ...pull.at, body: 'text' }))
    expect(edited).toMatchObject([{ name: 'pull_request.edited', payload: { changes: { body: { from: '' } } } }])
    expect(await names(() => app().pulls.update({ ...pull.at, state: 'closed' }))).toEqual(['pull_request.closed'])
    expect(await names(() => app().pulls.update({ ...pull.at, state: 'open' }))).toEqual(['pull_request.reopened'])
    expect(await refusal(as('eve').pulls.update({ ...pull.at, title: 'mine' }))).toBe('404 Not Found')
  })
})

describe('reviews', () => {
  it('approve a commit, are dismissed by someone, and keep their id', async () => {
    const pull = await newPull()
    const submitted = await told(() => as('ann').pulls.createReview({ ...pull.at, event: 'APPROVE' }))
    expect(submitted).toMatchObject([
      {
        name: 'pull_request_review.submitted',
        payload: { review: { state: 'approved', body: null, commit_id: pull.data.head.sha, user: { login: 'ann' } } },
      },
    ])
    const { data: listed } = await app().pulls.listReviews(pull.at)
    expect(listed).toMatchObject([{ state: 'APPROVED', body: '', commit_id: pull.data.head.sha }])
    const review_id = listed[0]?.id ?? 0
    const dismissed = await told(() => as('bob').pulls.dismissReview({ ...pull.at, review_id, message: 'stale' }))
    expect(dismissed).toMatchObject([
      {
        name: 'pull_request_review.dismissed',
        payload: { sender: { login: 'bob' }, review: { id: review_id, state: 'dismissed', user: { login: 'ann' } } },
      },
    ])
    expect((await app().pulls.getReview({ ...pull.at, review_id })).data.state).toBe('DISMISSED')
  })

  it('stay with the older commit when the branch moves', async () => {
    const pull = await newPull()
    await as('ann').pulls.createReview({ ...pull.at, event: 'APPROVE' })
    await sandbox.repository('acme/app').commit({ message: 'later', branch: pull.head, author: 'bob' })
    expect((await app().pulls.listReviews(pull.at)).data).toMatchObject([
      { state: 'APPROVED', commit_id: pull.data.head.sha },
    ])
  })

  it('wait for their author to submit them', async () => {
    const pull = await newPull()
    const { data } = await as('ann').pulls.createReview({ ...pull.at, body: 'hm' })
    expect(data.state).toBe('PENDING')
    expect((await app().pulls.listReviews(pull.at)).data).toEqual([])
    expect(
      await names(() => as('ann').pulls.submitReview({ ...pull.at, review_id: data.id, event: 'REQUEST_CHANGES' })),
    ).toEqual(['pull_request_review.submitted'])
  })

  it.each([
    [
      'an approval of one’s own pull request',
      async () => as('bob').pulls.createReview({ ...(await newPull()).at, event: 'APPROVE' }),
      /^422 .*Can not approve your own pull request/,
    ],
    [
      'changes requested of oneself',
      async () => as('bob').pulls.createReview({ ...(await newPull()).at, event: 'REQUEST_CHANGES', body: 'x' }),
      /^422 .*Can not request changes on your own/,
    ],
    [
      'changes requested without a word',
      async () => as('ann').pulls.createReview({ ...(await newPull()).at, event: 'REQUEST_CHANGES' }),
      /^422/,
    ],
    [
      'a review of a commit from elsewhere',
      async () =>
        as('ann').pulls.createReview({ ...(await newPull()).at, event: 'APPROVE', commit_id: 'f'.repeat(40) }),
      /^422/,
    ],
    [
      'the dismissal of a comment',
      async () => {
        const pull = await newPull()
        const { data } = await as('ann').pulls.createReview({ ...pull.at, event: 'COMMENT', body: 'x' })
        return as('ann').pulls.dismissReview({ ...pull.at, review_id: data.id, message: 'x' })
      },
      /^422 .*Can not dismiss a commented/,
    ],
    [
      'a dismissal by a reader',
      async () => {
        const pull = await newPull()
        const { data } = await as('ann').pulls.createReview({ ...pull.at, event: 'APPROVE' })
        return as('eve').pulls.dismissReview({ ...pull.at, review_id: data.id, message: 'x' })
      },
      /^403/,
    ],
  ])('refuse %s', async (_, work, expected) => {
    expect(await refusal(work())).toMatch(expected)
  })

  it('take an approval of a mere reader, as GitHub does', async () => {
    expect((await as('eve').pulls.createReview({ ...(await newPull()).at, event: 'APPROVE' })).data.state).toBe(
      'APPROVED',
    )
  })
})

describe('merging', () => {
  it.each([
    ['merge', 2, /^Merge pull request #\d+ from acme\/topic\/\d+\n\ntopic\/\d+$/],
    ['squash', 1, /^topic\/\d+ \(#\d+\)$/],
    ['rebase', 1, /^feat: topic\/\d+$/],
  ] as const)('by %s makes a commit of %i parents', async (merge_method, parents, message) => {
    const pull = await newPull()
    const merged = await told(() => as('bob').pulls.merge({ ...pull.at, merge_method, sha: pull.data.head.sha }))
    expect(merged.map(({ name }) => name)).toEqual(['push.null', 'pull_request.closed'])
    const { data } = await app().pulls.get(pull.at)
    expect(data).toMatchObject({
      state: 'closed',
      merged: true,
      merged_by: { login: 'bob' },
      merge_commit_sha: await sandbox.repository('acme/app').head(),
    })
    const commit = await app().repos.getCommit({ ...repo, ref: 'main' })
    expect(commit.data.parents).toHaveLength(parents)
    expect(commit.data.commit.message).toMatch(message)
    expect((await app().pulls.checkIfMerged(pull.at)).status).toBe(204)
  })

  it('is noticed when the base takes the head by a push', async () => {
    const pull = await newPull()
    await as('bob').git.updateRef({ ...repo, ref: 'heads/main', sha: pull.data.head.sha })
    expect((await app().pulls.get(pull.at)).data.merged).toBe(true)
  })

  it.each([
    [
      'a head that has moved',
      async () => as('bob').pulls.merge({ ...(await newPull()).at, sha: 'f'.repeat(40) }),
      /^409 Head branch was modified/,
    ],
    [
      'a merged one',
      async () => {
        const pull = await newPull()
        await as('bob').pulls.merge(pull.at)
        return as('bob').pulls.merge(pull.at)
      },
      /^405 Pull Request is not mergeable/,
    ],
    [
      'a method that the repository does not allow',
      async () => {
        await as('ann').repos.update({ ...repo, allow_squash_merge: false })
        return as('bob')
          .pulls.merge({ ...(await newPull()).at, merge_method: 'squash' })
          .finally(() => as('ann').repos.update({ ...repo, allow_squash_merge: true }))
      },
      /^405 Squash merges are not allowed/,
    ],
    [
      'a conflict',
      async () => {
        const [one, two] = [await newPull({ 'same.txt': '1' }), await newPull({ 'same.txt': '2' })]
        await as('bob').pulls.merge(one.at)
        expect((await app().pulls.get(two.at)).data).toMatchObject({ mergeable: false, mergeable_state: 'dirty' })
        return as('bob').pulls.merge(two.at)
      },
      /^405 Pull Request is not mergeable/,
    ],
    ['a reader', async () => as('eve').pulls.merge((await newPull()).at), /^403/],
  ])('refuses %s', async (_, work, expected) => {
    expect(await refusal(work())).toMatch(expected)
  })
})
