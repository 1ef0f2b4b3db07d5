import { describe, expect, it } from '@jest/globals'
import { branchOfEpoch, isOwnBranch, OWN_BRANCHES } from '../../src/core/own-branches.ts'
import { requestsOf } from '../../src/webhooks/index.ts'
import { bent, delivered, type Event, installation, PAYLOADS, SHA } from './payloads.ts'

type Changes = Readonly<Record<string, unknown>>
const asking = (event: Event, changes: Changes) =>
  requestsOf(delivered(event, bent(PAYLOADS[event] as object, changes)), installation)

const US = { 'sender.login': installation.botLogin }
const RELEASES = { id: 77, full_name: 'acme/releases', default_branch: 'main' }
const ours = { 'comment.user.login': installation.botLogin, 'comment.user.type': 'Bot' }
const foreign = { 'check_run.app': { id: 99, slug: 'copycat' }, repository: RELEASES }

describe('what others do to our own things is told', () => {
  it.each<[string, Event, Changes, object]>([
    [
      'a comment of ours edited',
      'issue_comment',
      { action: 'edited', ...ours },
      { kind: 'comment-touched', change: 'edited', by: 'ann' },
    ],
    [
      'a comment of ours deleted',
      'issue_comment',
      { action: 'deleted', ...ours },
      { kind: 'comment-touched', change: 'deleted' },
    ],
    [
      'a push to our log',
      'push',
      { ref: 'refs/heads/ringmaster-data' },
      { kind: 'branch-pushed', branch: 'ringmaster-data', by: 'ann', commit: SHA },
    ],
    [
      'a push to our log in a later epoch',
      'push',
      { ref: 'refs/heads/ringmaster-data-2' },
      { kind: 'branch-pushed', branch: 'ringmaster-data-2', by: 'ann' },
    ],
    [
      'our releases deleted',
      'push',
      { ref: 'refs/heads/ringmaster-releases', after: '0'.repeat(40), deleted: true },
      { kind: 'branch-pushed', branch: 'ringmaster-releases' },
    ],
    [
      'a sign-off by another App',
      'check_run',
      { ...foreign, 'check_run.name': 'ringmaster/sign-off' },
      { kind: 'check-forged', app: 'copycat', checkRunId: 9, sha: SHA },
    ],
    [
      'a sign-off as a commit status, by a person',
      'status',
      {},
      {
        kind: 'status-forged',
        by: 'ann',
        name: 'ringmaster/sign-off',
        statusId: 77,
        sha: SHA,
        url: `https://github.test/acme/releases/commit/${SHA}#status-77`,
      },
    ],
    [
      'one in capitals, by another App',
      'status',
      { context: 'Ringmaster/Sign-Off', 'sender.login': 'copycat[bot]', commit: null },
      { kind: 'status-forged', by: 'copycat[bot]', url: '#status-77' },
    ],
    ['one by an account that is gone', 'status', { sender: null }, { by: 'a deleted account', actor: null }],
    [
      'one that failed: it could keep others from merging',
      'status',
      { state: 'failure' },
      { kind: 'status-forged', by: 'ann' },
    ],
    [
      'a push to a proposal',
      'pull_request',
      { action: 'synchronize' },
      { kind: 'proposal-seen', interference: { what: 'proposal-pushed', by: 'ann' } },
    ],
    [
      'a merge by hand',
      'pull_request',
      { action: 'closed', 'pull_request.merged_at': '2026-11-20T09:00:00Z' },
      { interference: { what: 'proposal-merged', by: 'ann' } },
    ],
  ])('%s', (_name, event, changes, request) => {
    expect(asking(event, changes)).toMatchObject([request])
  })

  it.each<[string, Event, Changes]>([
    ['our own edit', 'issue_comment', { action: 'edited', ...ours, ...US }],
    ['our own push', 'push', { ref: 'refs/heads/ringmaster-data', ...US }],
    ['a push to another branch', 'push', { ref: 'refs/heads/ringmaster-database' }],
    ['a push to a branch that is no epoch', 'push', { ref: 'refs/heads/ringmaster-data-mine' }],
    ['a push to a tag of that name', 'push', { ref: 'refs/tags/ringmaster-data' }],
    ['a push to a branch of that name elsewhere', 'push', { ref: 'refs/heads/ringmaster-data', 'repository.id': 78 }],
    [
      'our own check',
      'check_run',
      { ...foreign, 'check_run.name': 'ringmaster/sign-off', 'check_run.app.id': installation.appId },
    ],
    ['a check of another name', 'check_run', { ...foreign, 'check_run.name': 'ringmaster/sign-offs' }],
    ['a status of another name', 'status', { context: 'ringmaster/sign-offs' }],
    ['a status elsewhere', 'status', { 'repository.id': 78 }],
    ['a check elsewhere', 'check_run', { 'check_run.app': { id: 99 }, 'check_run.name': 'ringmaster/sign-off' }],
  ])('but not %s', (_name, event, changes) => {
    expect(asking(event, changes)).toEqual([])
  })

  it.each([
    ['our push', 'synchronize', null],
    ['our merge', 'closed', '2026-11-20T09:00:00Z'],
  ])('nor %s of a proposal', (_name, action, merged) => {
    expect(asking('pull_request', { action, 'pull_request.merged_at': merged, ...US })[0]).not.toHaveProperty(
      'interference',
    )
  })

  it('watches every branch that the ruleset guards', () => {
    const branches = OWN_BRANCHES.map((pattern) => pattern.replace('*', '12'))
    expect(branches).toContain(branchOfEpoch(12))
    expect(branches.filter((branch) => !isOwnBranch(branch))).toEqual([])
  })
})

describe('a comment whose commands are not carried out is noted', () => {
  const edited = (from: string, to: string) => ({ action: 'edited', changes: { body: { from } }, 'comment.body': to })
  it.each<[string, Changes, object]>([
    [
      'edited with a command in it',
      edited('hello', '/start'),
      { note: 'edited', message: null, actor: { login: 'ann' } },
    ],
    ['edited with the command taken out', edited('/start', 'hello'), { note: 'edited' }],
    ['deleted', { action: 'deleted' }, { note: 'deleted', comment: { id: 5 }, issue: 12 }],
    [
      'too long to read',
      { 'comment.body': `/start\n${'x'.repeat(140_000)}` },
      { note: 'unreadable', message: expect.stringMatching(/./) },
    ],
  ])('%s', (_name, changes, note) => {
    expect(asking('issue_comment', changes)).toMatchObject([{ kind: 'comment-noted', ...note }])
  })

  it.each<[string, Changes]>([
    ['an edit without commands', edited('hello', 'hello!')],
    ['an edit of something else than the text', { action: 'edited' }],
    ['an edit of a bot’s comment', { ...edited('a', '/start'), 'comment.user.type': 'Bot' }],
    ['an edit in another repository', { ...edited('a', '/start'), 'repository.id': 78 }],
  ])('but not %s', (_name, changes) => {
    expect(asking('issue_comment', changes)).toEqual([])
  })
})
