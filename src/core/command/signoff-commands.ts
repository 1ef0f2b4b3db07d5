import { accepted, quoted, rejected } from '../problem.ts'
import { type Argument, firstWord, loginArgument, nothing, textArgument, together, untilArgument } from './arguments.ts'
import { entry, OF_A_RELEASE } from './entry.ts'

type Delegation = { party: string; login?: string; until?: string }

/** `party @login until DATE`, or `party off`. */
function delegationArgument(args: string): Argument<Delegation> {
  const { word, rest } = firstWord(args)
  const party = textArgument(word, 'the name of a party')
  if (rest.toLowerCase() === 'off') return party.ok ? accepted({ party: party.value }) : party
  const [login = '', until = '', date = '', ...more] = rest === '' ? [] : rest.split(/[ \t]+/)
  const isPhrased = (until.toLowerCase() === 'until' || until === '') && more.length === 0
  const phrase: Argument<null> = isPhrased
    ? accepted(null)
    : rejected({
        code: 'argument-unexpected',
        message: `expected "until" and a day behind the login, found ${quoted([until, date, ...more].join(' '))}`,
        hint: 'Such as /delegate QA @octocat until 2026-11-20.',
      })
  const read = together({ party, login: loginArgument(login), phrase, until: untilArgument(date) })
  return read.ok ? accepted({ party: read.value.party, login: read.value.login, until: read.value.until }) : read
}

/** Who signs, and who is waited for. */
export const SIGNOFF_COMMANDS = {
  pending: entry({
    name: 'pending',
    usage: '/pending',
    help: 'say whose approval is waited for',
    where: OF_A_RELEASE,
    permission: 'read',
    parse: nothing,
  }),
  delegate: entry({
    name: 'delegate',
    usage: '/delegate party @login until DATE',
    help: 'let somebody else sign in your place for a party; "off" instead of the login takes it back',
    where: OF_A_RELEASE,
    permission: 'read',
    ofParty: true,
    parse: delegationArgument,
  }),
} as const
