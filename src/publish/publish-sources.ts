import { randomBytes } from 'node:crypto'
import { checkChannel } from '../core/cohort/channel.ts'
import { type CohortOffer, effectOf, remedyOf } from '../core/cohort/effect.ts'
import type { ChannelEffect, EffectFinding } from '../core/cohort/effect-schema.ts'
import { NO_PREVIOUS } from '../core/event.ts'
import { DEFAULT_VALIDITY, type PublishedFile } from '../core/manifest/publication.ts'
import type { Repository } from '../core/manifest/repository.ts'
import type { Manifest } from '../core/manifest/schema.ts'
import type { OpenRequest } from '../core/manifest/sign-request.ts'
import type { ChannelSource } from '../core/manifest/source.ts'
import { quoted, RingmasterError, unwrap } from '../core/problem.ts'
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
  /** Whether channels go out though they hurt devices. */
  readonly acceptRisk: boolean
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
  /** What the channels do to devices. */
  readonly effects: readonly CohortEffect[]
}

/**
 * Publishes channels and signed requests from files, without the App; with neither it renews the freshness. Throws
 * `RingmasterError` with everything that stands against it, and nothing is published then.
 */
export async function publishSources(options: SourcesPublication): Promise<PublishedSources> {
  const { publication, pinnedRoot, sources, signers, now } = options
  const before = unwrap(await readRepository(publication, pinnedRoot), 'refused')
  const all = await prepared(options, before)
  const effects = await judged(options, all)
  const cohorts = await cohortsOf(options, all)
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
  return { files: [...files, ...views.files], timestampVersion, closed: views.closed, effects }
}

/** By cohort, in the order of the sources. */
export interface CohortEffect {
  readonly cohort: string
  readonly effect: ChannelEffect
}

interface PreparedSource {
  readonly source: ChannelSource
  readonly salts: ReadonlyMap<string, string>
  readonly previous: Manifest | undefined
}

async function prepared({ publication, sources }: SourcesPublication, repository: Repository) {
  return Promise.all(
    sources.map(async (source): Promise<PreparedSource> => {
      const { channel, salts: given } = source
      // Taken for new releases only: those that are published already keep their salt.
      const drawn = channel.releases.map(({ id }): [string, string] => [id, randomBytes(16).toString('hex')])
      const salts = new Map([...drawn, ...given.map(({ release, salt }): [string, string] => [release, salt])])
      return { source, salts, previous: await readManifest(publication, repository, channel.cohort) }
    }),
  )
}

/**
 * Plays each channel over its roster, or over versions alone, against what is published. Throws what the App would refuse
 * of a command, all of it at once. What a log has decided was judged when it was decided, its starts included.
 */
async function judged(
  { roster, now, acceptRisk, ledgerHead }: SourcesPublication,
  all: readonly PreparedSource[],
): Promise<CohortEffect[]> {
  // A channel that breaks a rule has no effect to speak of: the manifest is refused by the names of its rules.
  const whole = all.filter(({ source }) => checkChannel(source.channel, now).ok)
  const effects = await Promise.all(
    whole.map(async ({ source, salts, previous }): Promise<CohortEffect> => {
      const { channel, overrides, quarantine, entryRelease, bundles } = source
      const after: CohortOffer = {
        channel,
        overrides,
        salts: [...salts].map(([release, salt]) => ({ release, salt })),
        admission: 'static',
        quarantine,
        entryRelease,
        released: bundles.map(({ id }) => id),
      }
      const enrolled = (await roster?.read(channel.cohort, Number.MAX_SAFE_INTEGER)) ?? null
      const known = { roster: enrolled, reports: new Map(), published: previous, book: undefined }
      const others = [...(previous?.bundles ?? []), ...bundles].map(({ id, version }) => ({ bundle: id, version }))
      const effect = effectOf({ before: previous ?? null, after, others, now }, known)
      const isSettled = ({ code }: EffectFinding) => ledgerHead !== undefined && code === 'start-in-past'
      const findings = effect.findings.filter((finding) => !isSettled(finding))
      return { cohort: channel.cohort, effect: { ...effect, findings } }
    }),
  )
  const errors = effects.flatMap(({ cohort, effect }) =>
    effect.findings
      .filter(({ severity }) => severity === 'error')
      .map((finding) => ({
        code: finding.code,
        message: `${finding.message} (cohort ${quoted(cohort)})`,
        path: 'channel.releases',
        hint: remedyOf(finding, 'Publish with --accept-risk (the Action: accept-risk: true) where that is wanted.'),
      })),
  )
  if (errors.length > 0 && !acceptRisk) throw new RingmasterError('refused', errors)
  return effects
}

function cohortsOf({ roster }: SourcesPublication, all: readonly PreparedSource[]): Promise<CohortSource[]> {
  return Promise.all(
    all.map(async ({ source, salts, previous }) => {
      const { channel, bundles, group, salts: _given, schema: _schema, ...others } = source
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
