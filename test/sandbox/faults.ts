/**
 * - `bad-gateway-before`: 502, nothing done. `bad-gateway-after`: done, but answered 502.
 * - `stale`: a commit by GraphQL is refused as STALE_DATA (REST ref update: 422 not a fast forward).
 * - `secondary-limit`: 403 with retry-after. `lag`: reads of refs see the state before the last change.
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
  | 'lag'
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

export interface Faults {
  add(fault: Fault): void
  clear(): void
  /** Takes one hit of a matching fault of these kinds, if there is one. */
  take(kinds: readonly FaultKind[], request: { readonly route: string; readonly text: string }): FaultKind | undefined
}

export function createFaults(): Faults {
  let active: { fault: Fault; left: number; skip: number }[] = []
  return {
    add: (fault) => void active.push({ fault, left: fault.times ?? 1, skip: fault.after ?? 0 }),
    clear: () => {
      active = []
    },
    take(kinds, { route, text }) {
      const hit = active.find(
        ({ fault }) =>
          kinds.includes(fault.kind) &&
          (fault.route === undefined || fault.route === route) &&
          (fault.field === undefined || text.includes(fault.field)),
      )
      if (!hit) return undefined
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
