import type { Nodes, Root } from 'mdast'

/** Where cmark, and so GitHub, begins something new, and micromark 4.0.3 reads on in what stands before it. */
export interface MisreadLine {
  /** 1-based. */
  readonly line: number
  /**
   * `item`: an item behind indented code, which micromark takes for a paragraph that only some items may interrupt.
   * `tag`: a tag alone on a line that could continue a quote, list or footnote lazily; CommonMark says that it does.
   */
  readonly kind: 'item' | 'tag'
}

const INDENTED_CODE = /^(?: {4}| {0,3}\t)/
const ITEM = /^ {0,3}(?:[*+-]|\d{1,9}[.)])(?:[ \t]|$)/
/** The indent of an item's content (CommonMark 0.31, 5.2), without what counts for one blank: nothing, or code. */
const ITEM_CONTENT = /^ {0,3}(?:[*+-]|\d{1,9}[.)])(?: {1,4}(?=[^ ]))?/
/** A start or end tag alone on its line: an HTML block of kind 7 (CommonMark 0.31, 4.6). */
const TAG_ALONE =
  /^( {0,3})<(?:[a-z][a-z0-9-]*(?:[ \t]+[a-z_:][\w.:-]*(?:[ \t]*=[ \t]*(?:[^ \t"'=<>`]+|'[^']*'|"[^"]*"))?)*[ \t]*\/?|\/[a-z][a-z0-9-]*[ \t]*)>[ \t]*$/i

/** The first of them, if any. Cut there, a text is read as GitHub reads it. */
export function firstMisread(root: Root, lineAt: (line: number) => string): MisreadLine | undefined {
  for (const node of root.children) {
    const { first, last } = linesOfNode(node)
    if (node.type === 'code' && INDENTED_CODE.test(lineAt(first)) && ITEM.test(lineAt(last + 1)))
      return { line: last + 1, kind: 'item' }
    const containers = node.type === 'list' ? node.children : [node]
    for (const container of containers) {
      const line = lazyTagIn(container, lineAt)
      if (line !== undefined) return { line, kind: 'tag' }
    }
  }
  return undefined
}

/** The first line with a tag alone on it that is not indented as it had to be to stand inside. */
function lazyTagIn(container: Nodes, lineAt: (line: number) => string): number | undefined {
  const { first, last } = linesOfNode(container)
  const indent = indentWithin(container, lineAt(first))
  for (let line = first + 1; line <= last; line += 1) {
    const before = TAG_ALONE.exec(lineAt(line))?.[1]
    if (before !== undefined && before.length < indent) return line
  }
  return undefined
}

function indentWithin(container: Nodes, firstLine: string): number {
  if (container.type === 'blockquote' || container.type === 'footnoteDefinition') return 4
  if (container.type !== 'listItem') return 0
  const marker = ITEM_CONTENT.exec(withoutTabs(firstLine))?.[0] ?? ''
  return marker.endsWith(' ') ? marker.length : marker.length + 1
}

const withoutTabs = (line: string): string =>
  line.replaceAll(/([^\t]*)\t/g, (_, text: string) => text.padEnd(text.length + 4 - (text.length % 4)))

const linesOfNode = ({ position }: Nodes) => ({
  first: position?.start.line ?? 0,
  last: position?.end.line ?? 0,
})
