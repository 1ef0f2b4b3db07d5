/**
 * Reads a message as release-please 17 does (src/commit.ts on @conventional-commits/parser 0.4): a strict grammar in
 * which one message may hold several commits, and a message that breaks a rule anywhere holds none. Linear where the
 * original tries the footers again from every line.
 */
export interface PleaseCommit {
  readonly type: string
  readonly scope: string | null
  readonly subject: string
  readonly breaking: boolean
  /** What a `Release-As` footer says, as written; null where there is none. */
  readonly releaseAs: string | null
}

/** One part of a message: its commits in the tool's order, or why the tool drops it. */
export type PleasePart =
  | { readonly kind: 'parsed'; readonly commits: readonly PleaseCommit[] }
  | { readonly kind: 'dropped'; readonly title: string; readonly expected: string }

/** Every part of a message that the tool reads by itself: paragraphs with a known type, and nested commits. */
export const readPleaseMessage = (message: string): PleasePart[] => splitMessage(message).map(readPart)

const knownParagraph = /\r?\n\r?\n(?=(?:feat|fix|docs|style|refactor|perf|test|build|ci|chore|revert)(?:\(.*?\))?: )/

function splitMessage(message: string): string[] {
  const [first = '', ...nested] = message.split('BEGIN_NESTED_COMMIT')
  const outside = [first]
  const inside: string[] = []
  for (const part of nested) {
    const end = part.indexOf('END_NESTED_COMMIT')
    inside.push(end === -1 ? part : part.slice(0, end))
    if (end !== -1) outside.push(part.slice(end + 'END_NESTED_COMMIT'.length))
  }
  return [
    ...outside
      .join('')
      .split(knownParagraph)
      .filter((part) => part !== ''),
    ...inside,
  ]
}

/** Thrown inside this file only: the grammar's way out from any depth. No `Error`, whose stack would cost the most. */
class Unreadable {
  readonly expected: string

  constructor(expected: string) {
    this.expected = expected
  }
}

function readPart(text: string): PleasePart {
  try {
    return { kind: 'parsed', commits: readCommits(text) }
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error
    return { kind: 'dropped', title: text.trim().split(/[\r\n]/, 1)[0] ?? '', expected: error.expected }
  }
}

/** The commits hidden in footers come first, the message's own last, as the tool lists them. */
function readCommits(message: string): PleaseCommit[] {
  const text = message.trim()
  const summary = readSummary(text)
  const { type, scope, subject } = summary
  if (summary.end === text.length) {
    return [{ type, scope, subject, breaking: summary.marked && subject !== '', releaseAs: null }]
  }
  const body = readBody(text, pastNewlines(text, summary.end))
  let breakingText = summary.marked ? summary.subject : ''
  if (body.marked !== null) breakingText = body.marked
  let releaseAs: string | null = null
  const inFooters: PleaseCommit[] = []
  for (const footer of body.footers) {
    if (footer.marked.startsWith('BREAKING')) breakingText = footer.lastText
    if (footer.type === null) continue
    if (footer.type.toLowerCase() === 'release-as') releaseAs ??= footer.lastText.trim()
    for (const commit of commitsInFooter(footer)) inFooters.push(commit)
  }
  const breaking = breakingText !== '' || mentionsBreaking(body.text)
  return [...inFooters, { type, scope, subject, breaking, releaseAs }]
}

function commitsInFooter(footer: Footer): PleaseCommit[] {
  try {
    return readCommits(footer.asCommit)
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error
    return []
  }
}

const hyphenated = 'BREAKING-CHANGE:'

/** The first hyphenated keyword anywhere in the body counts if anything but blanks follows it. */
function mentionsBreaking(body: string): boolean {
  const at = body.indexOf(hyphenated)
  return at !== -1 && /\S/.test(body.slice(at + hyphenated.length))
}

interface Summary {
  readonly type: string
  readonly scope: string | null
  readonly marked: boolean
  readonly subject: string
  readonly end: number
}

function readSummary(text: string): Summary {
  const token = readToken(text, 0)
  if (token === null || token.type === null) throw new Unreadable('a type')
  const separator = separatorLength(text, token.end)
  if (separator === 0) throw new Unreadable('a scope in brackets, `!` or a colon after the type')
  const start = pastBlanks(text, token.end + separator)
  const end = lineEnd(text, start)
  const { type, scope, marked } = token
  return { type, scope, marked: marked !== '', subject: text.slice(start, end), end }
}

interface Token {
  /** Null for a bare breaking-change keyword. */
  readonly type: string | null
  readonly scope: string | null
  /** `!`, a keyword, or ''. */
  readonly marked: string
  readonly end: number
}

const notInType = /[()\ufeff\t\v\f \u00a0\r\n!:]/g
const notBlank = /[^\ufeff\t\v\f \u00a0]/g
const notNewline = /[^\r\n]/g
const newline = /[\r\n]/g
const notInScope = /[()\r\n]/g

/** `type(scope)!`; null where no type stands here or the scope is empty. An open bracket makes the message unreadable. */
function readToken(text: string, start: number): Token | null {
  const type = typeAt(text, start)
  if (type === '') return null
  let end = start + type.length
  let scope: string | null = null
  if (text[end] === '(') {
    const close = bracketEnd(text, end + 1)
    if (text[close] !== ')') throw new Unreadable('a closing bracket')
    scope = text.slice(end + 1, close)
    if (scope === '') return null
    end = close + 1
  }
  const marked = markAt(text, end, true)
  return { type, scope, marked, end: end + marked.length }
}

/**
 * Where a run of characters ends: at the first one outside it. Looked for one by one, not as a repetition: where V8 has
 * stopped optimising patterns, as it does in processes with much code, a repetition keeps a place to come back to for
 * each character, and some megabytes of them are too many.
 */
function first(outside: RegExp, text: string, start: number): number {
  outside.lastIndex = start
  return outside.exec(text)?.index ?? text.length
}

const pastBlanks = (text: string, start: number): number => first(notBlank, text, start)
const pastNewlines = (text: string, start: number): number => first(notNewline, text, start)
const lineEnd = (text: string, start: number): number => first(newline, text, start)
const bracketEnd = (text: string, start: number): number => first(notInScope, text, start)
const typeAt = (text: string, start: number): string => text.slice(start, first(notInType, text, start))

const keywords = ['BREAKING CHANGE', 'BREAKING-CHANGE'] as const

function markAt(text: string, start: number, bang: boolean): string {
  if (bang && text[start] === '!') return '!'
  return keywords.find((keyword) => text.startsWith(keyword, start)) ?? ''
}

/** `:` or ` #`. */
function separatorLength(text: string, start: number): number {
  if (text[start] === ':') return 1
  return text.startsWith(' #', start) ? 2 : 0
}

interface Footer {
  readonly type: string | null
  readonly marked: string
  /** The text of its last line: what the tool takes for the footer's value. */
  readonly lastText: string
  /** The footer as the tool writes it down to read it once more as a commit. */
  readonly asCommit: string
}

/** A footer's token and where its value lies; null where no footer stands. */
interface FooterSpan {
  readonly token: Token
  readonly hash: boolean
  readonly value: number
  readonly end: number
}

function spanFooter(text: string, start: number): FooterSpan | null {
  const mark = markAt(text, start, true)
  const bare = { type: null, scope: null, marked: mark, end: start + mark.length }
  const token: Token | null = mark === '' ? readToken(text, start) : bare
  const separator = token === null ? 0 : separatorLength(text, token.end)
  if (token === null || separator === 0) return null
  const value = pastBlanks(text, token.end + separator)
  let end = lineEnd(text, value)
  for (let next = continuationAt(text, end); next !== null; next = continuationAt(text, end)) end = lineEnd(text, next)
  return { token, hash: separator === 2, value, end }
}

/** Where the content of the next line begins, if that line begins with a blank; null otherwise. */
function continuationAt(text: string, end: number): number | null {
  const next = pastNewlines(text, end)
  const content = pastBlanks(text, next)
  return next === end || content === next ? null : content
}

function readFooter(text: string, { token, hash, value }: FooterSpan): Footer {
  let end = lineEnd(text, value)
  let lastText = text.slice(value, end)
  let whole = lastText
  for (let next = continuationAt(text, end); next !== null; next = continuationAt(text, end)) {
    const newline = text.slice(end, pastNewlines(text, end))
    end = lineEnd(text, next)
    lastText = text.slice(next, end)
    whole += newline + lastText
  }
  const scope = token.scope === null ? '' : `(${token.scope})`
  const asCommit = `${token.type ?? ''}${scope}${token.marked}${hash ? '' : ': '}${whole}`
  return { type: token.type, marked: token.marked, lastText, asCommit }
}

interface Body {
  readonly text: string
  /** What follows the first line that begins with a keyword and a colon; null where there is none. */
  readonly marked: string | null
  readonly footers: readonly Footer[]
}

/** Lines are body until one from which everything to the end is footers. */
function readBody(text: string, start: number): Body {
  const pieces: string[] = []
  let markedFrom: number | null = null
  let at = start
  let newline = ''
  let noFootersBefore = start
  while (at < text.length) {
    if (at >= noFootersBefore) {
      const stop = footersStop(text, at)
      if (stop === null) break
      noFootersBefore = stop + 1
    }
    const mark = markAt(text, at, false)
    const marked = mark !== '' && text[at + mark.length] === ':'
    const content = marked ? pastBlanks(text, at + mark.length + 1) : at + mark.length
    const end = lineEnd(text, content)
    pieces.push(newline)
    if (marked) markedFrom ??= pieces.length
    pieces.push(text.slice(content, end))
    at = pastNewlines(text, end)
    newline = text.slice(end, at)
  }
  const marked = markedFrom === null ? null : pieces.slice(markedFrom).join('')
  return { text: pieces.join(''), marked, footers: footersFrom(text, at) }
}

/**
 * Where a run of footers from this line on stops short of the end; null where it reaches the end. No line up to there
 * can begin a run that reaches it: each is a footer of this run, or begins with a blank and so is none.
 */
function footersStop(text: string, start: number): number | null {
  let at = start
  while (at < text.length) {
    const span = spanFooter(text, at)
    if (span === null) return at
    at = pastNewlines(text, span.end)
  }
  return null
}

function footersFrom(text: string, start: number): Footer[] {
  const footers: Footer[] = []
  for (let at = start; at < text.length; ) {
    const span = spanFooter(text, at)
    if (span === null) break
    footers.push(readFooter(text, span))
    at = pastNewlines(text, span.end)
  }
  return footers
}
