import type { Person } from '../access/decide.ts'
import type { Answer } from '../command/answer.ts'
import type { Place } from '../command/entry.ts'
import type { CommandName, ParsedCommand } from '../command/table.ts'
import type { ParsedConfiguration } from '../config/parse.ts'
import type { Deciding } from '../decision.ts'
import type { EventDraft } from '../event.ts'
import type { FactAnswer } from '../facts.ts'
import type { Problem } from '../problem.ts'
import type { Request } from '../request.ts'
import type { ReleaseState } from './schema.ts'
import { isOpen, nextStatus, type ReleaseMove } from './transitions.ts'

export type CommandGiven = Extract<Request, { kind: 'command-given' }>

/** What a command came to: an answer for its author, and what follows from it. */
export interface Result {
  readonly answer: Answer
  readonly events: readonly EventDraft[]
}

/** What a handler may know: who asks for what, where, and under which rules. */
export interface Context {
  readonly request: CommandGiven
  readonly person: Person
  /** What GitHub says of the person now. */
  readonly standing: Extract<FactAnswer, { kind: 'person' }>
  readonly place: Place
  readonly release: ReleaseState | undefined
  /** The configuration in force. */
  readonly policy: ParsedConfiguration
  readonly event: (type: string, suffix?: string) => Omit<EventDraft, 'type' | 'data'>
}

export type Named<N extends CommandName> = Extract<ParsedCommand, { name: N }>
/** The handlers of some commands: what each one does once its author is known to be allowed. */
export type HandlersOf<N extends CommandName> = {
  readonly [K in N]: (command: Named<K>, context: Context) => Deciding<Result>
}

/** What an answer holds at most, as its schema says. */
const MAX_LINES = 400
const MAX_LINE = 400

/** An answer of several lines, each cut to what an answer holds. */
export const lines = (texts: readonly string[]): Answer => ({
  code: 'status',
  values: texts.slice(0, MAX_LINES).map((line) => (line.length > MAX_LINE ? `${line.slice(0, MAX_LINE - 1)}…` : line)),
  problems: [],
})

export const done = (said: Answer, ...events: EventDraft[]): Result => ({ answer: said, events })

/** More would not be read; the reply has to fit into a comment, and the event into a line of the log. */
const MAX_PROBLEMS = 50

function atMost(problems: readonly Problem[]): readonly Problem[] {
  const more = problems.length - MAX_PROBLEMS
  if (more <= 0) return problems
  return [...problems.slice(0, MAX_PROBLEMS), { code: 'more', message: `and ${more} more like these` }]
}

export const POLICY_UNREADABLE: Problem = {
  code: 'policy-unreadable',
  message: 'expected the configuration that the release was opened under, found it unreadable',
  hint: 'Run ringmaster ledger verify.',
}

export const refuse = (...problems: Problem[]): Result => ({
  answer: {
    code: 'refused',
    values: [],
    problems: atMost(problems).map(({ code, message, hint }) => ({
      code,
      message: message.slice(0, 1_900),
      ...(hint ? { hint: hint.slice(0, 1_900) } : {}),
    })),
  },
  events: [],
})

export const NO_RELEASE: Problem = {
  code: 'no-release',
  message: 'expected the issue or the proposal of a release, found neither',
  hint: 'Say it there. An issue becomes that of a release by /release "Title".',
}

export type Opened =
  | { readonly ok: true; readonly release: ReleaseState }
  | { readonly ok: false; readonly problem: Problem }

/** The release of the issue, when it can make a move: also one that an ended release can make. */
export const releaseFor = (context: Context, move: ReleaseMove): Opened =>
  context.release && nextStatus(context.release.status, move) !== null
    ? { ok: true, release: context.release }
    : openRelease(context, move)

/** The release of the issue, when it can still change and can make the move asked for. */
export function openRelease({ release }: Context, move?: ReleaseMove): Opened {
  if (!release) return { ok: false, problem: NO_RELEASE }
  const status = release.status.replace('_', ' ')
  if (!isOpen(release.status)) {
    return {
      ok: false,
      problem: {
        code: 'release-ended',
        message: `expected an open release, found it ${status}`,
        hint: 'Open another release.',
      },
    }
  }
  if (move && nextStatus(release.status, move) === null) {
    const verb = move.slice('release.'.length).replace('_', ' ')
    return {
      ok: false,
      problem: {
        code: 'wrong-status',
        message: `a release that is ${status} can not be ${verb}`,
        hint: 'Say /status for where it stands.',
      },
    }
  }
  return { ok: true, release }
}
