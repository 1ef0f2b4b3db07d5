import { draft } from '../catalogue.ts'
import { readConfiguration } from '../config/in-force.ts'
import type { CohortConfig, Configuration, RingConfig } from '../config/schema.ts'
import { type Deciding, type Decision, fact, facts, state, states } from '../decision.ts'
import { type BoardState, boardKey } from '../deployment/schema.ts'
import type { EventDraft } from '../event.ts'
import { sha256 } from '../json.ts'
import { type ProductState, productKey, targetOf, type VersionState, versionKey } from '../product/schema.ts'
import type { Request } from '../request.ts'
import { createRelease } from './channel.ts'
import type { CohortOffer } from './effect.ts'
import type { ChannelEffect } from './effect-schema.ts'
import { channelOf, offerOf, otherVersions } from './offer.ts'
import { compileRequirement } from './requirement.ts'
import type { Bundle, Channel, ChannelRelease } from './schema.ts'
import { parseVersion } from './semantic-version.ts'
import { BUNDLES_KEY, bundleIdOf, bundlesDocument, type CohortState, cohortKey, type SignedBundles } from './state.ts'
import { effectLines } from './telling.ts'

type RingReached = Extract<Request, { kind: 'ring-reached' }>
type BundlesSigned = Extract<Request, { kind: 'bundles-signed' }>
const nothing: Decision<null> = { kind: 'accept', events: [], answer: null }

/**
 * A version completed in an environment. When it now is the good version of every environment of a ring, each cohort
 * that the ring serves is offered it as the latest release of its channel, with what that does to the devices known.
 */
export function* decideRingReached(request: RingReached): Deciding<Decision<null>> {
  const inForce = yield* readConfiguration()
  if (!inForce) return nothing
  const { configuration } = inForce
  const ring = configuration.rings.find((entry) => entry.environments.includes(request.environment))
  const cohorts = configuration.cohorts.filter(
    (cohort) => cohort.product === request.product && (ring?.cohorts ?? []).includes(cohort.id),
  )
  if (!ring || cohorts.length === 0) return nothing
  const board = yield* state<BoardState>(boardKey(request.product))
  if (!isWholeRing(configuration, ring, board, request)) return nothing
  const version = yield* state<VersionState>(versionKey(request.product, request.version))
  /** Devices install nothing that is known by somebody's word alone. */
  if (!version || version.artifacts.length === 0 || version.trust === 'claimed') return nothing
  const bundle = bundleOf(version)
  /** All at once: asked for one by one, many cohorts would take more rounds than a decision has. */
  const known = yield* states<CohortState>(cohorts.map(({ id }) => cohortKey(id)))
  const wanted = cohorts.flatMap((cohort, at) => wantedRelease(cohort, known[at], bundle, request.at) ?? [])
  const product = yield* state<ProductState>(productKey(request.product))
  const salts = yield* facts(wanted.map(({ cohort }) => saltQuery(cohort.id, bundle.id)))
  const effects = yield* facts(wanted.map((one, at) => effectQuery(one, salts[at]?.text ?? '', product, request.at)))
  const events = wanted.flatMap((one, at) =>
    releasedEvents(one, { bundle, salt: salts[at]?.text ?? '', effect: effects[at]?.effect ?? 'unreadable' }, request),
  )
  return { kind: 'accept', events, answer: null }
}

interface WantedRelease {
  readonly cohort: CohortConfig
  readonly known: CohortState | undefined
  readonly release: ChannelRelease
  readonly before: CohortOffer | null
  readonly after: Channel
}

/** What a cohort is to be offered; null where it has it, or where the latest release is scheduled, phased or halted. */
function wantedRelease(
  cohort: CohortConfig,
  known: CohortState | undefined,
  bundle: Bundle,
  at: string,
): WantedRelease | null {
  if (known?.releases.some((release) => release.bundle === bundle.id)) return null
  const release = channelRelease(cohort, bundle, at)
  const { id, requirementDialect } = cohort
  if (!known)
    return { cohort, known, release, before: null, after: { cohort: id, requirementDialect, releases: [release] } }
  /** It waits while the latest release is scheduled, phased or halted; the next sweep asks again. */
  const created = createRelease(channelOf(known, cohort), release, {}, at)
  return created.ok ? { cohort, known, release, before: offerOf(known, cohort), after: created.value } : null
}

const effectQuery = (
  { cohort, known, release, before, after }: WantedRelease,
  salt: string,
  product: ProductState | undefined,
  now: string,
) =>
  ({
    kind: 'channel-effect',
    before,
    after: {
      channel: after,
      overrides: before?.overrides ?? [],
      salts: [...(before?.salts ?? []), { release: release.id, salt }],
      admission: cohort.admission,
      quarantine: before?.quarantine ?? null,
      entryRelease: before?.entryRelease ?? null,
      released: [...(before?.released ?? []), release.bundle],
    },
    others: otherVersions(known, product),
    now,
  }) as const

/** The alarm of a release that would have hurt devices; it ends when somebody has decided about the release. */
export const heldBackAlarm = (cohort: string): string => `held-back/${cohort}`

/**
 * Nobody stands by when a ring is reached: what would hurt devices, or cannot be told, is in the channel and open to
 * nobody until a person has looked.
 */
function releasedEvents(
  { cohort, release }: WantedRelease,
  played: { readonly bundle: Bundle; readonly salt: string; readonly effect: ChannelEffect | 'unreadable' },
  { at, actor, source }: RingReached,
): EventDraft[] {
  const { bundle, salt } = played
  const effect = played.effect === 'unreadable' ? null : played.effect
  const isHarmless = effect?.findings.every(({ severity }) => severity !== 'error') ?? false
  const rest = { at, actor, source, trust: 'platform' as const }
  const offered: ChannelRelease = isHarmless ? release : { ...release, phase: { kind: 'share', share: '0' } }
  const data = { cohort: cohort.id, bundle, release: offered, salt, effect }
  const made = draft('channel.released', data, { key: `channel:${cohort.id}:${bundle.id}`, ...rest })
  if (isHarmless) return [made]
  const why = effect === null ? ['what it does to devices could not be told'] : effectLines(effect)
  const message = `${release.id} has reached the cohort ${cohort.id} and is open to nobody there, because of what it would do: ${why.join('; ')}. Look at it, then say /phase ${cohort.id} latest with whom it is for, or /withdraw or /disable it.`
  const alarm = heldBackAlarm(cohort.id)
  const key = `alarm:${sha256(alarm).slice(7)}:raised:${at}`
  return [
    made,
    draft('alarm.raised', { alarm, code: 'release-held-back', message: message.slice(0, 4_000) }, { key, ...rest }),
  ]
}

/** The salt of a new channel release: nobody can know before who is first in line. */
export function* newSalt(cohort: string, release: string): Deciding<string> {
  const { text } = yield* fact(saltQuery(cohort, release))
  return text
}

const saltQuery = (cohort: string, release: string) =>
  ({ kind: 'random', purpose: `salt/${cohort}/${release}` }) as const

/** Whether a version is the good one of a product in every environment of a ring that concerns the product. */
export function isWholeRing(
  configuration: Configuration,
  ring: RingConfig,
  board: BoardState | undefined,
  item: { readonly product: string; readonly version: string },
): boolean {
  const own = configuration.products.find((product) => product.name === item.product)?.environments
  return ring.environments
    .filter((environment) => own === undefined || own.includes(environment))
    .every((environment) => {
      const good = board?.cells.find((cell) => cell.environment === environment)?.lastGood
      return good?.version === item.version && good.trust !== 'claimed'
    })
}

/** A bundle is a version with its artifacts. */
export const bundleOf = (version: VersionState): Bundle => ({
  id: bundleIdOf(version.product, version.version),
  product: version.product,
  version: version.version,
  artifacts: version.artifacts.map((artifact) => {
    const { name, size, sha256: digest, url, customMetadata } = artifact
    return {
      name,
      target: targetOf(artifact),
      size,
      sha256: digest,
      url,
      ...(customMetadata === undefined ? {} : { customMetadata }),
    }
  }),
  ...(version.customerAction === undefined ? {} : { customerAction: version.customerAction }),
})

/**
 * What a cohort asks of the version that a device runs, below the version that is offered: by what is asked alone a device
 * that reports only its version would be offered the same one again and again.
 */
function requirementFor({ requirement, requirementDialect }: CohortConfig, version: string): string {
  const below = `< ${version}`
  if (requirement === undefined) return below
  const [or, joined, and] = requirementDialect === 'npm' ? ['||', ' || ', ' '] : [' or ', ' or ', ' and ']
  const bounded = requirement
    .split(or)
    .map((asked) => `${asked.trim()}${and}${below}`)
    .join(joined)
  // A range such as "1.0.0 - 2.0.0" takes nothing beside it: it stays as it was asked, and the check tells of a loop.
  return compileRequirement(bounded, requirementDialect).ok ? bounded : requirement
}

/** A version that has an order takes part in resolution by version; any other is found by its place in the channel. */
export function channelRelease(cohort: CohortConfig, bundle: Bundle, at: string): ChannelRelease {
  const ordered = parseVersion(bundle.version) !== undefined
  return {
    id: bundle.id,
    bundle: bundle.id,
    ...(ordered ? { version: bundle.version, requirement: requirementFor(cohort, bundle.version) } : {}),
    next: null,
    required: false,
    schedule: at,
    phase: cohort.firstPhase === 'everybody' ? { kind: 'everybody' } : { kind: 'share', share: '0' },
  }
}

/** The holders of the bundles key signed a list: the manifests may choose among its bundles. */
export function* decideBundlesSigned(request: BundlesSigned): Deciding<Decision<null>> {
  const known = yield* state<SignedBundles>(BUNDLES_KEY)
  const { document, version, bundles } = request
  const digest = sha256(document)
  if (!request.isVerified) {
    return {
      kind: 'refuse',
      events: [],
      problems: [
        {
          code: 'bundles-unsigned',
          message:
            'expected bundles signed by the keys that the published targets name, found other or too few signatures',
          hint: 'Sign the request with the bundles key: ringmaster keys sign.',
        },
      ],
    }
  }
  if (known && known.version >= version) {
    if (known.digest === digest) return nothing
    return {
      kind: 'refuse',
      events: [],
      problems: [
        {
          code: 'bundles-older',
          message: `expected signed bundles newer than version ${known.version}, found version ${version}`,
          hint: 'Sign the newest request again.',
        },
      ],
    }
  }
  return {
    kind: 'accept',
    answer: null,
    documents: [{ path: bundlesDocument(digest), text: document }],
    events: [
      draft(
        'bundles.signed',
        { digest, version, bundles: [...bundles] },
        {
          key: `bundles:${version}:${digest}`,
          at: request.at,
          actor: request.actor,
          source: request.source,
          trust: 'platform',
        },
      ),
    ],
  }
}

type ManifestPublished = Extract<Request, { kind: 'manifest-published' }>

/** What devices can fetch now: the manifest was read back from its public address. */
export function* decideManifestPublished(request: ManifestPublished): Deciding<Decision<null>> {
  const cohort = yield* state<CohortState>(cohortKey(request.cohort))
  if (!cohort || cohort.published?.digest === request.digest) return nothing
  const { digest, address } = request
  return {
    kind: 'accept',
    answer: null,
    events: [
      draft(
        'manifest.published',
        { cohort: cohort.id, digest, address },
        {
          key: `manifest:${cohort.id}:${digest}`,
          at: request.at,
          actor: null,
          source: request.source,
          trust: 'platform',
        },
      ),
    ],
  }
}

type ManifestDue = Extract<Request, { kind: 'manifest-due' }>

/** A manifest nears its end: it is issued again, once for each manifest that was published. */
export function* decideManifestDue(request: ManifestDue): Deciding<Decision<null>> {
  const cohort = yield* state<CohortState>(cohortKey(request.cohort))
  if (!cohort?.published) return nothing
  const rest = { at: request.at, actor: null, source: request.source, trust: 'platform' as const }
  const key = `due:${cohort.id}:${cohort.published.digest}`
  return {
    kind: 'accept',
    answer: null,
    events: [draft('manifest.due', { cohort: cohort.id, reason: 'expiry' }, { key, ...rest })],
  }
}
