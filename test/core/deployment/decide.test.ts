import { describe, expect, it } from '@jest/globals'
import type { Attempt, BoardState } from '../../../src/core/deployment/schema.ts'
import { boardKey, runKey } from '../../../src/core/deployment/schema.ts'
import { refusedKey } from '../../../src/core/product/refusal-schema.ts'
import { OPEN_KEY } from '../../../src/core/release/open.ts'
import type { Request } from '../../../src/core/request.ts'
import { gateKeyOf } from '../../../src/core/ring/schema.ts'
import {
  build,
  byJob,
  byTool,
  configuredWorld,
  EDGE,
  event,
  minute,
  PLATFORM,
  RELEASES,
  type RecordedGiven,
  recorded,
  runEnded,
  sha,
  World,
} from '../decided.ts'

const built = (world = configuredWorld()): World => {
  world.ask(build())
  return world
}
const having = (world: World, ...requests: readonly Request[]): World => {
  for (const request of requests) world.ask(request)
  return world
}
const cellOf = (world: World, environment = 'beta', product = 'api') =>
  world.state<BoardState>(boardKey(product))?.cells.find((cell) => cell.environment === environment)
const attemptsOf = (world: World, environment = 'beta', product = 'api'): readonly Attempt[] =>
  cellOf(world, environment, product)?.attempts ?? []
const shown = (world: World, environment = 'beta', product = 'api') =>
  attemptsOf(world, environment, product).map(({ version, status }) => `${version} ${status}`)

describe('what the Action records', () => {
  it('becomes one attempt that starts and ends', () => {
    const world = having(
      built(),
      recorded({ status: 'pending', statusId: 1, at: minute(1) }),
      recorded({ status: 'started', statusId: 2, at: minute(2) }),
      recorded({ status: 'completed', statusId: 3, at: minute(3) }),
    )
    expect(cellOf(world)).toMatchObject({
      attempts: [
        {
          version: '1.0.0',
          status: 'completed',
          at: minute(1),
          startedAt: minute(2),
          end: { status: 'completed', at: minute(3) },
          authorisation: 'ungated',
        },
      ],
      lastGood: { version: '1.0.0' },
    })
  })

  it('adds nothing when it is delivered again', () => {
    const world = having(built(), recorded())
    expect(world.ask(recorded())).toMatchObject({ kind: 'accept', events: [] })
  })

  it.each<[string, RecordedGiven, string]>([
    ['the version at another commit than it is bound to', { sha: sha('b2') }, 'wrong-commit'],
    ['a product of another repository', { repository: EDGE }, 'product-elsewhere'],
    ['a product that the configuration gives to another', { product: 'firmware' }, 'product-elsewhere'],
  ])('is refused when it deploys %s, and never enters the board', (_, given, code) => {
    const world = built()
    const states = new Map(world.states)
    const asked = world.ask(recorded(given))
    expect(asked).toMatchObject({ kind: 'refuse', codes: [code], types: ['deployment.refused'] })
    expect(asked.problems[0]?.message).toMatch(/^expected .+, found .+/)
    const shown = ['index/open', refusedKey(given.sha ?? sha('a1'))]
    expect([...world.states].filter(([key]) => !shown.includes(key))).toEqual([...states])
  })

  it('is tracked for a product that nobody has built yet', () => {
    const world = new World()
    expect(world.ask(recorded({ product: 'new-thing' })).types).toEqual(['deployment.completed'])
    expect(shown(world, 'beta', 'new-thing')).toEqual(['1.0.0 completed'])
  })

  it('may put the version before back in the same run: both attempts stand, and the older version is the good one', () => {
    const world = having(
      built(),
      recorded({ version: '2.0.0', status: 'failed', statusId: 1, at: minute(1) }),
      recorded({ version: '1.0.0', status: 'completed', statusId: 2, at: minute(2), deploymentId: 701 }),
    )
    expect(shown(world)).toEqual(['2.0.0 failed', '1.0.0 completed'])
    expect(cellOf(world)?.lastGood?.version).toBe('1.0.0')
  })

  it('may try a version again in the same run: the newest word counts, and what is good stays good meanwhile', () => {
    const world = having(built(), recorded({ status: 'completed', statusId: 1 }))
    having(world, recorded({ status: 'started', statusId: 2, deploymentId: 701 }))
    expect(shown(world)).toEqual(['1.0.0 started'])
    expect(cellOf(world)?.lastGood?.version).toBe('1.0.0')
    having(world, recorded({ status: 'failed', statusId: 3, deploymentId: 701 }))
    expect(shown(world)).toEqual(['1.0.0 failed'])
    expect(cellOf(world)?.lastGood).toBeNull()
  })

  it('keeps the good version of a cell beyond the attempts at hand, also when its status comes again late', () => {
    const world = built()
    having(world, recorded({ statusId: 10, at: minute(0), run: { id: 1, attempt: 1 } }))
    for (let run = 2; run <= 40; run += 1)
      having(
        world,
        recorded({
          status: 'failed',
          statusId: run * 10,
          at: minute(run),
          run: { id: run, attempt: 1 },
          deploymentId: run,
        }),
      )
    expect(attemptsOf(world)).toHaveLength(12)
    having(world, recorded({ status: 'started', statusId: 9, at: minute(0), run: { id: 1, attempt: 1 } }))
    expect(cellOf(world)?.lastGood).toMatchObject({ version: '1.0.0', status: 'completed' })
    having(world, recorded({ status: 'started', statusId: 19, at: minute(1), run: { id: 2, attempt: 1 } }))
    expect(new Set(shown(world))).toEqual(new Set(['1.0.0 failed']))
  })
})

describe('the job deployment of GitHub and the record of the same run', () => {
  const job = (statusId: number, status: 'pending' | 'started' | 'completed') =>
    byJob({ statusId, status, at: minute(statusId) })
  const record = (statusId: number, status: 'pending' | 'started' | 'completed') =>
    recorded({ statusId, status, at: minute(statusId) })

  it.each<[string, Request[]]>([
    [
      'the job first',
      [
        job(1, 'pending'),
        job(2, 'started'),
        record(3, 'started'),
        record(4, 'completed'),
        job(5, 'completed'),
        runEnded(),
      ],
    ],
    [
      'the record first',
      [
        record(3, 'started'),
        record(4, 'completed'),
        job(1, 'pending'),
        job(2, 'started'),
        job(5, 'completed'),
        runEnded(),
      ],
    ],
    [
      'the end of the run before the last words',
      [job(1, 'pending'), record(3, 'started'), runEnded(), record(4, 'completed'), job(5, 'completed')],
    ],
    [
      'the end of the run before any record',
      [
        job(1, 'pending'),
        job(2, 'started'),
        runEnded(),
        job(5, 'completed'),
        record(3, 'started'),
        record(4, 'completed'),
      ],
    ],
  ])('are one attempt, with %s', (_, requests) => {
    const world = having(built(), ...requests)
    expect(shown(world)).toEqual(['1.0.0 completed'])
    expect(cellOf(world)?.lastGood?.version).toBe('1.0.0')
  })

  it('does not count a job as long as its run may still record', () => {
    expect(shown(having(built(), job(1, 'pending'), job(2, 'started')))).toEqual([])
  })

  it('counts a job of a run that recorded nothing for its environment, once the run is over', () => {
    const world = having(
      built(),
      job(1, 'started'),
      recorded({ environment: 'integration', statusId: 2 }),
      job(3, 'completed'),
    )
    expect(shown(world)).toEqual([])
    expect(world.ask(runEnded()).types).toEqual(['run.ended', 'deployment.completed'])
    expect(shown(world)).toEqual(['1.0.0 completed'])
    expect(world.ask(runEnded()).events).toEqual([])
  })

  it('takes a later word of a job that was counted', () => {
    const world = having(built(), job(1, 'started'), runEnded(), job(2, 'completed'))
    expect(shown(world)).toEqual(['1.0.0 completed'])
  })

  it('counts a job that is heard of after the end of its run, once that end is told again', () => {
    const world = built()
    const { decision } = world.decide(runEnded())
    expect(decision).toEqual({ kind: 'accept', events: [], answer: null, isEarly: true })
    having(world, job(1, 'started'), job(3, 'completed'))
    expect(shown(world)).toEqual([])
    expect(world.ask(runEnded()).types).toEqual(['run.ended', 'deployment.completed'])
    expect(shown(world)).toEqual(['1.0.0 completed'])
  })

  it('counts for a build that is heard of after the end of the run, once that end is told again', () => {
    const world = having(new World(), job(3, 'completed'), runEnded())
    expect(world.decide(runEnded()).decision).toMatchObject({ isEarly: true })
    world.ask(build())
    expect(world.ask(runEnded()).types).toEqual(['deployment.completed'])
    expect(world.decide(runEnded()).decision).not.toHaveProperty('isEarly')
    expect(shown(world)).toEqual(['1.0.0 completed'])
  })

  it('tells the attempts of a run that is tried again apart', () => {
    const second = { id: 7, attempt: 2 }
    const world = having(
      built(),
      record(1, 'started'),
      recorded({ status: 'failed', statusId: 2 }),
      runEnded(7, 1),
      recorded({ status: 'started', statusId: 3, run: second, deploymentId: 701, at: minute(3) }),
      recorded({ status: 'completed', statusId: 4, run: second, deploymentId: 701, at: minute(4) }),
      runEnded(7, 2),
    )
    expect(shown(world)).toEqual(['1.0.0 failed', '1.0.0 completed'])
  })

  it('waits for the end of the second attempt, too', () => {
    const second = { id: 7, attempt: 2 }
    const world = having(built(), job(1, 'completed'), runEnded(7, 1))
    having(world, byJob({ run: second, deploymentId: 801, status: 'started', statusId: 8, at: minute(8) }))
    expect(shown(world)).toEqual(['1.0.0 completed'])
    having(world, runEnded(7, 2))
    expect(shown(world)).toEqual(['1.0.0 completed', '1.0.0 started'])
  })
})

describe('a job that went past its gate', () => {
  const silent = { environment: 'production', status: 'pending', statusId: 1 } as const
  const job = (statusId: number, status: 'pending' | 'started' | 'completed' | 'failed') =>
    byJob({ environment: 'production', statusId, status, at: minute(statusId) })
  const past = (...requests: readonly Request[]) =>
    attemptsOf(having(built(), ...requests), 'production').map(
      ({ version, status, authorisation }) => `${version} ${status} ${authorisation}`,
    )

  it.each<[string, Request[]]>([
    ['its run announced it and said no more', [recorded(silent), job(2, 'started'), job(3, 'completed'), runEnded()]],
    [
      'its last words come after the end of the run',
      [recorded(silent), job(2, 'started'), runEnded(), job(3, 'completed')],
    ],
    [
      'somebody else claims to speak for the run',
      [recorded({ ...silent, status: 'aborted', trust: 'claimed', product: 'web' }), job(3, 'completed'), runEnded()],
    ],
  ])('is seen although %s', (_, requests) => {
    expect(past(...requests)).toEqual(['1.0.0 completed unauthorised'])
  })

  it('is seen when it failed on the other side', () => {
    expect(past(recorded(silent), job(2, 'started'), job(3, 'failed'), runEnded())).toEqual([
      '1.0.0 failed unauthorised',
    ])
  })

  it('counts for what its run announced, and for no other version of the commit', () => {
    const world = built()
    world.ask(build({ record: { product: 'web' } }))
    having(world, recorded(silent), job(3, 'completed'), runEnded())
    expect(shown(world, 'production')).toEqual(['1.0.0 completed'])
    expect(shown(world, 'production', 'web')).toEqual([])
  })

  it('and one that never began is only what its run announced', () => {
    expect(past(recorded(silent), job(2, 'pending'), job(3, 'failed'), runEnded())).toEqual(['1.0.0 aborted ungated'])
  })
})

describe('a run that is over', () => {
  it('has abandoned also what is heard of after its end, unless that is older than another word', () => {
    const world = having(built(), recorded({ status: 'started', statusId: 5 }), runEnded())
    having(world, recorded({ status: 'started', statusId: 6 }))
    expect(shown(world)).toEqual(['1.0.0 aborted'])
    having(world, recorded({ status: 'completed', statusId: 8 }), recorded({ status: 'started', statusId: 7 }))
    expect(shown(world)).toEqual(['1.0.0 completed'])
  })

  it('has abandoned what it recorded and left open, until a later word is heard', () => {
    const world = having(built(), recorded({ status: 'started', statusId: 5 }))
    expect(world.ask(runEnded()).types).toEqual(['run.ended', 'deployment.aborted'])
    expect(shown(world)).toEqual(['1.0.0 aborted'])
    having(world, recorded({ status: 'completed', statusId: 6 }))
    expect(shown(world)).toEqual(['1.0.0 completed'])
  })

  it('closes its waiting gates, not those of its next attempt and not those of others', () => {
    const world = built()
    const ask = (environment: string, runId: number, at: string) =>
      event(
        'gate.requested',
        { repository: PLATFORM, runId, environment, deploymentId: 1, sha: sha('a1'), ref: 'main', installationId: 1 },
        { at },
      )
    world.record([ask('beta', 7, minute(1)), ask('production', 7, minute(120)), ask('beta', 8, minute(1))])
    expect(world.ask(runEnded()).types).toEqual(['run.ended', 'gate.closed'])
    expect(world.state(gateKeyOf(PLATFORM.id, 7, 'beta'))).toMatchObject({ verdict: 'closed' })
    expect(world.state<{ gates: string[] }>(OPEN_KEY)?.gates).toEqual([
      gateKeyOf(PLATFORM.id, 7, 'production'),
      gateKeyOf(PLATFORM.id, 8, 'beta'),
    ])
  })

  it('says nothing when nothing is known of it', () => {
    expect(built().ask(runEnded(99)).events).toEqual([])
  })
})

describe('the deployment of another tool', () => {
  it('counts for every version that is bound to its commit and deploys there', () => {
    const world = built()
    world.ask(build({ record: { product: 'web' } }))
    world.ask(build({ record: { version: '1.0.1' } }))
    expect(world.ask(byTool()).events).toHaveLength(3)
    expect(shown(world)).toEqual(['1.0.0 completed', '1.0.1 completed'])
    expect(shown(world, 'beta', 'web')).toEqual(['1.0.0 completed'])
    world.ask(byTool({ environment: 'integration', deploymentId: 901 }))
    expect(shown(world, 'integration', 'web')).toEqual([])
  })

  it('comes to nothing when no version is bound to its commit', () => {
    expect(built().ask(byTool({ sha: sha('b2') }))).toMatchObject({ kind: 'accept', events: [] })
  })

  it('comes to nothing in a fork or mirror that holds the same commit', () => {
    expect(built().ask(byTool({ repository: RELEASES }))).toMatchObject({ kind: 'accept', events: [] })
  })

  it('is known by what somebody said alone', () => {
    expect(attemptsOf(having(built(), byTool()))[0]?.trust).toBe('claimed')
  })
})

describe('how a deployment was allowed', () => {
  const gate = (items: { product: string; version: string }[], verdict: 'approved' | 'waiting' = 'approved') => [
    event('gate.requested', {
      repository: PLATFORM,
      runId: 7,
      environment: 'production',
      deploymentId: 1,
      sha: sha('a1'),
      ref: 'main',
      installationId: 1,
    }),
    event('gate.decided', {
      gate: gateKeyOf(PLATFORM.id, 7, 'production'),
      verdict,
      blockers: [],
      items,
      intent: 'recorded',
      releases: [],
      policyDigest: null,
    }),
  ]
  const api = { product: 'api', version: '1.0.0' }

  it.each<[string, ReturnType<typeof gate>, Request, string]>([
    ['an environment without a gate', [], recorded(), 'ungated'],
    ['an environment that no ring names', [], recorded({ environment: 'laptop' }), 'ungated'],
    ['a gated environment in another spelling', [], byTool({ environment: 'PRODUCTION' }), 'unauthorised'],
    ['a gate that let exactly this version in', gate([api]), recorded({ environment: 'production' }), 'gate'],
    ['a gate that nobody asked', [], recorded({ environment: 'production' }), 'unauthorised'],
    ['a gate that still waits', gate([api], 'waiting'), recorded({ environment: 'production' }), 'unauthorised'],
    [
      'a gate that let another version in',
      gate([{ ...api, version: '2.0.0' }]),
      recorded({ environment: 'production' }),
      'unauthorised',
    ],
    [
      'the gate of another run',
      gate([api]),
      recorded({ environment: 'production', run: { id: 8, attempt: 1 } }),
      'unauthorised',
    ],
    ['another tool at a gated environment', gate([api]), byTool({ environment: 'production' }), 'unauthorised'],
    [
      'an announcement, which deploys nothing yet',
      [],
      recorded({ environment: 'production', status: 'pending' }),
      'ungated',
    ],
  ])('%s: %#', (_, given, request, expected) => {
    const world = built()
    world.record(given)
    const environment = request.kind === 'deployment-reported' ? request.environment.toLowerCase() : ''
    having(world, request)
    expect(attemptsOf(world, environment)[0]?.authorisation).toBe(expected)
  })

  it.each([
    ['unauthorised', 'once the run is tried again and waits anew', { run: { id: 7, attempt: 2 }, at: minute(30) }],
    ['gate', 'when the word of the first try arrives late', { run: { id: 7, attempt: 2 }, at: minute(10) }],
    ['gate', 'while a second job of the same try waits', { run: { id: 7, attempt: 1 }, at: minute(30) }],
  ])('is %s by the gate of the first try %s', (expected, _, given) => {
    const world = built()
    const [requested, decided] = gate([api])
    if (!requested || !decided) throw new Error('expected the events of a gate')
    const again = {
      ...requested,
      key: 'given:again',
      at: minute(20),
      data: { ...(requested.data as object), deploymentId: 2 },
    }
    world.record([requested, decided, again])
    having(world, recorded({ environment: 'production', status: 'started', ...given }))
    expect(attemptsOf(world, 'production')[0]?.authorisation).toBe(expected)
  })

  it('stays unauthorised once it was, and is never the good version', () => {
    const world = having(built(), recorded({ environment: 'production', status: 'started', statusId: 1 }))
    world.record(gate([api]))
    having(world, recorded({ environment: 'production', status: 'completed', statusId: 2 }))
    expect(attemptsOf(world, 'production')[0]?.authorisation).toBe('unauthorised')
    expect(cellOf(world, 'production')?.lastGood).toBeNull()
  })
})

describe('what a run announces', () => {
  it('is its intent for the environment, the newest word for each product', () => {
    const pending = (version: string, statusId: number) =>
      recorded({ environment: 'production', status: 'pending', version, statusId, deploymentId: statusId })
    for (const order of [[1, 2] as const, [2, 1] as const]) {
      const world = having(new World(), ...order.map((id) => pending(`${id}.0.0`, id)))
      expect(world.state(runKey(PLATFORM.id, 7))).toMatchObject({
        intents: [{ product: 'api', version: '2.0.0', environment: 'production', trust: 'platform' }],
        recorded: ['production'],
      })
    }
  })
})
