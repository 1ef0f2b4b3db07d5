import { describe, expect, it } from '@jest/globals'
import { type IssueState, issueKey } from '../../../src/core/process/issue.ts'
import { compositionText, releasePath } from '../../../src/core/release/composition.ts'
import { OPEN_KEY, type OpenIndex, releaseKey } from '../../../src/core/release/open.ts'
import type { ReleaseState } from '../../../src/core/release/schema.ts'
import type { Request } from '../../../src/core/request.ts'
import { FREEZES_KEY, type Freezes } from '../../../src/core/ring/freezes.ts'
import { ANN, asked, configuredWorld, givenRelease, MALLORY, minute, RELEASES, sha, type World } from '../decided.ts'

const HEAD = sha('e1')
const release = (world: World): ReleaseState => world.state<ReleaseState>(releaseKey('r5')) as ReleaseState
const alarms = (world: World) =>
  world.state<OpenIndex>(OPEN_KEY)?.alarms.map(({ code, isOpen }) => [code, isOpen]) ?? []

type Seen = Extract<Request, { kind: 'proposal-seen' }>
function seen(world: World, text: string, bent: Partial<Seen> = {}) {
  const request: Seen = {
    kind: 'proposal-seen',
    repository: RELEASES,
    release: 'r5',
    number: 9,
    url: 'https://example.test/pull/9',
    head: HEAD,
    author: 'ringmaster[bot]',
    merged: false,
    ...asked,
    ...bent,
  }
  world.fact(
    { kind: 'file', repository: RELEASES.fullName, commit: request.head, path: releasePath('r5') },
    { kind: 'file', text },
  )
  return world.ask(request)
}

function proposed(): World {
  const world = configuredWorld()
  givenRelease(world, { signoff: 'approved' })
  seen(world, compositionText(release(world)))
  return world
}
const pushed = { interference: { what: 'proposal-pushed', by: 'mallory' }, head: sha('e2'), actor: MALLORY } as const

describe('a push of others to a proposal', () => {
  it('is named, alarms, and is over when the composition stands there again', () => {
    const world = proposed()
    expect(seen(world, 'something else', pushed).types).toEqual(['proposal.seen', 'evidence.changed', 'alarm.raised'])
    expect(release(world).conduct.interference).toMatchObject([{ what: 'proposal-pushed', by: 'mallory' }])
    expect(alarms(world)).toEqual([['proposal-pushed', true]])
    const restored = seen(world, compositionText(release(world)), { head: sha('e3'), at: minute(1) })
    expect(restored.types).toEqual(['proposal.seen', 'alarm.cleared'])
    expect(alarms(world)).toEqual([['proposal-pushed', false]])
  })

  it('is named without an alarm when the content is the same', () => {
    const world = proposed()
    expect(seen(world, compositionText(release(world)), pushed).types).toEqual(['proposal.seen', 'evidence.changed'])
  })

  it('counts once however often it is delivered', () => {
    const world = proposed()
    seen(world, 'something else', pushed)
    expect(seen(world, 'something else', pushed).events).toEqual([])
  })

  it('that merges it holds the release', () => {
    const world = proposed()
    const interference = { what: 'proposal-merged', by: 'mallory' } as const
    seen(world, compositionText(release(world)), { interference, merged: true, actor: MALLORY })
    expect(release(world).conduct.hold).toMatchObject({ by: null, reason: expect.stringContaining('mallory') })
  })
})

describe('a check run under our name', () => {
  const forged = (commit: string): Request => ({
    kind: 'check-forged',
    repository: RELEASES,
    sha: commit,
    checkRunId: 4,
    name: 'ringmaster/sign-off',
    app: 'copycat',
    url: '',
    ...asked,
  })

  it('on a proposal holds its release, and is not raised again once somebody lifted the hold', () => {
    const world = proposed()
    expect(world.ask(forged(HEAD)).types).toEqual(['evidence.changed', 'release.held'])
    expect(release(world).conduct.hold).toMatchObject({ by: null, reason: expect.stringContaining('copycat') })
    expect(world.ask(forged(HEAD)).events).toEqual([])
  })

  it('is not raised again by a sweep that finds it when its key is long forgotten', () => {
    const world = proposed()
    const standing = { ...forged(HEAD), url: 'https://example.test/runs/4' } as Request
    world.ask(standing)
    expect(world.decide(standing).decision.events).toEqual([])
  })

  it('on any other commit deceives nobody', () => {
    expect(proposed().ask(forged(sha('f1'))).events).toEqual([])
  })
})

describe('a commit status under our name', () => {
  const forged = (commit: string, statusId = 4): Request => ({
    kind: 'status-forged',
    repository: RELEASES,
    sha: commit,
    statusId,
    name: 'ringmaster/sign-off',
    by: 'mallory',
    url: `https://example.test/commit/${commit}#status-${statusId}`,
    ...asked,
  })

  it('on a proposal holds its release, and gates are shut until somebody has looked', () => {
    const world = proposed()
    expect(world.ask(forged(HEAD)).types).toEqual(['evidence.changed', 'release.held'])
    expect(release(world).conduct).toMatchObject({
      hold: { by: null, reason: expect.stringContaining('mallory set a commit status') },
      interference: [{ what: 'status-forged', by: 'mallory' }],
    })
  })

  it('is not raised again however often it is told, and another one is', () => {
    const world = proposed()
    world.ask(forged(HEAD))
    expect(world.ask(forged(HEAD)).events).toEqual([])
    expect(world.decide(forged(HEAD)).decision.events).toEqual([])
    expect(world.ask(forged(HEAD, 5)).types).toEqual(['evidence.changed', 'release.held'])
  })

  it('has a slot of its own beside a check run of the same number', () => {
    const world = proposed()
    const check = { checkRunId: 4, name: 'ringmaster/sign-off', app: 'copycat', url: '' }
    world.ask({ kind: 'check-forged', repository: RELEASES, sha: HEAD, ...check, ...asked })
    expect(world.ask(forged(HEAD)).types).toContain('evidence.changed')
  })

  it('on any other commit deceives nobody', () => {
    expect(proposed().ask(forged(sha('f1'))).events).toEqual([])
  })
})

describe('a touched comment of ours', () => {
  it('is named, and what should stand there is looked at again', () => {
    const world = proposed()
    const request: Request = {
      kind: 'comment-touched',
      repository: RELEASES,
      issue: 5,
      comment: 3,
      change: 'edited',
      by: 'mallory',
      url: '',
      ...asked,
    }
    const { decision } = world.decide(request)
    expect(decision).toMatchObject({ distrust: [issueKey(RELEASES.id, 5), 'release/r5'] })
    world.ask(request)
    expect(release(world).conduct.interference).toMatchObject([{ what: 'comment-edited', by: 'mallory' }])
  })
})

describe('a push of others to our own branches', () => {
  it('freezes everything, and alarms', () => {
    const world = proposed()
    const request: Request = {
      kind: 'branch-pushed',
      repository: RELEASES,
      branch: 'ringmaster-data',
      commit: sha('d1'),
      by: 'mallory',
      ...asked,
    }
    expect(world.ask(request).types).toEqual(['evidence.changed', 'environment.frozen', 'alarm.raised'])
    expect(world.ask(request).events).toEqual([])
    expect(world.state<Freezes>(FREEZES_KEY)?.frozen).toMatchObject([{ environment: '*', by: null }])
    expect(alarms(world)).toEqual([['branch-pushed', true]])
  })

  it('freezes again when the same is pushed again, such as a second deletion', () => {
    const world = proposed()
    const deletion = (delivery: string): Request => ({
      kind: 'branch-pushed',
      repository: RELEASES,
      branch: 'ringmaster-data',
      commit: sha(''),
      by: 'mallory',
      ...asked,
      source: { kind: 'webhook', delivery },
    })
    world.ask(deletion('first'))
    expect(world.ask(deletion('first')).events).toEqual([])
    expect(world.ask(deletion('second')).types).toContain('environment.frozen')
  })
})

describe('a comment whose commands are not carried out', () => {
  type Noted = Extract<Request, { kind: 'comment-noted' }>
  const noted = (note: Noted['note'], bent: Partial<Noted> = {}): Request => ({
    kind: 'comment-noted',
    repository: RELEASES,
    issue: 5,
    comment: { id: 70, url: '' },
    note,
    message: null,
    ...asked,
    ...bent,
  })
  const given: Request = {
    kind: 'command-given',
    repository: RELEASES,
    issue: { number: 5, title: 'x', isPull: false, open: true },
    comment: { id: 70, url: '' },
    command: { name: 'nonsense', args: '' },
    index: 0,
    of: 1,
    ...asked,
  }
  const comments = (world: World) => world.state<IssueState>(issueKey(RELEASES.id, 5))?.comments

  it('is answered once, and what it asked for before stands', () => {
    const world = proposed()
    world.ask(given)
    expect(world.ask(noted('edited')).types).toEqual(['comment.noted'])
    expect(world.ask(noted('edited', { at: minute(1) })).events).toEqual([])
    expect(comments(world)).toMatchObject([{ of: 1, answers: [{ command: 'nonsense' }], note: { kind: 'edited' } }])
  })

  it('is answered when it never asked for anything before', () => {
    const world = proposed()
    world.ask(noted('edited'))
    expect(comments(world)).toMatchObject([{ of: 0, actor: ANN, answers: [], note: { kind: 'edited' } }])
    expect(world.state<OpenIndex>(OPEN_KEY)?.replies).toEqual([{ issue: issueKey(RELEASES.id, 5), comment: 70 }])
  })

  it('is read as it was when news of the edit came first', () => {
    const world = proposed()
    world.ask(noted('edited'))
    world.ask(given)
    expect(comments(world)).toMatchObject([{ of: 1, answers: [{ command: 'nonsense' }], note: { kind: 'edited' } }])
  })

  it('needs no word when it is deleted before anything was read', () => {
    expect(proposed().ask(noted('deleted')).events).toEqual([])
  })
})
