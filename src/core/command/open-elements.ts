/** Elements without content or end tag (HTML standard, 13.1.2), with the old ones browsers still treat so. */
const VOID = new Set(
  'area base basefont bgsound br col embed frame hr image img input keygen link meta param source track wbr'.split(' '),
)

/** Their end tag may be left out: they end with the element around them. */
const LOOSE = new Set('caption colgroup dd dt li p tbody td tfoot th thead tr'.split(' '))

/** Their end tag also works inside what Markdown puts around it; that of any other element does not reach out of it. */
const REACHING = new Set(
  (
    'address applet article aside blockquote button center details dialog dir div dl fieldset figcaption figure footer ' +
    'form h1 h2 h3 h4 h5 h6 header hgroup listing main marquee menu nav object ol pre search section summary table ul'
  ).split(' '),
)

/** They outlive the element they were opened in: a browser opens them again behind it. */
const FORMATTING = new Set('a b big code em font i nobr s small strike strong tt u'.split(' '))

/** Inside them a browser ignores end tags of what is outside, even those that Markdown writes. */
const BARRIER = new Set('applet button marquee math object select svg table template'.split(' '))

interface Entered {
  readonly kind: MarkdownElement
  readonly barriers: number
  /** How many frames were open. */
  readonly depth: number
}

interface Frame {
  readonly name: string
  readonly isBarrier: boolean
  readonly loose: Map<string, number>
  readonly formatting: Map<string, number>
}

/** Nothing reaches out of a table cell; what is opened in a paragraph lives on behind it. */
export type MarkdownElement = 'paragraph' | 'cell' | 'other'

/** Follows the raw HTML of a document, in order, and says whether an element is open. */
export interface OpenElements {
  /** Raw HTML as it stands in the document: a block, or one inline tag or comment. */
  readHtml(raw: string): void
  /** Around anything that Markdown renders as an element. */
  enter(kind: MarkdownElement): void
  leave(): void
  /** True when what comes next is rendered inside an element, a comment or an unfinished tag. */
  isInside(): boolean
}

const add = (counts: Map<string, number>, name: string, by: number) => counts.set(name, (counts.get(name) ?? 0) + by)
const sum = (counts: Map<string, number>) => [...counts.values()].reduce((total, count) => total + count, 0)

/**
 * Starts with nothing open. It errs on one side only: what it calls outside, a browser shows outside. An end tag
 * closes the innermost element if that is its own, otherwise nothing; so wrongly nested HTML hides what follows.
 * Content of script, style and the like is read as markup, because GitHub's tag filter turns their tags into text.
 */
export function trackElements(): OpenElements {
  const frames: Frame[] = [newFrame('', false)]
  const entered: Entered[] = []
  let barriers = 0
  let inComment = false
  let isLost = false

  const top = (): Frame => frames.at(-1) as Frame

  function open(name: string): void {
    if (VOID.has(name)) return
    if (LOOSE.has(name)) add(top().loose, name, 1)
    else if (FORMATTING.has(name)) add(top().formatting, name, 1)
    else push(newFrame(name, BARRIER.has(name)))
  }

  function close(name: string): void {
    const counts = LOOSE.has(name) ? top().loose : FORMATTING.has(name) ? top().formatting : undefined
    if (counts !== undefined) {
      if ((counts.get(name) ?? 0) > 0) add(counts, name, -1)
    } else if (frames.length > 1 && top().name === name && (REACHING.has(name) || isOwn())) pop()
  }

  /** The top was opened in the Markdown element that is open now, and no loose element in it stands in the way. */
  const isOwn = () => frames.length > (entered.at(-1)?.depth ?? 1) && sum(top().loose) === 0

  /** A comment that is still open swallows the tags that Markdown writes. */
  function loseStructureInComment(): void {
    if (inComment) isLost = true
  }

  function push(frame: Frame): void {
    frames.push(frame)
    if (frame.isBarrier) barriers += 1
  }

  function pop(): void {
    const frame = frames.pop()
    if (frame?.isBarrier) barriers -= 1
    for (const [name, count] of frame?.formatting ?? []) add(top().formatting, name, count)
  }

  return {
    readHtml(raw) {
      let from = 0
      if (inComment) {
        const end = endOfComment(raw, 0)
        if (end === undefined) return
        inComment = false
        from = end
      }
      for (const token of tokens(raw, from)) {
        if (token.kind === 'start') open(token.name)
        else if (token.kind === 'end') close(token.name)
        else if (token.kind === 'unfinished-comment') inComment = true
        else isLost = true
      }
    },
    enter(kind) {
      loseStructureInComment()
      if (kind === 'cell') push(newFrame('', false))
      entered.push({ kind, barriers, depth: frames.length })
    },
    leave() {
      loseStructureInComment()
      const was = entered.pop()
      if (was === undefined) return
      // The end that Markdown writes is ignored inside a barrier, so nobody can say any more what contains what.
      if (was.kind !== 'paragraph' && barriers > was.barriers) isLost = true
      if (was.kind === 'cell') frames.length = was.depth - 1
    },
    isInside: () => isLost || inComment || frames.length > 1 || sum(top().loose) > 0 || sum(top().formatting) > 0,
  }
}

const newFrame = (name: string, isBarrier: boolean): Frame => ({
  name,
  isBarrier,
  loose: new Map(),
  formatting: new Map(),
})

type Token =
  | { readonly kind: 'start' | 'end'; readonly name: string }
  | { readonly kind: 'unfinished-comment' }
  | { readonly kind: 'unfinished' }

/** The tags of raw HTML, as the tokenizer of the HTML standard (13.2.5) finds them; one pass. */
function* tokens(raw: string, from: number): Generator<Token> {
  let at = raw.indexOf('<', from)
  while (at !== -1) {
    let end: number | undefined
    if (raw.startsWith('<!--', at)) {
      end = endOfComment(raw, at + 4)
      if (end === undefined) return yield { kind: 'unfinished-comment' }
    } else if (/[!?/]/.test(raw.charAt(at + 1)) && !/[a-z]/i.test(raw.charAt(at + 2) || ' ')) {
      end = after(raw, '>', at)
    } else if (/[!?]/.test(raw.charAt(at + 1))) {
      end = after(raw, '>', at)
    } else if (/[a-z/]/i.test(raw.charAt(at + 1))) {
      const isEnd = raw.charAt(at + 1) === '/'
      const name = tagName(raw, isEnd ? at + 2 : at + 1)
      end = endOfTag(raw, at + (isEnd ? 2 : 1) + name.length)
      if (end !== undefined) yield { kind: isEnd ? 'end' : 'start', name: name.toLowerCase() }
    } else end = at + 1
    if (end === undefined) return yield { kind: 'unfinished' }
    at = raw.indexOf('<', end)
  }
}

function after(raw: string, character: string, from: number): number | undefined {
  const found = raw.indexOf(character, from)
  return found === -1 ? undefined : found + 1
}

/** Behind the end of a comment whose text begins at `from`. `<!-->` and `<!--->` are whole comments. */
function endOfComment(raw: string, from: number): number | undefined {
  const short = /^-?>/.exec(raw.slice(from, from + 2))
  if (short !== null && raw.startsWith('<!--', from - 4)) return from + short[0].length
  const end = /--!?>/g
  end.lastIndex = from
  return end.exec(raw) === null ? undefined : end.lastIndex
}

function tagName(raw: string, from: number): string {
  const name = /[^\t\n\f\r />]*/y
  name.lastIndex = from
  return name.exec(raw)?.[0] ?? ''
}

/** Behind the `>` of a tag whose name ended at `from`: quotes count only where an attribute's value begins. */
function endOfTag(raw: string, from: number): number | undefined {
  let state: 'before-name' | 'name' | 'after-name' | 'before-value' | 'value' = 'before-name'
  for (let at = from; at < raw.length; at += 1) {
    const character = raw.charAt(at)
    if (character === '>') return at + 1
    if (/[\t\n\f\r ]/.test(character)) {
      state = state === 'name' ? 'after-name' : state === 'value' ? 'before-name' : state
    } else if (character === '/' && state !== 'value' && state !== 'before-value') state = 'before-name'
    else if (character === '=' && (state === 'name' || state === 'after-name')) state = 'before-value'
    else if (state === 'before-value' && (character === '"' || character === "'")) {
      at = raw.indexOf(character, at + 1)
      if (at === -1) return undefined
      state = 'before-name'
    } else if (state === 'before-value') state = 'value'
    else if (state === 'before-name' || state === 'after-name') state = 'name'
  }
  return undefined
}
