import type { FactAnswer, OutsideQuery } from '../core/facts.ts'
import type { Problem } from '../core/problem.ts'
import type { Request } from '../core/request.ts'
import type { OutputKind, OutputOf } from '../render/output.ts'

/**
 * Looks outside facts up. What cannot be read is an answer (`unreadable`): decisions fail closed. Where `isPatient`, that is
 * so only of what stays so until somebody changes something; of trouble that passes it throws `RingmasterError`.
 */
export type FactSource = (query: OutsideQuery, isPatient: boolean) => Promise<FactAnswer>

/** What applying an output came to. `remote` is where it stands outside; `observed` are facts learned on the way. */
export interface Applied {
  readonly remote: string | null
  readonly observed?: readonly Request[]
  /** In how many milliseconds it is to be looked at once more: what another process made may not be shown yet. */
  readonly lookInMs?: number
  /**
   * That a look found it otherwise and set it right: the log is told, for what another process wanted meanwhile may have been
   * undone by that.
   */
  readonly isSetRight?: true
}

/**
 * One outlet per kind of output. It looks for the output's marker before it creates, edits in place, and may be killed
 * at any point: asked again, it comes to the same world. Throws when the outside cannot be reached; it is asked again.
 * `remote` is where it was left the last time. `isLook`: it should stand already as it is wanted, by what the log says.
 */
export type Outlets = {
  readonly [K in OutputKind]: (output: OutputOf<K>, remote: string | null, isLook?: boolean) => Promise<Applied>
}

/** Lines for the operator: plain words, with data beside them. */
export interface Log {
  info(data: Record<string, unknown>, message: string): void
  error(data: Record<string, unknown>, message: string): void
}

/** What a request came to. */
export type Outcome =
  /** `isEarly`: it may count for more once other facts have come (see `Decision`). */
  | { readonly kind: 'accept'; readonly answer: unknown; readonly isEarly?: true }
  | { readonly kind: 'refuse'; readonly problems: readonly Problem[] }
