import { describe, expect, it } from '@jest/globals'
import type { Bundle, ChannelRelease } from '../../../src/core/cohort/schema.ts'
import { sha256 } from '../../../src/core/json.ts'
import { referenceTo } from '../../../src/core/manifest/build.ts'
import { Manifest } from '../../../src/core/manifest/schema.ts'
import type { ViewSource } from '../../../src/core/manifest/views.ts'
import { type CincinnatiGraph, graphView } from '../../../src/core/manifest/views-graph.ts'
import { downloadsOf, ringPages } from '../../../src/core/manifest/views-page.ts'
import { checksumView, closedChecksums } from '../../../src/core/manifest/views-sums.ts'
import type { Checked } from '../../../src/core/problem.ts'

const NOW = '2026-11-20T12:00:00Z'
const AHEAD = '2026-11-21T00:00:00Z'
const EMPTY_SHA256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
const HALF = { kind: 'share', salt: 's', threshold: `8${'0'.repeat(31)}` }

const digestAt = (version: string, target: string): string => sha256(`${version} ${target}`).slice(7)

const bundleAt = (version: string, targets: readonly string[] = ['arm64']): Bundle => ({
  id: `B-${version}`,
  product: 'Gateway',
  version,
  artifacts: targets.map((target) => ({
    name: 'firmware',
    target,
    size: 48_000_000,
    sha256: digestAt(version, target),
    url: `https://downloads.example/v${version}/gateway-${version}-${target}.raucb?x=1#y`,
  })),
})

type Bend = Partial<Omit<ChannelRelease, 'phase'>> & { phase?: unknown; targets?: string[]; url?: string }

/** A chain of releases 1.0.0, 2.0.0 …, each bent as the case wants. */
function sourceOf(bends: readonly Bend[], changes: Partial<Manifest> = {}): ViewSource {
  const versions = bends.map((_, at) => `${at + 1}.0.0`)
  const bundles = bends.map(({ targets, url }, at) => {
    const bundle = bundleAt(versions[at]!, targets)
    return url === undefined
      ? bundle
      : { ...bundle, artifacts: bundle.artifacts.map((artifact) => ({ ...artifact, url })) }
  })
  const manifest = Manifest.parse({
    schema: 'ringmaster/manifest/1',
    cohort: 'eu',
    issuedAt: '2026-11-20T06:00:00Z',
    expiresAt: '2026-12-04T06:00:00Z',
    pollAfterSeconds: 3_600,
    requirementDialect: 'elixir',
    releases: bends.map(({ targets: _targets, url: _url, ...bend }, at) => ({
      id: `R${at + 1}`,
      bundle: bundles[at]!.id,
      version: versions[at],
      requirement: `< ${versions[at]}`,
      next: at + 1 < bends.length ? `R${at + 2}` : null,
      required: false,
      schedule: '2026-01-01T00:00:00Z',
      phase: { kind: 'everybody' },
      ...bend,
    })),
    bundles: bundles.map((bundle) => referenceTo(bundle, 'main')),
    overrides: [],
    quarantine: null,
    movedTo: null,
    entryRelease: null,
    ledgerHead: `sha256:${'0'.repeat(64)}`,
    ...changes,
  })
  return { manifest, bundles: new Map(bundles.map((bundle) => [bundle.id, bundle])), now: NOW }
}

const codesOf = (checked: Checked<unknown>): string[] => (checked.ok ? [] : checked.problems.map(({ code }) => code))
const valueIn = <T>(checked: Checked<T>): T => {
  if (!checked.ok) throw new Error(checked.problems.map(({ message }) => message).join('\n'))
  return checked.value
}

const override = {
  id: 'O1',
  bundle: 'B-1.0.0',
  startsAt: '2026-01-01T00:00:00Z',
  salt: 's',
  devices: [],
  tags: ['lab'],
}
const halted = { at: NOW, reason: 'bad boot' }

/** What neither checksums nor a graph can say. */
const REFUSED_BY_BOTH: readonly (readonly [string, string, ViewSource])[] = [
  ['a share', 'phase-not-carried', sourceOf([{}, { phase: HALF }])],
  ['a phase by tags', 'phase-not-carried', sourceOf([{}, { phase: { kind: 'tags', tags: ['lab'] } }])],
  ['a list', 'phase-not-carried', sourceOf([{}, { phase: { kind: 'list', salt: 's', buckets: [] } }])],
  ['a start ahead', 'schedule-not-carried', sourceOf([{}, { schedule: AHEAD }])],
  ['an override in force', 'override-not-carried', sourceOf([{}, {}], { overrides: [override as never] })],
  [
    'an override ahead',
    'override-not-carried',
    sourceOf([{}, {}], { overrides: [{ ...override, startsAt: AHEAD } as never] }),
  ],
  [
    'a quarantine',
    'quarantine-not-carried',
    sourceOf([{}, {}], { quarantine: { salt: 'q', devices: ['0'.repeat(32)] } }),
  ],
  ['a move', 'cohort-moved', sourceOf([{}, {}], { movedTo: 'us' })],
  ['an expired manifest', 'manifest-expired', sourceOf([{}, {}], { expiresAt: NOW })],
  ['an artifact that is not there', 'artifact-missing', sourceOf([{}, { targets: ['amd64'] }])],
  [
    'a version without an order',
    'version-missing',
    {
      ...sourceOf([{}]),
      manifest: {
        ...sourceOf([{}]).manifest,
        releases: [{ ...sourceOf([{}]).manifest.releases[0]!, version: 'spring' }],
      },
    },
  ],
]

describe('a view for plain clients', () => {
  it.each(REFUSED_BY_BOTH)('is refused for %s, whichever it is', (_, code, source) => {
    expect(codesOf(checksumView(source))).toContain(code)
    expect(codesOf(graphView(source, 'arm64'))).toContain(code)
  })

  it('is refused with every reason at once', () => {
    const source = sourceOf([{}, { phase: HALF, schedule: AHEAD }], { movedTo: 'us', overrides: [override as never] })
    const codes = ['phase-not-carried', 'schedule-not-carried', 'cohort-moved', 'override-not-carried']
    expect(codesOf(graphView(source, 'arm64')).sort()).toEqual(codes.sort())
  })
})

const sums = (source: ViewSource): string[] => valueIn(checksumView(source)).split('\n').slice(0, -1)
const line = (version: string, target = 'arm64'): string =>
  `${digestAt(version, target)} *gateway-${version}-${target}.raucb`
const FRESH = `${EMPTY_SHA256} *BEST-BEFORE-2026-12-03`

describe('the checksums of a cohort', () => {
  it.each<[string, ViewSource, string[]]>([
    ['names the newest and until when it holds', sourceOf([{}, {}, {}]), [FRESH, line('3.0.0')]],
    ['steps back past what is disabled', sourceOf([{}, {}, { disabled: { reason: 'x' } }]), [FRESH, line('2.0.0')]],
    [
      'steps back past what is halted, whatever its phase',
      sourceOf([{}, {}, { phase: { ...HALF, halted } }]),
      [FRESH, line('2.0.0')],
    ],
    [
      'steps back past a phase that admits nobody',
      sourceOf([{}, {}, { phase: { kind: 'moon' } }]),
      [FRESH, line('2.0.0')],
    ],
    [
      'does not mind the phase of what is disabled',
      sourceOf([{}, {}, { disabled: { reason: 'x' }, phase: HALF }]),
      [FRESH, line('2.0.0')],
    ],
    [
      'does not mind an override that is over',
      sourceOf([{}], { overrides: [{ ...override, endsAt: NOW } as never] }),
      [FRESH, line('1.0.0')],
    ],
    ['offers a required release that is the latest', sourceOf([{}, { required: true }]), [FRESH, line('2.0.0')]],
    ['is fresh and empty for a channel without releases', sourceOf([]), [FRESH]],
    ['is fresh and empty where all is disabled', sourceOf([{ disabled: { reason: 'x' } }]), [FRESH]],
    [
      'holds a release from one target alone',
      sourceOf([
        { targets: ['amd64', 'arm64'] },
        { targets: ['amd64', 'arm64'], holds: [{ target: 'arm64', reason: 'no wifi' }] },
      ]),
      [FRESH, ...[line('2.0.0', 'amd64'), line('1.0.0')].sort()],
    ],
  ])('%s', (_, source, expected) => {
    expect(sums(source)).toEqual(expected)
  })

  it.each<[string, string, ViewSource]>([
    ['a required release on the way', 'barrier-not-carried', sourceOf([{}, { required: true }, {}])],
    [
      'a requirement that keeps some back',
      'choice-not-carried',
      sourceOf([{}, {}, { requirement: '>= 2.0.0 and < 3.0.0' }]),
    ],
    ['a path that ends early', 'choice-not-carried', sourceOf([{}, { next: 'R9' }, {}])],
    [
      'a manifest that does not hold for a day',
      'expiry-not-carried',
      sourceOf([{}], { expiresAt: '2026-11-20T18:00:00Z' }),
    ],
    [
      'two targets with one file name',
      'name-unusable',
      sourceOf([{ targets: ['amd64', 'arm64'], url: 'https://downloads.example/firmware.bin' }]),
    ],
    ['a name with a blank', 'name-unusable', sourceOf([{ url: 'https://downloads.example/my%20file name.bin' }])],
    [
      'a name that speaks of freshness',
      'name-unusable',
      sourceOf([{ url: 'https://downloads.example/BEST-BEFORE-2099-01-01' }]),
    ],
    ['an address without a name', 'name-unusable', sourceOf([{ url: 'https://downloads.example/' }])],
    ['a name that leads upwards', 'name-unusable', sourceOf([{ url: 'https://downloads.example/..' }])],
  ])('are refused for %s', (_, code, source) => {
    expect(codesOf(checksumView(source))).toContain(code)
  })

  it('have a line for each file alone, each with 64 hexadecimal digits, a star and a plain name', () => {
    const text = valueIn(checksumView(sourceOf([{ targets: ['amd64', 'arm64', 'riscv64'] }])))
    for (const each of text.split('\n').slice(0, -1)) expect(each).toMatch(/^[0-9a-f]{64} \*[\w.+@%,=~-]+$/)
    expect(text.endsWith('\n')).toBe(true)
  })

  it('closed, say only until when that holds', () => {
    expect(closedChecksums(sourceOf([{}, { phase: HALF }]))).toBe(`${FRESH}\n`)
  })
})

const edgesOf = (graph: CincinnatiGraph): string[] =>
  graph.edges.map(([from, to]) => `${graph.nodes[from]?.version}>${graph.nodes[to]?.version}`)

describe('the graph of a cohort', () => {
  it.each<[string, Bend[], string[]]>([
    ['leads from each release to the latest', [{}, {}, {}], ['1.0.0>3.0.0', '2.0.0>3.0.0']],
    ['stops at a required release', [{}, { required: true }, {}], ['1.0.0>2.0.0', '2.0.0>3.0.0']],
    [
      'goes round a disabled release, and leads away from it',
      [{}, { disabled: { reason: 'x' } }, {}],
      ['1.0.0>3.0.0', '2.0.0>3.0.0'],
    ],
    ['steps back past a disabled latest', [{}, {}, { disabled: { reason: 'x' } }], ['1.0.0>2.0.0']],
    ['keeps requirements', [{}, {}, { requirement: '>= 2.0.0 and < 3.0.0' }], ['1.0.0>2.0.0', '2.0.0>3.0.0']],
    ['holds what the target is held from', [{}, {}, { holds: [{ target: 'arm64', reason: 'x' }] }], ['1.0.0>2.0.0']],
    [
      'takes a hold of another target for nothing',
      [{}, { holds: [{ target: 'amd64', reason: 'x' }] }],
      ['1.0.0>2.0.0'],
    ],
    ['has no edges past a halt', [{}, { phase: { kind: 'everybody', halted } }], []],
  ])('%s', (_, bends, edges) => {
    expect(edgesOf(valueIn(graphView(sourceOf(bends), 'arm64')))).toEqual(edges)
  })

  it('finds devices by the digest of their artifact, with texts alone in its metadata', () => {
    const { nodes } = valueIn(graphView(sourceOf([{}, { required: true }]), 'arm64'))
    expect(nodes.map(({ payload }) => payload)).toEqual([digestAt('1.0.0', 'arm64'), digestAt('2.0.0', 'arm64')])
    expect(nodes[1]?.metadata).toMatchObject({
      'org.fedoraproject.coreos.scheme': 'checksum',
      'org.fedoraproject.coreos.releases.age_index': '1',
      'org.fedoraproject.coreos.updates.barrier': 'true',
      'io.ringmaster.size': '48000000',
    })
  })

  it('is refused where two releases have one version', () => {
    expect(codesOf(graphView(sourceOf([{}, { version: '1.0.0' }]), 'arm64'))).toEqual(['version-missing'])
  })
})

const ring = (...sources: ViewSource[]) => ({
  ring: '1.5',
  label: 'Partners & <friends>',
  packages: sources.map((source) => ({ product: 'Gateway "X"', source })),
})

describe('the download page of a ring', () => {
  it('shows what is open to everybody, and goes on showing it while the next one is phased', () => {
    const downloads = downloadsOf(ring(sourceOf([{}, {}, { phase: HALF }, { schedule: AHEAD }])))
    expect(downloads).toMatchObject([{ target: 'arm64', version: '2.0.0', sha256: digestAt('2.0.0', 'arm64') }])
  })

  it('keeps its names from version to version', () => {
    const [before] = downloadsOf(ring(sourceOf([{}])))
    const [after] = downloadsOf(ring(sourceOf([{}, {}])))
    expect(after?.name).toBe(before?.name)
    expect(after?.version).not.toBe(before?.version)
  })

  it.each([
    ['one way round', [sourceOf([{}]), sourceOf([{}, {}])]],
    ['the other way round', [sourceOf([{}, {}]), sourceOf([{}])]],
  ])('shows the higher of two cohorts, given %s', (_, sources) => {
    expect(downloadsOf(ring(...sources)).map(({ version }) => version)).toEqual(['2.0.0'])
  })

  it('shows nothing of a manifest that has expired', () => {
    expect(downloadsOf(ring(sourceOf([{}], { expiresAt: NOW })))).toEqual([])
    expect(ringPages(ring()).get('rings/1.5/index.html')).toContain('Nothing is open to everybody yet.')
  })

  it('lets no name, label, target or address out of its place', () => {
    const target = '"><script>alert(1)</script>\u202e'
    const url = 'https://downloads.example/a"b.bin?x=<&>'
    const pages = [...ringPages(ring(sourceOf([{ targets: [target], url }])))]
    const usual = [...ringPages(ring(sourceOf([{}])))]
    const tagsOf = (text: string) => [...text.matchAll(/<\/?[a-z0-9!]+/g)].map(([tag]) => tag)
    expect(pages.map(([, text]) => tagsOf(text.replace(/^\{.*/s, '')))).toEqual(
      usual.map(([, text]) => tagsOf(text.replace(/^\{.*/s, ''))),
    )
    for (const [path, text] of pages) {
      expect(path).toMatch(/^rings\/1\.5\/[a-z0-9.-]+$/)
      if (!path.endsWith('.html')) continue
      expect(text).not.toContain('\u202e')
      expect(text).toContain("default-src 'none'")
    }
  })

  it('sends browsers nowhere that is not http', () => {
    const pages = ringPages(ring(sourceOf([{ url: 'javascript:alert(1)' }])))
    const page = [...pages].find(([path]) => path.endsWith('-latest.html'))?.[1]
    expect(page).toContain('href="#"')
    expect(page).not.toContain('javascript:')
  })

  it('tells programs the same', () => {
    const json: unknown = JSON.parse(ringPages(ring(sourceOf([{}, {}]))).get('rings/1.5/latest.json') ?? '')
    expect(json).toMatchObject({
      schema: 'ringmaster/latest/1',
      ring: '1.5',
      downloads: [{ version: '2.0.0', size: 48_000_000 }],
    })
  })
})
