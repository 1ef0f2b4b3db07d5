/**
 * Reads a message as @semantic-release/commit-analyzer 13 does through conventional-commits-parser 6.4 and its two
 * presets: only what its decision can see. Linear where the originals are not.
 * Source: the published packages; the differential test compares every rule here with them.
 */
export interface AnalyzerGrammar {
  /** Whether `!` before the colon is part of the header and means a breaking change. */
  readonly bang: boolean
  /** The keywords at the start of a line that make a note, any case. */
  readonly note: RegExp
  /** What may follow "This reverts commit ": the hash, or null. */
  readonly revertedHash: (word: string, next: string) => string | null
}

export interface AnalyzerMessage {
  /** Fields a rule can match: type and scope from the header, others from the parser's `-field-` lines. */
  readonly fields: ReadonlyMap<string, string>
  /** The line that made it breaking; null where none did. */
  readonly note: string | null
  readonly revert: Revert | null
}

/** What a message says it reverts; `header` and `hash` must both match the other commit. */
export interface Revert {
  readonly header: string
  readonly hash: string
}

const lineTerminator = /[\r\u2028\u2029]/
const gpgLine = /^\s*gpg:/
const outerNewlines = /^[\r\n]+/

/** Promises what the tool sees in `message`; null for a blank one, which it skips. */
export function readAnalyzerMessage(message: string, grammar: AnalyzerGrammar): AnalyzerMessage | null {
  if (message.trim() === '') return null
  const lines = linesOf(message)
  const header = lines[0] || null
  const parsed = header === null ? null : parseAnalyzerHeader(header, grammar.bang)
  const fields = new Map<string, string>()
  if (header !== null) fields.set('header', header)
  if (parsed?.type) fields.set('type', parsed.type)
  if (parsed?.scope) fields.set('scope', parsed.scope)
  const note = readLines(lines, grammar.note, fields)
  // A `-header-` field changes the header before the tool looks at its `!`.
  const loud = parsed?.breaking === true && fields.get('header') === header
  return {
    fields,
    note: note ?? (loud ? header : null),
    revert: readRevert(message, grammar.revertedHash),
  }
}

function linesOf(message: string): string[] {
  const start = outerNewlines.exec(message)?.[0].length ?? 0
  let end = message.length
  while (end > start && (message[end - 1] === '\r' || message[end - 1] === '\n')) end -= 1
  const lines = message.slice(start, end).split(/\r?\n/)
  return message.includes('gpg:') ? lines.filter((line) => !gpgLine.test(line)) : lines
}

const wordAtStart = /^\w*/

/**
 * `type(scope): subject`, one blank after the colon, and with `bang` an optional `!`. The scope reaches to the last
 * closing bracket that still leaves a header.
 */
function parseAnalyzerHeader(header: string, bang: boolean): { type: string; scope: string; breaking: boolean } | null {
  if (lineTerminator.test(header)) return null
  const type = wordAtStart.exec(header)?.[0] ?? ''
  const rest = type.length
  if (header[rest] !== '(') {
    if (header.startsWith(': ', rest)) return { type, scope: '', breaking: false }
    return bang && header.startsWith('!: ', rest) ? { type, scope: '', breaking: true } : null
  }
  const loud = bang ? header.lastIndexOf(')!: ') : -1
  const close = loud > rest ? loud : header.lastIndexOf('): ')
  return close > rest ? { type, scope: header.slice(rest + 1, close), breaking: close === loud } : null
}

/** Finds the first note and collects `-field-` lines, whose content is every line after them up to the next one. */
function readLines(lines: readonly string[], notePattern: RegExp, fields: Map<string, string>): string | null {
  let field: string | null = null
  let note: string | null = null
  for (let index = 1; index < lines.length; index += 1) {
    const line = lines[index] ?? ''
    const name = fieldOf(line)
    if (name !== null) field = name === '' ? null : name
    else if (field !== null) appendTo(fields, field, line)
    else if (note === null && notePattern.test(line)) note = line
  }
  return note
}

/** Only these can be seen by a rule or by the pairing of reverts. */
const visibleFields = new Set(['type', 'scope', 'header', 'hash', 'revert', 'emoji', 'tag', 'component'])

function appendTo(fields: Map<string, string>, field: string, line: string): void {
  if (!visibleFields.has(field)) return
  const before = fields.get(field)
  fields.set(field, before ? `${before}\n${line}` : line)
}

function fieldOf(line: string): string | null {
  if (line.length < 2 || !line.startsWith('-') || !line.endsWith('-') || lineTerminator.test(line)) return null
  return line.slice(1, -1)
}

const revertStart = /^(?:Revert|revert:)\s/i
const reverts = /This reverts commit /gi
const hashWord = /\w*/y

function readRevert(message: string, hashOf: AnalyzerGrammar['revertedHash']): Revert | null {
  const start = revertStart.exec(message)?.[0].length
  if (start === undefined) return null
  const unquoted = message[start] === '"' ? findRevert(message, start + 1, hashOf) : null
  return unquoted ?? findRevert(message, start, hashOf)
}

/** The shortest header of at least one character from `start` that a readable "This reverts commit" follows. */
function findRevert(message: string, start: number, hashOf: AnalyzerGrammar['revertedHash']): Revert | null {
  reverts.lastIndex = start + 1
  for (let found = reverts.exec(message); found !== null; found = reverts.exec(message)) {
    hashWord.lastIndex = reverts.lastIndex
    const word = hashWord.exec(message)?.[0] ?? ''
    const hash = hashOf(word, message[reverts.lastIndex + word.length] ?? '')
    if (hash === null) continue
    const before = message.slice(start, found.index).trimEnd()
    const header = before.length > 1 && before.endsWith('"') ? before.slice(0, -1) : before
    return { header: header.length > 0 ? header : message.slice(start, start + 1), hash }
  }
  return null
}
