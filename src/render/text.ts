/**
 * Text from outside inside our Markdown. GitHub looks for mentions, issue numbers and addresses in the rendered text,
 * so a backslash or an entity does not stop them; an empty character (U+200B) between does.
 */

const BREAK = '\u200b'

/** Blank out what moves or hides text: controls, direction marks, tags, halves of characters. Joiners stay, because scripts and emoji need them. */
const BLANKS = /[\t\n\v\f\r\u0085\u2028\u2029]+/g
const INVISIBLE = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}]/gu

const visible = (text: string): string => text.replace(BLANKS, ' ').replace(INVISIBLE, '\ufffd')

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  // Between dollars GitHub sets mathematics; its documentation names this way out.
  ['$', '<span>$</span>'],
  ['@', `@${BREAK}`],
  ...[...'\\`*_[]~|'].map((mark): [string, string] => [mark, `\\${mark}`]),
])

/** What begins a heading, a list or a rule at the start of a line. */
const LINE_START = /^([#+\-=]|\d{1,9}[.)])/

const LINKING: readonly (readonly [RegExp, string])[] = [
  [/#(?=\d)/g, `#${BREAK}`],
  [/(GH-)(?=\d)/gi, `$1${BREAK}`],
  [/:\/\//g, `:${BREAK}//`],
  [/(www)\./gi, `$1${BREAK}.`],
  // owner/repo@sha and e-mail addresses are stopped at their "@" already.
]

/**
 * One line of plain text as Markdown that shows exactly that text, in a paragraph, a list item or a table cell: no
 * formatting, HTML, mention, link, issue reference or line break survives. Line breaks and tabs become blanks;
 * invisible characters become U+FFFD.
 */
export function escapeMarkdown(text: string): string {
  const escaped = visible(text)
    .trim()
    .replace(/[&<>$@\\`*_[\]~|]/g, (mark) => ESCAPES.get(mark) ?? mark)
    .replace(LINE_START, (start) => `${start.slice(0, -1)}\\${start.slice(-1)}`)
  return LINKING.reduce((marked, [pattern, replacement]) => marked.replace(pattern, replacement), escaped)
}

const ENTITY_CODED = /[!-/:-@[-`{-~]/g
const PLAIN_CODE = /^(?! )[^`|\\]*[^`|\\ ]$/

/**
 * Text shown as code, in a paragraph, a list item or a table cell. Backticks where they hold; where the text itself
 * has backticks, bars or blanks at an end, `<code>` with every sign as an entity. GitHub makes no links in either.
 */
export function codeSpan(text: string): string {
  const shown = visible(text)
  if (PLAIN_CODE.test(shown)) return `\`${shown}\``
  return `<code>${shown.replace(ENTITY_CODED, (mark) => `&#${mark.charCodeAt(0)};`)}</code>`
}

/** A block of text as it is, whatever it holds. */
export function fenced(text: string, language: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length))
  const fence = '`'.repeat(longest + 1)
  return `${fence}${language}\n${text.replace(/\n?$/, '\n')}${fence}`
}

/**
 * Only what can be a login is mentioned: names come from teams, the configuration and the log. Those of managed users end with
 * an underscore and the short code of their enterprise
 * (https://docs.github.com/enterprise-cloud@latest/admin/managing-iam/iam-configuration-reference/username-considerations-for-external-authentication).
 */
export const isLogin = (text: string): boolean => /^(?=.{1,39}$)[A-Za-z0-9][A-Za-z0-9-]*(?:_[A-Za-z0-9]+)?$/.test(text)

/** Only what cannot end a link, a table cell or an address between angle brackets: addresses are text from outside. */
const ADDRESS = /^https?:\/\/[\w\-.~:/?#@!&'*+,;=%]{1,500}$/

/** Text, Markdown already, that leads to an address; the text alone where there is none that can stand in a link. */
export const link = (text: string, url: string | null | undefined): string =>
  url && ADDRESS.test(url) ? `[${text}](${url})` : text

/** An address that is its own text; shown as code where it cannot stand in a link. */
export const linkTo = (url: string): string => (ADDRESS.test(url) ? `<${url}>` : codeSpan(url))

/** The text, or its beginning with an ellipsis, in at most `maxLength` UTF-16 units; no character is cut in two. */
export function truncate(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text
  if (maxLength < 1) return ''
  return `${text.slice(0, maxLength - 1).replace(/[\ud800-\udbff]$/, '')}…`
}

/**
 * The longest beginning of a text whose rendering keeps to a length: escapes make text longer, some signs many times.
 * `render` must not get shorter as its text grows.
 */
export function fitted(text: string, render: (text: string) => string, maxLength: number): string {
  const whole = render(text)
  if (whole.length <= maxLength) return whole
  let [fits, tooLong] = [0, text.length]
  while (tooLong - fits > 1) {
    const middle = Math.floor((fits + tooLong) / 2)
    if (render(truncate(text, middle)).length <= maxLength) fits = middle
    else tooLong = middle
  }
  return render(truncate(text, fits))
}

/** GitHub's limit of a comment is 65,536 characters; what is ours to add (marker, notes) fits into the rest. */
export const MAX_BODY = 65_000

/** Room for the line that says how many are left out. */
const MORE_LENGTH = 24

/** All lines, or as many whole ones as keep to a length and then how many more there are (behind `bullet`). */
export function foldLines(lines: readonly string[], maxLength: number, bullet = ''): string[] {
  if (lines.join('\n').length <= maxLength) return [...lines]
  let left = maxLength - MORE_LENGTH
  const cut = lines.findIndex((line) => {
    left -= line.length + 1
    return left < 0
  })
  return [...lines.slice(0, cut), `${bullet}_and ${lines.length - cut} more_`]
}

/** Names with commas between, or as many whole ones as keep to a length and then how many more there are. */
export function foldNames(names: readonly string[], maxLength: number): string {
  const whole = names.join(', ')
  if (whole.length <= maxLength) return whole
  let left = maxLength - MORE_LENGTH
  const cut = names.findIndex((name) => {
    left -= name.length + 2
    return left < 0
  })
  return [...names.slice(0, cut), `_and ${names.length - cut} more_`].join(', ')
}

/** Divides room among those who want some: what one leaves goes to the others, so that only the largest are cut. */
export function fairShares(wanted: readonly number[], room: number): number[] {
  const shares = wanted.map(() => 0)
  const smallestFirst = [...wanted.entries()].sort(([, a], [, b]) => a - b)
  let left = Math.max(0, room)
  for (const [place, [index, length]] of smallestFirst.entries()) {
    const share = Math.min(length, Math.floor(left / (wanted.length - place)))
    shares[index] = share
    left -= share
  }
  return shares
}

/** A Markdown table. Cells must be Markdown already (`escapeMarkdown`, `codeSpan`). Header cells are plain words of ours. */
export function markdownTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n')
}
