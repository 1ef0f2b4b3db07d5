import type { FaultedRequest, FaultKind } from '../sandbox/faults.ts'
import type { Sandbox } from '../sandbox/sandbox.ts'

/** What goes wrong in a run: requests by chance, deliveries by chance. */
export interface Harm {
  readonly name: string
  /** Kind of fault → the share of the App's requests that it hits. */
  readonly requests: Readonly<Partial<Record<FaultKind, number>>>
  /** What becomes of a delivery → the share that it hits. `unheard`: it stands in GitHub's log; `lost`: nowhere. */
  readonly deliveries: Readonly<Partial<Record<'lost' | 'unheard' | 'repeated' | 'late', number>>>
}

const harm = (name: string, requests: Harm['requests'], deliveries: Harm['deliveries'] = {}): Harm => ({
  name,
  requests,
  deliveries,
})

const MIXED = 0.02

/** One kind of trouble each, and all of them together. */
export const HARMS: readonly Harm[] = [
  harm('stale head', { stale: 0.4 }),
  harm('502 before', { 'bad-gateway-before': 0.1 }),
  harm('502 after', { 'bad-gateway-after': 0.1 }),
  harm('connection cut before', { 'disconnect-before': 0.1 }),
  harm('connection cut after', { 'disconnect-after': 0.1 }),
  harm('secondary limit', { 'secondary-limit': 0.1 }),
  harm('secondary limit that says nothing', { 'secondary-limit-silent': 0.1 }),
  harm('primary limit', { 'primary-limit': 0.1 }),
  harm('200 with errors', { 'graphql-trouble-before': 0.15, 'graphql-trouble-after': 0.15 }),
  harm('reads that lag 30 seconds', { lag: 0.3 }),
  harm('truncated blobs', { 'truncated-blob': 0.3 }),
  harm('deliveries that were not heard', {}, { unheard: 0.4 }),
  harm('deliveries that were lost', {}, { lost: 0.3 }),
  harm('deliveries repeated and out of order', {}, { repeated: 0.3, late: 0.3 }),
  harm(
    'everything at once',
    {
      stale: 0.1,
      'bad-gateway-before': MIXED,
      'bad-gateway-after': MIXED,
      'disconnect-before': MIXED,
      'disconnect-after': MIXED,
      'secondary-limit': MIXED,
      'secondary-limit-silent': MIXED / 2,
      'primary-limit': MIXED / 2,
      'graphql-trouble-before': MIXED,
      'graphql-trouble-after': MIXED,
      lag: 0.1,
      'truncated-blob': 0.1,
    },
    { lost: 0.05, unheard: 0.1, repeated: 0.1, late: 0.1 },
  ),
]

const ofTheApp = (request: FaultedRequest): boolean =>
  request.identity === undefined || request.identity.startsWith('ringmaster')

/** How often a harm has hit. */
export interface Hits {
  requests: number
  deliveries: number
}

/** Lets a harm come over a sandbox: which requests and deliveries it hits is drawn from `random`. */
export function letHarmCome(sandbox: Sandbox, { requests, deliveries }: Harm, random: () => number): Hits {
  const counted: Hits = { requests: 0, deliveries: 0 }
  sandbox.faults.draw((kinds, request) => {
    if (!ofTheApp(request)) return undefined
    const hit = kinds.find((kind) => random() < (requests[kind] ?? 0))
    if (hit) counted.requests += 1
    return hit
  })
  const { webhooks } = sandbox
  const hits = (share = 0) => ({
    where: () => {
      const isHit = random() < share
      if (isHit) counted.deliveries += 1
      return isHit
    },
  })
  const often = 1_000_000
  if (deliveries.lost) webhooks.drop(hits(deliveries.lost), often)
  if (deliveries.repeated) webhooks.repeat(hits(deliveries.repeated), often)
  if (deliveries.late) webhooks.delay(hits(deliveries.late), 3, often)
  return counted
}
