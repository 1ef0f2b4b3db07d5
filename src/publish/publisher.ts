import type { ViewsPlan } from '../core/config/views.ts'
import { NO_PREVIOUS } from '../core/event.ts'
import { sha256 } from '../core/json.ts'
import { parseDocument } from '../core/manifest/issues.ts'
import { decodeMetadata } from '../core/manifest/metadata.ts'
import { bundlesRole, manifestPath } from '../core/manifest/names.ts'
import { DEFAULT_VALIDITY, type PublishedFile } from '../core/manifest/publication.ts'
import type { Repository } from '../core/manifest/repository.ts'
import { type Manifest, SigningRequest } from '../core/manifest/schema.ts'
import { type OpenRequest, openRequest } from '../core/manifest/sign-request.ts'
import { takesBack } from '../core/manifest/takes-back.ts'
import { isSigned } from '../core/manifest/trusted-set.ts'
import { RingmasterError, unwrap } from '../core/problem.ts'
import type { Applied } from '../engine/ports.ts'
import type { OutputOf } from '../render/output.ts'
import { rostersOf } from '../roster/rosters.ts'
import type { RosterStore } from '../roster/store.ts'
import { type Freshness, freshnessOf, isStale } from './freshness.ts'
import { gather } from './gather.ts'
import type { Publication } from './publication.ts'
import { type CohortSource, newer, publishManifests, readManifest } from './publish-manifests.ts'
import type { ClosedView } from './publish-views.ts'
import { readRepository } from './read-back.ts'
import { refreshViews } from './refresh-views.ts'
import type { Signer } from './signer.ts'
import { type Expected, expectedOf, type Patience, verifyPublished } from './verify-published.ts'

const MS_PER_HOUR = 3_600_000

export interface PublisherOptions {
  readonly publication: Publication
  /** Where devices fetch what the publication holds. */
  readonly publicUrl: string
  readonly pinnedRoot: Uint8Array
  /** The signed targets that say which cohorts and bundles groups exist. */
  readonly targets: OpenRequest
  /** The online keys: cohorts, snapshot, timestamp. */
  readonly signers: readonly Signer[]
  /** Which bundles role signs what is offered. */
  readonly group: string
  /** Null where no cohort keeps a roster. */
  readonly roster: RosterStore | null
  readonly clock: () => string
  readonly patience?: Patience
  /** The least time from one publication to the next, in milliseconds, but for what takes something back; 0 by default. */
  readonly everyMs?: number
}

export interface Renewal extends Freshness {
  /** Settles when what was renewed is at the public address, which may take its host minutes. */
  readonly arrival: Promise<void>
}

/** Everything that goes out to devices, one publication after the other: cohorts share their snapshot. */
export interface Publisher {
  /**
   * The manifest of a cohort: built, signed, stored with the pointer last, then fetched back from its public address.
   * Cohorts that wait at the same time go out in one publication; each fails for itself.
   */
  publish(output: OutputOf<'manifest'>): Promise<Applied>
  /** Renews timestamp and snapshot while a third of their time is left, and tells what else comes to its end. */
  keepFresh(cohorts: readonly string[]): Promise<Renewal>
  /** Makes the views for plain clients from what is published, and tells which of them offer nothing and why. */
  showViews(plan: ViewsPlan): Promise<readonly ClosedView[]>
  /** What devices of a cohort read now; undefined where nothing is published. */
  published(cohort: string): Promise<Manifest | undefined>
  /** Whether a completed signing request is signed by the keys that the targets in force name for its role. */
  areBundlesSigned(document: string): Promise<boolean>
}

/** Reads a signing request from its text. Throws `RingmasterError` with what does not fit. */
export const requestOf = (text: string, what = 'a signing request'): OpenRequest =>
  unwrap(openRequest(unwrap(parseDocument(SigningRequest, Buffer.from(text, 'utf8'), 'request-invalid', what))))

/** Of each role the newest list: what one cohort was signed for holds what another one was. */
const newestOf = (requests: readonly OpenRequest[]): readonly OpenRequest[] => [
  ...requests
    .toSorted((a, b) => a.metadata.signed.version - b.metadata.signed.version)
    .reduce((byRole, open) => byRole.set(open.request.role, open), new Map<string, OpenRequest>())
    .values(),
]

/** The manifests of more cohorts would make a commit that a branch does not take. */
const MOST_TOGETHER = 100

interface Prepared {
  readonly cohort: CohortSource
  readonly bundles: OpenRequest
}

interface Sent {
  readonly files: readonly PublishedFile[]
  readonly arrival: Promise<void>
}

export function createPublisher(options: PublisherOptions): Publisher {
  const { publication, publicUrl, pinnedRoot, targets, signers, group, roster, clock } = options
  let last: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = last.then(work)
    last = turn.catch(() => undefined)
    return turn
  }
  const readBack = async (): Promise<Repository> => unwrap(await readRepository(publication, pinnedRoot))
  /** The newest digest that went out under each path that is written again and again. */
  const newest = new Map<string, string>()
  const noteNewest = (files: readonly PublishedFile[]): void => {
    for (const { path, bytes, immutable } of files) if (!immutable) newest.set(path, sha256(bytes))
  }
  /** Outside the turn: a host may take its time to show a publication, and the next one need not wait for that. */
  const arrived = async (files: readonly PublishedFile[]): Promise<void> => {
    const isWanted = ({ path, digest }: Expected) => (newest.get(path) ?? digest) === digest
    const patience = { attempts: 5, ...options.patience, isWanted }
    unwrap(await verifyPublished(publicUrl, expectedOf(files), patience), 'outside')
  }
  const send = async (
    cohorts: readonly CohortSource[],
    requests: readonly OpenRequest[],
  ): Promise<readonly PublishedFile[]> => {
    const now = clock()
    const published = await publishManifests({
      publication,
      pinnedRoot,
      cohorts,
      requests,
      signers,
      issue: { issuedAt: now, expiresAt: now, ledgerHead: NO_PREVIOUS },
      rules: { now, ...DEFAULT_VALIDITY },
    })
    const { files } = unwrap(published, 'refused')
    noteNewest(files)
    return files
  }

  async function prepare(output: OutputOf<'manifest'>, repository: Repository): Promise<Prepared> {
    const { channel, ledgerHead, validHours } = output
    const previous = await readManifest(publication, repository, channel.cohort)
    const salts = new Map(output.salts.map(({ release, salt }) => [release, salt]))
    const issuedAt = clock()
    const expiresAt = new Date(Date.parse(issuedAt) + validHours * MS_PER_HOUR).toISOString()
    return {
      cohort: {
        channel,
        bundles: output.bundles.map((bundle) => ({ bundle, group })),
        overrides: output.overrides,
        quarantine: output.quarantine,
        movedTo: output.movedTo,
        entryRelease: output.entryRelease,
        pollAfterSeconds: output.pollAfterSeconds,
        salts,
        rosters: await rostersOf(roster, { channel, salts, previous }),
        issue: { issuedAt, expiresAt, ledgerHead },
      },
      bundles: requestOf(output.signedBundles),
    }
  }

  const sendPrepared = async (prepared: readonly Prepared[], repository: Repository): Promise<Sent> => {
    const requests = newer([targets, ...newestOf(prepared.map(({ bundles }) => bundles))], repository)
    const files = await send(
      prepared.map(({ cohort }) => cohort),
      requests,
    )
    const arrival = arrived(files)
    arrival.catch(() => undefined)
    return { files, arrival }
  }

  /** One publication for all; where that is refused one for each, so that what is wrong with one keeps no other back. */
  async function sendTogether(
    outputs: readonly OutputOf<'manifest'>[],
  ): Promise<readonly PromiseSettledResult<Sent>[]> {
    const repository = await readBack()
    const prepared = await Promise.allSettled(outputs.map((output) => prepare(output, repository)))
    const good = prepared.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
    let sent: readonly PromiseSettledResult<Sent>[]
    try {
      const together = good.length === 0 ? undefined : await sendPrepared(good, repository)
      sent = together === undefined ? [] : good.map(() => ({ status: 'fulfilled', value: together }))
    } catch (error) {
      if (!(error instanceof RingmasterError) || error.fault !== 'refused' || good.length === 1) throw error
      const apart: PromiseSettledResult<Sent>[] = []
      for (const one of good)
        apart.push(...(await Promise.allSettled([readBack().then((now) => sendPrepared([one], now))])))
      sent = apart
    }
    const rest = [...sent]
    return prepared.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome] : rest.splice(0, 1)))
  }

  const isUrgent = async (output: OutputOf<'manifest'>): Promise<boolean> => {
    try {
      const manifest = await readManifest(publication, await readBack(), output.channel.cohort)
      return manifest !== undefined && takesBack(manifest, output)
    } catch {
      // What cannot be read is told by the publication itself, and now.
      return true
    }
  }
  const sendSoon = gather({
    send: sendTogether,
    inTurn,
    keyOf: (output: OutputOf<'manifest'>) => output.channel.cohort,
    isUrgent,
    everyMs: options.everyMs ?? 0,
    most: MOST_TOGETHER,
  })

  async function publishOne(output: OutputOf<'manifest'>): Promise<Applied> {
    const { cohort } = output.channel
    const { files, arrival } = await sendSoon(output)
    await arrival
    const folder = `targets/${manifestPath(cohort).replace(/[^/]+$/, '')}`
    const manifest = files.find(({ path }) => path.startsWith(folder) && path.endsWith('.manifest.json'))
    const digest = sha256(manifest?.bytes ?? '')
    const address = `${publicUrl}/${manifest?.path ?? ''}`
    const seen = { at: clock(), actor: null, source: { kind: 'reconciler' } } as const
    return {
      remote: String(files.length),
      observed: [{ kind: 'manifest-published', cohort, digest, address, ...seen }],
    }
  }

  async function renew(cohorts: readonly string[]) {
    const before = await readBack()
    const stale = isStale(before, clock())
    const files = stale ? await send([], newer([targets], before)) : []
    const repository = stale ? await readBack() : before
    const manifests = await Promise.all(cohorts.map((cohort) => readManifest(publication, repository, cohort)))
    const published = manifests.flatMap((manifest) => manifest ?? [])
    return { files, freshness: { renewed: stale, ...freshnessOf(repository, published, clock()) } }
  }

  return {
    publish: publishOne,
    async keepFresh(cohorts) {
      const { files, freshness } = await inTurn(() => renew(cohorts))
      const arrival = files.length > 0 ? arrived(files) : Promise.resolve()
      // Who awaits it hears of trouble; to nobody else it is a rejection that was not handled.
      arrival.catch(() => undefined)
      return { ...freshness, arrival }
    },
    showViews: (plan) =>
      inTurn(async () => {
        const repository = await readBack()
        return (await refreshViews({ publication, repository, plan, signers, roster, now: clock() })).closed
      }),
    published: async (cohort) => readManifest(publication, await readBack(), cohort),
    async areBundlesSigned(document) {
      try {
        const open = requestOf(document)
        const repository = await readRepository(publication, pinnedRoot)
        const published = repository.ok ? repository.value.roles.get('targets')?.metadata : undefined
        const pinnedBytes = Buffer.from(JSON.stringify(targets.request.metadata), 'utf8')
        const pinned = decodeMetadata('targets', 'targets', pinnedBytes)
        const inForce = published ?? (pinned.ok ? pinned.value : undefined)
        const isOurs = open.request.role === bundlesRole(group)
        return isOurs && inForce !== undefined && isSigned(inForce, open.request.role, open.metadata)
      } catch {
        return false
      }
    },
  }
}
