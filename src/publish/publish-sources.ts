import { randomBytes } from 'node:crypto'
import { rampFindings } from '../core/cohort/channel-findings.ts'
import { type Channel, Phase } from '../core/cohort/schema.ts'
import { NO_PREVIOUS } from '../core/event.ts'
import { DEFAULT_VALIDITY, type PublishedFile } from '../core/manifest/publication.ts'
import type { Repository } from '../core/manifest/repository.ts'
import type { Manifest } from '../core/manifest/schema.ts'
import type { OpenRequest } from '../core/manifest/sign-request.ts'
import type { ChannelSource } from '../core/manifest/source.ts'
import { RingmasterError, unwrap } from '../core/problem.ts'
import { rostersOf } from '../roster/rosters.ts'
import type { RosterStore } from '../roster/store.ts'
import type { Publication } from './publication.ts'
import { type CohortSource, newer, publishManifests, readManifest } from './publish-manifests.ts'
import type { ClosedView } from './publish-views.ts'
import { readRepository } from './read-back.ts'
import { refreshViews } from './refresh-views.ts'
import type { Signer } from './signer.ts'

const MS_PER_HOUR = 3_600_000

export interface SourcesPublication {
  readonly publication: Publication
  readonly pinnedRoot: Uint8Array
  readonly sources: readonly ChannelSource[]
  readonly requests: readonly OpenRequest[]
  /** Leaves requests out that are published already, or older; else such a request is refused. */
  readonly skipPublished?: boolean
  readonly signers: readonly Signer[]
  /** Null where no cohort keeps a roster: then no phase can be an exact count. */
  readonly roster: RosterStore | null
  readonly validHours: number
  readonly ledgerHead?: string | undefined
  /** Whether every view that there is of the sources' cohorts is written too. */
  readonly views: boolean
  /** ISO 8601 UTC. */
  readonly now: string
}

export interface PublishedSources {
  readonly files: readonly PublishedFile[]
  readonly timestampVersion: number
  readonly closed: readonly ClosedView[]
}

/**
 * Publishes channels and signed requests from files, without the App; with neither it renews the freshness. Throws
 * `RingmasterError` with everything that stands against it, and nothing is published then.
 */
export async function publishSources(options: SourcesPublication): Promise<PublishedSources> {
  const { publication, pinnedRoot, sources, signers, now } = options
  const before = unwrap(await readRepository(publication, pinnedRoot), 'refused')
  const cohorts = await cohortsOf(options, before)
  const published = await publishManifests({
    publication,
    pinnedRoot,
    cohorts,
    requests: options.skipPublished ? newer(options.requests, before) : options.requests,
    signers,
    issue: {
      issuedAt: now,
      expiresAt: new Date(Date.parse(now) + options.validHours * MS_PER_HOUR).toISOString(),
      ledgerHead: options.ledgerHead ?? NO_PREVIOUS,
    },
    rules: { now, ...DEFAULT_VALIDITY },
  })
  const { files, timestampVersion } = unwrap(published, 'refused')
  const repository = unwrap(await readRepository(publication, pinnedRoot), 'refused')
  const plan = { cohorts: options.views ? sources.map(viewsOf) : [], rings: [] }
  const views = await refreshViews({ publication, repository, plan, signers, roster: options.roster, now })
  return { files: [...files, ...views.files], timestampVersion, closed: views.closed }
}

/** A ramp that is published already is issued again as it is, wherever the clock stands on it. */
function refuseWrongRamps({ releases }: Channel, previous: Manifest | undefined, now: string): void {
  const isPublished = ({ id, phase }: Channel['releases'][number]): boolean => {
    const before = Phase.safeParse(previous?.releases.find((release) => release.id === id)?.phase)
    if (!before.success || phase.kind !== 'ramp') return false
    const { data } = before
    if (data.kind === 'everybody') return true
    return data.kind === 'ramp' && data.startsAt === phase.startsAt && data.endsAt === phase.endsAt
  }
  const changed = releases.filter((release) => !isPublished(release))
  const errors = rampFindings(changed, now).filter(({ severity }) => severity === 'error')
  if (errors.length > 0)
    throw new RingmasterError(
      'refused',
      errors.map(({ code, message, hint }) => ({ code, message, path: 'channel.releases', ...(hint && { hint }) })),
    )
}

function cohortsOf(
  { publication, sources, roster, now }: SourcesPublication,
  repository: Repository,
): Promise<CohortSource[]> {
  return Promise.all(
    sources.map(async ({ channel, bundles, group, salts: given, schema: _, ...others }) => {
      const previous = await readManifest(publication, repository, channel.cohort)
      refuseWrongRamps(channel, previous, now)
      // Taken for new releases only: those that are published already keep their salt.
      const drawn = channel.releases.map(({ id }): [string, string] => [id, randomBytes(16).toString('hex')])
      const salts = new Map([...drawn, ...given.map(({ release, salt }): [string, string] => [release, salt])])
      return {
        ...others,
        channel,
        bundles: bundles.map((bundle) => ({ bundle, group })),
        salts,
        rosters: await rostersOf(roster, { channel, salts, previous }),
      }
    }),
  )
}

/** What cannot be said in a view offers nothing, and is told. */
const viewsOf = ({ channel, bundles }: ChannelSource) => ({
  cohort: channel.cohort,
  checksums: true,
  tally: true,
  graphTargets: [...new Set(bundles.flatMap(({ artifacts }) => artifacts.map(({ target }) => target)))].sort(),
})
