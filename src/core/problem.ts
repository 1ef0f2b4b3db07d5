/**
 * One thing that is wrong, said once: what was expected, what was found, and what to do about it.
 * Problems are values; a function that checks reports all of them together.
 */
export interface Problem<Code extends string = string> {
  /** Stable, lower-case, hyphenated; each folder of the core closes its own set. */
  readonly code: Code
  /** One sentence: "expected X, found Y". Never holds a secret. */
  readonly message: string
  /** What the reader can do next. */
  readonly hint?: string
  /** Where: a file of the repository or a field path such as `rings[2].label`. */
  readonly path?: string
  /** 1-based line in the file named by `path`. */
  readonly line?: number
}

/** What a check returns: the value, or every problem found. */
export type Checked<T, Code extends string = string> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly Problem<Code>[] }

export const accepted = <T>(value: T): { readonly ok: true; readonly value: T } => ({ ok: true, value })

export const rejected = <Code extends string>(
  ...problems: readonly Problem<Code>[]
): { readonly ok: false; readonly problems: readonly Problem<Code>[] } => ({ ok: false, problems })

/** Whose trouble an error is; the command line maps it to its exit codes (1, 2, 3). */
export type Fault = 'refused' | 'bad-input' | 'outside'

/**
 * Something an operator can mend. Expected outcomes are values (`Checked`, decisions); this is thrown only where a
 * value cannot travel, and only entry points turn it into an exit code or an answer.
 */
export class RingmasterError extends Error {
  override readonly name = 'RingmasterError'
  readonly code: string
  readonly fault: Fault
  readonly hint: string | undefined
  readonly problems: readonly Problem[]

  constructor(fault: Fault, problems: readonly Problem[] | Problem, options?: { cause?: unknown }) {
    const all = Array.isArray(problems) ? (problems as readonly Problem[]) : [problems as Problem]
    super(all.map((problem) => problem.message).join('\n'), options)
    this.fault = fault
    this.problems = all
    this.code = all[0]?.code ?? 'unknown'
    this.hint = all[0]?.hint
  }
}

/** Unwraps a checked value where failing is the caller's end of the road. Throws `RingmasterError` with all problems. */
export function unwrap<T>(checked: Checked<T>, fault: Fault = 'bad-input'): T {
  if (checked.ok) return checked.value
  throw new RingmasterError(fault, checked.problems)
}

/** For what cannot happen: asks for a report. A switch that ends here is proved exhaustive by the compiler. */
export function impossible(what: never | string): never {
  throw new Error(`Ringmaster met a state it holds impossible (${String(what)}); please report it.`)
}

/** Quotes text from outside for a one-line message: control and direction characters made visible, cut where it is long. */
export function quotedWithin(maxLength: number, text: unknown): string {
  const raw = typeof text === 'string' ? text : (JSON.stringify(text) ?? String(text))
  const visible = raw.replace(
    /[\p{Cc}\p{Cf}\u2028\u2029]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  )
  return `"${visible.length > maxLength ? `${visible.slice(0, maxLength - 1)}…` : visible}"`
}

/** As a name or a version is quoted. One parameter, so that lists can be mapped with it. */
export const quoted = (text: unknown): string => quotedWithin(80, text)
