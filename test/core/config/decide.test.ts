import { describe, expect, it } from '@jest/globals'
import { personQuery } from '../../../src/core/access/decide.ts'
import {
  CHECKS_KEY,
  CONFIG_KEY,
  type ConfigChecks,
  type ConfigState,
  configDocument,
  REFUSED_KEY,
} from '../../../src/core/config/in-force.ts'
import { CONFIG_PATH, parseConfiguration } from '../../../src/core/config/parse.ts'
import { sha256 } from '../../../src/core/json.ts'
import { ANN, asked, CONFIGURATION, MALLORY, minute, RELEASES, sha, World } from '../decided.ts'

const OLGA = { login: 'olga', id: 9 }
const CHANGED = CONFIGURATION.replace('label: beta', 'label: preview')
const BROKEN = CONFIGURATION.replace('label: beta', 'lable: beta')

const roles = (() => {
  const parsed = parseConfiguration(CONFIGURATION)
  if (!parsed.ok) throw new Error('expected the configuration of the tests to be sound')
  return parsed.value.configuration.roles
})()

/** The last commit of the pull request: what its approvers saw. */
const HEAD = 'f'.repeat(40)

/** The default branch shows a text at a commit, brought in by a pull request with these approvals. */
function push(
  world: World,
  text: string | null | 'unreadable',
  approvers: readonly { login: string; id: number }[] | 'unreadable' = [],
  bent: { readonly commit?: string; readonly at?: string; readonly seen?: string } = {},
) {
  const { commit = sha(`c${sha256(String(text)).slice(7, 15)}`), at = minute(1), seen = text } = bent
  const repository = RELEASES.fullName
  const pulls =
    approvers === 'unreadable' ? approvers : approvers.length > 0 ? [{ number: 4, head: HEAD, approvers }] : []
  world
    .fact({ kind: 'file', repository, commit, path: CONFIG_PATH }, { kind: 'file', text })
    .fact({ kind: 'merged-pulls', repository, commit, path: CONFIG_PATH }, { kind: 'merged-pulls', pulls })
    .fact({ kind: 'file', repository, commit: HEAD, path: CONFIG_PATH }, { kind: 'file', text: seen })
  world.accounts([ANN, OLGA, MALLORY])
  for (const person of [ANN, OLGA, MALLORY])
    world.fact(personQuery(person, repository, roles), {
      kind: 'person',
      permission: 'write',
      teams: [{ team: 'acme/developers', membership: 'not-member' }],
    })
  return world.ask({ kind: 'configuration-seen', repository: RELEASES, commit, ...asked, at })
}
const inForce = (world: World) => world.state<ConfigState>(CONFIG_KEY)?.digest

function started(): World {
  const world = new World()
  push(world, CONFIGURATION)
  return world
}

describe('a configuration on the default branch', () => {
  it('takes effect when it is the first sound one, and the ledger keeps its text', () => {
    const world = new World()
    expect(push(world, CONFIGURATION).types).toEqual(['config.accepted'])
    expect(inForce(world)).toBe(sha256(CONFIGURATION))
    expect(world.documents.get(configDocument(sha256(CONFIGURATION)))).toBe(CONFIGURATION)
  })

  it('changes nothing when it is seen again', () => {
    expect(push(started(), CONFIGURATION, [], { at: minute(5) }).events).toEqual([])
  })

  it.each<[string, Parameters<typeof push>[2], boolean]>([
    ['an admin of the one before', [OLGA], true],
    ['an admin beside others', [MALLORY, OLGA], true],
    ['somebody without that role', [ANN, MALLORY], false],
    ['nobody', [], false],
    ['nobody knows whom, for it cannot be read', 'unreadable', false],
  ])('that was approved by %s: %#', (...[, approvers, takesEffect]) => {
    const world = started()
    const found = push(world, CHANGED, approvers)
    expect(found.types).toEqual([takesEffect ? 'config.accepted' : 'config.refused'])
    expect(inForce(world)).toBe(sha256(takesEffect ? CHANGED : CONFIGURATION))
  })

  it('does not take effect when its approvers saw another text', () => {
    const world = started()
    const result = push(world, CONFIGURATION.replace('integration', 'INTEGRATION'), [OLGA], { seen: CONFIGURATION })
    expect(result.types).toEqual(['config.refused'])
  })

  it('cannot give the role to whoever approves it', () => {
    const world = started()
    const grab = CONFIGURATION.replace('users: [olga]', 'users: [mallory]')
    expect(push(world, grab, [MALLORY]).codes).toEqual(['configuration-unapproved'])
    expect(inForce(world)).toBe(sha256(CONFIGURATION))
  })

  it('that is broken and unapproved is refused with every problem, and leaves the old one in force', () => {
    const world = started()
    const found = push(world, BROKEN)
    expect(found.codes).toEqual(['schema', 'schema', 'configuration-unapproved'])
    expect(world.state(REFUSED_KEY)).toMatchObject({ refused: { digest: sha256(BROKEN), problems: [{}, {}, {}] } })
    expect(inForce(world)).toBe(sha256(CONFIGURATION))
  })

  it('that was refused, and put right by going back, is refused once more where it comes again', () => {
    const world = started()
    push(world, BROKEN)
    push(world, CONFIGURATION, [], { commit: sha('cf'), at: minute(7) })
    expect(push(world, BROKEN, [], { at: minute(8) }).types).toEqual(['config.refused'])
    expect(push(world, BROKEN, [], { at: minute(9) }).types).toEqual([])
    expect(world.state(REFUSED_KEY)).toMatchObject({ refused: { digest: sha256(BROKEN) } })
  })

  it('that goes back to the one in force ends the refusal', () => {
    const world = started()
    push(world, BROKEN)
    expect(push(world, CONFIGURATION, [], { commit: sha('cf'), at: minute(7) }).types).toEqual(['config.accepted'])
    expect(world.state(REFUSED_KEY)).toEqual({ refused: null })
    expect(inForce(world)).toBe(sha256(CONFIGURATION))
  })

  it('may go to another and back to the very commit before', () => {
    const world = started()
    push(world, CHANGED, [OLGA], { at: minute(2) })
    expect(push(world, CONFIGURATION, [OLGA], { at: minute(3) }).types).toEqual(['config.accepted'])
    expect(inForce(world)).toBe(sha256(CONFIGURATION))
  })

  it('with more mistakes than anybody reads still fits into the log', () => {
    const world = started()
    const found = push(world, `${CONFIGURATION}${Array.from({ length: 3_000 }, (_, i) => `k${i}: 1`).join('\n')}\n`, [
      OLGA,
    ])
    expect(found.problems.at(-1)?.message).toMatch(/2900 more/)
    expect(JSON.stringify(found.events[0]).length).toBeLessThan(128 * 1024)
  })

  it.each([
    ['is missing at first', null, false, 'not-configured'],
    ['cannot be read at first', 'unreadable', false, 'not-configured'],
    ['was removed', null, true, 'configuration-removed'],
    ['cannot be read any more', 'unreadable', true, 'not-configured'],
  ] as const)('%s: nothing falls back', (...[, text, before, code]) => {
    const world = before ? started() : new World()
    const found = push(world, text, [], { commit: sha('cd') })
    expect(found).toMatchObject({ kind: 'refuse', codes: [code], events: [] })
    expect(inForce(world)).toBe(before ? sha256(CONFIGURATION) : undefined)
  })

  it('cannot be followed by another when the text in force was harmed', () => {
    const world = started()
    world.documents.set(configDocument(sha256(CONFIGURATION)), `${CONFIGURATION}# harmed\n`)
    expect(push(world, CHANGED, [OLGA]).codes).toEqual(['configuration-unreadable'])
  })
})

describe('a configuration that a pull request proposes', () => {
  it('is told of a number of people that nobody counts, and takes effect where it is merged all the same', () => {
    const world = new World()
    const [commit, text] = [sha('d1'), CONFIGURATION.replace('signoff: true,', 'signoff: false, distinctPeople: 2,')]
    world
      .fact({ kind: 'file', repository: RELEASES.fullName, commit, path: CONFIG_PATH }, { kind: 'file', text })
      .fact({ kind: 'account', login: 'olga' }, { kind: 'account', account: { login: 'olga', id: 9, type: 'User' } })
    world.ask({ kind: 'configuration-proposed', repository: RELEASES, commit, ...asked })
    const [check] = world.state<ConfigChecks>(CHECKS_KEY)?.checks ?? []
    expect(check?.problems.map(({ code }) => code)).toEqual(['no-effect'])
    world.ask({ kind: 'configuration-seen', repository: RELEASES, commit, ...asked })
    expect(world.log.map(({ type }) => type)).toEqual(['config.checked', 'config.accepted'])
  })
})
