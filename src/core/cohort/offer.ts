import type { CohortConfig } from '../config/schema.ts'
import type { ProductState } from '../product/schema.ts'
import type { CohortOffer } from './effect.ts'
import type { KnownVersion } from './fleet.ts'
import type { Channel, ChannelRelease, DeclaredPhase } from './schema.ts'
import { parseVersion } from './semantic-version.ts'
import { bundleIdOf, type CohortState } from './state.ts'

/** The channel of a cohort, in the dialect that its configuration says. */
export const channelOf = (state: CohortState, { requirementDialect }: CohortConfig): Channel => ({
  cohort: state.id,
  requirementDialect,
  releases: [...state.releases],
})

export const offerOf = (state: CohortState, config: CohortConfig, channel = channelOf(state, config)): CohortOffer => ({
  channel,
  overrides: state.overrides,
  salts: state.salts,
  admission: config.admission,
  quarantine: state.quarantine,
  entryRelease: state.entryRelease,
  released: state.bundles.map(({ id }) => id),
})

/**
 * Versions of a cohort's product that devices may run beside those of its channel, oldest first: those that the log has
 * bound and that have an order, for any other is found by its place in a channel alone, and all that were ever offered here.
 */
export const otherVersions = (state: CohortState | undefined, product: ProductState | undefined): KnownVersion[] => [
  ...(product?.versions ?? [])
    .filter(({ version }) => parseVersion(version) !== undefined)
    .map(({ version }) => ({ bundle: bundleIdOf(product?.name ?? '', version), version })),
  ...(state?.bundles ?? []).map(({ id, version }) => ({ bundle: id, version })),
]

/**
 * The releases whose bundles are signed, in a channel of their own: what is not signed is not there yet, and whatever led
 * to it leads to what follows it. Null where that would leave more than one latest release, or none at all.
 */
export function signedReleases(
  releases: readonly ChannelRelease[],
  signed: ReadonlySet<string>,
): readonly ChannelRelease[] | null {
  const byId = new Map(releases.map((release) => [release.id, release]))
  const nextSigned = (from: ChannelRelease): string | null => {
    const seen = new Set<string>()
    let next = from.next
    while (next !== null && !seen.has(next)) {
      seen.add(next)
      const release = byId.get(next)
      if (release === undefined || signed.has(release.bundle)) return next
      next = release.next
    }
    return next
  }
  const kept = releases
    .filter(({ bundle }) => signed.has(bundle))
    .map((release) => {
      const next = nextSigned(release)
      return next === release.next ? release : { ...release, next }
    })
  return kept.filter(({ next }) => next === null).length === 1 ? kept : null
}

/** What of a phase a static file may carry for a cohort whose server counts: nobody but by tag, until it is everybody's. */
export function uncountedPhase(phase: DeclaredPhase): DeclaredPhase {
  if (phase.kind === 'everybody' || phase.kind === 'tags') return phase
  const { tags, halted } = phase
  return { kind: 'share', share: '0', ...(tags && { tags }), ...(halted && { halted }) }
}
