import { sha256 } from '../core/json.ts'
import { decodeMetadata } from '../core/manifest/metadata.ts'
import { DEFAULT_VALIDITY } from '../core/manifest/publication.ts'
import { SigningRequest } from '../core/manifest/schema.ts'
import { type OpenRequest, openRequest } from '../core/manifest/sign-request.ts'
import { isSigned } from '../core/manifest/trusted-set.ts'
import { unwrap } from '../core/problem.ts'
import type { Applied } from '../engine/ports.ts'
import type { OutputOf } from '../render/output.ts'
import type { Publication } from './publication.ts'
import { publishManifests } from './publish-manifests.ts'
import { readRepository } from './read-back.ts'
import type { Signer } from './signer.ts'
import { expectedOf, verifyPublished } from './verify-published.ts'

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
  readonly clock: () => string
}

/** Reads a signing request from its text. Throws `RingmasterError` with what does not fit. */
export const requestOf = (text: string): OpenRequest => unwrap(openRequest(SigningRequest.parse(JSON.parse(text))))

/** The manifest of a cohort: built, signed, stored with the pointer last, then fetched back from its public address. */
export function manifestOutlet(options: PublisherOptions) {
  /** Two cohorts share the snapshot: publications go out one after the other. */
  let last: Promise<unknown> = Promise.resolve()
  const publishOne = async (output: OutputOf<'manifest'>): Promise<Applied> => {
    const { publication, publicUrl, pinnedRoot, targets, signers, group, clock } = options
    const now = clock()
    const expiresAt = new Date(Date.parse(now) + output.validHours * MS_PER_HOUR).toISOString()
    const published = await publishManifests({
      publication,
      pinnedRoot,
      cohorts: [
        {
          channel: output.channel,
          bundles: output.bundles.map((bundle) => ({ bundle, group })),
          overrides: [],
          quarantine: null,
          movedTo: null,
          entryRelease: null,
          pollAfterSeconds: output.pollAfterSeconds,
          salts: new Map(),
          rosters: new Map(),
        },
      ],
      requests: [targets, requestOf(output.signedBundles)],
      signers,
      issue: { issuedAt: now, expiresAt, ledgerHead: output.ledgerHead },
      rules: { now, ...DEFAULT_VALIDITY },
    })
    const { files } = unwrap(published, 'refused')
    unwrap(await verifyPublished(publicUrl, expectedOf(files), { attempts: 5 }), 'outside')
    const manifest = files.find((file) => file.path.endsWith('manifest.json'))
    const digest = sha256(manifest?.bytes ?? '')
    return {
      remote: String(files.length),
      observed: [
        {
          kind: 'manifest-published',
          cohort: output.channel.cohort,
          digest,
          address: `${publicUrl}/${manifest?.path ?? ''}`,
          at: now,
          actor: null,
          source: { kind: 'reconciler' },
        },
      ],
    }
  }
  return (output: OutputOf<'manifest'>): Promise<Applied> => {
    const turn = last.then(() => publishOne(output))
    last = turn.catch(() => undefined)
    return turn
  }
}

/** Whether a completed signing request of bundles is signed by the keys that the targets in force name for its role. */
export async function areBundlesSigned(options: PublisherOptions, document: string): Promise<boolean> {
  try {
    const open = requestOf(document)
    const repository = await readRepository(options.publication, options.pinnedRoot)
    const published = repository.ok ? repository.value.roles.get('targets')?.metadata : undefined
    const pinned = decodeMetadata(
      'targets',
      'targets',
      Buffer.from(JSON.stringify(options.targets.request.metadata), 'utf8'),
    )
    const targets = published ?? (pinned.ok ? pinned.value : undefined)
    return targets !== undefined && isSigned(targets, open.request.role, open.metadata)
  } catch {
    return false
  }
}
