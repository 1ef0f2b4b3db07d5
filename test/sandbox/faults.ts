/**
 * - `bad-gateway-before`: 502, nothing done. `bad-gateway-after`: done, but answered 502.
 * - `stale`: a commit by GraphQL is refused as STALE_DATA (REST ref update: 422 not a fast forward).
 * - `secondary-limit`: 403 with retry-after; `secondary-limit-silent`: 403 that says nothing more.
 * - `primary-limit`: nothing is left in this hour (403 on REST, 200 with RATE_LIMITED on GraphQL) until ten minutes later.
 * - `graphql-trouble-before` / `-after`: GraphQL answers 200 with an error of its own, without a type.
 * - `lag`: reads of refs see where they were 30 seconds ago, and lists of the check runs of a commit and of the comments of
 *   an issue none that is younger.
 * - `truncated-blob`: GraphQL cuts the text of every blob of an answer in half and says so.
 * - `disconnect-before` / `disconnect-after`: the connection is closed without an answer.
 * - `lost-pages-build`: a push to the branch of Pages is not published (route `pages`).
 */
export type FaultKind =
  | 'bad-gateway-before'
  | 'bad-gateway-after'
  | 'disconnect-before'
  | 'disconnect-after'
  | 'stale'
  | 'secondary-limit'
  | 'secondary-limit-silent'
  | 'primary-limit'
  | 'graphql-trouble-before'
  | 'graphql-trouble-after'
  | 'lag'
  | 'truncated-blob'
  | 'lost-pages-build'

export interface Fault {
  readonly kind: FaultKind
  /** `POST /graphql` or a REST route as in the OpenAPI description; any request when absent. */
  readonly route?: string
  /** A GraphQL field (`createCommitOnBranch`) that the request must ask for. */
  readonly field?: string
  /** How many requests it hits (default 1). */
  readonly times?: number
  /** How many matching requests go through before it hits (default 0). */
  readonly after?: number
}

/** What a request looks like to the switchboard; `identity` is absent deep inside the sandbox. */
export interface FaultedRequest {
  readonly route: string
  readonly text: string
  readonly identity?: string
}

export interface Faults {
  add(fault: Fault): void
  /** Draws a fault for every request, beside those added; undefined for none. `clear` ends it. */
  draw(from: (kinds: readonly FaultKind[], request: FaultedRequest) => FaultKind | undefined): void
  clear(): void
  /** Takes one hit of a matching fault of these kinds, if there is one. */
  take(kinds: readonly FaultKind[], request: FaultedRequest): FaultKind | undefined
}

export function createFaults(): Faults {
  let active: { fault: Fault; left: number; skip: number }[] = []
  let drawn: Parameters<Faults['draw']>[0] = () => undefined
  return {
    add: (fault) => void active.push({ fault, left: fault.times ?? 1, skip: fault.after ?? 0 }),
    draw: (from) => {
      drawn = from
    },
    clear: () => {
      active = []
      drawn = () => undefined
    },
    take(kinds, request) {
      const { route, text } = request
      const hit = active.find(
        ({ fault }) =>
          kinds.includes(fault.kind) &&
          (fault.route === undefined || fault.route === route) &&
          (fault.field === undefined || text.includes(fault.field)),
      )
      if (!hit) return drawn(kinds, request)
      if (hit.skip > 0) {
        hit.skip -= 1
        return undefined
      }
      hit.left -= 1
      if (hit.left <= 0) active = active.filter((one) => one !== hit)
      return hit.fault.kind
    },
  }
}
