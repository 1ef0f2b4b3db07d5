import { accepted, quoted, rejected } from '../problem.ts'
import { type Argument, firstWord, instantArgument, textArgument, together } from './arguments.ts'
import { ofRelease, ofReleaseWithReason, withRisk } from './cohort-commands.ts'
import { ANYWHERE, entry } from './entry.ts'
import { listOf, wordsOf } from './phase-argument.ts'

const MOST_NAMED = 100

/** Names divided by commas, each once. */
function namesArgument(word: string, what: string): Argument<string[]> {
  const names = [...new Set(listOf(word))]
  if (names.length > 0 && names.length <= MOST_NAMED && names.every((name) => name.length <= 128))
    return accepted(names)
  return rejected({
    code: names.length === 0 ? 'argument-missing' : 'argument-invalid',
    message: `expected 1 to ${MOST_NAMED} ${what} divided by commas, found ${names.length}`,
    hint: 'Such as a,b without blanks, or in quotes.',
  })
}

interface Pin {
  readonly cohort: string
  readonly version: string
  readonly tags: readonly string[]
  readonly devices: readonly string[]
  readonly from: string | null
  readonly until: string | null
  readonly acceptRisk: boolean
}

/** `tags a,b`, `devices p,q`, `from INSTANT`, `until INSTANT`, in any order. */
function pinArgument(args: string): Argument<Pin> {
  const { text, acceptRisk } = withRisk(args)
  const [cohort = '', version = '', ...words] = wordsOf(text)
  const found = new Map<string, Argument<unknown>>()
  for (let at = 0; at < words.length; at += 2) {
    const name = words[at]?.toLowerCase() ?? ''
    const value = words[at + 1]
    if (name === 'tags' || name === 'devices') found.set(name, namesArgument(value ?? '', name))
    else if (name === 'from' || name === 'until') found.set(name, instantArgument(value, name))
    else
      return rejected({
        code: 'argument-invalid',
        message: `expected tags, devices, from or until, found ${quoted(name)}`,
        hint: 'Such as /pin fleet 1.2.3 tags lab until 2026-02-01T00:00:00Z.',
      })
  }
  const read = together({
    cohort: textArgument(cohort, 'a cohort'),
    version: textArgument(version, 'a version'),
    tags: (found.get('tags') ?? accepted([])) as Argument<string[]>,
    devices: (found.get('devices') ?? accepted([])) as Argument<string[]>,
    from: (found.get('from') ?? accepted(null)) as Argument<string | null>,
    until: (found.get('until') ?? accepted(null)) as Argument<string | null>,
  })
  if (!read.ok) return read
  if (read.value.tags.length + read.value.devices.length > 0) return accepted({ ...read.value, acceptRisk })
  const message = 'expected tags or devices to pin, found neither'
  return rejected({ code: 'argument-missing', message, hint: 'Such as tags lab, or devices with their pseudonyms.' })
}

function cohortAnd<K extends string>(what: string, name: K) {
  return (args: string): Argument<{ cohort: string } & Record<K, string>> => {
    const { word, rest } = firstWord(args)
    const read = together({ cohort: textArgument(word, 'a cohort'), value: textArgument(rest, what) })
    if (!read.ok) return read
    return accepted({ cohort: read.value.cohort, [name]: read.value.value } as { cohort: string } & Record<K, string>)
  }
}

/** The same with the words that let a change through which hurts devices. */
function cohortAndAtRisk<K extends string>(what: string, name: K) {
  const read = cohortAnd(what, name)
  return (args: string): Argument<{ cohort: string; acceptRisk: boolean } & Record<K, string>> => {
    const { text, acceptRisk } = withRisk(args)
    const found = read(text)
    return found.ok ? accepted({ ...found.value, acceptRisk }) : found
  }
}

function cohortAndDevices(args: string): Argument<{ cohort: string; devices: string[] }> {
  const { word, rest } = firstWord(args)
  return together({ cohort: textArgument(word, 'a cohort'), devices: namesArgument(rest, 'devices') })
}

/** What people do with some of a cohort's devices. */
export const DEVICE_COMMANDS = {
  pin: entry({
    name: 'pin',
    usage: '/pin cohort version [tags a,b] [devices p,q] [from START] [until END] [--accept-risk]',
    help: 'give some devices one version, whatever the channel says',
    where: ANYWHERE,
    permission: 'change-channel',
    parse: pinArgument,
  }),
  unpin: entry({
    name: 'unpin',
    usage: '/unpin cohort pin [--accept-risk]',
    help: 'end a pin now',
    where: ANYWHERE,
    permission: 'change-channel',
    parse: cohortAndAtRisk('the id of a pin', 'pin'),
  }),
  quarantine: entry({
    name: 'quarantine',
    usage: '/quarantine cohort p,q',
    help: 'offer nothing to some devices until they were looked at',
    where: ANYWHERE,
    permission: 'change-channel',
    parse: cohortAndDevices,
  }),
  unquarantine: entry({
    name: 'unquarantine',
    usage: '/unquarantine cohort p,q',
    help: 'offer updates again to devices in quarantine',
    where: ANYWHERE,
    permission: 'change-channel',
    parse: cohortAndDevices,
  }),
  'hold-target': entry({
    name: 'hold-target',
    usage: '/hold-target cohort release target reason [--accept-risk]',
    help: 'keep a release from devices of one target',
    where: ANYWHERE,
    permission: 'change-channel',
    parse: (args) => {
      const read = ofRelease(args)
      if (!read.ok) return read
      const { rest, ...others } = read.value
      const { word, rest: why } = firstWord(rest)
      const more = together({ target: textArgument(word, 'a target'), reason: textArgument(why, 'a reason') })
      return more.ok ? accepted({ ...others, ...more.value }) : more
    },
  }),
  'unhold-target': entry({
    name: 'unhold-target',
    usage: '/unhold-target cohort release target [--accept-risk]',
    help: 'offer a release again to devices of a target',
    where: ANYWHERE,
    permission: 'change-channel',
    parse: (args) => {
      const read = ofReleaseWithReason(args)
      if (!read.ok) return read
      const { reason: target, ...others } = read.value
      return accepted({ ...others, target })
    },
  }),
  'move-devices': entry({
    name: 'move-devices',
    usage: '/move-devices cohort (other-cohort | none) [--accept-risk]',
    help: 'send all devices of a cohort to another one from now on',
    where: ANYWHERE,
    permission: 'change-channel',
    parse: cohortAndAtRisk('another cohort, or none', 'to'),
  }),
  entry: entry({
    name: 'entry',
    usage: '/entry cohort (release | none) [--accept-risk]',
    help: 'say which release devices get that cannot tell what they run',
    where: ANYWHERE,
    permission: 'change-channel',
    parse: cohortAndAtRisk('a release, or none', 'release'),
  }),
} as const
