import { describe, expect, it } from '@jest/globals'
import { personQuery } from '../../../src/core/access/decide.ts'
import type { Answer } from '../../../src/core/command/answer.ts'
import { COMMANDS } from '../../../src/core/command/table.ts'
import { CONFIG_KEY, type ConfigState, configDocument } from '../../../src/core/config/in-force.ts'
import { parseConfiguration } from '../../../src/core/config/parse.ts'
import type { Actor } from '../../../src/core/event.ts'
import type { FactAnswer } from '../../../src/core/facts.ts'
import { type IssueState, issueKey } from '../../../src/core/process/issue.ts'
import { OPEN_KEY, type OpenIndex, releaseKey } from '../../../src/core/release/open.ts'
import type { ReleaseState } from '../../../src/core/release/schema.ts'
import type { Request } from '../../../src/core/request.ts'
import {
  ANN,
  API_ITEM,
  asked,
  BOB,
  build,
  CONFIGURATION,
  configuredWorld,
  EDGE,
  givenRelease,
  MALLORY,
  RELEASES,
  type ReleaseGiven,
  recorded,
  sha,
  World,
} from '../decided.ts'

type Given = Extract<Request, { kind: 'command-given' }>
type Person = Extract<FactAnswer, { kind: 'person' }>

const ROLES = (() => {
  const parsed = parseConfiguration(CONFIGURATION)
  if (!parsed.ok) throw new Error('expected the configuration of the tests to be sound')
  return parsed.value.configuration.roles
})()

let comments = 100
/** A comment with one command; its own comment unless one is given. */
function given(text: string, bent: Partial<Given> = {}): Given {
  const [, name = '', args = ''] = /^\/(\S+)[ ]?(.*)$/s.exec(text) ?? []
  comments += 1
  return {
    kind: 'command-given',
    repository: RELEASES,
    issue: { number: 5, title: 'User Platform v2.0', isPull: false, open: true },
    comment: { id: comments, url: 'https://example.test/comment' },
    command: { name, args },
    index: 0,
    of: 1,
    ...asked,
    ...bent,
  }
}

/** What GitHub says of a person: a stranger who may read, unless more is given. */
function known(world: World, person: Actor, more: Partial<Omit<Person, 'kind'>> = {}): World {
  const teams = [{ team: 'acme/developers', membership: 'not-member' as const }]
  return world.fact(personQuery(person, RELEASES.fullName, ROLES), {
    kind: 'person',
    permission: 'read',
    teams,
    ...more,
  })
}

function say(world: World, text: string, bent: Partial<Given> = {}) {
  const request = given(text, bent)
  const found = world.ask(request)
  const answer = found.answer as Answer
  return { ...found, request, answer, code: answer.code, refusals: answer.problems.map((problem) => problem.code) }
}

/** A world with api 1.0.0 and web 1.0.0 built, and a release as far as wanted. Ann is its manager. */
function desk(release: ReleaseGiven | null = {}, bend?: (text: string) => string): World {
  const world = known(known(known(configuredWorld(bend), ANN), BOB), MALLORY)
  world.ask(build())
  world.ask(build({ record: { product: 'web' } }))
  if (release) givenRelease(world, { signoff: 'approved', ...release })
  return world
}
const draft = { items: [], started: false, signoff: undefined } as unknown as ReleaseGiven
const releaseOf = (world: World) => world.state<ReleaseState>(releaseKey('r5'))

describe('a command that is done', () => {
  it.each<[string, () => World, string, string, string[]]>([
    ['/release "Platform 2"', () => desk(null), 'release-opened', 'Platform 2', ['release.opened']],
    ['/release', () => desk(null), 'release-opened', 'User Platform v2.0', ['release.opened']],
    ['/release', () => desk(draft), 'nothing-changed', 'this is already the release issue of User Platform v2.0', []],
    ['/add api@1.0.0', () => desk(draft), 'version-added', 'api', ['release.version_added']],
    ['/add api', () => desk(draft), 'version-added', 'api', ['release.version_added']],
    ['/add api@1.0.0', () => desk({ started: false }), 'nothing-changed', 'api@1.0.0 is in the release', []],
    ['/remove api', () => desk({ started: false }), 'version-removed', 'api', ['release.version_removed']],
    ['/start', () => desk({ started: false }), 'release-started', '', ['release.started']],
    ['/cancel no budget', () => desk(), 'release-cancelled', '', ['release.cancelled']],
    ['/rollback the beta burns', () => desk(), 'release-rolled-back', 'the beta burns', ['release.rolled_back']],
    ['/notes', () => desk(), 'notes-asked', '', ['notes.asked']],
    ['/done rollback-plan https://wiki.test', () => desk(), 'step-done', 'rollback-plan', ['step.done']],
    ['/undo rollback-plan', () => desk(), 'nothing-changed', 'step rollback-plan is open', []],
  ])('%s: %#', (...[text, world, code, value, types]) => {
    const found = say(world(), text)
    expect(found.code).toBe(code)
    expect(found.answer.values[0] ?? '').toBe(value)
    expect(found.types).toEqual([...types, 'command.answered'])
  })

  it('replaces the version of a product that the release has, and the signatures of the content before are gone', () => {
    const world = desk()
    world.ask(build({ sha: sha('b2'), record: { version: '1.0.1', run: { id: 2, attempt: 1, job: 'build' } } }))
    expect(say(world, '/add api@1.0.1')).toMatchObject({
      code: 'version-replaced',
      answer: { values: ['api', '1.0.1', '1.0.0'] },
    })
    expect(releaseOf(world)).toMatchObject({
      items: [{ version: '1.0.1', sha: sha('b2') }],
      signoff: null,
      editors: ['ann'],
    })
    expect(world.state<OpenIndex>(OPEN_KEY)?.releases).toMatchObject([{ id: 'r5', items: [{ version: '1.0.1' }] }])
  })

  it.each([
    ['semver', ['2.0.0', '1.9.1', '2.1.0-rc.1', '2.0.0+b'], '2.1.0-rc.1', undefined],
    ['semver-build', ['1.3.0-9', '1.3.0-10', '1.2.0'], '1.3.0-10', undefined],
    ['calver', ['2026.10.1', '2026.9.3'], '2026.10.1', undefined],
    ['number', ['10', '9'], '10', undefined],
    ['text', ['winter', 'autumn'], 'autumn', 'last-recorded'],
    [null, ['2.0.0', '1.9.1'], '1.9.1', 'last-recorded'],
  ])(
    'without a version takes the highest by the scheme %s, and says where there is none',
    (scheme, versions, one, how) => {
      const world = desk(draft, (text) =>
        scheme === null ? text : text.replace('name: firmware', `name: firmware\n    scheme: ${scheme}`),
      )
      versions.forEach((version, index) => {
        const run = { id: 10 + index, attempt: 1, job: 'build' }
        world.ask(build({ repository: EDGE, sha: sha(`e${index}`), record: { product: 'firmware', version, run } }))
      })
      const { answer } = say(world, '/add firmware')
      expect(answer).toMatchObject({
        code: 'version-added',
        values: ['firmware', one, expect.any(String), ...(how ? [how] : [])],
      })
    },
  )

  it('ends the release when it is signed off and live everywhere it has to be', () => {
    const world = desk({}, (text) => text.replace(/ {4}gate: .*\n/, ''))
    world.ask(recorded({ environment: 'production' }))
    say(world, '/done rollback-plan')
    expect(say(world, '/complete')).toMatchObject({
      code: 'release-completed',
      types: ['release.completed', 'command.answered'],
    })
    expect(releaseOf(world)).toMatchObject({ status: 'completed', endedAt: asked.at })
    expect(world.state<OpenIndex>(OPEN_KEY)).toMatchObject({ releases: [], ending: ['r5'] })
    expect(say(world, '/cancel late').refusals).toEqual(['release-ended'])
    expect(say(world, '/rollback it burns').types).toEqual(['release.rolled_back', 'command.answered'])
    expect(releaseOf(world)).toMatchObject({ status: 'rolled_back', endReason: 'it burns' })
    expect(say(world, '/rollback again').refusals).toEqual(['release-ended'])
  })

  it('tells the notes of a release that completes where the configuration says so', () => {
    const world = desk({}, (text) =>
      text.replace(/ {4}gate: .*\n/, '').replace('completion:', 'completion:\n  notes: true'),
    )
    world.ask(recorded({ environment: 'production' }))
    say(world, '/done rollback-plan')
    expect(say(world, '/complete').types).toEqual(['release.completed', 'notes.asked', 'command.answered'])
    expect(releaseOf(world)).toMatchObject({ status: 'completed', notesAsked: 1 })
    expect(world.state<OpenIndex>(OPEN_KEY)?.telling).toEqual(['r5'])
    say(world, '/notes')
    expect(releaseOf(world)).toMatchObject({ notesAsked: 2 })
    expect(world.state<OpenIndex>(OPEN_KEY)?.telling).toEqual(['r5'])
  })

  it('opens a step again that was ticked', () => {
    const world = desk()
    say(world, '/done rollback-plan')
    expect(say(world, '/undo rollback-plan')).toMatchObject({ code: 'step-undone' })
    expect(releaseOf(world)?.steps).toEqual([])
  })

  it('says where the release stands', () => {
    const { values } = say(desk(), '/status').answer
    expect(values).toEqual([
      'User Platform v2.0 is in progress; sign-off approved',
      'api@1.0.0 is live in: nowhere yet',
      'Open steps: rollback-plan, live',
      'Manager: ann',
    ])
  })

  it('lists every command that the person may say, or the one that is asked for', () => {
    const world = desk().fact(
      { kind: 'team-members', team: 'acme/engineering' },
      { kind: 'team-members', members: [ANN] },
    )
    const { values } = say(world, '/help').answer
    expect(values).toHaveLength(Object.keys(COMMANDS).length - 1)
    expect(values.join()).not.toContain('/preview')
    expect(say(desk(null), '/help /add').answer.values).toEqual([expect.stringMatching(/^\/add /)])
  })

  it('is said on the proposal as well as on the issue', () => {
    const world = desk({ started: false })
    const data = {
      release: 'r5',
      repository: RELEASES,
      number: 9,
      url: '',
      head: sha('e1'),
      headDigest: 'x',
      author: 'bot',
      merged: false,
    }
    world.record([{ type: 'proposal.seen', key: 'given:proposal', trust: 'platform', ...asked, data }])
    const issue = { number: 9, title: 'Release', isPull: true, open: true }
    expect(say(world, '/add web', { issue })).toMatchObject({ code: 'version-added' })
  })
})

describe('a command that is refused', () => {
  it.each<[string, () => World, string, string, RegExp?]>([
    ['an unknown command', () => desk(), '/frobnicate', 'unknown-command', /\/help/],
    ['a misspelt command', () => desk(), '/relase', 'unknown-command', /Did you mean \/release\?/],
    ['the name of a member of objects', () => desk(), '/constructor', 'unknown-command'],
    ['help on an unknown command', () => desk(), '/help strat', 'unknown-command', /Did you mean \/start/],
    ['no product', () => desk(draft), '/add', 'argument-missing'],
    ['a broken version', () => desk(draft), '/add api@1 0', 'argument-invalid'],
    ['an argument too many', () => desk(draft), '/start now', 'argument-unexpected'],
    ['no reason', () => desk(), '/cancel', 'argument-missing'],
    ['a product nobody built', () => desk(draft), '/add billing', 'unknown-product', /Known: "api", "web"/],
    ['a misspelt product', () => desk(draft), '/add wbe@1.0.0', 'unknown-product', /Did you mean "web"\?/],
    ['a version nobody built', () => desk(draft), '/add api@9.9.9', 'unknown-version'],
    ['a misspelt version', () => desk(draft), '/add api@1.0.00', 'unknown-version', /Did you mean 1\.0\.0\?/],
    ['a product that the release does not have', () => desk(), '/remove web', 'unknown-product'],
    ['the last product of a started release', () => desk(), '/remove api', 'empty-release'],
    ['an empty release', () => desk(draft), '/start', 'empty-release'],
    ['a release that is started already', () => desk(), '/start', 'wrong-status'],
    ['a draft that is to be rolled back', () => desk({ started: false }), '/rollback why', 'wrong-status'],
    ['a rollback without a reason', () => desk(), '/rollback', 'argument-missing'],
    ['a draft that is to be completed', () => desk({ started: false }), '/complete', 'wrong-status'],
    ['an issue that is no release', () => desk(null), '/add api', 'no-release', /\/release/],
    ['the status of no release', () => desk(null), '/status', 'no-release'],
    ['an unknown step', () => desk(), '/done rollback-plam', 'unknown-step', /Did you mean rollback-plan\?/],
    ['a step that ticks itself', () => desk(), '/done live', 'machine-step', /rollback-plan/],
    [
      'a release that cannot be changed any more',
      () => {
        const world = desk()
        say(world, '/cancel enough')
        return world
      },
      '/add web',
      'release-ended',
    ],
  ])('%s: %#', (...[, world, text, code, hint]) => {
    const there = world()
    const before = releaseOf(there)
    const found = say(there, text)
    expect(found.refusals).toEqual([code])
    expect(found.types).toEqual(['command.answered'])
    expect(releaseOf(there)).toEqual(before)
    expect(found.answer.problems[0]?.hint ?? '').toMatch(hint ?? /./)
  })

  it('on a pull request cannot make it a release', () => {
    const issue = { number: 5, title: 'x', isPull: true, open: true }
    expect(say(desk(null), '/release', { issue })).toMatchObject({ code: 'refused', types: ['command.answered'] })
  })

  it('says everything that keeps a release from being complete', () => {
    const world = desk({ items: [API_ITEM, { ...API_ITEM, product: 'web' }], signoff: 'vetoed' })
    expect(say(world, '/complete').refusals).toEqual(['not-signed-off', 'step-open', 'not-live', 'not-live'])
  })

  it('stays readable with hundreds of problems', () => {
    const items = Array.from({ length: 300 }, (_, index) => ({ ...API_ITEM, product: `p${index}` }))
    const { refusals } = say(desk({ items }), '/complete')
    expect(refusals).toHaveLength(51)
    expect(refusals.at(-1)).toBe('more')
  })

  it('where the configuration is not there, or the one of the release is harmed', () => {
    const bare = known(new World(), ANN)
    expect(say(bare, '/release').refusals).toEqual(['not-configured'])
    const world = desk()
    const other = CONFIGURATION.replace('label: beta', 'label: preview')
    world.documents.delete(configDocument(world.state<ConfigState>(CONFIG_KEY)?.digest ?? ''))
    world.configure(other)
    expect(say(world, '/complete').refusals).toEqual(['policy-unreadable'])
    expect(say(world, '/done rollback-plan').refusals).toEqual(['policy-unreadable'])
  })
})

describe('who may', () => {
  const member = { teams: [{ team: 'acme/developers', membership: 'member' as const }] }
  const unread = { teams: [{ team: 'acme/developers', membership: 'unreadable' as const }] }
  it.each<[string, Actor | null, Partial<Omit<Person, 'kind'>>, string, string[]]>([
    ['a release manager by name', ANN, {}, '/start', []],
    ['a stranger', MALLORY, {}, '/start', ['not-permitted']],
    [
      'an administrator of the repository without a role',
      MALLORY,
      { permission: 'admin' },
      '/start',
      ['not-permitted'],
    ],
    ['a developer by team, who adds', BOB, member, '/add web', []],
    ['a developer by team, who may not start', BOB, member, '/start', ['not-permitted']],
    ['somebody whose teams cannot be read', BOB, unread, '/add web', ['membership-unreadable']],
    ['somebody whose standing cannot be read, but who is named', ANN, { permission: 'unreadable' }, '/add web', []],
    ['anybody, who asks', MALLORY, {}, '/status', []],
    ['nobody', null, {}, '/start', ['unknown-person']],
  ])('%s', (...[, actor, standing, text, refusals]) => {
    const world = desk({ started: false })
    if (actor) known(world, actor, standing)
    const found = say(world, text, { actor })
    expect(found.refusals).toEqual(refusals)
    if (refusals.length > 0) expect(found.types).toEqual(['command.answered'])
  })

  it('is recorded with the answer', () => {
    const world = desk({ started: false })
    const { events } = say(world, '/start')
    expect(events.at(-1)?.data).toMatchObject({
      facts: [{ query: { kind: 'person', login: 'ann' }, answer: { permission: 'read' } }],
    })
  })
})

describe('a comment', () => {
  it('that is delivered again gets the same answer and changes nothing', () => {
    const world = desk({ started: false })
    const first = say(world, '/start')
    const again = world.ask(first.request)
    expect(again).toMatchObject({ kind: 'accept', events: [], answer: first.answer })
  })

  it('with several commands is answered once they are all decided, each on the state that the one before left', () => {
    const world = desk(null)
    const comment = { id: 77, url: '' }
    say(world, '/release', { comment, index: 0, of: 3 })
    say(world, '/add api', { comment, index: 1, of: 3 })
    expect(world.state<OpenIndex>(OPEN_KEY)?.replies).toEqual([])
    expect(say(world, '/start', { comment, index: 2, of: 3 }).code).toBe('release-started')
    expect(world.state<OpenIndex>(OPEN_KEY)?.replies).toEqual([{ issue: issueKey(RELEASES.id, 5), comment: 77 }])
    expect(
      world.state<IssueState>(issueKey(RELEASES.id, 5))?.comments[0]?.answers.map((entry) => entry.command),
    ).toEqual(['release', 'add', 'start'])
  })
})

describe('names from outside', () => {
  it.each(['__proto__', '../../x', 'a/b', '`code`', '@team <b>', '‮desrever', 'x'.repeat(256)])(
    '%j as the title of an issue is data',
    (title) => {
      const world = desk(null)
      const issue = { number: 5, title, isPull: false, open: true }
      expect(say(world, '/release', { issue }).code).toBe('release-opened')
      expect(releaseOf(world)).toMatchObject({ id: 'r5', title })
    },
  )

  it.each(['__proto__', '../../x', 'a/b', '@acme/api', '`api`'])('%j as a product goes into the release', (product) => {
    const world = desk(draft)
    world.ask(build({ record: { product } }))
    expect(say(world, `/add ${product}@1.0.0`).code).toBe('version-added')
    expect(releaseOf(world)?.items).toMatchObject([{ product }])
    expect(say(world, `/remove ${product}`).code).toBe('version-removed')
  })

  it.each(['x'.repeat(300), 'a\u202eb', 'a\u200bb'])('%j as a product is refused', (product) => {
    expect(say(desk(draft), `/add ${product}`).refusals).toEqual(['argument-invalid'])
  })

  it('as long as they may be fit into the answer', () => {
    const world = desk({ items: [] })
    const product = 'p'.repeat(100)
    const version = 'v'.repeat(100)
    world.ask(build({ record: { product, version } }))
    for (let index = 0; index < 12; index += 1)
      world.ask(
        recorded({ product, version, environment: `${index}`.padEnd(100, 'e'), statusId: index, deploymentId: index }),
      )
    expect(say(world, `/add ${product}@${version}`).code).toBe('version-added')
    expect(say(world, '/status').answer.values[1]).toHaveLength(400)
  })
})
