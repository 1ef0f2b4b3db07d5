import { z } from 'zod'
import { fencedJson, fencedText } from '../core/fenced.ts'
import { SigningRequest } from '../core/manifest/schema.ts'
import { actorOf, type Concern, Repository, sourceOf, User } from './delivery.ts'

/** The name of the check run by which the holders of the bundles key hand over what they signed. */
export const BUNDLES_CHECK = 'ringmaster/bundles'

const Payload = z.object({
  action: z.string(),
  check_run: z.object({
    name: z.string(),
    html_url: z.string().nullish(),
    output: z.object({ text: z.string().nullish() }).nullish(),
  }),
  repository: Repository,
  sender: User.nullish(),
})

const BundlesMetadata = z.object({
  signed: z.object({
    version: z.int().positive(),
    targets: z.record(z.string(), z.object({ custom: z.object({ id: z.string() }) })),
  }),
})

/** A completed signing request for bundles, handed over on a commit of the release repository. */
export const bundles: Concern = {
  events: ['check_run'],
  toRequests(delivery, installation) {
    const payload = Payload.safeParse(delivery.payload)
    if (!payload.success || payload.data.check_run.name !== BUNDLES_CHECK) return []
    if (payload.data.repository.id !== installation.releaseRepositoryId) return []
    const text = fencedText(payload.data.check_run.output?.text)
    const request = SigningRequest.safeParse(fencedJson(payload.data.check_run.output?.text))
    const metadata = request.success ? BundlesMetadata.safeParse(request.data.metadata) : null
    if (text === null || !metadata?.success) return []
    const { version, targets } = metadata.data.signed
    return [
      {
        kind: 'bundles-signed',
        document: text,
        version,
        bundles: Object.values(targets).map((target) => target.custom.id),
        isVerified: false,
        at: delivery.receivedAt,
        actor: actorOf(payload.data.sender),
        source: sourceOf(delivery, payload.data.check_run.html_url ?? undefined),
      },
    ]
  },
}
