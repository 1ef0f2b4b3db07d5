import type { DeclaredPhase } from '../cohort/schema.ts'
import { accepted, rejected } from '../problem.ts'
import { type Argument, firstWord, instantArgument, textArgument, together } from './arguments.ts'
import { ANYWHERE, entry } from './entry.ts'
import { PHASE_USAGE, phaseArgument, wordsOf } from './phase-argument.ts'

interface Risky {
  /** Said with `--accept-risk`: what the change does to devices was seen, and is wanted. */
  readonly acceptRisk: boolean
}

/** Phones make a long dash of two hyphens. */
const RISK = /(?:^|[ \t])(?:--|—|–)accept-risk[ \t]*$/

/** The text without its last word where that is `--accept-risk`. */
export function withRisk(args: string): { readonly text: string; readonly acceptRisk: boolean } {
  const text = args.trim()
  const cut = text.length > 40 ? text.length - 40 : 0
  const found = RISK.exec(text.slice(cut))
  return found ? { text: text.slice(0, cut + found.index).trim(), acceptRisk: true } : { text, acceptRisk: false }
}

interface OfRelease extends Risky {
  readonly cohort: string
  readonly release: string
}

export function ofRelease(args: string): Argument<OfRelease & { readonly rest: string }> {
  const { text, acceptRisk } = withRisk(args)
  const first = firstWord(text)
  const second = firstWord(first.rest)
  const read = together({
    cohort: textArgument(first.word, 'a cohort'),
    release: textArgument(second.word, 'a release of its channel'),
  })
  return read.ok ? accepted({ ...read.value, rest: second.rest, acceptRisk }) : read
}

export function ofReleaseWithReason(args: string): Argument<OfRelease & { readonly reason: string }> {
  const read = ofRelease(args)
  if (!read.ok) return read
  const { rest, ...others } = read.value
  const reason = textArgument(rest, 'a reason')
  return reason.ok ? accepted({ ...others, reason: reason.value }) : reason
}

function ofReleaseAlone(args: string): Argument<OfRelease> {
  const read = ofRelease(args)
  if (!read.ok) return read
  const { rest, ...others } = read.value
  if (rest === '') return accepted(others)
  const message = 'expected nothing after the release, found more'
  return rejected({ code: 'argument-unexpected', message, hint: 'Leave it out.' })
}

/** A cohort, and the rest as it was written: whether it begins with a release, the channel knows. */
function ofCohort(args: string): Argument<Risky & { readonly cohort: string; readonly rest: string }> {
  const { text, acceptRisk } = withRisk(args)
  const { word, rest } = firstWord(text)
  const cohort = textArgument(word, 'a cohort')
  return cohort.ok ? accepted({ cohort: cohort.value, rest, acceptRisk }) : cohort
}

/** What people do with the channel of a cohort. A release is named by its id, its version, or `latest`. */
export const COHORT_COMMANDS = {
  publish: entry({
    name: 'publish',
    usage: '/publish cohort',
    help: 'issue the manifest of a cohort again now',
    where: ANYWHERE,
    permission: 'change-channel',
    parse: (args): Argument<{ cohort: string }> => {
      const cohort = textArgument(args, 'a cohort')
      return cohort.ok ? accepted({ cohort: cohort.value }) : cohort
    },
  }),
  phase: entry({
    name: 'phase',
    usage: `/phase cohort release (${PHASE_USAGE}) [--accept-risk]`,
    help: 'say which devices of a cohort may take a release now',
    where: ANYWHERE,
    permission: 'change-channel',
    parse: (args): Argument<OfRelease & { phase: DeclaredPhase }> => {
      const read = ofRelease(args)
      const phase = phaseArgument(wordsOf(read.ok ? read.value.rest : ''))
      if (!read.ok) return read
      if (!phase.ok) return phase
      const { rest: _, ...others } = read.value
      return accepted({ ...others, phase: phase.value })
    },
  }),
  halt: entry({
    name: 'halt',
    usage: '/halt cohort [release] reason',
    help: 'let no more devices take a release; those that have it keep it',
    where: ANYWHERE,
    permission: 'change-channel',
    parse: ofCohort,
  }),
  resume: entry({
    name: 'resume',
    usage: '/resume cohort [release] [--accept-risk]',
    help: 'let a halted release go on where it was',
    where: ANYWHERE,
    permission: 'change-channel',
    parse: ofCohort,
  }),
  withdraw: entry({
    name: 'withdraw',
    usage: '/withdraw cohort release fix [reason] [--accept-risk]',
    help: 'take a bad release back and append its fix, in one step',
    where: ANYWHERE,
    permission: 'change-channel',
    parse: (args): Argument<OfRelease & { fix: string; reason: string }> => {
      const read = ofRelease(args)
      if (!read.ok) return read
      const { rest, ...others } = read.value
      const { word, rest: why } = firstWord(rest)
      const more = together({
        fix: textArgument(word, 'the version that mends it'),
        reason: why === '' ? accepted('withdrawn') : textArgument(why, 'a reason'),
      })
      return more.ok ? accepted({ ...others, ...more.value }) : more
    },
  }),
  disable: entry({
    name: 'disable',
    usage: '/disable cohort release reason [--accept-risk]',
    help: 'offer a release to nobody any more; devices on it stay',
    where: ANYWHERE,
    permission: 'change-channel',
    parse: ofReleaseWithReason,
  }),
  enable: entry({
    name: 'enable',
    usage: '/enable cohort release [--accept-risk]',
    help: 'offer a disabled release again',
    where: ANYWHERE,
    permission: 'change-channel',
    parse: ofReleaseAlone,
  }),
  require: entry({
    name: 'require',
    usage: '/require cohort release [--accept-risk]',
    help: 'let no device pass a release by: all of them take it before what follows',
    where: ANYWHERE,
    permission: 'change-channel',
    parse: ofReleaseAlone,
  }),
  unrequire: entry({
    name: 'unrequire',
    usage: '/unrequire cohort release [--accept-risk]',
    help: 'let devices pass a required release by again',
    where: ANYWHERE,
    permission: 'change-channel',
    parse: ofReleaseAlone,
  }),
  schedule: entry({
    name: 'schedule',
    usage: '/schedule cohort release INSTANT [--accept-risk]',
    help: 'say from when the latest release of a cohort is offered',
    where: ANYWHERE,
    permission: 'change-channel',
    parse: (args): Argument<OfRelease & { schedule: string }> => {
      const read = ofRelease(args)
      if (!read.ok) return read
      const { rest, ...others } = read.value
      const schedule = instantArgument(rest === '' ? undefined : rest, 'the release')
      return schedule.ok ? accepted({ ...others, schedule: schedule.value }) : schedule
    },
  }),
} as const
