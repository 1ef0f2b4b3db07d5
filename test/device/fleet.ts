import { generateKeyPairSync } from 'node:crypto'
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Metadata, Root, Targets } from '@tufjs/models'
import { type Bundle, Channel, type ChannelRelease } from '../../src/core/cohort/schema.ts'
import { NO_PREVIOUS } from '../../src/core/event.ts'
import type { ManifestSource } from '../../src/core/manifest/build.ts'
import { bundlesRequest } from '../../src/core/manifest/bundles-request.ts'
import { decodeMetadata, type RoleKeys } from '../../src/core/manifest/metadata.ts'
import { bundlesRole } from '../../src/core/manifest/names.ts'
import { DEFAULT_VALIDITY, type PublicationRules } from '../../src/core/manifest/publication.ts'
import { firstRootRequest } from '../../src/core/manifest/requests.ts'
import type { Floor, SigningRequest } from '../../src/core/manifest/schema.ts'
import {
  addSignature,
  finishRequest,
  type OpenRequest,
  openRequest,
  requestBytes,
} from '../../src/core/manifest/sign-request.ts'
import { targetsRequest } from '../../src/core/manifest/targets-request.ts'
import { unwrap } from '../../src/core/problem.ts'
import { directoryCache } from '../../src/device/cache.ts'
import { checkForUpdate, type UpdateAnswer, type UpdateRequest } from '../../src/device/check.ts'
import { httpFetcher } from '../../src/device/fetch.ts'
import { directoryPublication } from '../../src/publish/directory.ts'
import type { Publication } from '../../src/publish/publication.ts'
import { publish } from '../../src/publish/publish.ts'
import { publishManifests } from '../../src/publish/publish-manifests.ts'
import { type FileSigner, signerOf } from '../../src/publish/signer.ts'
import { type StaticHost, serveDirectory } from './static-host.ts'

export const newSigner = (): FileSigner =>
  signerOf(generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), 'a test key')

export const keysOf = (signers: readonly FileSigner[], threshold: number): RoleKeys => ({
  keys: signers.map(({ key }) => key),
  threshold,
})

/** Signs a request with the given keys, as their holders would. */
export async function signed(request: SigningRequest, signers: readonly FileSigner[]): Promise<OpenRequest> {
  let open = unwrap(openRequest(request))
  for (const signer of signers) open = unwrap(addSignature(open, signer.keyId, await signer.sign(requestBytes(open))))
  return open
}

export const aBundle = (version: string, changes: Partial<Bundle> = {}): Bundle => ({
  id: `Gateway@${version}`,
  product: 'Gateway',
  version,
  artifacts: [
    {
      name: 'firmware',
      target: 'arm64',
      size: 1_000,
      sha256: 'ab'.repeat(32),
      url: `https://downloads.example/gateway-${version}.bin`,
    },
  ],
  ...changes,
})

export const aRelease = (version: string, changes: Partial<ChannelRelease> = {}): ChannelRelease => ({
  id: `Gateway@${version}`,
  bundle: `Gateway@${version}`,
  version,
  requirement: `< ${version}`,
  next: null,
  required: false,
  schedule: '2026-01-01T00:00:00Z',
  phase: { kind: 'everybody' },
  ...changes,
})

type Cohort = Omit<ManifestSource, 'previous'>

export const aCohort = (
  cohort: string,
  releases: readonly ChannelRelease[],
  changes: Partial<Cohort> = {},
): Cohort => ({
  channel: Channel.parse({
    cohort,
    releases: releases.map((release, at) => ({ ...release, next: releases[at + 1]?.id ?? null })),
  }),
  bundles: releases.map(({ version = '' }) => ({ bundle: aBundle(version), group: 'main' })),
  overrides: [],
  quarantine: null,
  movedTo: null,
  entryRelease: null,
  pollAfterSeconds: 3_600,
  salts: new Map(releases.map(({ id }) => [id, `salt of ${id}`])),
  rosters: new Map(),
  ...changes,
})

const DAY_MS = 86_400_000
export const later = (iso: string, days: number): string => new Date(Date.parse(iso) + days * DAY_MS).toISOString()

/** A publication with all its keys, a host that serves it, and devices. Clocks move only when told. */
export class Fleet {
  now = new Date().toISOString()
  readonly directory: string
  readonly host: StaticHost
  readonly keys = {
    root: [newSigner(), newSigner(), newSigner()],
    targets: [newSigner(), newSigner()],
    bundles: [newSigner()],
    cohorts: [newSigner()],
    snapshot: [newSigner()],
    timestamp: [newSigner()],
  }
  root: Uint8Array = new Uint8Array()
  targets: Metadata<Targets> | undefined
  bundles: Metadata<Targets> | undefined
  private waiting: OpenRequest[] = []

  private constructor(directory: string, host: StaticHost) {
    this.directory = directory
    this.host = host
  }

  static async start(cohorts: readonly string[]): Promise<Fleet> {
    const directory = await mkdtemp(join(tmpdir(), 'ringmaster-fleet-'))
    const fleet = new Fleet(directory, await serveDirectory(join(directory, 'site')))
    const { root, targets, snapshot, timestamp } = fleet.keys
    const roles = {
      root: keysOf(root, 2),
      targets: keysOf(targets, 2),
      snapshot: keysOf(snapshot, 1),
      timestamp: keysOf(timestamp, 1),
    }
    fleet.root = unwrap(
      finishRequest(await signed(unwrap(firstRootRequest(roles, later(fleet.now, 365))), root.slice(0, 2))),
    )
    await fleet.delegate(cohorts)
    return fleet
  }

  async stop(): Promise<void> {
    await this.host.close()
    await rm(this.directory, { recursive: true })
  }

  get site(): string {
    return join(this.directory, 'site')
  }

  get rootMetadata(): Metadata<Root> {
    return unwrap(decodeMetadata('root', 'root', this.root))
  }

  private async delegate(cohorts: readonly string[]): Promise<void> {
    const { targets, bundles, cohorts: online } = this.keys
    const changes = {
      addGroups: [{ group: 'main', ...keysOf(bundles, 1) }],
      addCohorts: cohorts.map((cohort) => ({ cohort, ...keysOf(online, 1) })),
    }
    this.offline(
      await signed(unwrap(targetsRequest(this.rootMetadata, undefined, changes, later(this.now, 365))), targets),
    )
  }

  /** Puts a signed request into the next publication. */
  offline(open: OpenRequest): void {
    this.waiting.push(open)
    if (open.request.role === 'targets') this.targets = open.metadata as Metadata<Targets>
    if (open.request.role === bundlesRole('main')) this.bundles = open.metadata as Metadata<Targets>
  }

  /** What the holder of the bundles key does after sign-off. */
  async signBundles(
    bundles: readonly Bundle[],
    floors: readonly Floor[] = [],
    signers = this.keys.bundles,
  ): Promise<void> {
    const request = bundlesRequest({
      targets: this.targets!,
      group: 'main',
      previous: this.bundles,
      bundles,
      floors,
      expires: later(this.now, 180),
    })
    this.offline(await signed(unwrap(request), signers))
  }

  async publish(
    cohorts: readonly Cohort[] = [],
    rules: { timestampSeconds?: number; validDays?: number; publication?: Publication } = {},
  ) {
    const requests = this.waiting
    this.waiting = []
    return publishManifests({
      publication: rules.publication ?? directoryPublication(this.site),
      pinnedRoot: this.root,
      cohorts,
      requests,
      signers: this.online,
      issue: { issuedAt: this.now, expiresAt: later(this.now, rules.validDays ?? 14), ledgerHead: NO_PREVIOUS },
      rules: { now: this.now, timestampSeconds: rules.timestampSeconds ?? 7 * 86_400, snapshotSeconds: 28 * 86_400 },
    })
  }

  /** What a thief of the online keys can do: sign any bytes as a cohort's manifest, past the publisher's own checks. */
  async force(cohort: string, bytes: Uint8Array): Promise<void> {
    const manifest = { cohort, bytes, expiresAt: later(this.now, 14), bundles: [] }
    unwrap(
      await publish({
        publication: directoryPublication(this.site),
        pinnedRoot: this.root,
        change: { manifests: [manifest] },
        signers: this.online,
        rules: { now: this.now, ...DEFAULT_VALIDITY },
      }),
    )
  }

  /** Renews the freshness under chosen rules. */
  publishWith(rules: Partial<PublicationRules>) {
    return publish({
      publication: directoryPublication(this.site),
      pinnedRoot: this.root,
      change: {},
      signers: this.online,
      rules: { now: this.now, ...DEFAULT_VALIDITY, ...rules },
    })
  }

  get online(): FileSigner[] {
    return [...this.keys.cohorts, ...this.keys.snapshot, ...this.keys.timestamp]
  }

  /** Signs the bundles of the releases and publishes the channel. */
  async release(cohort: string, versions: readonly string[]): Promise<void> {
    await this.signBundles(versions.map((version) => aBundle(version)))
    unwrap(
      await this.publish([
        aCohort(
          cohort,
          versions.map((version) => aRelease(version)),
        ),
      ]),
    )
  }

  stateOf = (device: string): string => join(this.directory, 'devices', device)

  /** One check of a device with its own directory. */
  check(device: string, request: Partial<UpdateRequest> = {}): Promise<UpdateAnswer> {
    return checkForUpdate({
      host: { fetcher: httpFetcher(this.host.url, { timeoutMs: 2_000 }), cache: directoryCache(this.stateOf(device)) },
      pinnedRoot: this.root,
      cohort: 'eu',
      report: { version: '1.0.0' },
      device: { tags: [], quarantined: false },
      now: this.now,
      random: 0.5,
      ...request,
    })
  }

  /** Keeps a copy of what is published, to serve it again later as an attacker would. */
  async snapshotSite(name: string): Promise<string> {
    const copy = join(this.directory, name)
    await cp(this.site, copy, { recursive: true })
    return copy
  }

  read = (path: string): Promise<Uint8Array> => readFile(join(this.site, path))
}

/** What a device answered, in one word or two: `update Gateway@2.0.0`, `no_update`, `refused metadata-expired`. */
export function inShort(answer: UpdateAnswer): string {
  if (answer.kind === 'refused') return `refused ${answer.problems.map(({ code }) => code).join()}`
  const { decision } = answer
  if (decision.kind === 'update') return `update ${decision.bundle.id}`
  return decision.kind === 'held' ? `held ${decision.reason.code}` : decision.kind
}
