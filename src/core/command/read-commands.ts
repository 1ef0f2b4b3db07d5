import type { Nodes, Paragraph, Root } from 'mdast'
import { accepted, type Checked, rejected } from '../problem.ts'
import { type BodyProblem, cutIntoPieces, linesOf, type Piece, parseMarkdown } from './markdown-pieces.ts'
import { type MarkdownElement, type OpenElements, trackElements } from './open-elements.ts'

/** A command as typed: nothing is known yet about whether it exists or its arguments make sense. */
export interface ReadCommand {
  /** Lower case. */
  readonly name: string
  /** The rest of the line, trimmed, without HTML comments; may be empty. */
  readonly args: string
  /** 1-based line of the comment. */
  readonly line: number
}

const COMMAND = /^\/([A-Za-z0-9][A-Za-z0-9-]{0,31})(?=[ \t]|$)/
const CANDIDATE = /^\/[A-Za-z0-9]/m
const MAX_LABELS = 500

/**
 * The commands that a reader of the rendered comment sees as a line of plain text, in order: lines of top-level
 * paragraphs that begin in column 0 with a slash and a name. Names nobody knows are read too. Never throws; refuses
 * comments that are too long or too intricate to be read in bounded time, so silence always means "no command".
 */
export function readCommands(body: string): Checked<ReadCommand[], BodyProblem | 'body-unreadable'> {
  if (!CANDIDATE.test(body)) return accepted([])
  try {
    // Renderers drop a byte order mark. What stands behind it is not in column 0.
    const isMarked = body.startsWith('\uFEFF')
    const pieces = cutIntoPieces(
      isMarked ? body.slice(1) : body,
      (text) => CANDIDATE.test(text) || text.includes('<') || text.includes(']:'),
    )
    if (!pieces.ok) return pieces
    const linked = withForeignDefinitions(pieces.value)
    if (!linked.ok) return linked
    return accepted(commandsIn(linked.value).filter(({ line }) => !(isMarked && line === 1)))
  } catch {
    return rejected({
      code: 'body-unreadable',
      message: 'expected Markdown, found a comment that the Markdown parser failed on',
      hint: 'Put the commands into a comment of their own.',
    })
  }
}

/** A link may be defined in another piece; where that could matter, the piece is parsed again with the definition. */
function withForeignDefinitions(pieces: readonly Piece[]): Checked<Piece[], BodyProblem> {
  const labels = new Set<string>()
  for (const piece of pieces) {
    if (piece.kind === 'markdown') for (const label of definitionsIn(piece.root)) labels.add(label)
  }
  const linked: Piece[] = []
  for (const piece of pieces) {
    if (piece.kind !== 'markdown' || labels.size === 0 || !piece.text.includes('[') || !CANDIDATE.test(piece.text)) {
      linked.push(piece)
      continue
    }
    if (labels.size > MAX_LABELS) {
      return rejected({
        code: 'body-too-intricate',
        message: `expected at most ${MAX_LABELS} link definitions beside commands, found ${labels.size}`,
        hint: 'Put the commands into a comment of their own.',
      })
    }
    const folded = foldLabel(piece.text)
    const used = [...labels].filter((label) => folded.includes(label))
    linked.push(used.length === 0 ? piece : { ...piece, root: parseMarkdown(piece.text, used) })
  }
  return accepted(linked)
}

/** As the parser compares labels: blanks as one, and both case foldings. */
const foldLabel = (text: string) =>
  text
    .replace(/[\t\n\r ]+/g, ' ')
    .toLowerCase()
    .toUpperCase()
    .toLowerCase()

function* definitionsIn(root: Root): Generator<string> {
  for (const { node, isEnter } of walk(root)) if (isEnter && node.type === 'definition') yield node.identifier
}

/** Depth first without recursion: nesting comes from outside. */
function* walk(root: Nodes): Generator<{ readonly node: Nodes; readonly isEnter: boolean }> {
  const todo: { readonly node: Nodes; readonly isEnter: boolean }[] = [{ node: root, isEnter: true }]
  for (let step = todo.pop(); step !== undefined; step = todo.pop()) {
    yield step
    if (!step.isEnter || !('children' in step.node)) continue
    todo.push({ node: step.node, isEnter: false })
    for (const child of step.node.children.toReversed()) todo.push({ node: child, isEnter: true })
  }
}

function commandsIn(pieces: readonly Piece[]): ReadCommand[] {
  const elements = trackElements()
  const commands: ReadCommand[] = []
  for (const piece of pieces) {
    if (piece.kind === 'html') elements.readHtml(piece.text)
    else {
      const starts = linesOf(piece.text)
      for (const child of piece.root.children) {
        if (child.type === 'paragraph') commands.push(...commandsOf(child, piece, starts, elements))
        else follow(child, elements)
      }
    }
  }
  return commands
}

const ELEMENTS = new Map<string, MarkdownElement>([
  ['paragraph', 'paragraph'],
  ['tableCell', 'cell'],
])

const OLD_DECLARATION = /^<!(?:\[CDATA\[|[A-Z]+\s)/

/**
 * Whether CommonMark 0.29 (6.10) takes it for text, whose tags count, where 0.31 takes it for a comment or declaration
 * that hides them. cmark-gfm follows the older rules; whatever GitHub does, what either hides is not read.
 */
function hidesByNewRules(raw: string): boolean {
  if (!raw.startsWith('<!')) return false
  if (!raw.startsWith('<!--')) return !OLD_DECLARATION.test(raw)
  const text = raw.slice(4, -3)
  return text.startsWith('>') || text.startsWith('->') || text.endsWith('-') || text.includes('--')
}

/** What only the older rules see may open something, and closes nothing: by the newer ones that is open still. */
function readHtml(raw: string, elements: OpenElements): void {
  elements.readHtml(raw)
  if (!hidesByNewRules(raw)) return
  const seen = trackElements()
  seen.readHtml(raw.slice(2))
  if (seen.isInside()) elements.readHtml(raw.slice(2))
}

/** Whether HTML opens something that it does not close itself. */
function leavesOpen(raw: string): boolean {
  const alone = trackElements()
  readHtml(raw, alone)
  return alone.isInside()
}

/**
 * Takes in the HTML of one node, whatever it is nested in. That of footnotes stands behind everything and closes
 * nothing; a block of it that opens something may not be part of the footnote for another reader.
 */
function follow(root: Nodes, elements: OpenElements): void {
  let footnotes = 0
  for (const { node, isEnter } of walk(root)) {
    if (node.type === 'footnoteDefinition') {
      footnotes += isEnter ? 1 : -1
      for (const child of isEnter ? node.children : [])
        if (child.type === 'html' && leavesOpen(child.value)) readHtml(child.value, elements)
    } else if (footnotes > 0) continue
    else if (node.type === 'html') readHtml(node.value, elements)
    else if ('children' in node) {
      if (isEnter) elements.enter(ELEMENTS.get(node.type) ?? 'other')
      else elements.leave()
    }
  }
}

interface Span {
  readonly start: number
  readonly end: number
}

const spanOf = (node: Nodes): Span => ({
  start: node.position?.start.offset ?? 0,
  end: node.position?.end.offset ?? 0,
})

function commandsOf(
  paragraph: Paragraph,
  piece: Extract<Piece, { kind: 'markdown' }>,
  lines: readonly Span[],
  elements: OpenElements,
): ReadCommand[] {
  const commands: ReadCommand[] = []
  const comments = commentsIn(paragraph)
  const isInFormula = formulas(piece.text, spanOf(paragraph))
  const { children } = paragraph
  let next = 0
  elements.enter('paragraph')
  const last = paragraph.position?.end.line ?? 0
  for (let line = paragraph.position?.start.line ?? 1; line <= last; line += 1) {
    const span = lines[line - 1]
    if (span === undefined) break
    let around = children[next]
    while (around !== undefined && spanOf(around).end <= span.start) {
      follow(around, elements)
      next += 1
      around = children[next]
    }
    const isPlain =
      around === undefined || around.type === 'text' || around.type === 'break' || spanOf(around).start >= span.start
    const match = COMMAND.exec(piece.text.slice(span.start, span.end))
    if (match === null || !isPlain || piece.isDoubtful || isInFormula(span.start) || elements.isInside()) continue
    commands.push({
      name: (match[1] ?? '').toLowerCase(),
      args: without(piece.text, { start: span.start + match[0].length, end: span.end }, comments).trim(),
      line: piece.firstLine + line - 1,
    })
  }
  for (const child of children.slice(next)) follow(child, elements)
  elements.leave()
  return commands
}

/** Comments, and the instructions and declarations that browsers take for comments. */
function commentsIn(paragraph: Paragraph): Span[] {
  const spans: Span[] = []
  for (const { node } of walk(paragraph))
    if (node.type === 'html' && /^<[!?]/.test(node.value)) spans.push(spanOf(node))
  return spans
}

function without(text: string, within: Span, hidden: readonly Span[]): string {
  let rest = ''
  let at = within.start
  for (const { start, end } of hidden) {
    if (end <= at) continue
    if (start >= within.end) break
    rest += text.slice(at, Math.max(at, start))
    at = Math.min(end, within.end)
  }
  return rest + text.slice(at, within.end)
}

/** GitHub shows what stands between two `$$` as a formula. Says for an offset whether it is in one. */
function formulas(text: string, paragraph: Span): (offset: number) => boolean {
  const marks = [...text.slice(paragraph.start, paragraph.end).matchAll(/\$\$/g)].map(
    ({ index }) => paragraph.start + index,
  )
  return (offset) => {
    const before = marks.filter((mark) => mark < offset).length
    return before % 2 === 1 && before < marks.length
  }
}
