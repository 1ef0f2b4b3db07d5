import { micromark } from 'micromark'
import { gfm, gfmHtml } from 'micromark-extension-gfm'
import { parseFragment } from 'parse5'

interface HtmlNode {
  readonly nodeName: string
  readonly value?: string
  readonly childNodes?: readonly HtmlNode[]
}

const html = gfmHtml()
const leaveFootnote = html.exit?.gfmFootnoteDefinition
/** The compiler's own leaves a flag behind that swallows the line end of some later paragraph. */
const fixedHtml: typeof html = {
  ...html,
  exit: {
    ...html.exit,
    gfmFootnoteDefinition(token) {
      leaveFootnote?.call(this, token)
      this.setData('slurpOneLineEnding', false)
    },
  },
}

/**
 * The lines that stand as plain text in paragraphs of the rendered page or bare text that are inside nothing else. An oracle
 * independent of our reader: it renders the whole comment to HTML and lets a browser's parser build the page.
 */
export function plainLines(body: string): string[] {
  // Micromark takes U+FEFF for a blank, against CommonMark and GitHub, where it is one more invisible character.
  const text = body.replaceAll(/(?<!^)\uFEFF/g, '\u200B')
  const page = micromark(text, { extensions: [gfm()], htmlExtensions: [fixedHtml], allowDangerousHtml: true })
  return linesOfPage(page)
}

/** The same of a page that somebody else rendered. */
export const linesOfPage = (page: string): string[] =>
  ((parseFragment(page) as HtmlNode).childNodes ?? []).flatMap((node) =>
    node.nodeName === 'p' ? (node.childNodes ?? []).map(asText).join('').split('\n') : linesOutside(node),
  )

/** A stray `</p>` in a comment leaves the rest of its paragraph as bare text. */
const linesOutside = (node: HtmlNode) => (node.nodeName === '#text' ? (node.value ?? '').split('\n') : [])

/** What an element holds is no plain text, and line ends inside of it begin no plain line. */
function asText(node: HtmlNode): string {
  if (node.nodeName === '#text') return node.value ?? ''
  if (node.nodeName === '#comment') return ''
  return node.nodeName === 'br' ? '' : `\u0001${textOf(node).replaceAll('\n', '\u0001')}`
}

function textOf(node: HtmlNode): string {
  return node.value ?? (node.childNodes ?? []).map(textOf).join('')
}
