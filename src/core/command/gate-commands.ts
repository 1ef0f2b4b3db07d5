import { accepted, quoted, rejected } from '../problem.ts'
import {
  type Argument,
  environmentArgument,
  firstWord,
  loginArgument,
  nothing,
  productAndVersion,
  textArgument,
  together,
} from './arguments.ts'
import { ANYWHERE, entry, OF_A_RELEASE } from './entry.ts'

const environmentAndReason = (args: string): Argument<{ environment: string; reason: string }> => {
  const { word, rest } = firstWord(args)
  return together({ environment: environmentArgument(word), reason: textArgument(rest, 'a reason') })
}

const onlyEnvironment = (args: string): Argument<{ environment: string }> => {
  const { word, rest } = firstWord(args)
  return together({ environment: environmentArgument(rest === '' ? word : args.trim()) })
}

/** A release by the number of its issue (`12`, `#12`) or its id (`r12`). */
function releaseArgument(text: string): Argument<string> {
  const found = /^(?:r|#)?([1-9][0-9]{0,9})$/i.exec(text)
  if (found?.[1]) return accepted(`r${found[1]}`)
  return rejected({
    code: text === '' ? 'argument-missing' : 'argument-invalid',
    message: `expected the number of a release issue, found ${text === '' ? 'nothing' : quoted(text)}`,
    hint: 'Such as 12.',
  })
}

function exceptionArgument(args: string): Argument<{ release: string; environment: string; reason: string }> {
  const release = firstWord(args)
  const environment = firstWord(release.rest)
  return together({
    release: releaseArgument(release.word),
    environment: environmentArgument(environment.word),
    reason: textArgument(environment.rest, 'a reason'),
  })
}

function deployArgument(args: string): Argument<{ product: string; version?: string; environment: string }> {
  const { word, rest } = firstWord(args)
  const item = productAndVersion(word)
  const read = together({ item, environment: environmentArgument(firstWord(rest).word) })
  return read.ok ? accepted({ ...read.value.item, environment: read.value.environment }) : read
}

/** Nothing, an environment, or `if` with a person: an environment whose name begins so stands in quotes. */
function whyArgument(args: string): Argument<{ environment?: string; supposed?: string }> {
  const text = args.trim()
  if (text === '') return accepted({})
  const person = /^if[ \t]+(.+)$/i.exec(text)?.[1]
  if (person === undefined) return onlyEnvironment(args)
  const login = loginArgument(person)
  return login.ok ? accepted({ supposed: login.value }) : login
}

/** What opens and shuts gates, and questions about them. */
export const GATE_COMMANDS = {
  requirements: entry({
    name: 'requirements',
    usage: '/requirements environment',
    help: 'say what a version needs to enter an environment',
    where: ANYWHERE,
    permission: 'read',
    parse: onlyEnvironment,
  }),
  'can-deploy': entry({
    name: 'can-deploy',
    usage: '/can-deploy product@version environment',
    help: 'say whether a version may enter an environment now, with all that stands against it',
    where: ANYWHERE,
    permission: 'read',
    parse: deployArgument,
  }),
  why: entry({
    name: 'why',
    usage: '/why [environment] or /why if @login',
    help: 'explain where the sign-off stands and why gates wait, or what an approval of a person would change',
    where: OF_A_RELEASE,
    permission: 'read',
    parse: whyArgument,
  }),
  freeze: entry({
    name: 'freeze',
    usage: '/freeze environment reason',
    help: 'let nothing into an environment; "*" means all of them',
    where: ANYWHERE,
    permission: 'freeze-environment',
    parse: environmentAndReason,
  }),
  unfreeze: entry({
    name: 'unfreeze',
    usage: '/unfreeze environment',
    help: 'end a freeze, with its exceptions',
    where: ANYWHERE,
    permission: 'freeze-environment',
    parse: onlyEnvironment,
  }),
  except: entry({
    name: 'except',
    usage: '/except release environment reason',
    help: 'let one release in despite a freeze',
    where: ANYWHERE,
    permission: 'override-gate',
    parse: exceptionArgument,
  }),
  override: entry({
    name: 'override',
    usage: '/override environment reason',
    help: 'ask to let this release in against what stands; another person has to confirm it',
    where: OF_A_RELEASE,
    permission: 'override-gate',
    parse: environmentAndReason,
  }),
  confirm: entry({
    name: 'confirm',
    usage: '/confirm',
    help: 'confirm the override that another person asked for',
    where: OF_A_RELEASE,
    permission: 'override-gate',
    parse: nothing,
  }),
} as const
