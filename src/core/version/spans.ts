/** A piece of a text: from `start`, up to and without `end`. */
export interface Span {
  readonly start: number
  readonly end: number
}

/** A value of a file and the names that lead to it, outermost first. */
export interface NamedSpan extends Span {
  readonly names: readonly string[]
}

const jsonToken = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g

/** Every text value of a JSON document that is valid, by the keys that lead to it; those inside lists are left out. Linear. */
export function jsonTexts(text: string): NamedSpan[] {
  const found: NamedSpan[] = []
  const names: string[] = []
  const open: ('{' | '[')[] = []
  let key: string | null = null
  let expectsKey = false
  for (const { 0: token, index } of text.matchAll(jsonToken)) {
    if (token === '{' || token === '[') {
      if (open.length > 0) names.push(key ?? '')
      open.push(token)
      expectsKey = token === '{'
      key = null
    } else if (token === '}' || token === ']') {
      open.pop()
      names.pop()
      expectsKey = false
    } else if (token === ',') {
      expectsKey = open.at(-1) === '{'
      key = null
    } else if (token.startsWith('"') && expectsKey) {
      key = JSON.parse(token) as string
      expectsKey = false
    } else if (token.startsWith('"') && key !== null && !open.includes('[')) {
      found.push({ names: [...names, key], start: index + 1, end: index + token.length - 1 })
    }
  }
  return found
}

const tomlTable = /^[ \t]*\[([^[\]]+)\][ \t]*(?:#.*)?$/
const tomlText = /^([ \t]*([\w.-]+)[ \t]*=[ \t]*)("[^"\\]*"|'[^']*')[ \t]*(?:#.*)?$/
const tomlFence = /"""|'''/g

/** Every text value of a TOML document on a line of its own, by table and key. Linear; what spans lines is passed over. */
export function tomlTexts(text: string): NamedSpan[] {
  const found: NamedSpan[] = []
  let table: readonly string[] = []
  let fence: string | null = null
  let at = 0
  for (const raw of text.split('\n')) {
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw
    const inside = fence !== null
    for (const [mark] of line.matchAll(tomlFence)) fence = fence === null ? mark : fence === mark ? null : fence
    const value = inside ? null : tomlText.exec(line)
    if (value !== null) {
      const [, before = '', key = '', quoted = ''] = value
      const start = at + before.length + 1
      found.push({ names: [...table, ...key.split('.')], start, end: start + quoted.length - 2 })
    } else if (!inside && /^[ \t]*\[/.test(line)) {
      // A list of tables (`[[bin]]`) has no one value under a name.
      const name = tomlTable.exec(line)?.[1]
      table = name === undefined ? ['[[]]'] : name.split('.').map((part) => part.trim().replace(/^["']|["']$/g, ''))
    }
    at += raw.length + 1
  }
  return found
}

/** What is no element, from its beginning to its end. */
const xmlAsides = [
  ['<!--', '-->'],
  ['<![CDATA[', ']]>'],
  ['<?', '?>'],
  ['<!', '>'],
] as const

/**
 * The text of every element of an XML document that holds text alone, by the elements around it. Linear; a `>` inside an
 * attribute ends the tag early, which no file of versions has.
 */
export function xmlTexts(text: string): NamedSpan[] {
  const found: NamedSpan[] = []
  const open: { name: string; start: number; pure: boolean }[] = []
  for (let at = text.indexOf('<'); at !== -1; at = text.indexOf('<', at)) {
    const [begin, end] = xmlAsides.find(([mark]) => text.startsWith(mark, at)) ?? ['<', '>']
    const close = text.indexOf(end, at + begin.length)
    if (close === -1) return found
    const around = open.at(-1)
    const tag = text.slice(at + 1, close)
    if (begin === '<' && tag.startsWith('/')) {
      const element = open.pop()
      if (element?.pure) {
        found.push({ names: [...open.map(({ name }) => name), element.name], start: element.start, end: at })
      }
    } else if (around !== undefined) around.pure = false
    if (begin === '<' && !/^\/|\/$/.test(tag)) {
      open.push({ name: tag.split(/\s/, 1)[0] ?? '', start: close + 1, pure: true })
    }
    at = close + end.length
  }
  return found
}
