import { instantMs } from '../cohort/instant.ts'
import { accepted, type Checked, type Problem, quoted, rejected } from '../problem.ts'
import { EnvironmentName, ProductName, VersionText } from '../product/schema.ts'

export type ArgumentProblem = Problem<'argument-missing' | 'argument-invalid' | 'argument-unexpected'>
/** An argument read: its value, or everything that is wrong with it. */
export type Argument<T> = Checked<T, ArgumentProblem['code']>

const MAX_TEXT = 300
/** Text between straight or curly quotes is the text itself. */
export const unquoted = (text: string): string => /^["“](.*)["”]$/u.exec(text)?.[1]?.trim() ?? text
const visible = (text: string): boolean => /^[^\p{Cc}\p{Cf}\u2028\u2029]*$/u.test(text)

/** A line of text of at most 300 visible characters; quotes around it are left out. `what` names it for people. */
export function textArgument(text: string, what: string): Argument<string> {
  const value = unquoted(text.trim())
  if (value === '') {
    return rejected({
      code: 'argument-missing',
      message: `expected ${what}, found nothing`,
      hint: `Write ${what} after the command.`,
    })
  }
  if (value.length > MAX_TEXT || !visible(value)) {
    return rejected({
      code: 'argument-invalid',
      message: `expected ${what} of at most ${MAX_TEXT} visible characters, found ${quoted(value)}`,
      hint: 'Shorten it, and leave out control and direction characters.',
    })
  }
  return accepted(value)
}

/** For commands that take nothing. */
export const nothing = (text: string): Argument<Record<never, never>> =>
  text.trim() === ''
    ? accepted({})
    : rejected({
        code: 'argument-unexpected',
        message: `expected nothing after the command, found ${quoted(text)}`,
        hint: 'Leave it out.',
      })

/** The name of a product. */
export function nameArgument(text: string): Argument<string> {
  const name = ProductName.safeParse(text)
  if (name.success) return accepted(name.data)
  return rejected({
    code: text === '' ? 'argument-missing' : 'argument-invalid',
    message: `expected the name of a product, 1 to 100 visible characters, found ${text === '' ? 'nothing' : quoted(text)}`,
    hint: 'Such as /add api@1.2.3.',
  })
}

/** `product@version`: the last `@` divides, for names may hold one. */
export function productAndVersion(args: string): Argument<{ product: string; version?: string }> {
  const text = unquoted(args.trim())
  const cut = text.lastIndexOf('@')
  const product = nameArgument(cut > 0 ? text.slice(0, cut) : text)
  const version = cut > 0 ? VersionText.safeParse(text.slice(cut + 1)) : null
  const problems: ArgumentProblem[] = [
    ...(product.ok ? [] : product.problems),
    ...(version === null || version.success
      ? []
      : [
          {
            code: 'argument-invalid' as const,
            message: `expected a version after the @, 1 to 100 visible characters without blanks, found ${quoted(text.slice(cut + 1))}`,
            hint: 'Such as /add api@1.2.3.',
          },
        ]),
  ]
  if (!product.ok || problems.length > 0) return rejected(...problems)
  return accepted({ product: product.value, ...(version?.success ? { version: version.data } : {}) })
}

/** The id of a step, then words that show it. */
export function stepAndEvidence(args: string): Argument<{ step: string; evidence?: string }> {
  const [step = '', ...rest] = args.trim().split(/[ \t]+/)
  const checked = textArgument(step, 'the id of a step')
  if (!checked.ok) return checked
  const evidence = unquoted(rest.join(' '))
  if (evidence === '') return accepted({ step: checked.value })
  const said = textArgument(evidence, 'evidence')
  return said.ok ? accepted({ step: checked.value, evidence: said.value }) : said
}

/** The first word, or the text between quotes where it begins with one, and what is left. */
export function firstWord(args: string): { readonly word: string; readonly rest: string } {
  const text = args.trim()
  const found = /^["“]([^"“”]*)["”](?=[ \t]|$)/u.exec(text) ?? /^([^ \t]*)/.exec(text)
  return { word: (found?.[1] ?? '').trim(), rest: text.slice(found?.[0].length ?? 0).trim() }
}

/** The name of an environment; whether it exists is the configuration's word. */
export function environmentArgument(text: string): Argument<string> {
  const name = EnvironmentName.safeParse(text)
  if (name.success) return accepted(name.data)
  return rejected({
    code: text === '' ? 'argument-missing' : 'argument-invalid',
    message: `expected the name of an environment, 1 to 100 visible characters, found ${text === '' ? 'nothing' : quoted(text)}`,
    hint: 'Put a name with blanks in quotes.',
  })
}

/** GitHub's logins: letters, digits and inner hyphens, with or without the `@` that people write before them. */
export function loginArgument(text: string): Argument<string> {
  const found = /^@?([A-Za-z0-9](?:[A-Za-z0-9-]{0,38}))$/.exec(text)
  if (found?.[1]) return accepted(found[1])
  return rejected({
    code: text === '' ? 'argument-missing' : 'argument-invalid',
    message: `expected the login of a person, found ${text === '' ? 'nothing' : quoted(text)}`,
    hint: 'Such as @octocat.',
  })
}

type Values<A extends Readonly<Record<string, Argument<unknown>>>> = {
  [K in keyof A]: A[K] extends Argument<infer T> ? T : never
}

/** Several arguments together: all of their values, or all of their problems at once. */
export function together<A extends Readonly<Record<string, Argument<unknown>>>>(read: A): Argument<Values<A>> {
  const entries = Object.entries(read)
  const problems = entries.flatMap(([, argument]) => (argument.ok ? [] : argument.problems))
  if (problems.length > 0) return rejected(...problems)
  return accepted(
    Object.fromEntries(entries.map(([name, argument]) => [name, argument.ok ? argument.value : null])) as Values<A>,
  )
}

const DAY = /^\d{4}-\d{2}-\d{2}$/

/** A day (`2026-11-20`, all of it) or an instant, as the ISO 8601 UTC instant at its end. */
export function untilArgument(text: string): Argument<string> {
  const ms = DAY.test(text) ? Date.parse(`${text}T23:59:59.999Z`) : Date.parse(instantOf(text) ?? '')
  if (!Number.isNaN(ms) && isReal(text)) return accepted(new Date(ms).toISOString())
  return rejected({
    code: text === '' ? 'argument-missing' : 'argument-invalid',
    message: `expected a day such as 2026-11-20, or a time such as 2026-11-20T12:00Z, found ${text === '' ? 'nothing' : quoted(text)}`,
    hint: 'Times are UTC.',
  })
}

const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?Z$/
const instantOf = (text: string): string | null => (INSTANT.test(text) ? text : null)
/** `Date.parse` takes the 31st of February for a day of March. */
const isReal = (text: string): boolean => {
  const ms = Date.parse(`${text.slice(0, 10)}T00:00:00Z`)
  return !Number.isNaN(ms) && new Date(ms).toISOString().slice(0, 10) === text.slice(0, 10)
}

/** A calendar day, as it is written. */
export function dayArgument(text: string): Argument<string> {
  if (DAY.test(text) && isReal(text)) return accepted(text)
  return rejected({
    code: 'argument-invalid',
    message: `expected a day such as 2026-11-20, found ${quoted(text)}`,
    hint: 'Write it as year-month-day.',
  })
}

/** An instant as manifests write it; `what` is the word before it. */
export function instantArgument(word: string | undefined, what: string): Argument<string> {
  if (word !== undefined && instantMs(word) !== undefined) return accepted(word)
  return rejected({
    code: word === undefined ? 'argument-missing' : 'argument-invalid',
    message: `expected an instant after ${what}, found ${word === undefined ? 'nothing' : quoted(word)}`,
    hint: 'Such as 2026-01-15T12:00:00Z.',
  })
}

/** Two instants with a slash between, the later one behind. */
export function windowArgument(text: string): Argument<string> {
  const [start = '', end = '', ...more] = text.split('/')
  const isSound = more.length === 0 && [start, end].every((side) => instantOf(side) !== null && isReal(side))
  if (isSound && Date.parse(start) < Date.parse(end))
    return accepted(`${new Date(start).toISOString()}/${new Date(end).toISOString()}`)
  return rejected({
    code: 'argument-invalid',
    message: `expected a window of two times, the later one behind, found ${quoted(text)}`,
    hint: 'Such as 2026-11-20T18:00Z/2026-11-20T22:00Z; times are UTC.',
  })
}
