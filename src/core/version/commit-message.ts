import { type Header, parseHeader } from './header.ts'

/** A commit message as the default preset reads it. Nothing here knows levels; that is the judge's. */
export interface CommitMessage {
  /** The line that decides: the first, or the title of a pull request that GitHub merged. */
  readonly title: string
  readonly standing: 'counts' | 'merge' | 'autosquash' | 'blank'
  readonly header: Header | null
  /** Text of the first breaking-change line; null where there is none. */
  readonly breaking: string | null
  /** The first version asked for, as written and without a leading `v`; null where none is. */
  readonly releaseAs: string | null
  /** Whether the title says that it is a revert. */
  readonly revertTitle: boolean
  /** What the message reverts: full hashes, or prefixes of at least 7 digits; lower case. */
  readonly reverts: readonly string[]
  /** At most `mostSightings`, in order. */
  readonly sightings: readonly Sighting[]
}

/** Something in the body that looks as if it was meant to count and does not. */
export interface Sighting {
  readonly kind: 'breaking-in-code' | 'breaking-without-text' | 'breaking-look-alike' | 'header'
  readonly line: string
}

/** Nobody reads more of them, and a long message has no end of them. */
export const mostSightings = 20

const githubMerge = /^Merge pull request #\d+ from \S/
const otherMerge =
  /^Merge (?:branch(?:es)?|remote-tracking branch(?:es)?|tags?|commits?|pull request|[0-9a-f]{7,64} into)\b/
const autosquash = /^(?:fixup|squash|amend)! /
const quotedRevert = /^revert\s+["'“]/i

const readings = new WeakMap<{ readonly message: string }, CommitMessage>()

/**
 * The reading of a commit's message, made once for each commit object: several questions are asked about one message,
 * and a caller that waits for git can have it read meanwhile.
 */
export function messageOf(commit: { readonly message: string }): CommitMessage {
  const known = readings.get(commit)
  if (known !== undefined) return known
  const reading = readCommitMessage(commit.message)
  readings.set(commit, reading)
  return reading
}

/** Reads a message; blanks around it are ignored. Linear in its length. */
export function readCommitMessage(raw: string): CommitMessage {
  const message = raw.trim()
  const merged = githubMerge.test(message)
  const text = merged ? afterFirstLine(message) : message
  const end = text.indexOf('\n')
  const title = (end === -1 ? text : text.slice(0, end)).trimEnd()
  const standing = standingOf(title, merged)
  const header = standing === 'counts' ? parseHeader(title) : null
  const isRevert = quotedRevert.test(title) || header?.type.toLowerCase() === 'revert'
  const body = standing === 'counts' ? readLines(text, isRevert) : nothing
  return { title: title === '' ? firstLine(message) : title, standing, header, revertTitle: isRevert, ...body }
}

const afterFirstLine = (text: string): string => {
  const end = text.indexOf('\n')
  return end === -1 ? '' : text.slice(end + 1).trimStart()
}

const firstLine = (text: string): string => text.split('\n', 1)[0]?.trimEnd() ?? ''

function standingOf(title: string, merged: boolean): CommitMessage['standing'] {
  if (title === '') return merged ? 'merge' : 'blank'
  if (otherMerge.test(title)) return 'merge'
  return autosquash.test(title) ? 'autosquash' : 'counts'
}

type Body = Pick<CommitMessage, 'breaking' | 'releaseAs' | 'reverts' | 'sightings'>
const nothing: Body = { breaking: null, releaseAs: null, reverts: [], sightings: [] }

/** What a scan of the lines gathers. */
interface Gathered {
  breaking: string | null
  releaseAs: string | null
  reverts: string[]
  sightings: Sighting[]
}

/** Without any of these words and without a header in its body, a message need not be read line by line. */
const words = /breaking|release-as|this reverts commit|refs:/i
const headerInBody = /\n[ \t]*(?:[*+-][ \t]+)?\w[\w.+/-]*(?:\([^()\n]*\))?!?:/

function readLines(text: string, isRevert: boolean): Body {
  if (!words.test(text) && !headerInBody.test(text)) return nothing
  const gathered: Gathered = { breaking: null, releaseAs: null, reverts: [], sightings: [] }
  let fence: Fence | null = null
  let start = 0
  while (start <= text.length) {
    const newline = text.indexOf('\n', start)
    const end = newline === -1 ? text.length : newline
    const line = text.slice(start, text[end - 1] === '\r' ? end - 1 : end)
    if (fence !== null && leavesItem(fence, line)) fence = null
    const after = fenceAfter(fence, line)
    if (fence !== null || after !== null) sightInCode(line, gathered)
    else readLine(line, start > 0, isRevert, gathered)
    fence = after
    start = end + 1
  }
  return { ...gathered, reverts: [...new Set(gathered.reverts)] }
}

/** A code fence that is open. */
interface Fence {
  readonly marks: string
  /** Where the content of the list item that opened it begins; 0 where no item did. */
  readonly column: number
}

/** Bounded, as are the columns: an item's fence may close as far to the right as three blanks behind its content. */
const fenceLine = /^( {0,20})((?:[*+-]|\d{1,9}[.)]) {1,4})?(`{3,}|~{3,})(.*)$/s
const mostIndent = 3

/** The code fence that is open behind this line, given the one open before it (CommonMark 0.31, 4.5 and 5.2). */
function fenceAfter(open: Fence | null, line: string): Fence | null {
  if (!line.includes('```') && !line.includes('~~~')) return open
  const [, indent = '', item = '', marks = '', info = ''] = fenceLine.exec(line) ?? []
  if (marks === '' || indent.length > (open?.column ?? 0) + mostIndent) return open
  if (open !== null) return item === '' && marks.startsWith(open.marks) && info.trim() === '' ? null : open
  if (marks.startsWith('`') && info.includes('`')) return null
  return { marks, column: item === '' ? 0 : indent.length + item.length }
}

/** Whether text stands to the left of the item's content: the item ends there, and its fence with it. */
const leavesItem = (open: Fence, line: string): boolean => /^ *\S/.test(line.slice(0, open.column))

const breakingLine = /^BREAKING[ -]CHANGE(?::| #)/
const breakingWords = /breaking[ _-]?change/i
/** In capitals anywhere, or in any case where a line begins, behind the marks of a list, a quote or a heading. */
const breakingLookAlike = /BREAKING[ _-]?CHANGE|^[\s>*+#|_`-]*[Bb](?:reaking|REAKING)[ _-]?[Cc]hange/
const releaseAsLine = /^release-as:\s*(.*)$/is
/** A whole hash, and bounded: a line may be megabytes of digits. */
const revertLine = /^This reverts commit ([0-9a-f]{40}(?:[0-9a-f]{24})?)(?![0-9a-f])/i
/** Where the title says that it is a revert, the phrase may stand behind other words. */
const revertPhrase = /\bThis reverts commit ([0-9a-f]{40}(?:[0-9a-f]{24})?)(?![0-9a-f])/i
const quoteOrCode = /^(?: {0,3}>| {4}|\t)/
const refsLine = /^refs:(.*)$/is

function sight(kind: Sighting['kind'], line: string, { sightings }: Gathered): void {
  if (sightings.length < mostSightings) sightings.push({ kind, line })
}

function sightInCode(line: string, gathered: Gathered): void {
  if (breakingWords.test(line)) sight('breaking-in-code', line, gathered)
}

function readLine(line: string, inBody: boolean, isRevert: boolean, gathered: Gathered): void {
  const first = line[0]
  if (first === undefined) return
  readReverts(line, isRevert, gathered)
  if (breakingWords.test(line)) {
    readBreaking(line, gathered)
    return
  }
  const asked = releaseAsLine.exec(line)?.[1]
  if (asked !== undefined) gathered.releaseAs ??= asked.trim().replace(/^v(?=\d)/i, '')
  if (inBody && gathered.sightings.length < mostSightings && isHeaderInBody(line)) sight('header', line, gathered)
}

function readReverts(line: string, isRevert: boolean, { reverts }: Gathered): void {
  const phrase = isRevert && !quoteOrCode.test(line) ? revertPhrase : revertLine
  const reverted = phrase.exec(line)?.[1]
  if (reverted !== undefined) reverts.push(reverted.toLowerCase())
  const refs = isRevert ? refsLine.exec(line)?.[1] : undefined
  if (refs !== undefined) reverts.push(...hashesIn(refs))
}

function readBreaking(line: string, gathered: Gathered): void {
  const keyword = breakingLine.exec(line)?.[0]
  const text = keyword === undefined ? '' : line.slice(keyword.length).trim()
  if (text !== '') gathered.breaking ??= text
  else if (keyword !== undefined) sight('breaking-without-text', line, gathered)
  else if (breakingLookAlike.test(line)) sight('breaking-look-alike', line, gathered)
}

const hashesIn = (text: string): string[] =>
  text
    .split(/[\s,;]+/)
    .filter((word) => /^[0-9a-f]{7,64}$/i.test(word))
    .map((word) => word.toLowerCase())

const listMark = /^[ \t]*(?:[*+-][ \t]+)?/
/** Turns most lines away before the grammar looks at them. */
const headerLike = /^[ \t]*(?:[*+-][ \t]+)?\w[\w.+/-]*[(!:]/

/** Whether a line of the body, as an item of a list or by itself, reads as a header with a subject. */
function isHeaderInBody(line: string): boolean {
  if (!headerLike.test(line)) return false
  const header = parseHeader(line.slice(listMark.exec(line)?.[0].length ?? 0))
  return header !== null && header.subject !== ''
}
