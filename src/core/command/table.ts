import type { Permission } from '../access/decide.ts'
import { accepted, type Checked, type Problem, quoted, rejected } from '../problem.ts'
import { ProductName, VersionText } from '../product/schema.ts'
import { nearest } from './nearest.ts'

type ArgumentProblem = Problem<'argument-missing' | 'argument-invalid' | 'argument-unexpected'>

/** One command: what people type, what it needs, and how its arguments become values. */
interface CommandEntry<N extends string, A> {
  readonly name: N
  readonly usage: string
  readonly help: string
  readonly permission: Permission
  parse(args: string): Checked<A, ArgumentProblem['code']>
}

const entry = <N extends string, A>(definition: CommandEntry<N, A>): CommandEntry<N, A> => definition

const MAX_TEXT = 300
/** Text between straight or curly quotes is the text itself. */
const unquoted = (text: string): string => /^["“](.*)["”]$/u.exec(text)?.[1]?.trim() ?? text
const visible = (text: string): boolean => /^[^\p{Cc}\p{Cf}\u2028\u2029]*$/u.test(text)

function textArgument(text: string, what: string): Checked<string, ArgumentProblem['code']> {
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

const nothing = (text: string): Checked<Record<never, never>, ArgumentProblem['code']> =>
  text.trim() === ''
    ? accepted({})
    : rejected({
        code: 'argument-unexpected',
        message: `expected nothing after the command, found ${quoted(text)}`,
        hint: 'Leave it out.',
      })

function nameArgument(text: string): Checked<string, ArgumentProblem['code']> {
  const name = ProductName.safeParse(text)
  if (name.success) return accepted(name.data)
  return rejected({
    code: text === '' ? 'argument-missing' : 'argument-invalid',
    message: `expected the name of a product, 1 to 100 visible characters, found ${text === '' ? 'nothing' : quoted(text)}`,
    hint: 'Such as /add api@1.2.3.',
  })
}

/** `product@version`: the last `@` divides, for names may hold one. */
function productAndVersion(args: string): Checked<{ product: string; version?: string }, ArgumentProblem['code']> {
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

function stepAndEvidence(args: string): Checked<{ step: string; evidence?: string }, ArgumentProblem['code']> {
  const [step = '', ...rest] = args.trim().split(/[ \t]+/)
  const checked = textArgument(step, 'the id of a step')
  if (!checked.ok) return checked
  const evidence = unquoted(rest.join(' '))
  if (evidence === '') return accepted({ step: checked.value })
  const said = textArgument(evidence, 'evidence')
  return said.ok ? accepted({ step: checked.value, evidence: said.value }) : said
}

/** Every command that works, in the order in which help shows them. A new one is one entry here and its handler. */
export const COMMANDS = {
  release: entry({
    name: 'release',
    usage: '/release ["title"]',
    help: 'make this issue a release issue',
    permission: 'manage-release',
    parse: (args): Checked<{ title?: string }, ArgumentProblem['code']> => {
      if (args.trim() === '') return accepted({})
      const title = textArgument(args, 'a title')
      return title.ok ? accepted({ title: title.value }) : title
    },
  }),
  add: entry({
    name: 'add',
    usage: '/add product@version',
    help: 'put a recorded version into the release; without a version the newest one',
    permission: 'manage-release',
    parse: productAndVersion,
  }),
  remove: entry({
    name: 'remove',
    usage: '/remove product',
    help: 'take a product out of the release',
    permission: 'manage-release',
    parse: (args): Checked<{ product: string }, ArgumentProblem['code']> => {
      const product = nameArgument(unquoted(args.trim()))
      return product.ok ? accepted({ product: product.value }) : product
    },
  }),
  start: entry({
    name: 'start',
    usage: '/start',
    help: 'open the proposal that the parties approve',
    permission: 'complete-release',
    parse: nothing,
  }),
  status: entry({
    name: 'status',
    usage: '/status',
    help: 'say where the release stands',
    permission: 'read',
    parse: nothing,
  }),
  done: entry({
    name: 'done',
    usage: '/done step [evidence]',
    help: 'tick a step of the checklist',
    permission: 'tick-step',
    parse: stepAndEvidence,
  }),
  undo: entry({
    name: 'undo',
    usage: '/undo step',
    help: 'open a step of the checklist again',
    permission: 'tick-step',
    parse: (args): Checked<{ step: string }, ArgumentProblem['code']> => {
      const step = textArgument(args, 'the id of a step')
      return step.ok ? accepted({ step: step.value }) : step
    },
  }),
  complete: entry({
    name: 'complete',
    usage: '/complete',
    help: 'end the release when every version is live',
    permission: 'complete-release',
    parse: nothing,
  }),
  cancel: entry({
    name: 'cancel',
    usage: '/cancel reason',
    help: 'end the release undone',
    permission: 'complete-release',
    parse: (args): Checked<{ reason: string }, ArgumentProblem['code']> => {
      const reason = textArgument(args, 'a reason')
      return reason.ok ? accepted({ reason: reason.value }) : reason
    },
  }),
  help: entry({
    name: 'help',
    usage: '/help [command]',
    help: 'list the commands',
    permission: 'read',
    parse: (args): Checked<{ topic?: string }, ArgumentProblem['code']> => {
      const topic = args.trim().replace(/^\//, '').toLowerCase()
      return accepted(topic === '' ? {} : { topic })
    },
  }),
} as const

export type CommandName = keyof typeof COMMANDS
type ArgumentsOf<N extends CommandName> = (typeof COMMANDS)[N] extends CommandEntry<string, infer A> ? A : never

/** A command whose arguments are values. */
export type ParsedCommand = { [N in CommandName]: { readonly name: N } & ArgumentsOf<N> }[CommandName]

export type CommandReading =
  | { readonly kind: 'command'; readonly command: ParsedCommand }
  | { readonly kind: 'unknown'; readonly name: string; readonly suggestions: readonly string[] }
  | { readonly kind: 'malformed'; readonly name: CommandName; readonly problems: readonly Problem[] }

const isCommandName = (name: string): name is CommandName => Object.hasOwn(COMMANDS, name)

/** What a command as typed asks for, with all problems of its arguments at once, or what it may have meant. */
export function parseCommand(read: { readonly name: string; readonly args: string }): CommandReading {
  if (!isCommandName(read.name))
    return { kind: 'unknown', name: read.name, suggestions: nearest(read.name, Object.keys(COMMANDS)) }
  const definition: CommandEntry<string, object> = COMMANDS[read.name]
  const parsed = definition.parse(read.args)
  if (!parsed.ok) return { kind: 'malformed', name: read.name, problems: parsed.problems }
  return { kind: 'command', command: { name: read.name, ...parsed.value } as ParsedCommand }
}
