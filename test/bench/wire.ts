import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Updater } from 'tuf-js'
import { decodeMetadata } from '../../src/core/manifest/metadata.ts'
import { bundlesRole, cohortRole, metadataFile } from '../../src/core/manifest/names.ts'
import { unwrap } from '../../src/core/problem.ts'
import { directoryCache } from '../../src/device/cache.ts'
import { httpFetcher } from '../../src/device/fetch.ts'
import { Fleet } from '../device/fleet.ts'
import { type CountingProxy, countingProxy } from './counting-proxy.ts'
import { bundleAt, cohortOf, type Sizes, sizesOf } from './manifest-sizes.ts'

/** One visit of a device: requests, and the bytes of HTTP in both directions. */
export interface Visit {
  readonly requests: number
  readonly sent: number
  readonly received: number
}

export interface Wire {
  /** A device that has nothing but its first root. */
  readonly first: Visit
  /** Its own cohort has a new release, and so has the signed list of bundles. */
  readonly released: Visit
  /** Another cohort was published: the snapshot is new, and nothing else that this device reads. */
  readonly elsewhere: Visit
  readonly idle: Visit
  readonly tufFirst: Visit
  readonly tufIdle: Visit
  /** Each metadata file as published. */
  readonly files: ReadonlyMap<string, Sizes>
}

const nameOf = (at: number): string => `c${String(at).padStart(4, '0')}`

/** A publication of that many cohorts with that many releases each, and what devices move when they ask. */
export async function measureWire(cohorts: number, releases: number): Promise<Wire> {
  const names = Array.from({ length: cohorts }, (_, at) => nameOf(at))
  const fleet = await Fleet.start(names)
  const proxy = await countingProxy(fleet.host.url)
  try {
    return await measureOn(fleet, proxy, names, releases)
  } finally {
    await proxy.close()
    await fleet.stop()
  }
}

async function measureOn(
  fleet: Fleet,
  proxy: CountingProxy,
  names: readonly string[],
  releases: number,
): Promise<Wire> {
  const [own = '', other = ''] = names
  const device = () => visitOf(fleet, proxy, () => ownCheck(fleet, proxy, own))
  const tuf = () => visitOf(fleet, proxy, () => tufRefresh(fleet, proxy))
  await fleet.signBundles(Array.from({ length: releases }, (_, at) => bundleAt(at)))
  unwrap(await fleet.publish(names.map((name) => cohortOf(releases, name))))
  const first = await device()
  const tufFirst = await tuf()
  const idle = await device()
  const tufIdle = await tuf()
  await fleet.signBundles([bundleAt(releases)])
  unwrap(await fleet.publish([cohortOf(releases + 1, own)]))
  const released = await device()
  unwrap(await fleet.publish([cohortOf(releases, other)]))
  const elsewhere = await device()
  return { first, tufFirst, idle, tufIdle, released, elsewhere, files: await metadataSizes(fleet, own) }
}

async function visitOf(fleet: Fleet, proxy: CountingProxy, visit: () => Promise<void>): Promise<Visit> {
  proxy.take()
  fleet.host.asked.length = 0
  await visit()
  const { sent, received } = proxy.take()
  return { requests: fleet.host.asked.length, sent, received }
}

async function ownCheck(fleet: Fleet, proxy: CountingProxy, cohort: string): Promise<void> {
  const host = { fetcher: httpFetcher(proxy.url), cache: directoryCache(fleet.stateOf('measured')) }
  const answer = await fleet.check('measured', {
    host,
    cohort,
    report: { version: '1.0.0' },
    device: { pseudonym: 'p-1', tags: [], quarantined: false },
  })
  if (answer.kind !== 'decided' || !answer.fresh)
    throw new Error(`expected a decision, found ${JSON.stringify(answer)}`)
}

async function tufRefresh(fleet: Fleet, proxy: CountingProxy): Promise<void> {
  const directory = join(fleet.directory, 'tuf')
  await mkdir(directory, { recursive: true })
  const root = join(directory, 'root.json')
  if (!(await readFile(root).catch(() => null))) await writeFile(root, fleet.root)
  const client = new Updater({
    metadataDir: directory,
    metadataBaseUrl: `${proxy.url}metadata`,
    config: { fetchRetry: 0 },
  })
  await client.refresh()
}

async function metadataSizes(fleet: Fleet, cohort: string): Promise<ReadonlyMap<string, Sizes>> {
  const pointer = unwrap(decodeMetadata('timestamp', 'timestamp', await fleet.read(metadataFile('timestamp', null))))
  const { version } = pointer.signed.snapshotMeta
  const snapshot = unwrap(decodeMetadata('snapshot', 'snapshot', await fleet.read(metadataFile('snapshot', version))))
  const versionOf = (role: string): number => snapshot.signed.meta[`${role}.json`]?.version ?? 1
  const roles: readonly (readonly [name: string, role: string, version: number | null])[] = [
    ['timestamp', 'timestamp', null],
    ['snapshot', 'snapshot', version],
    ['targets', 'targets', versionOf('targets')],
    ['bundles', bundlesRole('main'), versionOf(bundlesRole('main'))],
    ['a cohort', cohortRole(cohort), versionOf(cohortRole(cohort))],
  ]
  const sizes = roles.map(
    async ([name, role, at]): Promise<[string, Sizes]> => [name, sizesOf(await fleet.read(metadataFile(role, at)))],
  )
  return new Map(await Promise.all(sizes))
}
