import { describe, expect, it } from '@jest/globals'
import { proposalEndOutlet, proposalOutlet } from '../../src/github/proposals.ts'
import { marker } from '../../src/render/output.ts'
import { app, BOT, failure, github, output, useNock } from './stage.ts'

useNock()

const clock = () => '2026-11-20T10:00:00Z'
const repo = '/repos/acme/releases'
const branch = 'ringmaster/proposal-r12'
const base = 'ringmaster-releases'
const path = 'releases/r12.yaml'
const [BASE, HEAD, NEXT] = ['b', 'a', 'c'].map((letter) => letter.repeat(40)) as [string, string, string]
const body = `Please sign\n\n${marker('r12/proposal')}`
const proposal = output('proposal', {
  key: 'r12/proposal',
  release: 'r12',
  base,
  branch,
  path,
  text: 'the composition\n',
  title: 'Release #12: First',
  body: 'Please sign',
})
const pull = (number: number, more: object = {}) => ({
  number,
  state: 'open',
  merged_at: null,
  title: proposal.title,
  body,
  html_url: `https://github.test/pull/${number}`,
  head: { sha: HEAD },
  user: { login: BOT },
  ...more,
})

const ref = (name: string, sha: string | null) =>
  sha === null
    ? github()
        .get(`${repo}/git/ref/${encodeURIComponent(`heads/${name}`)}`)
        .reply(404, { message: 'Not Found' })
    : github()
        .get(`${repo}/git/ref/${encodeURIComponent(`heads/${name}`)}`)
        .reply(200, { object: { sha } })
const file = (sha: string, text: string | null) => {
  const at = github()
    .get(`${repo}/contents/${encodeURIComponent(path)}`)
    .query({ ref: sha })
  return text === null
    ? at.reply(404, { message: 'Not Found' })
    : at.reply(200, { type: 'file', encoding: 'base64', content: Buffer.from(text).toString('base64') })
}
const pulls = (found: readonly object[]) =>
  github()
    .get(`${repo}/pulls`)
    .query({ head: `acme:${branch}`, base, state: 'all', per_page: 100 })
    .reply(200, found)
const commits = (from: string, to: string) =>
  github()
    .post('/graphql', (sent) => {
      const { input } = sent.variables
      return (
        input.branch.branchName === branch &&
        input.expectedHeadOid === from &&
        input.fileChanges.additions.length === 1 &&
        input.fileChanges.additions[0].path === path &&
        Buffer.from(input.fileChanges.additions[0].contents, 'base64').toString() === proposal.text &&
        input.message.body.endsWith('skip-checks: true')
      )
    })
    .reply(200, { data: { createCommitOnBranch: { commit: { oid: to } } } })

const seen = (number: number, head: string, merged = false) => ({
  remote: String(number),
  observed: [expect.objectContaining({ kind: 'proposal-seen', release: 'r12', number, head, merged })],
})

const propose = proposalOutlet(app, clock)

describe('a proposal', () => {
  it('is made with its base, its branch and its one file', async () => {
    ref(base, null)
    github()
      .post(`${repo}/git/trees`, (sent) => sent.base_tree === undefined && sent.tree.length === 1)
      .reply(201, { sha: 't' })
    github()
      .post(`${repo}/git/commits`, (sent) => sent.parents.length === 0 && sent.message.endsWith('skip-checks: true'))
      .reply(201, { sha: BASE })
    github()
      .post(`${repo}/git/refs`, { ref: `refs/heads/${base}`, sha: BASE })
      .reply(201, {})
    ref(branch, null)
    github()
      .post(`${repo}/git/refs`, { ref: `refs/heads/${branch}`, sha: BASE })
      .reply(201, {})
    file(BASE, null)
    commits(BASE, HEAD)
    pulls([])
    github().post(`${repo}/pulls`, { title: proposal.title, body, head: branch, base }).reply(201, pull(900))
    expect(await propose(proposal)).toEqual(seen(900, HEAD))
  })

  it('takes the branches as they are when somebody was faster', async () => {
    ref(base, BASE)
    ref(branch, null)
    github().post(`${repo}/git/refs`).reply(422, { message: 'Reference already exists' })
    ref(branch, HEAD)
    file(HEAD, proposal.text)
    pulls([pull(900)])
    expect(await propose(proposal)).toEqual(seen(900, HEAD))
  })

  it('is tried again where GitHub says that its branch exists already, and does not show it yet', async () => {
    ref(base, BASE)
    ref(branch, null)
    github().post(`${repo}/git/refs`).reply(422, { message: 'Reference already exists' })
    ref(branch, null)
    expect(await failure(propose(proposal))).toMatchObject({ code: 'github-failed' })
  })

  it.each<[string, readonly object[], object]>([
    ['is that which a list did not show at first', [pull(900)], { remote: '900' }],
    ['is tried again where GitHub says that it exists already, and lists none yet', [], { code: 'github-failed' }],
  ])('%s', async (_, listed, outcome) => {
    ref(base, BASE)
    ref(branch, HEAD)
    file(HEAD, proposal.text)
    pulls([])
    const errors = [
      { resource: 'PullRequest', code: 'custom', message: `A pull request already exists for acme:${branch}.` },
    ]
    github().post(`${repo}/pulls`).reply(422, { message: 'Validation Failed', errors })
    pulls(listed)
    expect(await propose(proposal).catch((error: unknown) => error)).toMatchObject(outcome)
  })

  it('is left alone when it stands as it should', async () => {
    ref(base, BASE)
    ref(branch, HEAD)
    file(HEAD, proposal.text)
    pulls([pull(900)])
    expect(await propose(proposal)).toEqual(seen(900, HEAD))
  })

  it('shows another composition by another commit', async () => {
    ref(base, BASE)
    ref(branch, HEAD)
    file(HEAD, 'another composition')
    commits(HEAD, NEXT)
    pulls([pull(900)])
    expect(await propose(proposal)).toEqual(seen(900, NEXT))
  })

  it('is not committed over a head that moved', async () => {
    ref(base, BASE)
    ref(branch, HEAD)
    file(HEAD, null)
    const message = `Expected branch to point to "${NEXT}" but it did not.  Pull and try again.`
    github()
      .post('/graphql')
      .reply(200, { data: { createCommitOnBranch: null }, errors: [{ type: 'STALE_DATA', message }] })
    expect(await failure(propose(proposal))).toMatchObject({ code: 'github-conflict' })
  })

  it.each([
    ['whose body was edited', pull(900, { body: 'Trust me' })],
    ['whose title was edited', pull(900, { title: 'Trust me' })],
    ['that was closed by somebody', pull(900, { state: 'closed' })],
  ])('%s is set right', async (_, found) => {
    ref(base, BASE)
    ref(branch, HEAD)
    file(HEAD, proposal.text)
    pulls([found])
    github().patch(`${repo}/pulls/900`, { title: proposal.title, body, state: 'open' }).reply(200, pull(900))
    expect(await propose(proposal)).toEqual(seen(900, HEAD))
  })

  it('is opened anew where GitHub does not open the closed one again', async () => {
    ref(base, BASE)
    ref(branch, HEAD)
    file(HEAD, proposal.text)
    pulls([pull(900, { state: 'closed' })])
    github().patch(`${repo}/pulls/900`).reply(422, { message: 'Validation Failed' })
    github().post(`${repo}/pulls`).reply(201, pull(901))
    expect(await propose(proposal)).toEqual(seen(901, HEAD))
  })

  it('that is open comes before one that was closed', async () => {
    ref(base, BASE)
    ref(branch, HEAD)
    file(HEAD, proposal.text)
    pulls([pull(902, { state: 'closed' }), pull(901)])
    expect(await propose(proposal)).toEqual(seen(901, HEAD))
  })

  it('that somebody merged is told, and not opened again', async () => {
    ref(base, BASE)
    ref(branch, HEAD)
    file(HEAD, proposal.text)
    pulls([pull(900, { state: 'closed', merged_at: '2026-11-20T09:00:00Z' })])
    expect(await propose(proposal)).toEqual(seen(900, HEAD, true))
  })

  it('that somebody merged, whose branch was deleted with that, is told as it was merged', async () => {
    ref(base, BASE)
    ref(branch, null)
    github()
      .post(`${repo}/git/refs`, { ref: `refs/heads/${branch}`, sha: BASE })
      .reply(201, { object: { sha: BASE } })
    file(BASE, proposal.text)
    pulls([pull(900, { state: 'closed', merged_at: '2026-11-20T09:00:00Z' })])
    expect(await propose(proposal)).toEqual(seen(900, HEAD, true))
  })
})

describe('the end of a proposal', () => {
  /** Of an App that has just started. */
  const end = (output: ReturnType<typeof ending>) => proposalEndOutlet(app, clock)(output)
  const ending = (how: 'merge' | 'close', head: string | null = HEAD, number: number | null = 900) =>
    output('proposal-end', { key: 'r12/proposal-end', release: 'r12', base, branch, number, end: how, head })
  const known = (number: number, more: object | null) =>
    github()
      .get(`${repo}/pulls/${number}`)
      .reply(
        ...((more === null ? [404, {}] : [200, pull(number, { base: { ref: base }, ...more })]) as [number, object]),
      )
  const merges = (method: string, status: number, message = '') =>
    github()
      .put(`${repo}/pulls/900/merge`, { sha: HEAD, merge_method: method })
      .reply(status, status === 200 ? { merged: true } : { message })

  it('merges exactly the commit that was signed', async () => {
    pulls([pull(900)])
    merges('merge', 200)
    expect(await end(ending('merge'))).toEqual(seen(900, HEAD, true))
  })

  it('uses a method that the repository allows', async () => {
    pulls([pull(900)])
    merges('merge', 405, 'Merge commits are not allowed on this repository.')
    merges('squash', 405, 'Squash merges are not allowed on this repository.')
    merges('rebase', 200)
    expect(await end(ending('merge'))).toEqual(seen(900, HEAD, true))
  })

  it('makes no merge commit where a rule of the branch wants none', async () => {
    pulls([pull(900)])
    merges('merge', 405, 'Repository rule violations found\n\nThis branch must not contain merge commits.\n\n')
    merges('squash', 200)
    expect(await end(ending('merge'))).toEqual(seen(900, HEAD, true))
  })

  it('merges nothing when no method is allowed', async () => {
    pulls([pull(900)])
    merges('merge', 405, 'Merge commits are not allowed on this repository.')
    merges('squash', 405, 'Squash merges are not allowed on this repository.')
    merges('rebase', 405, 'Rebase merges are not allowed on this repository.')
    expect(await failure(end(ending('merge')))).toMatchObject({
      code: 'github-conflict',
      message: expect.stringContaining('405 (Rebase merges are not allowed on this repository.)'),
    })
  })

  it.each([
    'Repository rule violations found\n\nAt least 1 approving review is required by reviewers with write access.\n\n',
    'Required status check "build" is expected.',
    'Pull Request is not mergeable',
  ])('tries no other method where it is not the method that is refused: %j', async (message) => {
    pulls([pull(900)])
    merges('merge', 405, message)
    expect(await failure(end(ending('merge')))).toMatchObject({ code: 'github-conflict' })
  })

  it('asks for none again that a rule refuses, for ten minutes, and says what GitHub said', async () => {
    let now = '2026-11-20T10:00:00Z'
    const endOften = proposalEndOutlet(app, () => now)
    const rule = 'At least 1 approving review is required by reviewers with write access.'
    const refused = {
      code: 'github-conflict',
      message: `expected GitHub to merge a proposal, found that it refuses to: 405 (Repository rule violations found ${rule}); it is not tried again before 2026-11-20T10:10:00.000Z`,
    }
    pulls([pull(900)])
    merges('merge', 405, `Repository rule violations found\n\n${rule}\n\n`)
    expect(await failure(endOften(ending('merge')))).toEqual(refused)
    now = '2026-11-20T10:09:59Z'
    pulls([pull(900)])
    expect(await failure(endOften(ending('merge')))).toEqual(refused)
    now = '2026-11-20T10:10:00Z'
    pulls([pull(900)])
    merges('merge', 200)
    expect(await endOften(ending('merge'))).toEqual(seen(900, HEAD, true))
  })

  it('asks again where the clock was set back since', async () => {
    let now = '2026-11-20T10:00:00Z'
    const endOften = proposalEndOutlet(app, () => now)
    pulls([pull(900)])
    merges('merge', 405, 'Repository rule violations found')
    expect(await failure(endOften(ending('merge')))).toMatchObject({ code: 'github-conflict' })
    now = '2026-11-20T09:00:00Z'
    pulls([pull(900)])
    merges('merge', 200)
    expect(await endOften(ending('merge'))).toEqual(seen(900, HEAD, true))
  })

  it('merges another commit at once, although one was refused', async () => {
    const endOften = proposalEndOutlet(app, clock)
    pulls([pull(900)])
    merges('merge', 409, 'Head branch was modified. Review and try the merge again.')
    expect(await failure(endOften(ending('merge')))).toMatchObject({ code: 'github-conflict' })
    pulls([pull(900, { head: { sha: NEXT } })])
    github().put(`${repo}/pulls/900/merge`, { sha: NEXT, merge_method: 'merge' }).reply(200, { merged: true })
    expect(await endOften(ending('merge', NEXT))).toEqual(seen(900, NEXT, true))
  })

  it.each(['Pull Request is not mergeable', 'Merge already in progress'])(
    'asks again at once where GitHub has to come to it first: %s',
    async (message) => {
      const endOften = proposalEndOutlet(app, clock)
      pulls([pull(900)])
      merges('merge', 405, message)
      expect(await failure(endOften(ending('merge')))).toMatchObject({ code: 'github-conflict' })
      pulls([pull(900)])
      merges('merge', 200)
      expect(await endOften(ending('merge'))).toEqual(seen(900, HEAD, true))
    },
  )

  it('waits, by the same method, while GitHub has not looked at it again since the base moved', async () => {
    pulls([pull(900)])
    merges('merge', 405, 'Base branch was modified. Review and try the merge again.')
    expect(await failure(end(ending('merge')))).toMatchObject({ code: 'github-failed' })
  })

  it('merges nothing when the head has moved, by no method', async () => {
    pulls([pull(900, { head: { sha: NEXT } })])
    merges('merge', 409, 'Head branch was modified. Review and try the merge again.')
    expect(await failure(end(ending('merge')))).toMatchObject({ code: 'github-conflict' })
  })

  it('does not merge a second time', async () => {
    pulls([pull(900, { state: 'closed', merged_at: '2026-11-20T09:00:00Z' })])
    expect(await end(ending('merge'))).toEqual(seen(900, HEAD, true))
  })

  it('merges the open one, also where somebody merged one of before by hand', async () => {
    const before = { state: 'closed', merged_at: '2026-11-20T09:00:00Z', head: { sha: NEXT } }
    pulls([pull(900), pull(899, before)])
    merges('merge', 200)
    expect(await end(ending('merge'))).toEqual(seen(900, HEAD, true))
  })

  it('opens one again that somebody closed after it was signed, and merges it', async () => {
    pulls([pull(900, { state: 'closed' }), pull(899, { state: 'closed', head: { sha: NEXT } })])
    github().patch(`${repo}/pulls/900`, { state: 'open' }).reply(200, {})
    merges('merge', 200)
    expect(await end(ending('merge'))).toEqual(seen(900, HEAD, true))
  })

  it.each([
    ['shows another commit', { head: { sha: NEXT } }, null],
    ['GitHub opens no more', {}, 422],
  ])('merges none that somebody closed and that %s', async (_, more, status) => {
    pulls([pull(900, { state: 'closed', ...more })])
    if (status !== null) github().patch(`${repo}/pulls/900`, { state: 'open' }).reply(status, { message: 'no' })
    expect(await end(ending('merge'))).toEqual({ remote: null })
  })

  it.each([
    ['a cancelled release', ending('close')],
    ['a release without a signed commit', ending('merge', null)],
  ])('closes the one of %s', async (_, ended) => {
    pulls([pull(899, { state: 'closed' }), pull(900)])
    github().patch(`${repo}/pulls/900`, { state: 'closed' }).reply(200, {})
    expect(await end(ended)).toEqual({ remote: '900' })
  })

  it.each<[string, readonly object[], number | null]>([
    ['that was never opened', [], null],
    ['that somebody closed', [pull(900, { state: 'closed' })], 900],
  ])('has nothing to do for one %s', async (_, found, number) => {
    pulls(found)
    expect(await end(ending('close', HEAD, number))).toEqual({ remote: null })
  })

  it('closes the one that the log knows, where a list does not show it yet', async () => {
    pulls([pull(899, { state: 'closed' })])
    known(900, {})
    github().patch(`${repo}/pulls/900`, { state: 'closed' }).reply(200, {})
    expect(await end(ending('close'))).toEqual({ remote: '900' })
  })

  it('merges the one that the log knows, where a list does not show it yet', async () => {
    pulls([])
    known(900, {})
    merges('merge', 200)
    expect(await end(ending('merge'))).toEqual(seen(900, HEAD, true))
  })

  it('tells of the one that was merged, where a list does not show it yet', async () => {
    pulls([])
    known(900, { state: 'closed', merged_at: '2026-11-20T09:00:00Z' })
    expect(await end(ending('close'))).toEqual(seen(900, HEAD, true))
  })

  it.each<[string, object | null]>([
    ['is gone', null],
    ['leads into another base by now', { base: { ref: 'main' } }],
    ['was closed', { state: 'closed' }],
  ])('has nothing to do where the one that the log knows %s', async (_, more) => {
    pulls([])
    known(900, more)
    expect(await end(ending('close'))).toEqual({ remote: null })
  })
})
