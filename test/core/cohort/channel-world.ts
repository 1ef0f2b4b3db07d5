import { personQuery } from '../../../src/core/access/decide.ts'
import type { ChannelEffect } from '../../../src/core/cohort/effect-schema.ts'
import type { Enrolled } from '../../../src/core/cohort/roster.ts'
import type { Bundle, ChannelRelease } from '../../../src/core/cohort/schema.ts'
import { type CohortState, cohortKey } from '../../../src/core/cohort/state.ts'
import type { Answer } from '../../../src/core/command/answer.ts'
import { parseConfiguration } from '../../../src/core/config/parse.ts'
import type { Actor } from '../../../src/core/event.ts'
import type { Request } from '../../../src/core/request.ts'
import { ANN, asked, BOB, CONFIGURATION, configuredWorld, event, minute, RELEASES, type World } from '../decided.ts'

export const bundle = (version: string): Bundle => ({
  id: `firmware@${version}`,
  product: 'firmware',
  version,
  artifacts: [{ name: 'fw', target: 'portable', size: 3, sha256: 'a'.repeat(64), url: 'https://example.test/fw' }],
})

export const offered = (version: string, changes: Partial<ChannelRelease> = {}, cohort = 'fleet') =>
  event('channel.released', {
    cohort,
    bundle: bundle(version),
    salt: `salt-${version}`,
    release: {
      id: `firmware@${version}`,
      bundle: `firmware@${version}`,
      version,
      requirement: `< ${version}`,
      next: null,
      required: false,
      schedule: minute(-60),
      phase: { kind: 'everybody' },
      ...changes,
    },
  })

/** Ann and Bob as GitHub knows them: what they may do is the configuration's word. */
export function withPeople(world: World): World {
  const parsed = parseConfiguration(CONFIGURATION)
  const { roles } = parsed.ok ? parsed.value.configuration : { roles: [] }
  for (const person of [ANN, BOB])
    world.fact(personQuery(person, RELEASES.fullName, roles), {
      kind: 'person',
      permission: 'read',
      teams: [{ team: 'acme/developers', membership: 'not-member' }],
    })
  return world
}

/** A fleet on 1.0.0 to which 2.0.0 is offered, open to nobody yet. Ann manages releases, Bob only reads. */
export function fleet(
  latest: Partial<ChannelRelease> = { phase: { kind: 'share', share: '0' } },
  bend?: (text: string) => string,
): World {
  const world = withPeople(configuredWorld(bend))
  world.record([offered('1.0.0'), offered('2.0.0', latest)])
  return world
}

/** Devices d0, d1 … of epoch 1. */
export function enrolled(world: World, count: number, tags: readonly string[] = []): World {
  const entries = Array.from({ length: count }, (_, at): Enrolled => ({ pseudonym: `d${at}`, epoch: 1, tags }))
  world.fleet = { ...world.fleet, roster: { epoch: 1, entries } }
  return world
}

export const running = (world: World, version: string): World => {
  const reports = new Map(world.fleet.roster?.entries.map(({ pseudonym }) => [pseudonym, { version }]))
  world.fleet = { ...world.fleet, reports }
  return world
}

let comments = 9_000
export function say(world: World, text: string, actor: Actor = ANN, at = asked.at) {
  const [, name = '', args = ''] = /^\/(\S+) ?(.*)$/.exec(text) ?? []
  comments += 1
  const request: Request = {
    kind: 'command-given',
    repository: RELEASES,
    issue: { number: 5, title: 'Fleet', isPull: false, open: true },
    comment: { id: comments, url: '' },
    command: { name, args },
    index: 0,
    of: 1,
    ...asked,
    actor,
    at,
  }
  const found = world.ask(request)
  const answer = found.answer as Answer
  return { ...found, answer, code: answer.code, refusals: answer.problems.map(({ code }) => code) }
}

export const cohort = (world: World): CohortState => world.state<CohortState>(cohortKey('fleet')) as CohortState
export const release = (world: World, id = 'firmware@2.0.0') => cohort(world).releases.find((entry) => entry.id === id)
export const effectIn = (found: ReturnType<typeof say>): ChannelEffect =>
  (found.events[0]?.data as { effect: ChannelEffect } | undefined)?.effect as ChannelEffect
export const linesOf = ({ answer }: ReturnType<typeof say>): string[] =>
  answer.values.slice(2, 2 + Number(answer.values[1]))
export const HALTED = { at: minute(0), reason: 'batteries' }
