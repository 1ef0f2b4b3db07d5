import { describe, expect, it } from '@jest/globals'
import { personQuery } from '../../../src/core/access/decide.ts'
import { checkEvent } from '../../../src/core/check-event.ts'
import type { Answer } from '../../../src/core/command/answer.ts'
import { parseConfiguration } from '../../../src/core/config/parse.ts'
import type { Actor } from '../../../src/core/event.ts'
import type { FactAnswer, TaggedCommit } from '../../../src/core/facts.ts'
import { type CutOutcome, type CutsState, cutsKey } from '../../../src/core/product/cut-schema.ts'
import { OPEN_KEY, type OpenIndex } from '../../../src/core/release/open.ts'
import {
  ANN,
  asked,
  BOB,
  type BuildGiven,
  build,
  CONFIGURATION,
  configuredWorld,
  event,
  givenRelease,
  minute,
  PLATFORM,
  RELEASES,
  sha,
  type World,
} from '../decided.ts'

type Access = Extract<FactAnswer, { kind: 'app-access' }>['contents']

const ROLES = (() => {
  const parsed = parseConfiguration(CONFIGURATION)
  if (!parsed.ok) throw new Error('expected the configuration of the tests to be sound')
  return parsed.value.configuration.roles
})()

const known = (world: World, person: Actor): World =>
  world.fact(personQuery(person, RELEASES.fullName, ROLES), {
    kind: 'person',
    permission: 'read',
    teams: [{ team: 'acme/developers', membership: 'member' }],
  })

let runs = 0
const built = (world: World, version: string, start: string, more: BuildGiven = {}): World => {
  runs += 1
  const record = { version, run: { id: runs, attempt: 1, job: 'build' }, ...more.record }
  expect(world.ask(build({ sha: sha(start), ...more, record })).kind).toBe('accept')
  return world
}

/** A world where the App may write, with the tags of the product's repository that are named. */
function desk(bend?: (text: string) => string, access: Access = 'write'): World {
  const world = known(known(configuredWorld(bend), ANN), BOB)
  return world.fact({ kind: 'app-access', repository: PLATFORM.fullName }, { kind: 'app-access', contents: access })
}
const tags = (world: World, prefix: string, ...found: readonly [name: string, start: string][]): World =>
  world.fact(
    { kind: 'tags', repository: PLATFORM.fullName, prefix },
    { kind: 'tags', tags: found.map(([name, start]): TaggedCommit => ({ name, sha: sha(start) })) },
  )
const withScheme = (scheme: string) => (text: string) => text.replace('name: api', `name: api\n    scheme: ${scheme}`)

let comments = 700
function say(world: World, text: string, actor: Actor = ANN, at = asked.at) {
  const [, name = '', args = ''] = /^\/(\S+)[ ]?(.*)$/s.exec(text) ?? []
  comments += 1
  const found = world.ask({
    kind: 'command-given',
    repository: RELEASES,
    issue: { number: 5, title: 'User Platform v2.0', isPull: false, open: true },
    comment: { id: comments, url: 'https://example.test/comment' },
    command: { name, args },
    index: 0,
    of: 1,
    ...asked,
    at,
    actor,
  })
  const { code, values, problems } = found.answer as Answer
  return { ...found, code, values, refusals: problems.map((problem) => problem.code), id: `${comments}-0` }
}

const cutsOf = (world: World) => world.state<CutsState>(cutsKey('api'))?.cuts ?? []
const MADE: CutOutcome = { kind: 'made', branchHead: null, url: 'https://github.test/r' }
const settle = (world: World, id: string, outcome: CutOutcome = MADE) =>
  world.ask({ kind: 'cut-settled', product: 'api', cut: id, outcome, ...asked, actor: null })

describe('/rc', () => {
  it('asks for the first candidate of the release that a version leads to, with what it is made from', () => {
    const world = tags(built(desk(), '1.3.0', 'a1'), 'v1.3.0')
    const { code, values, types, id } = say(world, '/rc api@1.3.0')
    expect(code).toBe('cut-asked')
    expect(values).toEqual(['api', '1.3.0', sha('a1'), 'acme/platform', 'v1.3.0-rc.1', ''])
    expect(types).toEqual(['cut.asked', 'command.answered'])
    expect(cutsOf(world)).toEqual([
      {
        id,
        product: 'api',
        version: '1.3.0-rc.1',
        from: '1.3.0',
        sha: sha('a1'),
        repository: PLATFORM,
        tag: 'v1.3.0-rc.1',
        branch: null,
        release: { prerelease: true, generatedNotes: true },
        issue: 5,
        by: 'ann',
        at: asked.at,
        outcome: null,
      },
    ])
    expect(world.state<OpenIndex>(OPEN_KEY)?.cuts).toEqual([{ product: 'api', cut: id }])
  })

  it.each<[string, string, [string, string][], string]>([
    [
      'above all tags',
      'semver',
      [
        ['v1.3.0-rc.2', 'b1'],
        ['v1.3.0-rc.10', 'b2'],
        ['v1.3.0-beta.20', 'b3'],
      ],
      'v1.3.0-rc.11',
    ],
    [
      'whatever comes of other releases',
      'semver',
      [
        ['v1.3.01', 'b1'],
        ['v1.3.0x-rc.7', 'b2'],
      ],
      'v1.3.0-rc.1',
    ],
  ])('counts %s', (_, scheme, found, tag) => {
    const world = tags(built(desk(withScheme(scheme)), '1.3.0', 'a1'), 'v1.3.0', ...found)
    expect(say(world, '/rc api@1.3.0').values[4]).toBe(tag)
  })

  it('counts on from what is asked for and not yet made, but not from what was refused', () => {
    const world = tags(built(built(desk(), '1.3.0-1', 'a1'), '1.3.0-2', 'a2'), 'v1.3.0')
    const first = say(world, '/rc api@1.3.0-1')
    expect(first.values[4]).toBe('v1.3.0-rc.1')
    const second = say(world, '/rc api@1.3.0-2')
    expect(second.values[4]).toBe('v1.3.0-rc.2')
    settle(world, second.id, { kind: 'refused', code: 'github-refused', message: 'no', hint: null })
    expect(say(world, '/rc api@1.3.0-2').values[4]).toBe('v1.3.0-rc.2')
  })

  it('gives a commit no second candidate, whether the first is asked for or made', () => {
    const world = tags(built(desk(), '1.3.0', 'a1'), 'v1.3.0')
    const { id } = say(world, '/rc api@1.3.0')
    expect(say(world, '/rc api@1.3.0')).toMatchObject({
      code: 'nothing-changed',
      values: ['v1.3.0-rc.1 is being made'],
      types: ['command.answered'],
    })
    settle(world, id)
    tags(world, 'v1.3.0', ['v1.3.0-rc.1', 'a1'])
    expect(say(world, '/rc api@1.3.0').values[0]).toMatch(/^v1\.3\.0-rc\.1 is at a1/)
    expect(cutsOf(world)).toHaveLength(1)
  })

  it('without a version takes that of the release, else the highest', () => {
    const world = tags(tags(built(built(desk(), '1.0.0', 'a1'), '1.1.0', 'a2'), 'v1.0.0'), 'v1.1.0')
    expect(say(world, '/rc api').values[1]).toBe('1.1.0')
    givenRelease(world, { started: false })
    expect(say(world, '/rc api').values[1]).toBe('1.0.0')
  })

  it.each<[string, string, string, string]>([
    ['a scheme without pre-releases', 'calver', '2026.04.1', 'version-no-order'],
    ['a scheme without an order', 'text', 'spring', 'version-no-order'],
  ])('is refused for %s', (_, scheme, version, code) => {
    const world = tags(built(desk(withScheme(scheme)), version, 'a1'), `v${version}`)
    expect(say(world, `/rc api@${version}`).refusals).toEqual([code])
    expect(cutsOf(world)).toEqual([])
  })

  it('is refused for a release that is tagged', () => {
    const world = tags(built(desk(), '1.3.0-4', 'a1'), 'v1.3.0', ['v1.3.0', 'b1'])
    expect(say(world, '/rc api@1.3.0-4').refusals).toEqual(['released-already'])
  })
})

describe('/cut', () => {
  it.each([
    ['a release', 'semver', '1.2.0', '1.2.0'],
    ['a candidate', 'semver', '1.2.0-rc.3', '1.2.0'],
    ['a development build', 'semver-build', '1.2.0-45', '1.2.0'],
  ])('asks for tag, branch and GitHub Release of the release that %s is or leads to', (_, scheme, version, release) => {
    const world = tags(built(desk(withScheme(scheme)), version, 'a1'), 'v1.2.0', ['v1.2.0-rc.3', 'a1'])
    const { values } = say(world, `/cut api@${version}`)
    expect(values).toEqual(['api', version, sha('a1'), 'acme/platform', 'v1.2.0', 'release/v1.2.0'])
    expect(cutsOf(world)).toMatchObject([{ version: release, from: version, release: { prerelease: false } }])
  })

  it('names tags and branches of a product in a folder by the product, and takes its own notes, not those of the whole repository', () => {
    const inFolder = (text: string) => text.replace('name: api', 'name: api\n    path: services/api')
    const world = tags(built(desk(inFolder), '1.2.0', 'a1'), 'api/v1.2.0')
    expect(say(world, '/cut api@1.2.0').values.slice(4)).toEqual(['api/v1.2.0', 'release/api/v1.2.0'])
    expect(cutsOf(world)[0]?.release).toMatchObject({
      ...{ prerelease: false, generatedNotes: false },
      notes: { path: 'services/api', tagPattern: 'api/v{version}' },
    })
  })

  it('takes its own notes where the configuration says what customers never read about', () => {
    const kept = (text: string) => text.replace('name: api', 'name: api\n    notes: { internalScopes: [vault] }')
    const world = tags(built(desk(kept), '1.2.0', 'a1'), 'v1.2.0')
    say(world, '/cut api@1.2.0')
    expect(cutsOf(world)[0]?.release).toMatchObject({
      ...{ prerelease: false, generatedNotes: false },
      notes: { path: null, notes: { internalScopes: ['vault'] } },
    })
  })

  it('takes no notes at all where ours cannot be told and GitHub would tell everything', () => {
    const kept = (text: string) => text.replace('name: api', 'name: api\n    scheme: text\n    notes: {}')
    const world = tags(built(desk(kept), 'spring', 'a1'), 'vspring')
    say(world, '/cut api@spring')
    expect(cutsOf(world)[0]?.release).toEqual({ prerelease: false, generatedNotes: false })
  })

  it('follows the tag pattern of the product', () => {
    const named = (text: string) => text.replace('name: api', 'name: api\n    tagPattern: "api@{version}"')
    const world = tags(built(desk(named), '1.2.0', 'a1'), 'api@1.2.0')
    expect(say(world, '/cut api@1.2.0').values[4]).toBe('api@1.2.0')
  })

  it('cuts a candidate that was tagged here and that nobody has built', () => {
    const world = tags(built(desk(), '1.2.0-7', 'a1'), 'v1.2.0')
    settle(world, say(world, '/rc api@1.2.0-7').id)
    expect(say(world, '/cut api@1.2.0-rc.1').values.slice(2, 5)).toEqual([sha('a1'), 'acme/platform', 'v1.2.0'])
  })

  it('begins the branch of a line at its highest recorded release', () => {
    const world = built(built(built(desk(), '1.9.0', 'a1'), '1.10.0', 'a2'), '1.11.0-rc.1', 'a3')
    built(built(world, '2.0.0', 'a4'), '1.2.1', 'a5')
    const { values, id } = say(world, '/cut api@1.x')
    expect(values).toEqual(['api', '1.10.0', sha('a2'), 'acme/platform', '', 'release/v1.x'])
    expect(cutsOf(world)).toMatchObject([{ id, version: '1.10.0', tag: null, branch: 'release/v1.x', release: null }])
    expect(say(world, '/cut api@1.x').values).toEqual(['release/v1.x is being made'])
    expect(say(world, '/cut api@7.x').refusals).toEqual(['unknown-version'])
  })

  it('makes the rest where the tag is there already at the commit, and nothing where all was made', () => {
    const world = tags(built(desk(), '1.2.0', 'a1'), 'v1.2.0', ['v1.2.0', 'a1'])
    const { code, id } = say(world, '/cut api@1.2.0')
    expect(code).toBe('cut-asked')
    settle(world, id)
    expect(say(world, '/cut api@1.2.0')).toMatchObject({ code: 'nothing-changed', types: ['command.answered'] })
  })

  it('asks anew for what was refused, or was removed since', () => {
    const world = tags(built(desk(), '1.2.0', 'a1'), 'v1.2.0')
    settle(world, say(world, '/cut api@1.2.0').id, { kind: 'refused', code: 'x', message: 'no', hint: null })
    const second = say(world, '/cut api@1.2.0')
    expect(second.code).toBe('cut-asked')
    settle(world, second.id)
    expect(say(world, '/cut api@1.2.0').code).toBe('cut-asked')
  })

  it.each<[string, (world: World) => World, string, string]>([
    ['a tag at another commit', (world) => tags(world, 'v1.2.0', ['v1.2.0', 'b7']), '/cut api@1.2.0', 'tag-elsewhere'],
    ['a version that nobody recorded', (world) => world, '/cut api@1.2.1', 'unknown-version'],
    ['a product of no configuration', (world) => world, '/cut billing@1.0.0', 'unknown-product'],
    ['a product that nobody built', (world) => world, '/cut web@1.0.0', 'unknown-product'],
    [
      'a build that failed',
      (world) => built(world, '1.4.0', 'a4', { record: { status: 'failed', version: '1.4.0' } }),
      '/cut api@1.4.0',
      'build-not-completed',
    ],
    [
      'a version that is merely claimed',
      (world) => built(world, '1.4.0', 'a4', { trust: 'claimed' }),
      '/cut api@1.4.0',
      'version-claimed',
    ],
    [
      'a candidate of a release that was built from another commit',
      (world) => built(world, '1.2.0-rc.9', 'a9'),
      '/cut api@1.2.0-rc.9',
      'version-conflict',
    ],
    ['a version of another scheme', (world) => built(world, 'spring', 'a4'), '/cut api@spring', 'version-scheme'],
  ])('is refused for %s', (_, given, text, code) => {
    const world = given(built(desk(), '1.2.0', 'a1'))
    const refused = say(world, text)
    expect(refused.refusals).toEqual([code])
    expect(refused.types).toEqual(['command.answered'])
  })

  it('is refused without a version where none is the highest', () => {
    expect(say(built(desk(withScheme('text')), 'spring', 'a1'), '/cut api').refusals).toEqual(['version-no-order'])
  })

  it.each<[Access, string, RegExp]>([
    ['not-installed', 'app-not-installed', /installation/],
    ['read', 'app-not-permitted', /contents: write|settings of the App/],
    ['none', 'app-not-permitted', /settings of the App/],
    ['unreadable', 'app-access-unreadable', /again/],
  ])('is refused with the remedy where the App’s access is %s', (access, code, remedy) => {
    const { answer, refusals } = say(built(desk(undefined, access), '1.2.0', 'a1'), '/cut api@1.2.0')
    expect(refusals).toEqual([code])
    expect((answer as Answer).problems[0]?.hint).toMatch(remedy)
  })

  it('is refused where the tags cannot be read', () => {
    const query = { kind: 'tags', repository: PLATFORM.fullName, prefix: 'v1.2.0' } as const
    const world = built(desk(), '1.2.0', 'a1').fact(query, { kind: 'tags', tags: 'unreadable' })
    expect(say(world, '/cut api@1.2.0').refusals).toEqual(['tags-unreadable'])
  })

  it('is for those who release', () => {
    expect(say(built(desk(), '1.2.0', 'a1'), '/cut api@1.2.0', BOB).refusals).toEqual(['not-permitted'])
  })
})

describe('what came of a cut', () => {
  it('is recorded once, and stays', () => {
    const world = tags(built(desk(), '1.2.0', 'a1'), 'v1.2.0')
    const { id } = say(world, '/cut api@1.2.0')
    expect(settle(world, id).types).toEqual(['cut.settled'])
    expect(settle(world, id, { kind: 'refused', code: 'x', message: 'no', hint: null }).types).toEqual([])
    expect(settle(world, '1-0').types).toEqual([])
    expect(cutsOf(world)).toMatchObject([{ id, outcome: MADE }])
    expect(world.log.filter(({ type }) => type.startsWith('cut.')).map(checkEvent)).toEqual([null, null])
  })

  it('is open until it is told', () => {
    const world = tags(built(desk(), '1.2.0', 'a1'), 'v1.2.0')
    const { id } = say(world, '/cut api@1.2.0')
    settle(world, id)
    expect(world.state<OpenIndex>(OPEN_KEY)?.cuts).toEqual([{ product: 'api', cut: id }])
    const told = { subject: 'cuts/api', output: `cut/${id}/outcome`, digest: `sha256:${'0'.repeat(64)}`, remote: '1' }
    world.record([event('output.settled', told as never)])
    expect(world.state<OpenIndex>(OPEN_KEY)?.cuts).toEqual([])
  })

  it('keeps the newest fifty at hand, and every one that is still to be made', () => {
    const world = desk()
    for (let number = 1; number <= 70; number += 1) {
      built(world, `1.${number}.0`, number.toString(16).padStart(2, '0'), { at: minute(number) })
      tags(world, `v1.${number}.0`)
      const { id } = say(world, `/cut api@1.${number}.0`, ANN, minute(number))
      if (number > 5) settle(world, id)
    }
    expect(cutsOf(world)).toHaveLength(50)
    expect(cutsOf(world).filter(({ outcome }) => outcome === null)).toHaveLength(5)
  })
})

describe('/version-files', () => {
  it('asks for a pull request with the version in the files of the product', () => {
    const world = built(desk(), '1.3.0', 'a1')
    const { code, types, id } = say(world, '/version-files api@2.0.0')
    expect([code, types]).toEqual(['version-files-asked', ['cut.asked', 'command.answered']])
    expect(cutsOf(world)).toMatchObject([
      {
        ...{ id, version: '2.0.0', from: '1.3.0', sha: sha('a1'), tag: null, branch: null, release: null },
        versionFiles: { branch: 'ringmaster/v2.0.0', named: [], folder: null },
      },
    ])
    expect(say(world, '/version-files api@2.0.0').code).toBe('nothing-changed')
    settle(world, id)
    expect(say(world, '/version-files api@2.0.0').code).toBe('version-files-asked')
  })

  it('makes no candidate of what it writes', () => {
    const world = tags(built(desk(), '1.3.0', 'a1'), 'v1.3.0')
    settle(world, say(world, '/version-files api@1.3.0-rc.7').id)
    expect(say(world, '/rc api@1.3.0').values[4]).toBe('v1.3.0-rc.1')
  })

  it('is no cut of the release that it names', () => {
    const world = tags(built(desk(), '1.3.0', 'a1'), 'v1.3.0')
    settle(world, say(world, '/version-files api@1.3.0').id)
    expect(say(world, '/cut api@1.3.0').code).toBe('cut-asked')
    settle(world, say(world, '/version-files api@2.0.0').id)
    expect(say(world, '/cut api@2.0.0').refusals).toEqual(['unknown-version'])
  })

  it.each<[string, string, (world: World) => World, string]>([
    ['no version', '/version-files api', (world) => built(world, '1.3.0', 'a1'), 'argument-missing'],
    ['a version that is none', '/version-files api@1.3', (world) => built(world, '1.3.0', 'a1'), 'version-parts'],
    ['a product without a build', '/version-files api@1.3.0', (world) => world, 'unknown-product'],
  ])('refuses %s', (_, text, given, code) => {
    expect(say(given(desk()), text).refusals[0]).toBe(code)
  })
})
