import { describe, expect, it } from '@jest/globals'
import { personQuery } from '../../../src/core/access/decide.ts'
import { type CohortState, cohortKey } from '../../../src/core/cohort/state.ts'
import type { Answer } from '../../../src/core/command/answer.ts'
import { paceKey } from '../../../src/core/command/pace.ts'
import { COMMANDS, type CommandName } from '../../../src/core/command/table.ts'
import { parseConfiguration } from '../../../src/core/config/parse.ts'
import type { Configuration } from '../../../src/core/config/schema.ts'
import type { Actor } from '../../../src/core/event.ts'
import { type IssueState, issueKey } from '../../../src/core/process/issue.ts'
import { commitSourceOf } from '../../../src/core/product/bump-options.ts'
import { nothingOpen, OPEN_KEY, type OpenIndex } from '../../../src/core/release/open.ts'
import type { Request } from '../../../src/core/request.ts'
import { renderReply } from '../../../src/render/answer.ts'
import { enrolled, offered } from '../cohort/channel-world.ts'
import {
  ANN,
  asked,
  build,
  CONFIGURATION,
  configuredWorld,
  givenRelease,
  PLATFORM,
  RELEASES,
  type ReleaseGiven,
  recorded,
  sha,
  type World,
} from '../decided.ts'

const RITA: Actor = { login: 'rita', id: 6 }

/** ann holds every role that a command asks for, and a seat in QA; rita manages releases, too. */
const bend = (text: string): string =>
  `${text.replace('users: [ann]', 'users: [ann, rita]').replace('users: [quinn]', 'users: [quinn, ann]')}  - id: other
    product: firmware
`.replace('roles:\n', 'roles:\n  - { role: change_manager, users: [ann] }\n')

const CONFIGURED: Configuration = (() => {
  const parsed = parseConfiguration(bend(CONFIGURATION))
  if (!parsed.ok) throw new Error(`expected a sound configuration, found ${JSON.stringify(parsed.problems)}`)
  return parsed.value.configuration
})()

const nextVersion = (() => {
  const product = CONFIGURED.products.find(({ name }) => name === 'api')
  const source = product ? commitSourceOf(product, CONFIGURED) : undefined
  if (!source?.ok) throw new Error('expected a product whose commits can be read')
  return { kind: 'next-version', repository: PLATFORM.fullName, source: source.value } as const
})()

/** A release of api 1.0.0 that is live at beta, a fleet on 1.0.0 that is offered 2.0.0, and who asks. */
function desk(given: ReleaseGiven | null = { signoff: 'approved' }): World {
  const world = configuredWorld(bend)
  for (const person of [ANN, RITA]) {
    const query = personQuery(person, RELEASES.fullName, CONFIGURED.roles)
    const teams = query.teams.map((team) => ({ team, membership: 'not-member' as const }))
    world.fact(query, { kind: 'person', permission: 'read', teams })
    world.fact({ kind: 'account', login: person.login }, { kind: 'account', account: { ...person, type: 'User' } })
  }
  world.fact({ kind: 'team-members', team: 'acme/engineering' }, { kind: 'team-members', members: [] })
  world.fact({ kind: 'app-access', repository: PLATFORM.fullName }, { kind: 'app-access', contents: 'write' })
  world.fact({ kind: 'tags', repository: PLATFORM.fullName, prefix: 'v1.0.0' }, { kind: 'tags', tags: [] })
  world.fact({ kind: 'visibility', repository: RELEASES.fullName }, { kind: 'visibility', visibility: 'private' })
  const next = {
    branch: 'main',
    head: sha('a1'),
    from: '1.0.0',
    to: '1.1.0',
    bump: 'minor',
    policy: 'as-asked',
  } as const
  world.fact(nextVersion, { kind: 'next-version', next: { ...next, commits: [], outside: 0 } })
  world.ask(build())
  world.ask(build({ record: { product: 'web' } }))
  world.ask(recorded({ environment: 'beta' }))
  world.record([
    offered('1.0.0'),
    offered('2.0.0', { phase: { kind: 'share', share: '0' } }),
    offered('1.0.0', {}, 'other'),
  ])
  enrolled(world, 3, ['lab'])
  if (given) givenRelease(world, given)
  return world
}

/** Says a command in a comment of its own: the same one in two worlds with as long a history. */
function say(world: World, text: string, actor: Actor = ANN) {
  const [, name = '', args = ''] = /^\/(\S+) ?(.*)$/.exec(text) ?? []
  const request: Request = {
    kind: 'command-given',
    repository: RELEASES,
    issue: { number: 5, title: 'User Platform v2.0', isPull: false, open: true },
    comment: { id: 40_000 + world.log.length, url: 'https://example.test/comment' },
    command: { name, args },
    index: 0,
    of: 1,
    ...asked,
    actor,
  }
  const { decision } = world.decide(request)
  const { types } = world.ask(request)
  if (decision.kind !== 'accept') throw new Error('expected a command to be answered')
  const { documents = [], distrust = [] } = decision
  return { answer: decision.answer as Answer, types, comment: request.comment.id, beside: [...documents, ...distrust] }
}

/** A command that would do what it is for, and what makes it possible: who said what before, to which release. */
interface Example {
  readonly say: string
  readonly after?: readonly string[]
  readonly asRita?: string
  readonly given?: ReleaseGiven | null
}

/** One for each command of the table; a new command without one does not compile. */
const EXAMPLES: Readonly<Record<Exclude<CommandName, 'dry-run'>, Example>> = {
  release: { say: '/release "Platform 2"', given: null },
  add: { say: '/add web@1.0.0' },
  remove: { say: '/remove api', given: { started: false } },
  start: { say: '/start', given: { started: false } },
  complete: { say: '/complete', after: ['/done rollback-plan', '/waive live the customers pull it'] },
  cancel: { say: '/cancel no budget' },
  reopen: { say: '/reopen "the beta failed"' },
  rollback: { say: '/rollback the beta burns' },
  set: { say: '/set target-date 2026-12-01' },
  manager: { say: '/manager @rita' },
  go: { say: '/go' },
  'no-go': { say: '/no-go the load test failed' },
  hold: { say: '/hold an incident' },
  unhold: { say: '/unhold', after: ['/hold an incident'] },
  bump: { say: '/bump api' },
  'version-files': { say: '/version-files api@1.1.0' },
  rc: { say: '/rc api@1.0.0' },
  cut: { say: '/cut api@1.0.0' },
  notes: { say: '/notes' },
  done: { say: '/done rollback-plan https://wiki.test' },
  undo: { say: '/undo rollback-plan', after: ['/done rollback-plan'] },
  waive: { say: '/waive rollback-plan no way back' },
  pending: { say: '/pending' },
  delegate: { say: '/delegate QA @rita until 2026-02-01' },
  requirements: { say: '/requirements production' },
  'can-deploy': { say: '/can-deploy api@1.0.0 production' },
  why: { say: '/why production' },
  freeze: { say: '/freeze production the holidays' },
  unfreeze: { say: '/unfreeze production', after: ['/freeze production the holidays'] },
  except: { say: '/except 5 production a fix', after: ['/freeze production the holidays'] },
  override: { say: '/override production customers wait' },
  confirm: { say: '/confirm', asRita: '/override production customers wait' },
  publish: { say: '/publish fleet' },
  phase: { say: '/phase fleet latest share 0.25' },
  halt: { say: '/halt fleet batteries' },
  resume: { say: '/resume fleet', after: ['/halt fleet batteries'] },
  withdraw: { say: '/withdraw fleet latest 1.0.0 it bricks boards --accept-risk' },
  disable: { say: '/disable fleet latest "bricks boards"' },
  enable: { say: '/enable fleet latest', after: ['/disable fleet latest once'] },
  require: { say: '/require fleet latest' },
  unrequire: { say: '/unrequire fleet latest', after: ['/require fleet latest'] },
  schedule: { say: '/schedule fleet latest 2026-04-01T08:00:00Z' },
  pin: { say: '/pin fleet 2.0.0 tags lab' },
  unpin: { say: '/unpin fleet PIN --accept-risk', after: ['/pin fleet 2.0.0 tags lab'] },
  quarantine: { say: '/quarantine fleet d0' },
  unquarantine: { say: '/unquarantine fleet d0', after: ['/quarantine fleet d0'] },
  'hold-target': { say: '/hold-target fleet latest arm64 "boot loop"' },
  'unhold-target': { say: '/unhold-target fleet latest arm64', after: ['/hold-target fleet latest arm64 "boot loop"'] },
  'move-devices': { say: '/move-devices fleet other --accept-risk' },
  entry: { say: '/entry fleet 1.0.0' },
  status: { say: '/status' },
  preview: { say: '/preview' },
  help: { say: '/help' },
}

/** What only asks comes to no event of its own. */
const QUESTIONS: readonly CommandName[] = [
  'bump',
  'pending',
  'requirements',
  'can-deploy',
  'why',
  'status',
  'preview',
  'help',
]
const NAMES = Object.keys(EXAMPLES) as (keyof typeof EXAMPLES)[]

/** The world before a command of the table, and the command. */
function broughtTo(name: keyof typeof EXAMPLES): readonly [world: World, text: string] {
  const { say: text, after = [], asRita, given } = EXAMPLES[name]
  const world = given === undefined ? desk() : desk(given)
  for (const one of after) expect(say(world, one).answer.problems).toEqual([])
  if (asRita) expect(say(world, asRita, RITA).answer.problems).toEqual([])
  const pin = world.state<CohortState>(cohortKey('fleet'))?.overrides[0]?.id
  return [world, text.replace('PIN', pin ?? '')]
}

/** All that is known but who is answered: what stands outside is made from nothing else. */
function withoutAnswers(world: World): unknown {
  const { replies: _, ...open } = world.state<OpenIndex>(OPEN_KEY) ?? nothingOpen
  const answered = new Set<string>([paceKey(ANN.id), OPEN_KEY, ISSUE])
  const { comments: __, ...issue } = world.state<IssueState>(ISSUE) ?? { comments: [], release: null }
  return { open, issue, rest: [...world.states].filter(([key]) => !answered.has(key)) }
}
const ISSUE = issueKey(RELEASES.id, 5)

describe('a dry run', () => {
  it('is tried of every command of the table', () => {
    expect([...NAMES, 'dry-run'].sort()).toEqual(Object.keys(COMMANDS).sort())
  })

  it.each(NAMES)('of /%s says what would happen, and does none of it', (name) => {
    const [real, text] = broughtTo(name)
    const [dry] = broughtTo(name)
    const done = say(real, text)
    expect(done.answer.problems).toEqual([])
    expect(done.types.length > 1).toBe(!QUESTIONS.includes(name))

    const known = withoutAnswers(dry)
    const tried = say(dry, `/dry-run ${text}`)
    expect(tried.types).toEqual(['command.answered'])
    expect(tried.beside).toEqual([])
    expect(withoutAnswers(dry)).toEqual(known)
    expect(tried.answer).toEqual({ ...done.answer, dryRun: done.types.slice(0, -1) })

    const comment = dry.state<IssueState>(ISSUE)?.comments.find((entry) => entry.comment === tried.comment)
    const reply = comment ? renderReply(comment) : ''
    expect(reply).toContain(
      QUESTIONS.includes(name) ? 'A dry run: nothing would change.' : 'A dry run: nothing has changed.',
    )
    for (const type of done.types.slice(0, -1)) expect(reply).toContain(`\`${type}\``)
  })

  it('leaves it to be done afterwards, as if nobody had tried', () => {
    const [world, text] = broughtTo('start')
    say(world, `/dry-run ${text}`)
    expect(say(world, text).answer.code).toBe('release-started')
  })

  it.each([
    ['/dry-run /start', 'wrong-status'],
    ['/dry-run /add billing', 'unknown-product'],
    ['/dry-run /dry-run /start', 'argument-invalid'],
    ['/dry-run', 'argument-missing'],
    ['/dry-run /strat', 'unknown-command'],
  ])('%s says why it would be refused', (text, code) => {
    const { answer, types } = say(desk(), text)
    expect(answer.problems.map((problem) => problem.code)).toEqual([code])
    expect(types).toEqual(['command.answered'])
  })
})
