import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { checkEvent } from '../../../src/core/check-event.ts'
import type { AskedAt } from '../../../src/core/product/build-line-schema.ts'
import type { BuildNumber } from '../../../src/core/product/build-number.ts'
import type { OpenIndex } from '../../../src/core/release/open.ts'
import { compareVersions, parseVersion } from '../../../src/core/version/version.ts'
import { asked, build, CONFIGURATION, configuredWorld, EDGE, event, PLATFORM, sha, World } from '../decided.ts'

const byBuilds = (): World =>
  configuredWorld((text) => text.replace('name: api', 'name: api\n    scheme: semver-build'))

const ask = (
  world: World,
  id: number,
  wanted: string | null = null,
  more: { attempt?: number; product?: string; askedAt?: AskedAt } = {},
) => {
  const { attempt = 1, product = 'api', askedAt = null } = more
  const found = world.ask({
    kind: 'build-number-asked',
    product,
    run: { id, attempt },
    wanted,
    askedAt,
    ...asked,
  })
  return { ...found, ...(found.answer as BuildNumber | undefined) }
}
const built = (world: World, version: string, start: string) =>
  world.ask(build({ sha: sha(start), record: { version, run: { id: 1, attempt: 1, job: version } } }))
const cut = (world: World, version: string, more: object = {}) =>
  world.record([
    event('cut.asked', {
      id: `${world.log.length + 1}-0`,
      product: 'api',
      version,
      from: version,
      sha: sha('a1'),
      repository: PLATFORM,
      tag: `v${version}`,
      branch: null,
      release: { prerelease: false, generatedNotes: true },
      issue: 5,
      ...more,
    }),
  ])
const FILES_ONLY = {
  ...{ tag: null, release: null },
  versionFiles: { branch: 'ringmaster/v5.0.0', named: [], folder: null },
}

describe('a build number', () => {
  it('counts up from 1 on the first base, one for each attempt of a run', () => {
    const world = byBuilds()
    expect(ask(world, 7)).toMatchObject({ version: '0.1.0-1', repeated: false, types: ['build-number.handed_out'] })
    expect(ask(world, 8).version).toBe('0.1.0-2')
    expect(ask(world, 7, null, { attempt: 2 }).version).toBe('0.1.0-3')
    expect(world.log.filter(({ type }) => type === 'build-number.handed_out').map(checkEvent)).toEqual([
      null,
      null,
      null,
    ])
  })

  it('is the same for an attempt that asks again, whatever came since or it wants now', () => {
    const world = byBuilds()
    ask(world, 7)
    ask(world, 8, '3.0.0')
    expect(ask(world, 7, '4.0.0')).toMatchObject({ version: '0.1.0-1', repeated: true, types: [] })
  })

  it.each<[string, (world: World) => unknown, string | null, string]>([
    ['from what the commits ask for', () => {}, '2.0.0', '2.0.0-1'],
    ['from the minor after a release that was recorded', (world) => built(world, '1.2.0', 'a1'), null, '1.3.0-1'],
    ['from the minor after a release that was cut', (world) => cut(world, '1.2.0'), '1.2.1', '1.3.0-1'],
    ['above a number that a build was recorded with', (world) => built(world, '1.3.0-41', 'a1'), null, '1.3.0-42'],
    ['above a recorded candidate of no release yet', (world) => built(world, '1.3.0-rc.1', 'a1'), '1.3.0', '1.3.0-1'],
  ])('goes on %s', (_, given, wanted, version) => {
    const world = byBuilds()
    given(world)
    expect(ask(world, 7, wanted).version).toBe(version)
  })

  it('goes on from the next minor once a release is cut, and does not come back for a fix of it', () => {
    const world = byBuilds()
    expect(ask(world, 1, '1.2.0').version).toBe('1.2.0-1')
    expect(ask(world, 2, '1.2.0').version).toBe('1.2.0-2')
    cut(world, '1.2.0')
    expect(ask(world, 3, '1.2.1').version).toBe('1.3.0-1')
    built(world, '1.2.1', 'a2')
    expect(ask(world, 4, null).version).toBe('1.3.0-2')
    expect(ask(world, 5, '1.2.2').version).toBe('1.3.0-3')
  })

  it('counts a cut that was refused as none', () => {
    const world = byBuilds()
    cut(world, '1.2.0')
    const outcome = { kind: 'refused' as const, code: 'tag-elsewhere', message: 'no', hint: null }
    world.ask({ kind: 'cut-settled', product: 'api', cut: `${world.log.length}-0`, outcome, ...asked })
    expect(ask(world, 7).version).toBe('0.1.0-1')
  })

  it('counts a version that was only written into files as none', () => {
    const world = byBuilds()
    cut(world, '5.0.0', FILES_ONLY)
    expect(ask(world, 7).version).toBe('0.1.0-1')
    cut(world, '1.2.0')
    cut(world, '6.0.0', FILES_ONLY)
    expect(ask(world, 8).version).toBe('1.3.0-1')
  })

  it('is refused for a product of another scheme, or for none of the configuration', () => {
    expect(ask(byBuilds(), 7, null, { product: 'web' }).codes).toEqual(['version-scheme'])
    expect(ask(byBuilds(), 7, null, { product: 'billing' }).codes).toEqual(['unknown-product'])
    expect(ask(new World(), 7).codes).toEqual(['unknown-product'])
  })

  it.each([
    [PLATFORM, 'Did you mean'],
    [EDGE, 'No such product is configured'],
  ])('suggests to %s only the names of its own products', (repository, hint) => {
    const world = byBuilds()
    ask(world, 7, null, { product: 'apo', askedAt: { repository, sha: sha('a1') } })
    expect(world.log.at(-1)).toMatchObject({
      type: 'build-number.refused',
      data: { code: 'unknown-product', hint: expect.stringContaining(hint) },
    })
  })

  it('is answered on the commit where a workflow asked, and kept for its attempt', () => {
    const world = byBuilds()
    const askedAt = { repository: PLATFORM, sha: sha('a1') }
    const first = ask(world, 7, null, { askedAt })
    expect(first.events[0]?.data).toMatchObject({ version: '0.1.0-1', asked: askedAt })
    expect(world.state('build-slot/7/1/api')).toEqual({ product: 'api', version: '0.1.0-1', asked: askedAt })
    expect(ask(world, 7, '3.0.0', { askedAt }).types).toEqual([])
    expect(world.state<OpenIndex>('index/open')?.numbers).toEqual(['build-slot/7/1/api'])
  })

  it('is refused where a repository asks that is not the product’s', () => {
    const told = ask(byBuilds(), 7, null, { askedAt: { repository: EDGE, sha: sha('a1') } })
    expect([told.codes, told.types]).toEqual([['product-elsewhere'], ['build-number.refused']])
  })

  it('tells a workflow once why it gets none, and hands it out once that is mended', () => {
    const world = configuredWorld()
    const askedAt = { repository: PLATFORM, sha: sha('a1') }
    expect(ask(world, 7, null, { askedAt }).types).toEqual(['build-number.refused'])
    expect(ask(world, 7, null, { askedAt })).toMatchObject({ kind: 'refuse', types: [] })
    expect(world.state('build-slot/7/1/api')).toMatchObject({ refusal: { code: 'version-scheme' }, asked: askedAt })
    expect(world.log.filter(({ type }) => type === 'build-number.refused').map(checkEvent)).toEqual([null])
    world.configure(CONFIGURATION.replace('name: api', 'name: api\n    scheme: semver-build'))
    expect(ask(world, 7, null, { askedAt }).version).toBe('0.1.0-1')
    expect(world.state('build-slot/7/1/api')).toEqual({ product: 'api', version: '0.1.0-1', asked: askedAt })
  })

  it('is refused for what is no version, and where none is left', () => {
    expect(ask(byBuilds(), 7, 'soon').codes).toEqual(['version-parts', 'version-not-a-number'])
    const world = byBuilds()
    built(world, `1.0.0-${Number.MAX_SAFE_INTEGER}`, 'a1')
    const refused = ask(world, 7)
    expect(refused.kind).toBe('refuse')
    expect(refused.types).toEqual([])
  })

  it('never repeats and never falls, whatever is wanted, recorded and cut between', () => {
    const text = fc.tuple(fc.nat(3), fc.nat(3), fc.nat(3)).map((parts) => parts.join('.'))
    const step = fc.oneof(
      fc.record({ kind: fc.constant('ask' as const), wanted: fc.option(text) }),
      fc.record({ kind: fc.constant('cut' as const), version: text }),
      fc.record({ kind: fc.constant('build' as const), version: text }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
        const world = byBuilds()
        const handedOut = steps.flatMap((one, index) => {
          if (one.kind === 'cut') cut(world, one.version)
          else if (one.kind === 'build') built(world, one.version, 'a1')
          else return [ask(world, index + 1, one.wanted).version ?? '']
          return []
        })
        for (const [index, version] of handedOut.slice(1).entries()) {
          const [before, after] = [handedOut[index] ?? '', version].map((one) => parseVersion('semver-build', one))
          const order = before?.ok && after?.ok ? compareVersions(before.value, after.value) : null
          expect(order).toEqual({ ok: true, value: -1 })
        }
      }),
      { numRuns: 60 },
    )
  })
})
