/** The first line of a conventional commit: `type(scope)!: subject`. Scope and subject are trimmed. */
export interface Header {
  /** As written; compare it in lower case. */
  readonly type: string
  /** As written; null where there is none or nothing in the brackets. */
  readonly scope: string | null
  readonly breaking: boolean
  /** May be empty: whether that is allowed is the reader's rule, not the grammar's. */
  readonly subject: string
}

/** Bounded, because a Unicode pattern without bounds overflows the stack of its engine on some megabytes of one word. */
const typeAtStart = /^[\p{L}\p{N}_][\p{L}\p{N}\p{M}_./+-]{0,254}/u
/** Of the characters below U+0080 the same; the engine has it ready a millisecond sooner. */
const asciiTypeAtStart = /^\w[\w./+-]{0,254}/

function typeOf(line: string): string | undefined {
  const type = asciiTypeAtStart.exec(line)?.[0]
  return line.charCodeAt(type?.length ?? 0) > 0x7f ? typeAtStart.exec(line)?.[0] : type
}

/**
 * Reads one line by the default grammar: a type without blanks and of 255 characters at most, a scope in balanced
 * brackets, `!`, a colon; the blank after the colon is optional. Null where the line is no header. Linear in its length.
 */
export function parseHeader(line: string): Header | null {
  const type = typeOf(line)
  if (type === undefined) return null
  const scopeEnd = line[type.length] === '(' ? afterBrackets(line, type.length) : type.length
  if (scopeEnd === null) return null
  const breaking = line[scopeEnd] === '!'
  const colon = breaking ? scopeEnd + 1 : scopeEnd
  if (line[colon] !== ':') return null
  const scope = scopeEnd > type.length ? line.slice(type.length + 1, scopeEnd - 1).trim() : ''
  return { type, scope: scope === '' ? null : scope, breaking, subject: line.slice(colon + 1).trim() }
}

/** The index after the bracket that closes the one at `open`; null where it stays open. */
function afterBrackets(line: string, open: number): number | null {
  let depth = 0
  for (let at = open; at < line.length; at += 1) {
    if (line[at] === '(') depth += 1
    else if (line[at] === ')') depth -= 1
    if (depth === 0) return at + 1
  }
  return null
}
