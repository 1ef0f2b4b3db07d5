import type { Manifest } from '../manifest/schema.ts'
import type { AdmissionPort } from './admission.ts'
import type { CohortOffer } from './effect.ts'
import { staticAdmission } from './phase.ts'
import { type DeclaredPhase, Phase } from './schema.ts'

/** What people must have said for a phase to be published so, as far as a check compares it: whose it is, count and times. */
function declaredFor(published: unknown): DeclaredPhase {
  const read = Phase.safeParse(published)
  if (!read.success) return { kind: 'share', share: '0' }
  const { data } = read
  switch (data.kind) {
    case 'everybody':
      return { kind: 'everybody' }
    case 'tags':
      return { kind: 'tags', tags: data.tags }
    case 'share':
      return { kind: 'share', share: '0' }
    case 'list':
      return { kind: 'count', count: data.buckets.length }
    case 'ramp':
      return { kind: 'ramp', from: '0', to: '1', startsAt: data.startsAt, endsAt: data.endsAt }
  }
}

/** What a published manifest offers, where no log says how it came to be. */
export const publishedOffer = (manifest: Manifest): CohortOffer => ({
  channel: {
    cohort: manifest.cohort,
    requirementDialect: manifest.requirementDialect,
    releases: manifest.releases.map((release) => ({ ...release, phase: declaredFor(release.phase) })),
  },
  overrides: manifest.overrides,
  salts: [],
  admission: 'static',
  quarantine: manifest.quarantine,
  entryRelease: manifest.entryRelease,
  released: manifest.bundles.map(({ id }) => id),
})

/** Lets in whom the manifest lets in, whatever its phases were declared as. */
export function publishedAdmission({ cohort, releases }: Manifest): AdmissionPort<DeclaredPhase> {
  const port = staticAdmission(cohort)
  const phases = new Map(releases.map(({ id, phase }) => [id, phase]))
  return { of: (id) => port.of(id, phases.get(id) ?? null) }
}
