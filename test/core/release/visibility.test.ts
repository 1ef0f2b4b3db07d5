import { describe, expect, it } from '@jest/globals'
import { teamsAskedFor } from '../../../src/core/access/audience.ts'
import { personQuery } from '../../../src/core/access/decide.ts'
import type { Answer } from '../../../src/core/command/answer.ts'
import { parseConfiguration } from '../../../src/core/config/parse.ts'
import type { Configuration } from '../../../src/core/config/schema.ts'
import { settle } from '../../../src/core/decision.ts'
import type { Actor } from '../../../src/core/event.ts'
import { releaseKey } from '../../../src/core/release/open.ts'
import { keptEnvironments } from '../../../src/core/release/visibility.ts'
import { desiredOutputs } from '../../../src/render/desired.ts'
import {
  ANN,
  asked,
  build,
  CONFIGURATION,
  configuredWorld,
  givenRelease,
  RELEASES,
  recorded,
  type World,
} from '../decided.ts'

const CAM: Actor = { login: 'cam', id: 21 }
const OLGA: Actor = { login: 'olga', id: 5 }
const AUDIENCE = '{ all: [{ role: change_manager }, { not: { team: acme/contractors } }] }'

const kept = (text: string): string =>
  text
    .replace('environments: [beta]\n', `environments: [beta]\n    visibleTo: ${AUDIENCE}\n`)
    .replace('roles:\n', 'roles:\n  - { role: change_manager, users: [cam] }\n')

const configurationOf = (text: string): Configuration => {
  const parsed = parseConfiguration(text)
  if (!parsed.ok) throw new Error(`expected a sound configuration, found ${JSON.stringify(parsed.problems)}`)
  return parsed.value.configuration
}

type Membership = 'member' | 'not-member' | 'unreadable'

/** Beta runs api 1.0.0, production nothing; beta is kept to change managers who are no contractors. */
function desk(given: { visibility?: string; contractor?: Membership; bend?: (text: string) => string } = {}): World {
  const { visibility = 'private', contractor = 'not-member', bend = kept } = given
  const world = configuredWorld(bend)
  const { roles, rings } = configurationOf(bend(CONFIGURATION))
  const teams = rings.flatMap((ring) => (ring.visibleTo ? teamsAskedFor(ring.visibleTo) : []))
  for (const person of [ANN, CAM, OLGA]) {
    for (const more of [[], teams]) {
      const query = personQuery(person, RELEASES.fullName, roles, more)
      world.fact(query, {
        kind: 'person',
        permission: 'admin',
        teams: query.teams.map((team) => ({
          team,
          membership: team === 'acme/contractors' ? contractor : 'not-member',
        })),
      })
    }
  }
  world.fact({ kind: 'visibility', repository: RELEASES.fullName }, { kind: 'visibility', visibility })
  world.ask(build())
  world.ask(recorded({ environment: 'beta' }))
  givenRelease(world, { signoff: 'approved' })
  return world
}

let comments = 7_000
function say(world: World, text: string, actor: Actor): Answer {
  const [, name = '', args = ''] = /^\/(\S+) ?(.*)$/.exec(text) ?? []
  comments += 1
  return world.ask({
    kind: 'command-given',
    repository: RELEASES,
    issue: { number: 5, title: 'Platform', isPull: false, open: true },
    comment: { id: comments, url: 'https://example.test/comment' },
    command: { name, args },
    index: 0,
    of: 1,
    ...asked,
    actor,
  }).answer as Answer
}

const LEFT_OUT = 'not told here: ring 3 (beta)'
const QUESTIONS = ['/requirements beta', '/can-deploy api@1.0.0 beta', '/why beta']

describe('what is in a ring with an audience', () => {
  it('is told to who is in it', () => {
    const answer = say(desk(), '/status', CAM)
    expect(answer.values).toContain('api@1.0.0 is live in: beta')
    expect(answer.values).not.toContain(LEFT_OUT)
    for (const question of QUESTIONS) expect(say(desk(), question, CAM).code).toBe('status')
  })

  it.each<[string, Actor, Parameters<typeof desk>[0]]>([
    ['an admin is not in it by being admin', OLGA, {}],
    ['nor is who releases', ANN, {}],
    ['who is excluded is not', CAM, { contractor: 'member' }],
    ['a team that cannot be read is not one that somebody is not in', CAM, { contractor: 'unreadable' }],
    ['everybody could read the answer', CAM, { visibility: 'public' }],
    ['everybody of an enterprise could', CAM, { visibility: 'internal' }],
    ['nobody knows who could', CAM, { visibility: 'unreadable' }],
  ])('is kept: %s', (_, actor, given) => {
    const status = say(desk(given), '/status', actor)
    expect(status.values).toContain('api@1.0.0 is live in: nowhere yet')
    expect(status.values).toContain(LEFT_OUT)
    for (const question of QUESTIONS) {
      const refused = say(desk(given), question, actor)
      expect(refused.problems.map(({ code }) => code)).toEqual(['not-visible'])
    }
    expect(say(desk(given), '/why', actor).values).toContain(LEFT_OUT)
  })

  it('is on no board, whatever the configuration said when the release was opened', () => {
    const world = desk({ bend: (text) => text })
    const bodyOf = (): string => {
      const known = { states: new Map(world.states), documents: world.documents, facts: new Map() }
      for (;;) {
        const step = settle(
          () => desiredOutputs(releaseKey('r5'), { releaseRepository: RELEASES, head: null, unprotected: false }),
          known,
        )
        if (step.kind === 'settled') {
          const board = step.value.find((output) => output.key === 'r5/board')
          return board?.kind === 'comment' ? board.body : ''
        }
        for (const question of step.questions) if (question.kind === 'state') known.states.set(question.key, undefined)
      }
    }
    expect(bodyOf()).toContain('| beta |')
    world.configure(kept(CONFIGURATION))
    expect(bodyOf()).not.toContain('beta')
    expect(bodyOf()).toContain('production')
  })

  it('can be in nothing that everybody reads', () => {
    const bent = kept(CONFIGURATION)
      .replace('label: beta', 'label: beta\n    downloads: true')
      .replace('deployed, environment: production', 'deployed, environment: beta')
      .replace('  environments: [production]\nroles', '  environments: [production, beta]\nroles')
    const parsed = parseConfiguration(bent)
    expect(parsed.ok ? [] : parsed.problems.map(({ code }) => code)).toEqual(Array(3).fill('told-to-all'))
    expect([...keptEnvironments([configurationOf(kept(CONFIGURATION))])]).toEqual(['beta'])
  })
})

describe('/preview', () => {
  it('tells a change manager what is on its way', () => {
    expect(say(desk(), '/preview', CAM).values).toEqual([
      'api@1.0.0 is live in beta, not yet in production',
      expect.stringMatching(/^release #5 .*, in progress: api@1\.0\.0/),
    ])
  })

  it('leaves out what even a change manager is not shown', () => {
    expect(say(desk({ contractor: 'member' }), '/preview', CAM).values).toEqual([
      expect.stringMatching(/^release #5/),
      LEFT_OUT,
    ])
  })

  it.each([
    ['an admin', OLGA, {}, 'not-permitted'],
    ['a release manager', ANN, {}, 'not-permitted'],
    ['a change manager whom everybody hears', CAM, { visibility: 'public' }, 'not-visible'],
    [
      'one where no ring is kept',
      CAM,
      { visibility: 'public', bend: (text: string) => kept(text).replace(/ {4}visibleTo: .*\n/, '') },
      'not-visible',
    ],
  ] as const)('refuses %s', (_, actor, given, code) => {
    expect(say(desk(given), '/preview', actor).problems.map((problem) => problem.code)).toEqual([code])
  })
})
