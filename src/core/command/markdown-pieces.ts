import type { Root } from 'mdast'
import { fromMarkdown } from 'mdast-util-from-markdown'
import { gfmFromMarkdown } from 'mdast-util-gfm'
import { gfm } from 'micromark-extension-gfm'
import { accepted, type Checked, rejected } from '../problem.ts'
import { firstMisread } from './misread-lines.ts'

/** A part of a comment that can be read without the rest: Markdown, or HTML that runs over blank lines. */
export type Piece =
  | {
      readonly kind: 'markdown'
      readonly text: string
      readonly firstLine: number
      readonly root: Root
      /** CommonMark and GitHub do not agree on what contains it. */
      readonly isDoubtful: boolean
    }
  | { readonly kind: 'html'; readonly text: string }

export interface Line {
  readonly start: number
  /** Without the line end. */
  readonly end: number
}

/** GitHub takes 65,536 characters; one may be two code units. */
const MAX_CODE_UNITS = 2 * 65_536

/** Quotes and lists in one line; nobody reads deeper ones. What many such lines cost, `workOf` bounds. */
const MAX_DEPTH = 200

/** About a second on a slow machine, in steps of 10 ns (see `workOf`). */
const MAX_WORK = 100_000_000

const FENCE = /^(?:(`{3,})[^`]*$|(~{3,}))/
const MARKERS = /(?:[ \t]*(?:>|[*+-](?=[ \t])|\d{1,9}[.)](?=[ \t])))/y

/** The HTML blocks that blank lines do not end (CommonMark 0.31, 4.6, kinds 1 to 5): how they begin and end. */
const LONG_HTML: readonly (readonly [RegExp, RegExp])[] = [
  [/^<(?:script|pre|style|textarea)(?=[\s>]|$)/i, /<\/(?:script|pre|style|textarea)>/i],
  [/^<!--/, /-->/],
  [/^<\?/, /\?>/],
  [/^<!\[CDATA\[/, /\]\]>/],
  [/^<![a-z]/i, />/],
]

export type BodyProblem = 'body-too-long' | 'body-too-intricate'

const TOO_INTRICATE = {
  code: 'body-too-intricate',
  message: 'expected a comment that can be read in bounded time, found too many or too deeply nested marks in it',
  hint: 'Put the commands into a comment of their own.',
} as const

const parseOptions = {
  extensions: [gfm()],
  // Without the transform that looks for bare addresses: they never cross a line, and its search is quadratic.
  mdastExtensions: gfmFromMarkdown().map(({ transforms, ...extension }) => extension),
}

/**
 * What the parser sees; `labels` (as in `identifier`) are link definitions of other pieces that references here use.
 * U+FEFF becomes another invisible character of the same length: the parser drops it at the start of a piece and takes
 * it for a blank elsewhere, neither of which GitHub does.
 */
export function parseMarkdown(text: string, labels: readonly string[] = []): Root {
  const definitions = labels.map((label) => `\n\n[${label}]: x`).join('')
  return fromMarkdown(`${text}${definitions}`.replaceAll('\uFEFF', '\u200B'), parseOptions)
}

/** The probe becomes a paragraph of its own unless a fence or HTML that is still open takes it in. */
const parseWithProbe = (text: string): Root => parseMarkdown(`${text}\n\nprobe`)

/** Lines with LF, CRLF or CR between them. */
export function linesOf(body: string): Line[] {
  const lines: Line[] = []
  let start = 0
  for (const { index, 0: end } of body.matchAll(/\r\n|\n|\r/g)) {
    lines.push({ start, end: index })
    start = index + end.length
  }
  lines.push({ start, end: body.length })
  return lines
}

/**
 * Cuts a comment where nothing can reach over: at an unindented line after a blank one, and at an unindented fence,
 * both outside of fences and HTML. Fenced code is dropped, and so are pieces that hold nothing `isOfInterest` asks
 * for. The parser's time grows with the square of what one piece holds; the cuts and the two limits make the whole
 * linear in the length, and refuse what would not be.
 */
export function cutIntoPieces(body: string, isOfInterest: (text: string) => boolean): Checked<Piece[], BodyProblem> {
  if (body.length > MAX_CODE_UNITS) return rejected(tooLong(body.length))
  const lines = linesOf(body)
  const textOf = (line: Line | undefined) => (line === undefined ? '' : body.slice(line.start, line.end))
  const lineAt = (index: number) => textOf(lines[index])
  const pieces: Piece[] = []
  let work = 0
  let at = 0
  let doubtfulTo = 0
  while (at < lines.length) {
    if (/^[ \t]*$/.test(lineAt(at))) {
      at += 1
      continue
    }
    const fence = FENCE.exec(lineAt(at))
    if (fence !== null) {
      at = endOfFence(lineAt, lines.length, at + 1, fence[1] ?? fence[2] ?? '')
      continue
    }
    const first = at
    at = endOfPiece(lineAt, lines.length, first)
    let text = body.slice(lines[first]?.start, lines[lastFilled(lineAt, at)]?.end)
    if (!isOfInterest(text) && !/^ {1,3}(?:```|~~~)/m.test(text)) continue
    const nesting = nestingOf(text)
    work += workOf(text, nesting.marks)
    if (work > MAX_WORK || nesting.deepest > MAX_DEPTH) return rejected(TOO_INTRICATE)
    let root = parseWithProbe(text)
    const misread = firstMisread(root, (line) => lineAt(first + line - 1))
    if (misread !== undefined) {
      if (misread.kind === 'tag') doubtfulTo = Math.max(doubtfulTo, at)
      at = first + misread.line - 1
      text = body.slice(lines[first]?.start, lines[at - 1]?.end)
      root = parseWithProbe(text)
    }
    const last = root.children.at(-1)
    const start = last?.position?.start.offset ?? 0
    pieces.push({
      kind: 'markdown',
      text: text.slice(0, start),
      firstLine: first + 1,
      root: { ...root, children: root.children.slice(0, -1) },
      isDoubtful: first < doubtfulTo,
    })
    if (start > text.length) continue
    const tail = text.slice(start)
    if (last?.type === 'code') at = endOfFence(lineAt, lines.length, at, /^(?:`+|~+)/.exec(tail)?.[0] ?? '')
    else {
      at = endOfHtml(lineAt, lines.length, at, tail)
      pieces.push({ kind: 'html', text: body.slice((lines[first]?.start ?? 0) + start, lines[at - 1]?.end) })
    }
  }
  return accepted(pieces)
}

const tooLong = (length: number) =>
  ({
    code: 'body-too-long',
    message: `expected at most ${MAX_CODE_UNITS} code units, found ${length}`,
    hint: 'Put the commands into a comment of their own.',
  }) as const

/** The line behind the piece that begins at `from`. */
function endOfPiece(lineAt: (index: number) => string, count: number, from: number): number {
  let mayBeHtml = false
  for (let at = from; at < count; at += 1) {
    const line = lineAt(at)
    if (at > from) {
      if (!mayBeHtml && FENCE.test(line)) return at
      if (/^[^ \t]/.test(line) && /^[ \t]*$/.test(lineAt(at - 1))) return at
    }
    mayBeHtml ||= /^ {0,3}</.test(line)
  }
  return count
}

/** The last line before `end` that is not blank; there always is one, for pieces do not begin with a blank line. */
function lastFilled(lineAt: (index: number) => string, end: number): number {
  let at = end - 1
  while (at > 0 && /^[ \t]*$/.test(lineAt(at))) at -= 1
  return at
}

/** The line behind the one that ends the HTML block that began as `html`, or `count` when nothing ends it. */
function endOfHtml(lineAt: (index: number) => string, count: number, from: number, html: string): number {
  const end = LONG_HTML.find(([begins]) => begins.test(html))?.[1]
  for (let at = from; at < count; at += 1) if (end?.test(lineAt(at))) return at + 1
  return count
}

/** The line behind the closing fence, or `count` when it is never closed. */
function endOfFence(lineAt: (index: number) => string, count: number, from: number, fence: string): number {
  for (let at = from; at < count; at += 1) {
    const closing = /^ {0,3}(`{3,}|~{3,})[ \t]*$/.exec(lineAt(at))?.[1]
    if (closing?.startsWith(fence)) return at + 1
  }
  return count
}

/**
 * An upper estimate of the parser's time for one piece in steps of 10 ns, from measurements (mdast-util-from-markdown
 * 2.1.0, micromark 4.0.3) of up to 4,000 of each: marks of emphasis, other marks and lines are each compared with their
 * like, and from every `<` and every run of backticks it may look ahead to the end.
 */
function workOf(text: string, nestingMarks: number): number {
  const emphasis = text.match(/[*_~]/g)?.length ?? 0
  const others = nestingMarks + (text.match(/[[\]<`&!\\|]/g)?.length ?? 0)
  const lines = linesOf(text).length
  const lookaheads = text.match(/<|`+/g)?.length ?? 0
  return 3 * emphasis ** 2 + others ** 2 + 2 * lines ** 2 + 10 * lookaheads * text.length + 100 * text.length
}

/** Marks of quotes and list items: all of them, and the most in one line. */
function nestingOf(text: string): { readonly marks: number; readonly deepest: number } {
  let marks = 0
  let deepest = 0
  for (const { start, end } of linesOf(text)) {
    const line = text.slice(start, end)
    let depth = 0
    for (MARKERS.lastIndex = 0; MARKERS.test(line); ) depth += 1
    marks += depth
    deepest = Math.max(deepest, depth)
  }
  return { marks, deepest }
}
