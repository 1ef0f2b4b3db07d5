import { describe, expect, it } from '@jest/globals'
import { personQuery } from '../../../src/core/access/decide.ts'
import type { Answer } from '../../../src/core/command/answer.ts'
import { parseConfiguration } from '../../../src/core/config/parse.ts'
import type { Actor } from '../../../src/core/event.ts'
import { compositionDigest } from '../../../src/core/release/composition.ts'
import { OPEN_KEY, type OpenIndex, releaseKey } from '../../../src/core/release/open.ts'
import type { ReleaseState } from '../../../src/core/release/schema.ts'
import type { Request } from '../../../src/core/request.ts'
import { FREEZES_KEY, type Freezes } from '../../../src/core/ring/freezes.ts'
import {
  ANN,
  API_ITEM,
  asked,
  BOB,
  build,
  CONFIGURATION,
  configuredWorld,
  event,
  givenRelease,
  MALLORY,
  minute,
  RELEASES,
  type ReleaseGiven,
  recorded,
  type World,
} from '../decided.ts'

const OLGA: Actor = { login: 'olga', id: 3 }
const QUINN: Actor = { login: 'quinn', id: 4 }
const ROBOT: Actor = { login: 'robot', id: 5 }

/** ann and rita manage, olga administers, bob develops, quinn is QA by login alone, mallory is nobody. */
const bend = (text: string): string =>
  text
    .replace('users: [ann]', 'users: [ann, rita]')
    .replace(
      '    - { name: QA, users: [quinn] }',
      '    - { name: QA, users: [quinn] }\n  profiles:\n    - { name: hotfix, parties: [QA] }',
    )
const RITA: Actor = { login: 'rita', id: 6 }

function desk(given: ReleaseGiven | null = { signoff: 'approved' }): World {
  const world = configuredWorld(bend)
  const parsed = parseConfiguration(bend(CONFIGURATION))
  if (!parsed.ok) throw new Error('expected a sound configuration')
  const { roles } = parsed.value.configuration
  for (const person of [ANN, BOB, OLGA, QUINN, RITA, MALLORY]) {
    const membership = person === BOB ? ('member' as const) : ('not-member' as const)
    world.fact(personQuery(person, RELEASES.fullName, roles), {
      kind: 'person',
      permission: 'read',
      teams: [{ team: 'acme/developers', membership }],
    })
    world.fact({ kind: 'account', login: person.login }, { kind: 'account', account: { ...person, type: 'User' } })
  }
  world.fact({ kind: 'account', login: 'robot' }, { kind: 'account', account: { ...ROBOT, type: 'Bot' } })
  world.fact({ kind: 'account', login: 'nobody' }, { kind: 'account', account: null })
  world.fact({ kind: 'account', login: 'hidden' }, { kind: 'account', account: 'unreadable' })
  world.fact(
    { kind: 'team-members', team: 'acme/engineering' },
    { kind: 'team-members', members: [{ login: 'eve', id: 9 }] },
  )
  world.ask(build())
  world.ask(recorded({ environment: 'beta' }))
  if (given) givenRelease(world, given)
  return world
}

let comments = 5_000
type Given = Extract<Request, { kind: 'command-given' }>
function say(world: World, text: string, actor: Actor = ANN, bent: Partial<Given> = {}) {
  const [, name = '', args = ''] = /^\/(\S+) ?(.*)$/.exec(text) ?? []
  comments += 1
  const found = world.ask({
    kind: 'command-given',
    repository: RELEASES,
    issue: { number: 5, title: 'User Platform v2.0', isPull: false, open: true },
    comment: { id: comments, url: '' },
    command: { name, args },
    index: 0,
    of: 1,
    ...asked,
    actor,
    ...bent,
  })
  const answer = found.answer as Answer
  return { code: answer.code, answer, refusals: answer.problems.map(({ code }) => code), types: found.types }
}

const release = (world: World): ReleaseState => world.state<ReleaseState>(releaseKey('r5')) as ReleaseState
const conduct = (world: World) => release(world).conduct

describe('the conduct of a release', () => {
  it.each<readonly [string, string, Actor, string, object]>([
    ['/reopen "the beta failed"', 'release-reopened', ANN, 'release.reopened', { status: 'draft', signoff: null }],
    [
      '/set target-date 2026-12-01',
      'setting-set',
      BOB,
      'release.set',
      { conduct: { details: { targetDate: '2026-12-01' } } },
    ],
    [
      '/set title "User Platform v2.1"',
      'setting-set',
      BOB,
      'release.set',
      { title: 'User Platform v2.1', signoff: null, editors: ['ann', 'bob'] },
    ],
    ['/set profile hotfix', 'setting-set', ANN, 'release.set', { conduct: { profile: 'hotfix' }, signoff: null }],
    ['/manager @rita', 'manager-changed', ANN, 'release.manager_changed', { manager: RITA }],
    ['/go', 'judged-go', ANN, 'release.judged', { conduct: { judgement: { kind: 'go', by: ANN } } }],
    [
      '/no-go the load test failed',
      'judged-no-go',
      ANN,
      'release.judged',
      { conduct: { judgement: { kind: 'no-go', reason: 'the load test failed' } } },
    ],
    [
      '/hold an incident',
      'release-held',
      BOB,
      'release.held',
      { conduct: { hold: { by: BOB, reason: 'an incident' } } },
    ],
    [
      '/waive rollback-plan no way back',
      'step-waived',
      ANN,
      'step.waived',
      { conduct: { waivers: [{ step: 'rollback-plan', by: ANN }] } },
    ],
    [
      '/waive live nothing is deployed',
      'step-waived',
      ANN,
      'step.waived',
      { conduct: { waivers: [{ step: 'live' }] } },
    ],
    [
      '/delegate qa @bob until 2026-02-01',
      'delegated',
      QUINN,
      'party.delegated',
      { conduct: { delegations: [{ party: 'QA', from: QUINN, to: BOB, until: '2026-02-01T23:59:59.999Z' }] } },
    ],
  ])('%s is %s', (text, code, actor, type, state) => {
    const world = desk()
    expect(say(world, text, actor)).toMatchObject({ code, types: [type, 'command.answered'] })
    expect(release(world)).toMatchObject(state)
  })

  it.each<readonly [string, Actor, string]>([
    ['/reopen why', BOB, 'not-permitted'],
    ['/manager @mallory', ANN, 'not-permitted'],
    ['/manager @nobody', ANN, 'unknown-person'],
    ['/manager @robot', ANN, 'not-a-person'],
    ['/manager @hidden', ANN, 'account-unreadable'],
    ['/unhold', BOB, 'not-permitted'],
    ['/go', BOB, 'not-permitted'],
    ['/hold why', MALLORY, 'not-permitted'],
    ['/set profile hotfix', BOB, 'not-permitted'],
    ['/set profile none', BOB, 'not-permitted'],
    ['/set profile hotfxi', ANN, 'unknown-profile'],
    ['/waive rollback-pln why', ANN, 'unknown-step'],
    ['/waive rollback-plan why', BOB, 'not-permitted'],
    ['/delegate QA @bob until 2026-02-01', ANN, 'not-a-member'],
    ['/delegate QQA @bob until 2026-02-01', QUINN, 'unknown-party'],
    ['/delegate QA @quinn until 2026-02-01', QUINN, 'own-delegate'],
    ['/delegate QA @robot until 2026-02-01', QUINN, 'not-a-person'],
    ['/delegate QA @bob until 2025-02-01', QUINN, 'argument-invalid'],
    ['/delegate QA @bob until 2036-02-01', QUINN, 'argument-invalid'],
    ['/freeze prodcution why', ANN, 'unknown-environment'],
    ['/freeze production why', BOB, 'not-permitted'],
    ['/except 5 production why', ANN, 'not-frozen'],
    ['/except 9 production why', ANN, 'no-release'],
    ['/override production why', BOB, 'not-permitted'],
    ['/confirm', ANN, 'nothing-to-confirm'],
    ['/can-deploy api@9 production', MALLORY, 'unknown-version'],
    ['/can-deploy apu production', MALLORY, 'unknown-product'],
    ['/requirements prod', MALLORY, 'unknown-environment'],
  ])('%s by %j is refused: %s', (text, actor, code) => {
    const world = desk()
    const before = world.log.length
    expect(say(world, text, actor)).toMatchObject({ code: 'refused', refusals: [code], types: ['command.answered'] })
    expect(world.log.length).toBe(before + 1)
  })

  it('lets a step of people go undone once it is waived, and asks for it when that is undone', () => {
    const world = desk()
    expect(say(world, '/complete').refusals).toContain('step-open')
    say(world, '/waive rollback-plan why')
    expect(say(world, '/complete').refusals).not.toContain('step-open')
    expect(say(world, '/undo rollback-plan').code).toBe('step-undone')
    expect(say(world, '/complete').refusals).toContain('step-open')
  })

  it('completes without what is waived to be live', () => {
    const world = desk()
    expect(say(world, '/complete').refusals).toEqual(['step-open', 'not-live'])
    say(world, '/waive rollback-plan why')
    say(world, '/waive live the customers pull it themselves')
    expect(say(world, '/complete').code).toBe('release-completed')
  })

  it('takes a go back with the composition that it was said of, and keeps a no-go', () => {
    const gone = desk()
    say(gone, '/go')
    gone.record([event('release.version_removed', { release: 'r5', product: 'web' })])
    expect(conduct(gone).judgement).toBeNull()
    const narrowed = desk()
    say(narrowed, '/go')
    say(narrowed, '/set profile hotfix')
    expect(conduct(narrowed).judgement).toBeNull()
    const stopped = desk()
    say(stopped, '/no-go why')
    stopped.record([event('release.version_removed', { release: 'r5', product: 'web' })])
    expect(conduct(stopped).judgement?.kind).toBe('no-go')
  })

  it('names whose approvals are void when a product leaves', () => {
    const world = desk({ items: [API_ITEM, { ...API_ITEM, product: 'web' }], signoff: 'approved' })
    const signoff = { ...(release(world).signoff as NonNullable<ReleaseState['signoff']>) }
    const seat = { party: 'QA', login: 'quinn', reviewId: 1, commit: null, at: null }
    world.record([event('signoff.decided', { release: 'r5', signoff: { ...signoff, evidence: [seat] }, facts: [] })])
    expect(say(world, '/remove web').answer.values).toEqual(['web', 'quinn'])
  })
})

describe('freezes', () => {
  it('stand until they are lifted, with their exceptions', () => {
    const world = desk()
    expect(say(world, '/freeze production "the holidays"').code).toBe('frozen')
    expect(say(world, '/freeze production "the holidays"').code).toBe('nothing-changed')
    expect(say(world, '/except #5 production a fix').code).toBe('excepted')
    expect(world.state<Freezes>(FREEZES_KEY)?.frozen).toMatchObject([
      { environment: 'production', by: ANN, exceptions: [{ release: 'r5', reason: 'a fix' }] },
    ])
    expect(say(world, '/unfreeze production').code).toBe('unfrozen')
    expect(say(world, '/unfreeze production').code).toBe('nothing-changed')
    expect(world.state<Freezes>(FREEZES_KEY)?.frozen).toEqual([])
  })
})

describe('an override', () => {
  it('takes two different people, and is followed up until the release ends', () => {
    const world = desk({ signoff: 'pending', missing: 'QA' })
    expect(say(world, '/override production customers wait').code).toBe('override-asked')
    expect(say(world, '/confirm').refusals).toEqual(['own-override'])
    expect(say(world, '/confirm', RITA).code).toBe('override-confirmed')
    const alarms = () => world.state<OpenIndex>(OPEN_KEY)?.alarms.map(({ code, isOpen }) => [code, isOpen])
    expect(alarms()).toEqual([['gate-overridden', true]])
    expect(say(world, '/confirm', RITA).refusals).toEqual(['nothing-to-confirm'])
    say(world, '/cancel over')
    expect(alarms()).toEqual([['gate-overridden', false]])
  })

  it('is not confirmed late', () => {
    const world = desk()
    say(world, '/override production why')
    expect(say(world, '/confirm', RITA, { at: minute(61) }).refusals).toEqual(['nothing-to-confirm'])
  })
})

describe('questions', () => {
  const text = (world: World, question: string): string => say(world, question, MALLORY).answer.values.join('\n')

  it('answer as the gate decides', () => {
    expect(text(desk(), '/can-deploy api@1.0.0 production')).toMatch(/^yes: api@1.0.0 may enter production now$/)
    const shut = desk({ signoff: 'vetoed' })
    say(shut, '/hold an incident', BOB)
    expect(text(shut, '/can-deploy api production')).toMatch(/^no: .*\nsignoff-vetoed: .*\nheld: .*an incident/)
  })

  it('say what an environment asks for, and that it is frozen', () => {
    const world = desk()
    say(world, '/freeze * "an incident"')
    const said = text(world, '/requirements production')
    for (const part of ['ring 4', 'signed off', 'beta', 'api, web, firmware', 'an incident'])
      expect(said).toContain(part)
    expect(text(world, '/requirements integration')).toContain('is open')
  })

  it('name who is waited for', () => {
    expect(text(desk({ signoff: 'pending', missing: 'QA' }), '/pending')).toMatch(/^QA: 0 of 1/)
    expect(text(desk(), '/pending')).toBe('nobody: every party has signed')
    expect(text(desk({ started: false }), '/pending')).toMatch(/draft/)
  })

  it('explain the jobs that wait', () => {
    const world = desk({ signoff: 'pending', missing: 'QA' })
    const gate = { repository: { id: 11, fullName: 'acme/platform' }, runId: 3, environment: 'production' }
    world.ask({
      kind: 'gate-requested',
      ...gate,
      deploymentId: 1,
      sha: API_ITEM.sha,
      ref: 'main',
      installationId: 1,
      ...asked,
    })
    world.ask({ kind: 'gate-review', gate: 'gate/11/3/production', ...asked })
    expect(text(world, '/why production')).toMatch(/^production: api@1.0.0 waits since .*\nsignoff-pending: /)
    expect(text(world, '/why')).toMatch(/^sign-off: pending\nQA: 0 of 1/)
    expect(text(world, '/why beta')).toBe('no job with a version of this release waits at beta')
  })

  it('tell what an approval of somebody would change', () => {
    const world = desk()
    expect(text(world, '/why if @eve')).toMatch(/^sign-off: pending now, pending if eve approves\neve would sign for /)
    expect(text(world, '/why if eve')).toMatch(/then waited for: QA: 0 of 1; could sign: quinn/)
    expect(text(world, '/why if @mallory')).toMatch(
      /pending if mallory approves\nthe approval of mallory would not count: /,
    )
    expect(world.log.filter(({ type }) => type === 'signoff.decided')).toHaveLength(1)
    const draft = desk({ started: false })
    expect(text(draft, '/why if @quinn')).toMatch(/^the release is a draft: .*\nsign-off: pending now, /)
    expect(text(draft, '/why if @quinn')).toMatch(/quinn would sign for QA/)
    say(world, '/cancel over')
    expect(say(world, '/why if @eve').refusals).toEqual(['release-ended'])
  })
})

describe('what an approval would change', () => {
  it('counts the reviews that there are, and an objection that it would lift', () => {
    const world = desk({})
    const digest = compositionDigest(release(world))
    const seen = {
      release: 'r5',
      repository: RELEASES,
      number: 9,
      url: '',
      head: 'c0ffee',
      headDigest: digest,
      author: 'bot',
      merged: false,
    }
    world.record([event('proposal.seen', seen)])
    const by = (id: number, login: string, state: string) => ({
      id,
      user: { login, id, type: 'User' },
      state,
      commit: 'c0ffee',
      at: asked.at,
    })
    const query = { kind: 'reviews', repository: RELEASES.fullName, number: 9 } as const
    world.fact(query, { kind: 'reviews', reviews: [by(1, 'eve', 'APPROVED'), by(2, 'quinn', 'CHANGES_REQUESTED')] })
    const { values } = say(world, '/why if @Quinn', MALLORY).answer
    expect(values[0]).toBe('sign-off: vetoed now, approved if Quinn approves')
    expect(values.slice(1)).toEqual(['Quinn would sign for QA', 'then waited for: nobody: every party has signed'])
    world.record([event('proposal.seen', { ...seen, merged: true })])
    expect(say(world, '/why if @quinn').answer.values[0]).toBe('sign-off: vetoed now, approved if quinn approves')
  })
})

describe('help', () => {
  const names = (world: World, actor: Actor, bent: Partial<Given> = {}): string[] =>
    say(world, '/help', actor, bent).answer.values.map((line) => /^\/(\S+)/.exec(line)?.[1] ?? '')

  it('shows what this person may do here', () => {
    expect(names(desk(), MALLORY)).toEqual([
      'pending',
      'requirements',
      'can-deploy',
      'why',
      'status',
      'help',
      'dry-run',
    ])
    expect(names(desk(), BOB)).toEqual(expect.arrayContaining(['add', 'hold', 'done']))
    expect(names(desk(), BOB)).not.toContain('unhold')
    expect(names(desk(null), MALLORY)).toEqual(['requirements', 'can-deploy', 'help', 'dry-run'])
  })

  it('shows to members of a party what is for them, and to nobody where they cannot be read', () => {
    const world = desk()
    expect(names(world, QUINN)).toContain('delegate')
    expect(names(world, BOB)).not.toContain('delegate')
    expect(say(world, '/help delegate', BOB).refusals).toEqual(['not-a-member'])
    const unreadable = { kind: 'team-members', members: 'unreadable' } as const
    world.fact({ kind: 'team-members', team: 'acme/engineering' }, unreadable)
    expect(names(world, QUINN)).toContain('delegate')
    expect(names(world, BOB)).not.toContain('delegate')
    expect(say(world, '/help delegate', BOB).refusals).toEqual(['membership-unreadable'])
  })

  it('says which role a command needs that this person may not use', () => {
    expect(say(desk(), '/help freeze', MALLORY)).toMatchObject({ code: 'refused', refusals: ['not-permitted'] })
  })
})

describe('a dry run', () => {
  it('says what would happen and changes nothing', () => {
    const world = desk()
    const before = release(world)
    const found = say(world, '/dry-run hold an incident')
    expect(found).toMatchObject({ code: 'release-held', types: ['command.answered'] })
    expect(found.answer.dryRun).toEqual(['release.held'])
    expect(release(world)).toEqual(before)
  })

  it.each<readonly [string, Actor, string]>([
    ['/dry-run cancel why', MALLORY, 'not-permitted'],
    ['/dry-run /cancel', ANN, 'argument-missing'],
    ['/dry-run stauts', ANN, 'unknown-command'],
    ['/dry-run dry-run start', ANN, 'argument-invalid'],
    ['/dry-run', ANN, 'argument-missing'],
  ])('%s by %j is refused: %s', (text, actor, code) => {
    expect(say(desk(), text, actor).refusals).toEqual([code])
  })
})

describe('a person who gives commands too fast', () => {
  const flood = (world: World): void => {
    for (let index = 0; index < 30; index += 1) say(world, '/status', MALLORY, { at: minute(1) })
  }

  it('is told once, then goes unanswered until it is over', () => {
    const world = desk()
    flood(world)
    expect(say(world, '/status', MALLORY, { at: minute(2) })).toMatchObject({
      refusals: ['too-many-commands'],
      types: ['command.answered'],
    })
    expect(say(world, '/status', MALLORY, { at: minute(3) }).types).toEqual([])
    expect(say(world, '/status', BOB, { at: minute(3) }).code).toBe('status')
    expect(say(world, '/status', MALLORY, { at: minute(12) }).code).toBe('status')
  })

  it('is answered in full where a comment was answered in part', () => {
    const world = desk()
    for (let index = 0; index < 29; index += 1) say(world, '/status', MALLORY)
    const comment = { id: 77, url: '' }
    const answers = [0, 1, 2].map((index) => say(world, '/status', MALLORY, { comment, index, of: 3 }).code)
    expect(answers).toEqual(['status', 'refused', 'refused'])
  })

  it('is not heard later because GitHub delivers it again', () => {
    const world = desk()
    flood(world)
    say(world, '/status', MALLORY, { at: minute(2) })
    for (const at of [20, 21, 22]) say(world, '/status', MALLORY, { at: minute(at) })
    expect(say(world, '/status', MALLORY, { at: minute(3) }).types).toEqual([])
  })
})
