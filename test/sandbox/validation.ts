export interface Violation {
  readonly kind: 'request' | 'answer' | 'unknown-route' | 'not-implemented'
  /** `GET /repos/{owner}/{repo}` or what was asked for. */
  readonly operation: string
  readonly problems: readonly string[]
}
