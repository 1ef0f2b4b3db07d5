import { z } from 'zod'
import { instantMs } from './instant.ts'
import { compileRequirement, MAX_REQUIREMENT_LENGTH } from './requirement.ts'
import { MAX_VERSION_LENGTH, parseVersion } from './semantic-version.ts'
import { parseShare, parseThreshold, THRESHOLD_SHAPE } from './threshold.ts'

export const MAX_RELEASES = 5_000
export const MAX_METADATA_BYTES = 1_000_000
const MAX_TAGS = 1_000
const MAX_LISTED = 10_000

/** A name that the channel's parts refer to each other by; any text, compared exactly. */
export const Id = z.string().min(1).max(256)

/** RFC 3339 date-time with `Z` or an offset. */
export const Instant = z
  .string()
  .max(64)
  .refine((text) => instantMs(text) !== undefined, {
    error: 'expected an instant such as 2026-01-15T12:00:00Z',
  })
  .meta({ format: 'date-time' })

export const Tag = z.string().min(1).max(128)
export const Tags = z.array(Tag).min(1).max(MAX_TAGS)

/** Decimal text from 0 to 1 with at most 18 decimals. */
export const ShareText = z.string().refine((text) => parseShare(text) !== undefined, {
  error: 'expected a share from "0" to "1" as decimal text with at most 18 decimals, such as "0.25"',
})

/** A threshold between buckets, 0 to 2^128, lower-case hexadecimal without leading zeros. */
export const ThresholdText = z.string().regex(THRESHOLD_SHAPE)

/** 128 bits as 32 lower-case hexadecimal digits: a bucket, or the digest that names a device. */
export const BucketText = z.string().regex(/^[0-9a-f]{32}$/)

export const Salt = z.string().min(1).max(128)
export const Epoch = z.int().min(0)

export const Halt = z.object({ at: Instant, reason: z.string().max(2_000) })
export type Halt = z.infer<typeof Halt>

const isOrdered = (phase: { from: string; to: string }): boolean =>
  (parseThreshold(phase.from) ?? 0n) <= (parseThreshold(phase.to) ?? -1n)

const isForward = (phase: { startsAt: string; endsAt: string }): boolean =>
  (instantMs(phase.startsAt) ?? 0) < (instantMs(phase.endsAt) ?? 0)

/** The ramp of a manifest: whole seconds from `startsAt` to `endsAt`, never read past `until`. */
export const Ramp = z
  .object({ from: ThresholdText, to: ThresholdText, startsAt: Instant, endsAt: Instant, until: Instant })
  .refine(isOrdered, { error: 'expected a ramp that grows: from at most to' })
  .refine(isForward, { error: 'expected a ramp that ends after it starts' })
export type Ramp = z.infer<typeof Ramp>

const PhaseBase = { halted: Halt.nullish() }
const BucketBase = { ...PhaseBase, salt: Salt, epoch: Epoch.nullish(), tags: z.array(Tag).max(MAX_TAGS).nullish() }

/** A phase as a manifest carries it. Read with `safeParse`: what does not fit admits nobody. */
export const Phase = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('everybody'), ...PhaseBase }),
  z.object({ kind: z.literal('tags'), tags: Tags, ...PhaseBase }),
  z.object({ kind: z.literal('share'), threshold: ThresholdText, ...BucketBase }),
  z
    .object({ kind: z.literal('ramp'), ...Ramp.shape, ...BucketBase })
    .refine(isOrdered)
    .refine(isForward),
  z.object({ kind: z.literal('list'), buckets: z.array(BucketText).max(MAX_LISTED), ...BucketBase }),
])
export type Phase = z.infer<typeof Phase>

const StrictHalt = z.strictObject(Halt.shape)
const DeclaredBase = { halted: StrictHalt.optional() }

/** A phase as people write it: what is wanted, before a roster turns it into permissions. Strict. */
export const DeclaredPhase = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('everybody'), ...DeclaredBase }),
  z.strictObject({ kind: z.literal('tags'), tags: Tags, ...DeclaredBase }),
  z.strictObject({ kind: z.literal('share'), share: ShareText, tags: Tags.optional(), ...DeclaredBase }),
  z.strictObject({
    kind: z.literal('count'),
    count: z.int().min(0).max(1_000_000_000),
    tags: Tags.optional(),
    ...DeclaredBase,
  }),
  z
    .strictObject({
      kind: z.literal('ramp'),
      from: ShareText,
      to: ShareText,
      startsAt: Instant,
      endsAt: Instant,
      tags: Tags.optional(),
      ...DeclaredBase,
    })
    .refine(isForward, { error: 'expected a ramp that ends after it starts', path: ['endsAt'] }),
])
export type DeclaredPhase = z.infer<typeof DeclaredPhase>

export const RequirementDialect = z.enum(['elixir', 'npm'])

export const VersionText = z
  .string()
  .max(MAX_VERSION_LENGTH)
  .refine((text) => parseVersion(text) !== undefined, { error: 'expected a version such as 1.2.3 or 1.2.3-rc.1' })

const metadataBytes = (value: unknown): number => Buffer.byteLength(JSON.stringify(value), 'utf8')

export const Artifact = z.strictObject({
  name: z.string().min(1).max(128),
  target: z.string().min(1).max(256),
  /** Bytes. */
  size: z.int().min(0).max(53_687_091_200_000),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  url: z.url({ protocol: /^https?$/ }),
  customMetadata: z
    .record(z.string(), z.unknown())
    .refine((value) => metadataBytes(value) <= MAX_METADATA_BYTES, {
      error: `expected at most ${MAX_METADATA_BYTES} bytes of custom metadata`,
    })
    .optional(),
})
export type Artifact = z.infer<typeof Artifact>

const firstRepeated = (keys: readonly string[]): number => {
  const seen = new Set<string>()
  return keys.findIndex((key) => seen.size === seen.add(key).size)
}

/** What a device installs together. Immutable. */
export const Bundle = z
  .strictObject({
    id: Id,
    product: Id,
    version: z.string().min(1).max(MAX_VERSION_LENGTH),
    artifacts: z.array(Artifact).min(1).max(1_000),
    /** What the customer has to do, in words; absent when nothing. */
    customerAction: z.string().min(1).max(10_000).optional(),
  })
  .superRefine(({ artifacts }, context) => {
    const at = firstRepeated(artifacts.map(({ name, target }) => JSON.stringify([name, target])))
    if (at === -1) return
    context.addIssue({ code: 'custom', path: ['artifacts', at], message: 'expected each name once for each target' })
  })
export type Bundle = z.infer<typeof Bundle>

/** One architecture that must not take the release though others may. */
export const TargetHold = z.strictObject({ target: z.string().min(1).max(256), reason: z.string().min(1).max(2_000) })
export type TargetHold = z.infer<typeof TargetHold>

const ReleaseBase = {
  id: Id,
  bundle: Id,
  name: z.string().min(1).optional(),
  version: VersionText.optional(),
  requirement: z.string().min(1).max(MAX_REQUIREMENT_LENGTH).optional(),
  /** The release that follows; null for the latest. */
  next: Id.nullable(),
  required: z.boolean(),
  disabled: z.strictObject({ reason: z.string().min(1).max(2_000) }).optional(),
  holds: z.array(TargetHold).max(100).optional(),
  /** Not resolvable before. */
  schedule: Instant,
}

/** One bundle offered to a cohort, as the ledger and the configuration hold it. */
export const ChannelRelease = z.strictObject({ ...ReleaseBase, phase: DeclaredPhase })
export type ChannelRelease = z.infer<typeof ChannelRelease>

/**
 * A channel release as a device reads it. Unknown members are left out, and the phase is read by the admission, so
 * that one malformed phase costs one release and not the manifest.
 */
export const ManifestRelease = z.object({ ...ReleaseBase, phase: z.unknown().optional() })
export type ManifestRelease = z.infer<typeof ManifestRelease>

/** The releases of a cohort in the order of their creation. Graph rules are checked by `checkChannel`. */
export const Channel = z
  .strictObject({
    cohort: Id,
    requirementDialect: RequirementDialect.default('elixir'),
    releases: z.array(ChannelRelease).max(MAX_RELEASES),
  })
  .superRefine(({ releases, requirementDialect }, context) => {
    const repeated = firstRepeated(releases.map(({ id }) => id))
    if (repeated !== -1)
      context.addIssue({ code: 'custom', path: ['releases', repeated, 'id'], message: 'expected each id once' })
    releases.forEach(({ requirement }, at) => {
      const compiled = requirement === undefined ? undefined : compileRequirement(requirement, requirementDialect)
      if (compiled === undefined || compiled.ok) return
      const message = compiled.problems.map((problem) => problem.message).join('; ')
      context.addIssue({ code: 'custom', path: ['releases', at, 'requirement'], message })
    })
  })
export type Channel = z.infer<typeof Channel>

/** One bundle forced on chosen devices from `startsAt` until `endsAt` (exclusive), or for ever. */
export const Override = z
  .strictObject({
    id: Id,
    name: z.string().min(1).max(128).optional(),
    bundle: Id,
    startsAt: Instant,
    endsAt: Instant.nullish(),
    salt: Salt,
    /** Digests by `pseudonymDigest`; a public file never holds the pseudonyms themselves. */
    devices: z.array(BucketText).max(MAX_LISTED).default([]),
    tags: z.array(Tag).max(MAX_TAGS).default([]),
  })
  .refine(({ startsAt, endsAt }) => endsAt == null || (instantMs(endsAt) ?? 0) > (instantMs(startsAt) ?? 0), {
    error: 'expected endsAt after startsAt',
    path: ['endsAt'],
  })
export type Override = z.infer<typeof Override>

/** What a device says that it runs. Untrusted; what identifies nothing is passed over. */
export const DeviceReport = z.object({
  release: z.string().max(1_024).optional(),
  bundle: z.string().max(1_024).optional(),
  version: z.string().max(1_024).optional(),
})
export type DeviceReport = z.infer<typeof DeviceReport>

/** What is known about a device beside its report; pseudonym and epoch come from its enrolment record. */
export const Device = z.object({
  pseudonym: z.string().max(1_024).optional(),
  epoch: Epoch.optional(),
  tags: z.array(z.string().max(128)).max(MAX_TAGS).default([]),
  target: z.string().max(256).optional(),
  quarantined: z.boolean().default(false),
  /** The bundle last recorded for the device, where there is a record. */
  recordedBundle: Id.optional(),
})
export type Device = z.infer<typeof Device>
