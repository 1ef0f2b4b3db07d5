import { accepted, type Checked, type Problem, quoted, rejected } from '../problem.ts'

/** One step of a pattern: a character, `?`, `*` (within a path segment) or `**` (across them). */
type Step = { readonly kind: 'exactly'; readonly character: string } | { readonly kind: 'one' | 'many' | 'any' }

/** Decides whether a text matches; linear in the text. */
export type Wildcard = (text: string) => boolean

const unsupported = /[[\]()\\|]|^!|\.\./
const most = 64

/**
 * Reads a pattern with `*`, `**`, `?` and `{a,b}` as micromatch means them (no wildcard begins with a dot, `*` and `?`
 * stop at `/`, `**` at the end of a line); what it would mean beyond that is refused, so that no rule silently matches
 * something else.
 */
export function parseWildcard(pattern: string): Checked<Wildcard, 'bad-wildcard'> {
  const alternatives = unsupported.test(pattern) ? null : expand(pattern)
  if (alternatives === null) return rejected(refusalOf(pattern))
  const plain = alternatives.every((text) => !/[*?]/.test(text))
  if (plain) return accepted((text) => alternatives.includes(text))
  const machines = alternatives.map(stepsOf)
  return accepted((text) => text !== '' && machines.some((steps) => runs(steps, text)))
}

const refusalOf = (pattern: string): Problem<'bad-wildcard'> => ({
  code: 'bad-wildcard',
  message: `expected a name, perhaps with *, ?, or one level of {a,b}, found ${quoted(pattern)}`,
  hint: 'Write one rule for each name instead.',
})

/** All texts of a pattern with braces; null where they are nested, open, hold one name only, or are too many. */
function expand(pattern: string): readonly string[] | null {
  let texts: readonly string[] = ['']
  let rest = pattern
  while (rest !== '') {
    const open = rest.indexOf('{')
    const close = rest.indexOf('}')
    if (open === -1) return close === -1 ? texts.map((text) => text + rest) : null
    const names = rest.slice(open + 1, close).split(',')
    if (close < open || names.length < 2 || names.some((name) => name.includes('{'))) return null
    const before = rest.slice(0, open)
    texts = texts.flatMap((text) => names.map((name) => text + before + name))
    if (texts.length > most) return null
    rest = rest.slice(close + 1)
  }
  return texts
}

function stepsOf(pattern: string): Step[] {
  const parts = pattern.match(/\*+|[^*]/gu) ?? []
  return parts.map((part): Step => {
    if (part === '?') return { kind: 'one' }
    if (part.startsWith('*')) return { kind: pattern === '**' ? 'any' : 'many' }
    return { kind: 'exactly', character: part }
  })
}

/** What a wildcard does not match as the first character of a segment. */
const hiddenFirst = /[.\r\n\u2028\u2029]/

/** What `**` stops at. */
const lineBreak = /[\r\n\u2028\u2029]/

/** Runs all positions of the pattern at once, so that no text can make it try again and again. */
function runs(steps: readonly Step[], text: string): boolean {
  let at = closure(steps, [0])
  let before = '/'
  for (const character of text) {
    const hidden = before === '/' && hiddenFirst.test(character)
    at = closure(
      steps,
      at.flatMap((position) => after(steps[position], character, hidden, position)),
    )
    if (at.length === 0) return false
    before = character
  }
  return at.includes(steps.length)
}

function after(step: Step | undefined, character: string, hidden: boolean, position: number): number[] {
  if (step === undefined) return []
  if (step.kind === 'exactly') return step.character === character ? [position + 1] : []
  if (hidden || (step.kind === 'any' ? lineBreak.test(character) : character === '/')) return []
  return [step.kind === 'one' ? position + 1 : position]
}

/** Adds the positions that are reached without a character: behind a `*` that matches nothing more. */
function closure(steps: readonly Step[], from: readonly number[]): number[] {
  const reached = new Set<number>()
  for (const start of from) {
    let position = start
    while (!reached.has(position)) {
      reached.add(position)
      const kind = steps[position]?.kind
      if (kind === 'many' || kind === 'any') position += 1
    }
  }
  return [...reached]
}
