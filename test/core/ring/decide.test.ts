import { describe, expect, it } from '@jest/globals'
import { OPEN_KEY, type OpenIndex, releaseKey } from '../../../src/core/release/open.ts'
import type { ReleaseState } from '../../../src/core/release/schema.ts'
import type { Request } from '../../../src/core/request.ts'
import { BLOCKER_CODES, type BlockerCode, type GateState, gateKeyOf } from '../../../src/core/ring/schema.ts'
import {
  API_ITEM,
  asked,
  build,
  configuredWorld,
  EDGE,
  event,
  givenRelease,
  minute,
  PLATFORM,
  RELEASES,
  recorded,
  sha,
  signoffRecord,
  World,
} from '../decided.ts'

type Requested = Extract<Request, { kind: 'gate-requested' }>
const request = (bent: Partial<Requested> = {}): Requested => ({
  kind: 'gate-requested',
  repository: PLATFORM,
  runId: 7,
  environment: 'production',
  deploymentId: 60,
  sha: sha('a1'),
  ref: 'main',
  installationId: 3,
  ...asked,
  ...bent,
})
const keyOf = ({ repository, runId, environment }: Requested) => gateKeyOf(repository.id, runId, environment)

/** Asks for a gate and decides it; returns what is known of it then. */
function gate(world: World, bent: Partial<Requested> = {}): GateState {
  world.ask(request(bent))
  world.ask({ kind: 'gate-review', gate: keyOf(request(bent)), ...asked })
  const found = world.state<GateState>(keyOf(request(bent)))
  if (!found) throw new Error('expected a gate, found none')
  return found
}
const codes = (found: GateState): BlockerCode[] => found.blockers.map((blocker) => blocker.code)

/** Everything that lets api 1.0.0 into production. */
interface Ready {
  readonly build?: Parameters<typeof build>[0] | null
  readonly beta?: Parameters<typeof recorded>[0] | null
  readonly release?: Parameters<typeof givenRelease>[1] | null
  readonly intent?: Parameters<typeof recorded>[0] | null
  readonly bend?: (text: string) => string
}
function readyWorld(given: Ready = {}): World {
  const world = configuredWorld(given.bend)
  if (given.build !== null) world.ask(build(given.build))
  if (given.beta !== null) world.ask(recorded({ run: { id: 3, attempt: 1 }, statusId: 1, ...given.beta }))
  if (given.release !== null) givenRelease(world, { signoff: 'approved', ...given.release })
  if (given.intent !== null) {
    const announced = { environment: 'production', status: 'pending', statusId: 2, deploymentId: 50 } as const
    world.ask(recorded({ ...announced, ...given.intent }))
  }
  return world
}

describe('a gate', () => {
  it('opens when nothing stands against the version that its run announced', () => {
    expect(gate(readyWorld())).toMatchObject({
      verdict: 'approved',
      intent: 'recorded',
      items: [{ product: 'api', version: '1.0.0' }],
      approvedItems: [{ product: 'api', version: '1.0.0' }],
      releases: ['r5'],
      blockers: [],
    })
  })

  it('opens for the versions that are bound to its commit when its run announced nothing', () => {
    expect(gate(readyWorld({ intent: null }))).toMatchObject({ verdict: 'approved', intent: 'commit' })
  })

  it('of a ring without rules lets every version in that is known', () => {
    const world = readyWorld({ release: null, intent: null, beta: null })
    expect(gate(world, { environment: 'integration' }).verdict).toBe('approved')
  })

  const approvedElsewhere = (world: World): World => {
    givenRelease(world, { issue: 6, started: false })
    return world
  }
  it('does not open for a job of two versions when only one of them is signed off', () => {
    const world = readyWorld({ bend: (text) => text.replace('previousRing: true', 'previousRing: false') })
    world.ask(build({ record: { product: 'web' } }))
    const release = { issue: 6, items: [{ ...API_ITEM, product: 'web' }], signoff: 'pending', missing: 'QA' } as const
    givenRelease(world, release)
    world.ask(recorded({ product: 'web', environment: 'production', status: 'pending', statusId: 3, deploymentId: 51 }))
    const found = gate(world)
    expect(found).toMatchObject({ verdict: 'waiting', approvedItems: [] })
    expect(codes(found)).toEqual(['signoff-pending'])
  })

  it('opens for a version of several releases when one of them is signed off', () => {
    expect(gate(approvedElsewhere(readyWorld()))).toMatchObject({ verdict: 'approved', releases: ['r5'] })
  })
})

describe('a gate before customers', () => {
  const alone = (bend: (text: string) => string, ignored: readonly { login: string; code: string }[] = []) => {
    const world = readyWorld({ bend })
    const record = signoffRecord('approved', world.state<ReleaseState>(releaseKey('r5'))?.policyDigest ?? '')
    const signoff = {
      ...record,
      evidence: record.evidence.slice(0, 1),
      ignored: ignored.map((entry, index) => ({ ...entry, reviewId: 10 + index, why: '' })),
    }
    world.record([event('signoff.decided', { release: 'r5', signoff, facts: [] })])
    return codes(gate(world))
  }
  const served = '    cohorts: [fleet]\n'

  it.each<[string, (text: string) => string, boolean]>([
    ['serves cohorts', (text) => text, true],
    ['says that customers are there', (text) => text.replace(served, '    customers: true\n'), true],
    [
      'serves cohorts of others than customers',
      (text) => text.replace(served, `${served}    customers: false\n`),
      false,
    ],
    ['serves nobody', (text) => text.replace(served, ''), false],
    ['says that one is enough', (text) => text.replace('signoff: true,', 'signoff: true, distinctPeople: 1,'), false],
    ['asks for more', (text) => text.replace('signoff: true,', 'signoff: true, distinctPeople: 2,'), true],
  ])('asks for two different people where its ring %s', (...[, bend, isShut]) => {
    expect(alone(bend)).toEqual(isShut ? ['distinct-people'] : [])
  })

  it('counts whoever approved when every seat was taken, once, and no other review that does not count', () => {
    const sign = (...ignored: { login: string; code: string }[]) => alone((text) => text, ignored)
    expect(sign({ login: 'erik', code: 'no-seat-left' })).toEqual([])
    expect(sign({ login: 'Eve', code: 'no-seat-left' })).toEqual(['distinct-people'])
    expect(sign({ login: 'erik', code: 'old-content' })).toEqual(['distinct-people'])
  })
})

const withoutConfiguration = (): World => {
  const world = new World()
  world.ask(build())
  return world
}
const running = (world: World): World => {
  const other = { environment: 'production', status: 'started', statusId: 8, run: { id: 9, attempt: 1 } } as const
  world.ask(recorded(other))
  return world
}

const after = (world: World, ...events: Parameters<World['record']>[0]): World => {
  world.record(events)
  return world
}
const fewPeople = (text: string): string => text.replace('signoff: true,', 'signoff: true, distinctPeople: 3,')

/** One row for each way in which a gate stays shut: its only blocker, in a world where all else is ready. */
const ROWS: readonly (readonly [BlockerCode, string, () => World, Partial<Requested>?])[] = [
  ['not-configured', 'no configuration was ever accepted', withoutConfiguration],
  ['not-configured', 'no ring names the environment', readyWorld, { environment: 'laptop' }],
  [
    'intent-unknown',
    'nothing was announced and no version is bound to the commit',
    () => readyWorld({ intent: null }),
    { sha: sha('ff') },
  ],
  [
    'intent-unknown',
    'the commit belongs to versions of another repository',
    () => readyWorld({ intent: null }),
    { repository: RELEASES },
  ],
  [
    'version-unknown',
    'no build of the announced version is recorded',
    () => readyWorld({ build: null, bend: (text) => text.replace('previousRing: true', 'previousRing: false') }),
  ],
  ['build-unfinished', 'its build failed', () => readyWorld({ build: { record: { status: 'failed' } } })],
  ['build-unfinished', 'its build still runs', () => readyWorld({ build: { record: { status: 'started' } } })],
  ['wrong-commit', 'the job runs on another commit', readyWorld, { sha: sha('ff') }],
  ['claimed-only', 'the build is known by what somebody said alone', () => readyWorld({ build: { trust: 'claimed' } })],
  [
    'claimed-only',
    'the announcement is known by what somebody said alone',
    () => readyWorld({ intent: { trust: 'claimed', byActions: false } }),
  ],
  ['not-in-a-release', 'no open release holds the version', () => readyWorld({ release: null })],
  [
    'not-in-a-release',
    'the release holds another version of it',
    () => readyWorld({ release: { items: [{ ...API_ITEM, version: '1.0.1' }] } }),
  ],
  ['release-not-started', 'its release is a draft', () => readyWorld({ release: { started: false } })],
  ['signoff-pending', 'nothing was decided yet', () => readyWorld({ release: { signoff: undefined } as never })],
  ['signoff-pending', 'a seat is empty', () => readyWorld({ release: { signoff: 'pending', missing: 'QA' } })],
  ['signoff-vetoed', 'somebody objects', () => readyWorld({ release: { signoff: 'vetoed' } })],
  ['signoff-blocked', 'a seat can never be filled', () => readyWorld({ release: { signoff: 'blocked' } })],
  ['distinct-people', 'too few people signed', () => readyWorld({ bend: fewPeople })],
  [
    'held',
    'somebody holds its release',
    () => after(readyWorld(), event('release.held', { release: 'r5', reason: 'the beta burns' })),
  ],
  [
    'no-go',
    'its manager says no',
    () => after(readyWorld(), event('release.judged', { release: 'r5', judgement: 'no-go', reason: 'not today' })),
  ],
  [
    'outside-window',
    'its window is over',
    () => {
      const value = '2026-01-14T00:00:00Z/2026-01-15T00:00:00Z'
      return after(readyWorld(), event('release.set', { release: 'r5', key: 'window', value }))
    },
  ],
  [
    'frozen',
    'its environment is frozen',
    () => after(readyWorld(), event('environment.frozen', { environment: 'production', reason: 'holidays' })),
  ],
  [
    'frozen',
    'everything is frozen',
    () => after(readyWorld(), event('environment.frozen', { environment: '*', reason: 'an incident' })),
  ],
  ['previous-ring', 'it never reached the ring before', () => readyWorld({ beta: null })],
  ['previous-ring', 'it failed in the ring before', () => readyWorld({ beta: { status: 'failed' } })],
  [
    'previous-ring',
    'somebody merely claims that it completed in the ring before',
    () => readyWorld({ beta: { trust: 'claimed' } }),
  ],
  ['deployment-running', 'another run deploys there', () => running(readyWorld())],
]

describe('a gate stays shut', () => {
  it.each(ROWS)('with %s when %s', (...[code, , world, bent]) => {
    const found = gate(world(), bent)
    expect(codes(found)).toEqual([code])
    expect(found).toMatchObject({ verdict: 'waiting', approvedItems: [] })
    expect(found.blockers[0]?.message.length).toBeGreaterThan(10)
    expect(found.blockers[0]?.hint).toMatch(/\.$|\/add/)
  })

  it('names who is missing', () => {
    expect(gate(readyWorld({ release: { signoff: 'pending', missing: 'QA' } })).blockers[0]?.message).toMatch(
      /missing QA$/,
    )
  })

  it('with wrong-repository when a run announces the version of another repository', () => {
    const world = configuredWorld((text) =>
      text.replace('signoff: true, previousRing: true', 'signoff: false, previousRing: false'),
    )
    world.ask(recorded({ product: 'tool', environment: 'production', status: 'pending', repository: EDGE }))
    world.ask(build({ record: { product: 'tool' } }))
    expect(codes(gate(world, { repository: EDGE }))).toEqual(['wrong-repository'])
  })

  it('has a row for each of its codes', () => {
    const covered = new Set<string>([...ROWS.map(([code]) => code), 'wrong-repository'])
    expect(BLOCKER_CODES.filter((code) => !covered.has(code))).toEqual([])
  })

  it('says everything that stands against every version at once', () => {
    const world = running(readyWorld({ beta: null, release: { signoff: 'vetoed' } }))
    world.ask(recorded({ product: 'web', environment: 'production', status: 'pending', statusId: 3, deploymentId: 51 }))
    expect(codes(gate(world))).toEqual([
      'deployment-running',
      'previous-ring',
      'signoff-vetoed',
      'version-unknown',
      'previous-ring',
      'not-in-a-release',
    ])
  })
})

describe('the ring before', () => {
  const rings = (text: string) =>
    text.replace('environments: [beta, production]', 'environments: [integration, production]')
  const web = { product: 'web', version: '1.0.0' }
  const world = (environment: string): World => {
    const made = configuredWorld(rings)
    made.ask(build({ record: { product: 'web' } }))
    made.ask(recorded({ ...web, environment, statusId: 1, run: { id: 3, attempt: 1 } }))
    givenRelease(made, { items: [{ ...web, sha: sha('a1') }], signoff: 'approved' })
    made.ask(recorded({ ...web, environment: 'production', status: 'pending', statusId: 2, deploymentId: 50 }))
    return made
  }
  it('of a product that leaves a ring out is the nearest one that it meets', () => {
    expect(gate(world('integration')).verdict).toBe('approved')
    expect(codes(gate(world('laptop')))).toEqual(['previous-ring'])
  })

  it.each([
    ['a version that completed there', {}, []],
    ['a version that is merely said to have completed there', { trust: 'claimed' }, ['previous-ring']],
    ['a version that failed there', { status: 'failed' }, ['previous-ring']],
  ] as const)('remembers %s, however many were deployed there since', (_, beta, expected) => {
    const world = readyWorld({ beta })
    for (let run = 100; run < 140; run += 1) {
      const later = { version: `2.0.${run}`, statusId: run, at: minute(run), run: { id: run, attempt: 1 } }
      world.ask(recorded({ environment: 'beta', deploymentId: run, ...later }))
    }
    expect(codes(gate(world))).toEqual(expected)
  })

  it('is not held against a version by an unauthorised deployment there', () => {
    const bend = (text: string) =>
      text.replace('environments: [beta]\n  - ring', 'environments: [beta]\n    gate: { signoff: false }\n  - ring')
    expect(codes(gate(readyWorld({ bend })))).toEqual(['previous-ring'])
  })
})

describe('asking a gate again', () => {
  it('for the same deployment changes nothing', () => {
    const world = readyWorld()
    gate(world)
    expect(world.ask(request({ at: minute(9) })).events).toEqual([])
  })

  it('for an older deployment, delivered late, changes nothing', () => {
    const world = readyWorld()
    gate(world)
    expect(world.ask(request({ deploymentId: 59 })).events).toEqual([])
  })

  it('for a run that is tried again decides anew, and keeps what was let in', () => {
    const world = readyWorld()
    gate(world)
    world.ask(request({ deploymentId: 61 }))
    expect(world.state(keyOf(request()))).toMatchObject({
      verdict: 'waiting',
      deploymentId: 61,
      reports: 0,
      approvedItems: [{ product: 'api', version: '1.0.0' }],
    })
  })

  it('is decided again only when a code or a version has changed', () => {
    const world = readyWorld({ release: { signoff: 'pending', missing: 'QA' } })
    expect(gate(world).reports).toBe(1)
    const again = () => world.ask({ kind: 'gate-review', gate: keyOf(request()), ...asked })
    expect(again().events).toEqual([])
    running(world)
    expect(again().types).toEqual(['gate.decided'])
    expect(world.state(keyOf(request()))).toMatchObject({ reports: 2 })
  })

  it('after it was approved is not needed: an answer cannot be taken back', () => {
    const world = running(readyWorld({ intent: null }))
    world.ask(recorded({ environment: 'production', status: 'completed', statusId: 9, run: { id: 9, attempt: 1 } }))
    gate(world)
    running(world)
    expect(world.ask({ kind: 'gate-review', gate: keyOf(request()), ...asked }).events).toEqual([])
  })

  it('takes what each attempt of its run announced, the newest for each product', () => {
    const world = readyWorld()
    const announce = (product: string, version: string, attempt: number, statusId: number) =>
      world.ask(
        recorded({
          product,
          version,
          environment: 'production',
          status: 'pending',
          statusId,
          deploymentId: statusId,
          run: { id: 7, attempt },
        }),
      )
    announce('web', '3.0.0', 1, 20)
    announce('api', '1.0.1', 2, 21)
    expect(gate(world).items).toEqual([
      { product: 'api', version: '1.0.1' },
      { product: 'web', version: '3.0.0' },
    ])
  })

  it('of a gate that nobody knows comes to nothing', () => {
    expect(readyWorld().ask({ kind: 'gate-review', gate: 'gate/1/2/x', ...asked }).events).toEqual([])
  })
})

it('a gate of a hundred versions is decided as one of a single version is', () => {
  const names = Array.from({ length: 100 }, (_, index) => `part-${index}`)
  const world = configuredWorld()
  for (const [index, product] of names.entries()) {
    world.ask(build({ record: { product, run: { id: index + 100, attempt: 1, job: 'build' } } }))
    const placed = { product, environment: 'production', status: 'pending', deploymentId: index + 100 } as const
    world.ask(recorded({ ...placed, statusId: index + 100 }))
  }
  expect(gate(world)).toMatchObject({ verdict: 'waiting', items: { length: 100 } })
})

describe('a gate that is asked for anew before the log says that its first job was answered', () => {
  const key = keyOf(request())
  const settled = (output: string) =>
    event('output.settled', {
      subject: key,
      output: `${key}/${output}`,
      digest: `sha256:${'0'.repeat(64)}`,
      remote: null,
    })

  it.each([
    ['the answer to the first is told late', ['60/answer'], [key]],
    ['its own report is told', ['60/answer', '61/report-1'], [key]],
    ['its own answer is told', ['60/answer', '61/answer'], []],
    ['the answer to the first is told after its own', ['61/answer', '60/answer'], []],
  ])('is open until its own answer is out: %s', (_, outputs, gates) => {
    const world = readyWorld()
    gate(world)
    gate(world, { deploymentId: 61 })
    world.record(outputs.map(settled))
    expect(world.state<OpenIndex>(OPEN_KEY)?.gates).toEqual(gates)
  })

  it('is open again for each further job', () => {
    const world = readyWorld()
    gate(world)
    gate(world, { deploymentId: 61 })
    world.record(['60/answer', '61/answer'].map(settled))
    gate(world, { deploymentId: 62 })
    world.record([settled('61/answer')])
    expect(world.state<OpenIndex>(OPEN_KEY)?.gates).toEqual([key])
    world.record([settled('62/answer')])
    expect(world.state<OpenIndex>(OPEN_KEY)?.gates).toEqual([])
  })
})

describe('a closed gate', () => {
  it('stays closed, and one that was answered stays answered', () => {
    const world = readyWorld()
    gate(world)
    world.record([event('gate.closed', { gate: keyOf(request()), reason: 'its run is over' })])
    expect(world.state(keyOf(request()))).toMatchObject({ verdict: 'approved' })
  })
})

describe('a gate whose run never says what it deploys', () => {
  const later = (minutes: number) => new Date(Date.parse(asked.at) + minutes * 60_000).toISOString()
  const unknown = (minutes: number): GateState | undefined => {
    const world = configuredWorld()
    gate(world)
    world.ask({ kind: 'gate-review', gate: keyOf(request()), ...asked, at: later(minutes) })
    return world.state<GateState>(keyOf(request()))
  }

  it.each([
    ['waits within the hour', 59, 'waiting'],
    ['is rejected after it, with the remedy', 61, 'rejected'],
  ])('%s', (_, minutes, verdict) => {
    const found = unknown(minutes)
    expect(found?.verdict).toBe(verdict)
    expect(found?.blockers.map((blocker) => blocker.hint).join()).toMatch(/Record the deployment as pending/)
  })
})

describe('a version that went through the ring before', () => {
  it('may go on when that ring has moved on since', () => {
    const world = readyWorld()
    world.ask(build({ sha: sha('a2'), record: { version: '1.1.0' } }))
    world.ask(recorded({ version: '1.1.0', sha: sha('a2'), run: { id: 5, attempt: 1 }, statusId: 9, deploymentId: 77 }))
    expect(gate(world).verdict).toBe('approved')
  })
})

describe('a gate of which nothing is heard any more', () => {
  const days = (count: number, minutes = 0) =>
    new Date(Date.parse(asked.at) + count * 86_400_000 + minutes * 60_000).toISOString()
  const reviewed = (world: World, at: string) =>
    world.ask({ kind: 'gate-review', gate: keyOf(request()), ...asked, at }).events
  const open = (world: World) => world.state<OpenIndex>(OPEN_KEY)?.gates

  it.each<[string, Ready, GateState['verdict'], GateState['verdict']]>([
    ['that waits', { release: null }, 'waiting', 'closed'],
    ['whose answer did not come out', {}, 'approved', 'approved'],
  ])('%s is closed when GitHub can have no job for it any more, and only then', (_, given, before, after) => {
    const world = readyWorld(given)
    expect(gate(world).verdict).toBe(before)
    expect(reviewed(world, days(30, 15))).toEqual([])
    expect(reviewed(world, days(30, 16))).toMatchObject([
      {
        type: 'gate.closed',
        data: { gate: keyOf(request()), reason: 'GitHub lets no job wait for more than 30 days' },
      },
    ])
    expect(world.state(keyOf(request()))).toMatchObject({ verdict: after })
    expect(open(world)).toEqual([])
    expect(reviewed(world, days(31))).toEqual([])
  })

  it('is decided first where something has changed, as the log has it of gates that waited longer', () => {
    const world = readyWorld({ release: null })
    gate(world)
    givenRelease(world, { signoff: 'approved' })
    expect(reviewed(world, days(31))).toMatchObject([{ type: 'gate.decided', data: { verdict: 'approved' } }])
  })
})
