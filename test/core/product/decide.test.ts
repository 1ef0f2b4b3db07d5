import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { refusedKey } from '../../../src/core/product/refusal-schema.ts'
import { commitKey, ProductName, productKey, VersionText, versionKey } from '../../../src/core/product/schema.ts'
import {
  type BuildGiven,
  build,
  CONFIGURATION,
  configuredWorld,
  EDGE,
  minute,
  PLATFORM,
  sha,
  World,
} from '../decided.ts'

const worldWith = (...builds: readonly BuildGiven[]): World => {
  const world = configuredWorld()
  for (const given of builds) expect(world.ask(build(given)).kind).toBe('accept')
  return world
}
const artifact = (name: string, digit: string, target?: string) => ({
  name,
  size: 1,
  sha256: digit.repeat(64),
  url: `https://example.test/${name}/${digit}`,
  ...(target === undefined ? {} : { target }),
})

describe('a build that is reported', () => {
  it('makes the product, the version and the binding of its commit', () => {
    const world = worldWith({ record: { path: 'services/api' } })
    expect(world.state(productKey('api'))).toMatchObject({
      name: 'api',
      repository: PLATFORM,
      path: 'services/api',
      versions: [{ version: '1.0.0', sha: sha('a1') }],
    })
    expect(world.state(versionKey('api', '1.0.0'))).toMatchObject({ sha: sha('a1'), status: 'completed' })
    expect(world.state(commitKey(sha('a1')))).toEqual({
      sha: sha('a1'),
      items: [{ product: 'api', version: '1.0.0' }],
    })
  })

  it('adds nothing when it is reported again', () => {
    const world = worldWith({})
    expect(world.ask(build({ at: minute(5) }))).toMatchObject({ kind: 'accept', events: [] })
  })

  it('is recorded without any configuration, for tracking goes on', () => {
    expect(new World().ask(build()).types).toEqual(['build.recorded'])
  })

  it.each<[string, BuildGiven[], BuildGiven, string]>([
    ['a version that is bound to another commit', [{}], { sha: sha('b2') }, 'version-conflict'],
    [
      'a version of a failed build that is bound to another commit',
      [{ record: { status: 'failed' } }],
      { sha: sha('b2') },
      'version-conflict',
    ],
    ['a product that the configuration gives to another repository', [], { repository: EDGE }, 'product-elsewhere'],
    [
      'a product that was first seen in another repository',
      [{ record: { product: 'tool' } }],
      { repository: EDGE, record: { product: 'tool', version: '2.0.0' } },
      'product-elsewhere',
    ],
  ])('is refused and kept for the audit when it names %s', (_, before, given, code) => {
    const world = worldWith(...before)
    const states = new Map(world.states)
    const asked = world.ask(build(given))
    expect(asked).toMatchObject({ kind: 'refuse', codes: [code], types: ['build.refused'] })
    expect(asked.problems[0]?.message).toMatch(/^expected .+, found .+/)
    expect(asked.problems[0]?.hint).toBeTruthy()
    const shown = ['index/open', refusedKey(given.sha ?? sha('a1'))]
    expect([...world.states].filter(([key]) => !shown.includes(key))).toEqual([...states])
    expect(world.ask(build(given)).events).toEqual([])
  })

  it.each([
    ['semver', 'v1.2.3', '1.2.3'],
    ['semver', '2026.04.1', '1.2.3+b'],
    ['semver-build', '1.2', '1.2.3-45'],
    ['calver', '26', '2026.04.1'],
    ['number', '007', '7'],
    ['sha', 'a1b2c3', sha('a1')],
  ])('is refused where its product counts by %s and it names %s, and taken with %s', (scheme, odd, sound) => {
    const world = configuredWorld((text) => text.replace('name: api', `name: api\n    scheme: ${scheme}`))
    const refused = world.ask(build({ record: { version: odd } }))
    expect(refused).toMatchObject({ kind: 'refuse', codes: ['version-scheme'], types: ['build.refused'] })
    expect(refused.problems[0]).toMatchObject({
      message: expect.stringContaining(scheme),
      hint: expect.stringContaining('scheme'),
    })
    expect(world.ask(build({ record: { version: sound } })).types).toEqual(['build.recorded'])
  })

  it('adds to a version from before its product had a scheme', () => {
    const world = worldWith({ record: { version: 'spring' } })
    world.configure(CONFIGURATION.replace('name: api', 'name: api\n    scheme: semver'))
    const more = { version: 'spring', artifacts: [artifact('app', '1')] }
    expect(world.ask(build({ at: minute(1), record: more })).types).toEqual(['build.recorded'])
    expect(world.ask(build({ record: { version: 'summer' } })).codes).toEqual(['version-scheme'])
  })

  it('may come from a repository that was renamed, by its id', () => {
    const world = worldWith({ record: { product: 'tool' } })
    const renamed = { id: PLATFORM.id, fullName: 'acme/renamed' }
    expect(world.ask(build({ repository: renamed, record: { product: 'tool', version: '1.1.0' } })).kind).toBe('accept')
    expect(world.state(productKey('tool'))).toMatchObject({ repository: renamed })
  })

  it('compares the name of its repository without regard to case, as GitHub does', () => {
    const world = configuredWorld()
    expect(world.ask(build({ repository: { id: 11, fullName: 'Acme/Platform' } })).kind).toBe('accept')
  })

  it('binds several products, and several versions of one, to one commit', () => {
    const world = worldWith({}, { record: { product: 'web' } }, { record: { version: '1.0.1' } })
    expect(world.state(commitKey(sha('a1')))).toMatchObject({
      items: [
        { product: 'api', version: '1.0.0' },
        { product: 'web', version: '1.0.0' },
        { product: 'api', version: '1.0.1' },
      ],
    })
  })

  it('adds the artifacts of each job of a run to one version, each name and target once', () => {
    const job = (name: string, ...artifacts: ReturnType<typeof artifact>[]): BuildGiven => ({
      record: { run: { id: 1, attempt: 1, job: name }, artifacts },
    })
    const world = worldWith(
      job('linux', artifact('app', '1', 'linux'), artifact('app', '2', 'linux')),
      job('mac', artifact('app', '3', 'mac'), artifact('docs', '4')),
      job('docs', artifact('docs', '5', 'portable')),
    )
    const { artifacts } = world.state<{ artifacts: { sha256: string }[] }>(versionKey('api', '1.0.0')) ?? {}
    expect(artifacts?.map((entry) => entry.sha256[0])).toEqual(['1', '3', '4'])
  })

  it('that a workflow vouches for takes the place of what was merely claimed', () => {
    const claimed: BuildGiven = { trust: 'claimed', record: { artifacts: [artifact('app', '6')] } }
    const vouched: BuildGiven = { record: { artifacts: [artifact('app', '1')] } }
    for (const order of [[claimed, vouched] as const, [vouched, claimed] as const]) {
      expect(worldWith(...order).state(versionKey('api', '1.0.0'))).toMatchObject({
        trust: 'platform',
        artifacts: [artifact('app', '1')],
      })
    }
  })
})

describe('what a version asks of the customer', () => {
  const asking = (customerAction: string | undefined, more: BuildGiven = {}): BuildGiven => ({
    ...more,
    record: { ...more.record, artifacts: [], ...(customerAction === undefined ? {} : { customerAction }) },
  })
  const job = (name: string) => ({ record: { run: { id: 1, attempt: 1, job: name } } })
  it.each<[string, BuildGiven[], string | undefined]>([
    ['is what a build says first', [asking('charge', job('a')), asking('wait', job('b'))], 'charge'],
    ['stays when another build says nothing', [asking('charge', job('a')), asking(undefined, job('b'))], 'charge'],
    ['may come late', [asking(undefined, job('a')), asking('charge', job('b'))], 'charge'],
    ['is not what is merely claimed', [asking('charge'), asking('pay', { trust: 'claimed' })], 'charge'],
    ['is not added by a claim', [asking(undefined), asking('pay', { trust: 'claimed' })], undefined],
    ['gives a claim up for what is vouched for', [asking('pay', { trust: 'claimed' }), asking(undefined)], undefined],
  ])('%s', (_, builds, expected) => {
    const known = worldWith(...builds).state<{ customerAction?: string }>(versionKey('api', '1.0.0'))
    expect(known?.customerAction).toBe(expected)
  })
})

describe('the status of a version', () => {
  const statuses = ['pending', 'started', 'completed', 'failed', 'aborted'] as const
  it.each<[string, (typeof statuses)[number][], string]>([
    ['is that of its build', ['started'], 'started'],
    ['ends with its build', ['started', 'completed'], 'completed'],
    ['does not fall back when an earlier report comes late', ['completed', 'started'], 'completed'],
    ['fails with its build', ['pending', 'started', 'failed'], 'failed'],
  ])('%s', (_, given, expected) => {
    const world = worldWith(...given.map((status): BuildGiven => ({ record: { status } })))
    expect(world.state(versionKey('api', '1.0.0'))).toMatchObject({ status: expected })
  })

  it('is completed when one of several builds of it is', () => {
    const run = (id: number, status: 'completed' | 'failed'): BuildGiven => ({
      record: { status, run: { id, attempt: 1, job: 'build' } },
    })
    expect(worldWith(run(1, 'completed'), run(2, 'failed')).state(versionKey('api', '1.0.0'))).toMatchObject({
      status: 'completed',
      builds: [{ status: 'completed' }, { status: 'failed' }],
    })
  })

  it('is the same in whatever order and number the reports arrive', () => {
    const report = fc.record({
      status: fc.constantFrom(...statuses),
      job: fc.constantFrom('linux', 'mac'),
      attempt: fc.constantFrom(1, 2),
      at: fc.integer({ min: 0, max: 3 }).map(minute),
    })
    const history = fc.uniqueArray(report, {
      minLength: 1,
      maxLength: 8,
      selector: ({ status, job, attempt }) => `${status} ${job} ${attempt}`,
    })
    fc.assert(
      fc.property(
        history.chain((all) =>
          fc.tuple(fc.constant(all), fc.shuffledSubarray([...all, ...all], { minLength: all.length * 2 })),
        ),
        ([all, shuffled]) => {
          const fold = (reports: typeof all) =>
            worldWith(
              ...reports.map(
                ({ status, job, attempt, at }): BuildGiven => ({
                  at,
                  record: { status, run: { id: 1, attempt, job } },
                }),
              ),
            ).state(versionKey('api', '1.0.0'))
          expect(fold(shuffled)).toEqual(fold(all))
        },
      ),
      { numRuns: 60 },
    )
  })
})

describe('what one repository may make of the log', () => {
  const named = (index: number, product = `junk-${index}`): BuildGiven => ({
    record: { product, run: { id: index + 1, attempt: 1, job: 'build' } },
  })

  it('is a bounded number of versions of one commit, which crowds no configured product out', () => {
    const world = configuredWorld()
    const items = Array.from({ length: 1_000 }, (_, index) => ({ product: `junk-${index}`, version: '1.0.0' }))
    world.states.set(commitKey(sha('a1')), { sha: sha('a1'), items })
    expect(world.ask(build(named(1_000))).codes).toEqual(['too-many-versions'])
    expect(world.ask(build(named(1_001, 'api'))).kind).toBe('accept')
  })

  it('is a bounded number of artifacts of one version, however many builds name them', () => {
    const many = (from: number, count: number) =>
      Array.from({ length: count }, (_, index) => artifact(`file-${from + index}`, 'a'))
    const record = (id: number, artifacts: ReturnType<typeof many>) =>
      build({ record: { run: { id, attempt: 1, job: 'build' }, artifacts } })
    const world = configuredWorld()
    expect(world.ask(record(1, many(0, 400))).kind).toBe('accept')
    expect(world.ask(record(2, many(400, 101))).codes).toEqual(['too-many-artifacts'])
    expect(world.ask(record(3, many(300, 200))).kind).toBe('accept')
    expect(world.state(versionKey('api', '1.0.0'))).toMatchObject({ artifacts: { length: 500 } })
  })
})

describe('names', () => {
  it.each([
    '__proto__',
    'constructor',
    '../../x',
    'a/b',
    '@acme/api',
    '`rm -rf`',
    '👩‍🔧'.replace(/\u200d/g, ''),
    'x'.repeat(100),
  ])('%j are data: what is recorded under them is found under them alone', (name) => {
    const world = worldWith({ record: { product: name } })
    expect(world.state(productKey(name))).toMatchObject({ name })
    expect(world.ask(build({ sha: sha('b2'), record: { product: name } })).codes).toEqual(['version-conflict'])
    expect([...world.states.keys()].filter((key) => key.startsWith('product/'))).toEqual([`product/${name}`])
  })

  it.each(['', ' api', 'api ', 'x'.repeat(101), 'a\u202eb', 'a\u200bb', 'a\nb', 'a\u2028b'])(
    '%j name no product',
    (name) => expect(ProductName.safeParse(name).success).toBe(false),
  )

  it.each(['', '1 0', '1.0\u202e', 'x'.repeat(101), 'api@1.0', '1.0\t'])('%j name no version', (text) =>
    expect(VersionText.safeParse(text).success).toBe(false),
  )

  it('never give two versions one key', () => {
    const text = fc.stringMatching(/^[a@/%.1-]{1,6}$/)
    fc.assert(
      fc.property(text, text, text, text, (p, v, q, w) => {
        fc.pre([v, w].every((version) => VersionText.safeParse(version).success))
        fc.pre(p !== q || v !== w)
        expect(versionKey(p, v)).not.toBe(versionKey(q, w))
      }),
    )
  })
})
