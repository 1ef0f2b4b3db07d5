import { DeclaredPhase } from '../cohort/schema.ts'
import { accepted, quoted, rejected } from '../problem.ts'
import type { Argument } from './arguments.ts'

/** The words of a line: blanks divide them, and text between straight or curly quotes is one. */
export const wordsOf = (text: string): string[] =>
  [...text.matchAll(/["“]([^"“”]*)["”](?=[ \t]|$)|[^ \t]+/gu)].map(([word, inQuotes]) => inQuotes ?? word)

/** Texts divided by commas, without the blanks around them. */
export const listOf = (word: string): string[] =>
  word
    .split(',')
    .map((tag) => tag.trim())
    .filter((tag) => tag !== '')

const wholeNumber = (word: string): number | string => (/^\d{1,10}$/.test(word) ? Number(word) : word)

type Form = Readonly<Record<string, unknown>>

/** How many words each kind of phase takes after its name, and what they are. */
const KINDS: ReadonlyMap<string, { readonly takes: number; readonly form: (words: readonly string[]) => Form }> =
  new Map([
    ['everybody', { takes: 0, form: () => ({}) }],
    ['tags', { takes: 1, form: ([tags = '']: readonly string[]) => ({ tags: listOf(tags) }) }],
    ['share', { takes: 1, form: ([share]: readonly string[]) => ({ share }) }],
    ['count', { takes: 1, form: ([count = '']: readonly string[]) => ({ count: wholeNumber(count) }) }],
    [
      'ramp',
      {
        takes: 4,
        form: ([from, to, startsAt, endsAt]: readonly string[]) => ({ from, to, startsAt, endsAt }),
      },
    ],
  ])

export const PHASE_USAGE = 'everybody | tags a,b | share 0.25 | count 40 | ramp 0 1 START END'
const HINT = `A phase is one of: ${PHASE_USAGE}; share, count and ramp may end with "tags a,b" for devices beside them.`

const refused = (message: string): Argument<never> => rejected({ code: 'argument-invalid', message, hint: HINT })

/** A phase as people write it: its kind, what the kind takes, and perhaps `tags` for devices that are let in beside. */
export function phaseArgument(words: readonly string[]): Argument<DeclaredPhase> {
  const [name = '', ...rest] = words
  if (name === '') return rejected({ code: 'argument-missing', message: 'expected a phase, found nothing', hint: HINT })
  const kind = KINDS.get(name.toLowerCase())
  if (kind === undefined) return refused(`expected a phase, found ${quoted(name)}`)
  const more = rest.slice(kind.takes)
  const beside = more.length === 2 && more[0] === 'tags' ? listOf(more[1] ?? '') : undefined
  if (rest.length < kind.takes) return refused(`expected ${kind.takes} value(s) after ${name}, found ${rest.length}`)
  if (more.length > 0 && beside === undefined)
    return refused(`expected the phase to end, found ${quoted(more.join(' '))}`)
  const form = { kind: name.toLowerCase(), ...kind.form(rest), ...(beside && { tags: beside }) }
  const read = DeclaredPhase.safeParse(form)
  if (read.success) return accepted(read.data)
  return rejected(
    ...read.error.issues.map(({ path, message }) => {
      const field = String(path[0] ?? 'phase')
      const found = Object.hasOwn(form, field) ? (form as Form)[field] : undefined
      return {
        code: 'argument-invalid' as const,
        message: `expected a sound ${field} in the phase, found ${quoted(found)}: ${message}`,
        hint: HINT,
      }
    }),
  )
}
