import fc from 'fast-check'
import { bucketOf, pseudonymDigest } from '../../src/core/cohort/bucket.ts'
import { QUARANTINE_ID } from '../../src/core/manifest/schema.ts'

const COHORT = 'eu'
const RELEASES = ['R1', 'R2', 'R3', 'R4', 'R5', 'R6'] as const
const BUNDLES = ['B1', 'B2', 'B3', 'B4'] as const
const PSEUDONYMS = ['p-1', 'p-2', 'Ω-3', '\ud800half', ''] as const
const TAGS = ['canary', 'Canary', 'lab'] as const

const oneOf = fc.constantFrom
/** The second kind once for every `times` of the first. */
const mostly = <A, B>(times: number, usual: fc.Arbitrary<A>, other: fc.Arbitrary<B>): fc.Arbitrary<A | B> =>
  fc.oneof({ weight: times, arbitrary: usual }, { weight: 1, arbitrary: other })
const absent = fc.constant(undefined)
const maybe = <T>(value: fc.Arbitrary<T>) => mostly(1, value, absent)
const nullish = <T>(value: fc.Arbitrary<T>) => mostly(2, value, oneOf(null, undefined))

const NOW = '2026-11-20T12:00:00Z'
const PAST = [
  '2026-01-01T00:00:00Z',
  '2026-11-20T12:00:00+00:00',
  '2026-11-20T13:29:59.9+01:30',
  '0000-02-29T00:00:00Z',
]
const AHEAD = ['2026-11-20T12:00:00.001Z', '2026-11-20T11:00:00-01:01', '2027-01-01T00:00:00Z']
const NO_INSTANT = [
  '2026-02-30T00:00:00Z',
  '2026-11-20T12:00:60Z',
  '2026-11-20',
  '2026-11-20T12:00:00Z\n',
  '２026-01-01T00:00:00Z',
  '2026-01-01T00:00:00+24:00',
  '',
]
const schedule = mostly(6, oneOf(...PAST), oneOf(...AHEAD, ...NO_INSTANT))
const instant = mostly(6, oneOf(...PAST, ...AHEAD), oneOf(...NO_INSTANT))

const VERSIONS = [
  '1.0.0',
  '1.2.0-rc.1',
  '1.2.0',
  '1.2.0+b.01',
  '1.10.0',
  '2.0.0-alpha.2',
  '2.0.0-RC',
  '2.0.0',
  '10.0.0',
  '9007199254740993.0.0',
] as const
const NO_VERSION = [
  '1.2',
  'v1.2.0',
  '01.2.0',
  '1.2.0-',
  '1.2.0-01',
  '1.2.0-a..b',
  '1.2.0+',
  '1.2.0\n',
  '١.2.0',
  `1.0.0-${'a'.repeat(251)}`,
]
const version = mostly(6, oneOf(...VERSIONS), oneOf(...NO_VERSION))

const COMPARISONS = [
  '>= 1.0.0',
  '< 2.0.0',
  '~> 1.2',
  '~> 1.2.0',
  '!= 1.10.0',
  '! 1.2.0',
  '== 1.2.0',
  '2.0.0',
  '>1.0.0',
  '<= 9007199254740992.0.0',
  '~> 2.0.0-alpha',
]
const PIECES = [
  '>=',
  '<',
  '~>',
  '!',
  '=',
  '==',
  ' and ',
  ' or ',
  ' and',
  ' ',
  '  ',
  '1.2.3',
  '1.2',
  '1',
  '01.2.3',
  '-rc.1',
  '+b',
  'v',
  '^',
  ',',
  '\t',
]
const requirement = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .array(fc.tuple(oneOf(...COMPARISONS), oneOf(' and ', ' or ')), { minLength: 1, maxLength: 3 })
      .map((parts) => parts.map(([text, join], at) => (at === 0 ? text : join + text)).join('')),
  },
  { weight: 2, arbitrary: fc.array(oneOf(...PIECES), { maxLength: 6 }).map((pieces) => pieces.join('')) },
)

const threshold = mostly(
  4,
  oneOf('0', `4${'0'.repeat(31)}`, `8${'0'.repeat(31)}`, `1${'0'.repeat(32)}`),
  oneOf('', '00', '0x8', '8A', `1${'0'.repeat(31)}1`, 8, null, ` ${'8'.repeat(32)}`),
)
const salt = mostly(6, oneOf('s', 'sälz', '\ud83d\ude00'), oneOf('', 'x'.repeat(129), '\ud83d\ude00'.repeat(65), 7))
const epoch = mostly(4, oneOf(0, 3, 4, null, undefined), oneOf(-1, 3.5, '3', true, 2 ** 53))
const tags = mostly(4, fc.array(oneOf(...TAGS), { maxLength: 2 }), oneOf([''], 'canary', [7], ['x'.repeat(129)]))
const halted = mostly(
  8,
  oneOf(undefined, null),
  oneOf({ at: NOW, reason: 'bad boot' }, { at: 'now', reason: 'x' }, { at: NOW }, true),
)
const byBucket = { salt, epoch, tags: maybe(tags), halted }
const listed = fc.array(
  fc.oneof(
    {
      weight: 8,
      arbitrary: oneOf(
        ...PSEUDONYMS.map((pseudonym) => bucketOf({ cohort: COHORT, release: 'R3', salt: 's' }, pseudonym)),
      ),
    },
    { weight: 1, arbitrary: oneOf('zz', 'A'.repeat(32), 7) },
  ),
  { maxLength: 3 },
)
const phase = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('everybody'), halted }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('tags'), tags, halted }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('share'), threshold, ...byBucket }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('ramp'),
      from: mostly(3, fc.constant('0'), threshold),
      to: threshold,
      startsAt: instant,
      endsAt: mostly(3, fc.constant('2027-01-02T00:00:00Z'), instant),
      until: instant,
      ...byBucket,
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('list'), buckets: listed, ...byBucket }) },
  { weight: 1, arbitrary: oneOf({ kind: 'moon' }, {}, null, 'everybody', [], { kind: '__proto__' }, undefined) },
)

const release = (id: string, following: string | null) =>
  fc.record({
    id: mostly(20, fc.constant(id), oneOf(...RELEASES)),
    bundle: oneOf(...BUNDLES),
    version: maybe(version),
    requirement: maybe(requirement),
    next: mostly(12, fc.constant(following), oneOf(...RELEASES, 'R9', null)),
    required: mostly(5, fc.constant(false), fc.constant(true)),
    disabled: mostly(7, absent, fc.constant({ reason: 'withdrawn' })),
    holds: mostly(7, absent, fc.constant([{ target: 'arm64', reason: 'no wifi' }])),
    schedule,
    phase,
  })

const releases = fc
  .integer({ min: 0, max: RELEASES.length })
  .chain((count) =>
    fc.tuple(
      ...RELEASES.slice(0, count).map((id, at) => release(id, at + 1 < count ? (RELEASES[at + 1] ?? null) : null)),
    ),
  )

const override = (id: string) =>
  fc.record({
    id: fc.constant(id),
    bundle: oneOf(...BUNDLES),
    startsAt: instant,
    endsAt: nullish(instant),
    salt: fc.constant('o'),
    devices: fc.subarray(PSEUDONYMS.map((pseudonym) => pseudonymDigest({ id, salt: 'o' }, pseudonym))),
    tags: fc.array(oneOf(...TAGS), { maxLength: 1 }),
  })
const overrides = mostly(3, fc.constant([]), fc.tuple(override('O1'), override('O2'), override('O3')))

const quarantine = mostly(
  9,
  fc.constant(null),
  fc.record({
    salt: fc.constant('q'),
    devices: fc.subarray(PSEUDONYMS.map((pseudonym) => pseudonymDigest({ id: QUARANTINE_ID, salt: 'q' }, pseudonym))),
  }),
)

const manifest = fc.record({
  schema: fc.constant('ringmaster/manifest/1'),
  cohort: fc.constant(COHORT),
  issuedAt: fc.constant('2026-11-20T06:00:00Z'),
  expiresAt: fc.constant('2026-12-20T00:00:00Z'),
  pollAfterSeconds: fc.constant(3_600),
  requirementDialect: fc.constant('elixir'),
  releases,
  bundles: fc.constant([]),
  overrides,
  quarantine,
  movedTo: oneOf(null, null, null, null, null, null, null, COHORT, 'us'),
  entryRelease: oneOf(null, null, 'R1', 'R3', 'R9'),
  ledgerHead: fc.constant(`sha256:${'0'.repeat(64)}`),
})

const report = fc.record({
  release: maybe(oneOf(...RELEASES, '', '?unknown')),
  bundle: maybe(oneOf(...BUNDLES, 'B9')),
  version: maybe(version),
})

const device = fc.record({
  pseudonym: maybe(oneOf(...PSEUDONYMS)),
  epoch: maybe(oneOf(0, 3, 4, 5)),
  tags: fc.array(oneOf(...TAGS), { maxLength: 2 }),
  target: maybe(oneOf('arm64', 'amd64')),
  quarantined: oneOf(false, false, false, false, false, false, true),
  recordedBundle: maybe(oneOf(...BUNDLES)),
})

const now = mostly(9, fc.constant(NOW), oneOf('2026-11-20T14:00:00.5+01:00'))

/**
 * Update checks over small channels that are mostly sound and often bent in one place: odd versions, requirements,
 * instants, phases, links. Everything is JSON, as it would come over a wire.
 */
export const questions = fc.record({ manifest, report, device, now }).map((question) => JSON.stringify(question))
