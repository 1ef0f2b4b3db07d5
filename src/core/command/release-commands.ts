import { accepted, quoted, rejected } from '../problem.ts'
import { SETTING_KEYS, type SettingKey } from '../release/conduct.ts'
import {
  type Argument,
  dayArgument,
  firstWord,
  loginArgument,
  nameArgument,
  nothing,
  productAndVersion,
  textArgument,
  unquoted,
  windowArgument,
} from './arguments.ts'
import { ANYWHERE, entry, OF_A_RELEASE } from './entry.ts'
import { nearest } from './nearest.ts'

const reasonArgument = (args: string): Argument<{ reason: string }> => {
  const reason = textArgument(args, 'a reason')
  return reason.ok ? accepted({ reason: reason.value }) : reason
}

/** How the value of each setting is read. `none` empties it; a title is never empty. */
const SETTINGS: { readonly [K in SettingKey]: (text: string) => Argument<string | null> } = {
  title: (text) => textArgument(text, 'a title'),
  description: orNone((text) => textArgument(text, 'a description')),
  'target-date': orNone(dayArgument),
  window: orNone(windowArgument),
  epic: orNone((text) => textArgument(text, 'an epic')),
  profile: orNone((text) => textArgument(text, 'the name of a profile')),
}

function orNone(read: (text: string) => Argument<string>): (text: string) => Argument<string | null> {
  return (text) => (text === 'none' ? accepted(null) : read(text))
}

function settingArgument(args: string): Argument<{ key: SettingKey; value: string | null }> {
  const { word, rest } = firstWord(args)
  const key = SETTING_KEYS.find((known) => known === word.toLowerCase())
  if (key === undefined) {
    const close = nearest(word, SETTING_KEYS)
    return rejected({
      code: word === '' ? 'argument-missing' : 'argument-invalid',
      message: `expected what to set, found ${word === '' ? 'nothing' : quoted(word)}`,
      hint: close.length > 0 ? `Did you mean ${close.join(' or ')}?` : `One of ${SETTING_KEYS.join(', ')}.`,
    })
  }
  const value = SETTINGS[key](unquoted(rest))
  return value.ok ? accepted({ key, value: value.value }) : value
}

/** What a release is made of, and the moves of its life. */
export const RELEASE_COMMANDS = {
  release: entry({
    name: 'release',
    usage: '/release ["title"]',
    help: 'make this issue a release issue',
    where: ANYWHERE,
    permission: 'manage-release',
    parse: (args): Argument<{ title?: string }> => {
      if (args.trim() === '') return accepted({})
      const title = textArgument(args, 'a title')
      return title.ok ? accepted({ title: title.value }) : title
    },
  }),
  add: entry({
    name: 'add',
    usage: '/add product@version',
    help: 'put a recorded version into the release; without a version the highest by the scheme of the product, or the one recorded last',
    where: OF_A_RELEASE,
    permission: 'manage-release',
    parse: productAndVersion,
  }),
  remove: entry({
    name: 'remove',
    usage: '/remove product',
    help: 'take a product out of the release',
    where: OF_A_RELEASE,
    permission: 'manage-release',
    parse: (args): Argument<{ product: string }> => {
      const product = nameArgument(unquoted(args.trim()))
      return product.ok ? accepted({ product: product.value }) : product
    },
  }),
  start: entry({
    name: 'start',
    usage: '/start',
    help: 'open the proposal that the parties approve',
    where: OF_A_RELEASE,
    permission: 'complete-release',
    parse: nothing,
  }),
  complete: entry({
    name: 'complete',
    usage: '/complete',
    help: 'end the release when every version is live',
    where: OF_A_RELEASE,
    permission: 'complete-release',
    parse: nothing,
  }),
  cancel: entry({
    name: 'cancel',
    usage: '/cancel reason',
    help: 'end the release undone',
    where: OF_A_RELEASE,
    permission: 'complete-release',
    parse: reasonArgument,
  }),
  reopen: entry({
    name: 'reopen',
    usage: '/reopen reason',
    help: 'take a started release back to draft',
    where: OF_A_RELEASE,
    permission: 'complete-release',
    parse: reasonArgument,
  }),
  rollback: entry({
    name: 'rollback',
    usage: '/rollback reason',
    help: 'end the release as rolled back, also a completed one; the deployment itself is for your own workflow',
    where: OF_A_RELEASE,
    permission: 'complete-release',
    parse: reasonArgument,
  }),
  set: entry({
    name: 'set',
    usage: '/set key value',
    help: `say more of the release: ${SETTING_KEYS.join(', ')}; "none" empties it; a profile is set by who completes releases`,
    where: OF_A_RELEASE,
    permission: 'manage-release',
    parse: settingArgument,
  }),
  manager: entry({
    name: 'manager',
    usage: '/manager @login',
    help: 'hand the release over to another manager',
    where: OF_A_RELEASE,
    permission: 'complete-release',
    parse: (args): Argument<{ login: string }> => {
      const login = loginArgument(args.trim())
      return login.ok ? accepted({ login: login.value }) : login
    },
  }),
  go: entry({
    name: 'go',
    usage: '/go',
    help: 'decide that the release goes',
    where: OF_A_RELEASE,
    permission: 'complete-release',
    parse: nothing,
  }),
  'no-go': entry({
    name: 'no-go',
    usage: '/no-go reason',
    help: 'decide that the release does not go: its gates shut',
    where: OF_A_RELEASE,
    permission: 'complete-release',
    parse: reasonArgument,
  }),
  hold: entry({
    name: 'hold',
    usage: '/hold reason',
    help: 'stop the line for this release: its gates shut',
    where: OF_A_RELEASE,
    permission: 'hold-release',
    parse: reasonArgument,
  }),
  unhold: entry({
    name: 'unhold',
    usage: '/unhold',
    help: 'let a held release go on',
    where: OF_A_RELEASE,
    permission: 'complete-release',
    parse: nothing,
  }),
} as const
