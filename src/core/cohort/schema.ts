import { z } from 'zod'
import { isNestedAtMost } from '../nesting.ts'
import { instantMs } from './instant.ts'
import { compileRequirement, MAX_REQUIREMENT_LENGTH } from './requirement.ts'
import { MAX_VERSION_LENGTH, parseVersion } from './semantic-version.ts'
import { parseShare, parseThreshold, THRESHOLD_SHAPE } from './threshold.ts'

export const MAX_RELEASES = 5_000
export const MAX_METADATA_BYTES = 1_000_000
const MAX_METADATA_LEVELS = 64
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

export const Halt = z.object({
  at: Instant.describe('Since when.'),
  reason: z.string().max(2_000).describe('Why, for people.'),
})
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
const DeclaredBase = { halted: StrictHalt.optional().describe('Nobody is let in since then, for this reason.') }
const BesideTags = Tags.optional().describe('Devices that are let in beside, by any of these tags.')

/** A phase as people write it: what is wanted, before a roster turns it into permissions. Strict. */
export const DeclaredPhase = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('everybody'), ...DeclaredBase }),
  z.strictObject({
    kind: z.literal('tags'),
    tags: Tags.describe('Devices with any of these are let in.'),
    ...DeclaredBase,
  }),
  z.strictObject({
    kind: z.literal('share'),
    share: ShareText.describe('From "0" to "1" as decimal text, such as "0.25".'),
    tags: BesideTags,
    ...DeclaredBase,
  }),
  z.strictObject({
    kind: z.literal('count'),
    count: z.int().min(0).max(1_000_000_000).describe('How many enrolled devices; needs a roster.'),
    tags: BesideTags,
    ...DeclaredBase,
  }),
  z
    .strictObject({
      kind: z.literal('ramp'),
      from: ShareText.describe('The share at its start.'),
      to: ShareText.describe('The share at its end, at least that of its start.'),
      startsAt: Instant.describe('When it begins to grow.'),
      endsAt: Instant.describe('When it has grown.'),
      tags: BesideTags,
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
  name: z.string().min(1).max(128).describe('Once for each target.'),
  target: z.string().min(1).max(256).describe('What it is for, such as an architecture.'),
  size: z.int().min(0).max(53_687_091_200_000).describe('Bytes.'),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .describe('Its digest, in lower-case hexadecimal.'),
  url: z.url({ protocol: /^https?$/ }).describe('Where it is fetched from, by http or https.'),
  customMetadata: z
    .record(z.string(), z.unknown())
    .refine((value) => isNestedAtMost(value, MAX_METADATA_LEVELS), {
      abort: true,
      error: `expected custom metadata of at most ${MAX_METADATA_LEVELS} levels`,
    })
    .refine((value) => metadataBytes(value) <= MAX_METADATA_BYTES, {
      error: `expected at most ${MAX_METADATA_BYTES} bytes of custom metadata`,
    })
    .optional()
    .describe('For the installer, as it is.'),
})
export type Artifact = z.infer<typeof Artifact>

const firstRepeated = (keys: readonly string[]): number => {
  const seen = new Set<string>()
  return keys.findIndex((key) => seen.size === seen.add(key).size)
}

/** What a device installs together. Immutable. */
export const Bundle = z
  .strictObject({
    id: Id.describe('What releases and overrides name it by.'),
    product: Id.describe('What it is a version of.'),
    version: z.string().min(1).max(MAX_VERSION_LENGTH).describe('Which version.'),
    artifacts: z.array(Artifact).min(1).max(1_000).describe('What is installed together.'),
    customerAction: z
      .string()
      .min(1)
      .max(10_000)
      .optional()
      .describe('What the customer has to do, in words; left out when nothing.'),
  })
  .superRefine(({ artifacts }, context) => {
    const at = firstRepeated(artifacts.map(({ name, target }) => JSON.stringify([name, target])))
    if (at === -1) return
    context.addIssue({ code: 'custom', path: ['artifacts', at], message: 'expected each name once for each target' })
  })
export type Bundle = z.infer<typeof Bundle>

/** One architecture that must not take the release though others may. */
export const TargetHold = z.strictObject({
  target: z.string().min(1).max(256).describe('As its artifacts name it.'),
  reason: z.string().min(1).max(2_000).describe('Why, for people.'),
})
export type TargetHold = z.infer<typeof TargetHold>

const ReleaseBase = {
  id: Id.describe('Its name in the channel, once.'),
  bundle: Id.describe('The id of the bundle that is offered.'),
  name: z.string().min(1).optional().describe('Its name for people.'),
  version: VersionText.optional().describe('What a device that has taken it runs.'),
  requirement: z
    .string()
    .min(1)
    .max(MAX_REQUIREMENT_LENGTH)
    .optional()
    .describe('Versions that it may be taken from; any when left out.'),
  next: Id.nullable().describe('The release that follows; null for the latest.'),
  required: z.boolean().describe('Whether no device may pass it over.'),
  disabled: z
    .strictObject({ reason: z.string().min(1).max(2_000).describe('Why, for people.') })
    .optional()
    .describe('Offered to nobody for this reason; left out while it is offered.'),
  holds: z.array(TargetHold).max(100).optional().describe('Targets that must not take it though others may.'),
  schedule: Instant.describe('Offered to nobody before.'),
}

/** One bundle offered to a cohort, as the ledger and the configuration hold it. */
export const ChannelRelease = z.strictObject({ ...ReleaseBase, phase: DeclaredPhase.describe('Who is let in.') })
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
    cohort: Id.describe('The cohort that the file is of.'),
    requirementDialect: RequirementDialect.default('elixir').describe('How its requirements are read.'),
    releases: z.array(ChannelRelease).max(MAX_RELEASES).describe('In the order of their creation.'),
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
    id: Id.describe('Its name.'),
    name: z.string().min(1).max(128).optional().describe('Its name for people.'),
    bundle: Id.describe('The id of the bundle that is forced.'),
    startsAt: Instant.describe('From then on.'),
    endsAt: Instant.nullish().describe('Until then, exclusive; for ever when left out.'),
    salt: Salt.describe('What the digests of its devices are made with.'),
    devices: z
      .array(BucketText)
      .max(MAX_LISTED)
      .default([])
      .describe('Digests of pseudonyms; a public file never holds the pseudonyms themselves.'),
    tags: z.array(Tag).max(MAX_TAGS).default([]).describe('Devices with any of these.'),
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
