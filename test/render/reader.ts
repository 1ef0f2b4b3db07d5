import type { Nodes, Root } from 'mdast'
import { fromMarkdown } from 'mdast-util-from-markdown'
import { gfmFromMarkdown } from 'mdast-util-gfm'
import { gfm } from 'micromark-extension-gfm'

export const parse = (markdown: string): Root =>
  fromMarkdown(markdown, { extensions: [gfm()], mdastExtensions: [gfmFromMarkdown()] })

const nodesOf = (node: Nodes): Nodes[] => [node, ...('children' in node ? node.children.flatMap(nodesOf) : [])]

/** HTML that we write ourselves; anything else came from outside. */
const OURS = /^<\/?(?:span|code|sub)>$|^<!-- ringmaster:[^\s<>]* -->$/

/** What somebody who reads the rendered Markdown sees, and what they could click. */
export interface Seen {
  /** All text, code included, without the empty characters that break mentions. */
  readonly text: string
  /** Where links lead. */
  readonly links: readonly string[]
  /** HTML that is not ours. */
  readonly html: readonly string[]
  /** What GitHub would take for mentions of people, and for references to issues. */
  readonly mentions: readonly string[]
  readonly references: readonly string[]
  /** The kinds of nodes, outermost first: the shape of the document. */
  readonly shape: string
}

export function seenIn(markdown: string): Seen {
  const tree = parse(markdown)
  const nodes = nodesOf(tree)
  const texts = proseOf(nodes)
  const found = (pattern: RegExp) => texts.flatMap((text) => text.match(pattern) ?? [])
  return {
    text: nodes
      .flatMap((node) => (node.type === 'text' || node.type === 'inlineCode' ? [node.value] : []))
      .join('')
      .replaceAll('\u200b', ''),
    links: nodes.flatMap((node) => (node.type === 'link' || node.type === 'image' ? [node.url] : [])),
    html: nodes.flatMap((node) => (node.type === 'html' && !OURS.test(node.value.trim()) ? [node.value] : [])),
    mentions: found(/@[A-Za-z0-9][\w-]*/g),
    references: found(/(?:#|\bGH-)\d+/gi),
    shape: shapeOf(tree),
  }
}

/** The text in which GitHub looks for mentions and references: none that is code, in backticks or in `<code>`. */
function proseOf(nodes: readonly Nodes[]): string[] {
  let isCode = false
  return nodes.flatMap((node) => {
    if (node.type === 'html' && /^<\/?code>$/.test(node.value)) isCode = node.value === '<code>'
    return node.type === 'text' && !isCode ? [node.value] : []
  })
}

/** The tree without what is inline: text from outside may be text or code, and nothing else. */
function shapeOf(node: Nodes): string {
  if (!('children' in node))
    return node.type === 'text' || node.type === 'inlineCode' || node.type === 'html' ? '' : node.type
  return `${node.type}(${node.children.map(shapeOf).filter(Boolean).join(' ')})`
}

/** What is to be seen of a text: line breaks and tabs as blanks, invisible characters as U+FFFD. */
export const plain = (text: string): string =>
  text
    .replace(/[\t\n\v\f\r\u0085\u2028\u2029]+/g, ' ')
    .replace(/(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}]/gu, '\ufffd')
    .trim()

/** Text that people could write to break out of its place. */
export const HOSTILE: readonly (readonly [string, string])[] = [
  ['a code span', 'a `code` span'],
  ['a code fence', '``` js'],
  ['a bar', 'a|b||c'],
  ['a mention', 'thanks @mallory'],
  ['a mention of a team', '@acme/everybody'],
  ['an entity of a mention', '&#64;mallory &commat;mallory'],
  ['an image tag', '<img src=x onerror=alert(1)>'],
  ['a script', '</sub></details><script>alert(1)</script>'],
  ['a marker of ours', '<!-- ringmaster:r12%2Fboard -->'],
  ['the beginning of a comment', '<!--'],
  ['two lines', 'first\nsecond\r\n\r\n# third'],
  ['300 characters', 'x'.repeat(300)],
  ['text that runs backwards', 'abc\u202efdp.exe'],
  ['a link', '[click](https://evil.test/)'],
  ['a link by reference', '[click][1] [1]: https://evil.test'],
  ['an address', 'https://evil.test/?a=b&c=d www.evil.test'],
  ['an image', '![i](https://evil.test/i.png)'],
  ['an issue', 'closes #31337, GH-31337 and acme/app#31337'],
  ['emphasis', '**b** __u__ ~~s~~ *i* _i_'],
  ['a heading', '# heading'],
  ['the end of a heading', 'C ##'],
  ['a list', '- item'],
  ['a numbered list', '1. item'],
  ['a quotation', '> quoted'],
  ['a rule', '---'],
  ['a task', '[x] done'],
  ['mathematics', '$x$ and $$y$$'],
  ['backslashes', 'a\\ \\` \\| \\'],
  ['a footnote', 'a[^1]'],
  ['a name of JavaScript', '__proto__'],
  ['a path', '../../etc/passwd'],
  ['people in space', '👩‍🚀👨‍👩‍👧'],
  ['an Arabic name', 'خدمة المستخدم'],
]
