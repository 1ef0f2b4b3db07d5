import { decideAccess, personQuery } from '../access/decide.ts'
import { draft } from '../catalogue.ts'
import type { Answer } from '../command/answer.ts'
import type { Place } from '../command/entry.ts'
import { type Pace, paceAt, paceKey, TOO_MANY_COMMANDS } from '../command/pace.ts'
import { COMMANDS, type ParsedCommand, parseCommand } from '../command/table.ts'
import { readConfiguration } from '../config/in-force.ts'
import { type Deciding, type Decision, fact, state } from '../decision.ts'
import { type Problem, quoted } from '../problem.ts'
import { type IssueState, issueKey } from '../process/issue.ts'
import { HANDLERS } from './handlers/index.ts'
import { type CommandGiven, type Context, NO_RELEASE, type Result, refuse } from './handling.ts'
import { releaseKey } from './open.ts'
import type { ReleaseState } from './schema.ts'

/**
 * Answers one command of a comment: parsed, authorised by what GitHub says of the person now, decided on the state of
 * the release. Each command of a comment has a slot, so that a repeated delivery changes nothing.
 */
export function* decideCommand(request: CommandGiven): Deciding<Decision<Answer>> {
  const { repository, issue, comment, index, of, command } = request
  const known = yield* state<IssueState>(issueKey(repository.id, issue.number))
  const before = known?.comments
    .find((entry) => entry.comment === comment.id)
    ?.answers.find((entry) => entry.index === index)
  if (before) return { kind: 'accept', events: [], answer: before.answer }
  const slot = `command:${repository.id}/${comment.id}/${index}`
  const pace = request.actor === null ? 'fine' : paceAt(yield* state<Pace>(paceKey(request.actor.id)), request.at)
  /** Who was told goes unanswered, but no comment is answered in part. */
  if (pace === 'told' && !isAnsweredInPart(known, comment.id))
    return { kind: 'accept', events: [], answer: refuse(TOO_MANY_COMMANDS).answer }
  const { result, facts } =
    pace === 'fine' ? yield* resultOf(request, known, slot) : { result: refuse(TOO_MANY_COMMANDS), facts: [] }
  const answered = draft(
    'command.answered',
    {
      repository,
      issue: issue.number,
      comment: comment.id,
      index,
      of,
      command: command.name,
      answer: result.answer,
      facts,
    },
    { key: slot, at: request.at, actor: request.actor, source: request.source, trust: 'platform' },
  )
  return { kind: 'accept', events: [...result.events, answered], answer: result.answer }
}

const isAnsweredInPart = (known: IssueState | undefined, comment: number): boolean =>
  known?.comments.some((entry) => entry.comment === comment && entry.answers.length > 0) ?? false

/** The outcome of a command; that of a dry run is what the command would come to, without its events. */
function* resultOf(
  request: CommandGiven,
  known: IssueState | undefined,
  slot: string,
): Deciding<{ result: Result; facts: unknown[] }> {
  const parsed = parseCommand(request.command)
  if (parsed.kind !== 'command' || parsed.command.name !== 'dry-run') return yield* carriedOut(request, known, slot)
  const { result, facts } = yield* carriedOut({ ...request, command: parsed.command.command }, known, slot)
  return { result: { answer: { ...result.answer, dryRun: result.events.map(({ type }) => type) }, events: [] }, facts }
}

function* carriedOut(
  request: CommandGiven,
  known: IssueState | undefined,
  slot: string,
): Deciding<{ result: Result; facts: unknown[] }> {
  const parsed = parseCommand(request.command)
  if (parsed.kind === 'unknown') return { result: refuse(unknownCommand(parsed.name, parsed.suggestions)), facts: [] }
  if (parsed.kind === 'malformed') return { result: refuse(...parsed.problems), facts: [] }
  const policy = yield* readConfiguration()
  if (policy === null) return { result: refuse(NOT_CONFIGURED), facts: [] }
  if (request.actor === null) return { result: refuse(NOBODY), facts: [] }
  const { roles } = policy.configuration
  const query = personQuery(request.actor, request.repository.fullName, roles)
  const standing = yield* fact(query)
  if (parsed.command.name === 'dry-run') return { result: refuse(NESTED), facts: [] }
  const { permission, where } = COMMANDS[parsed.command.name]
  const access = decideAccess(permission, request.actor, standing, roles, request.at)
  const facts = [{ query, answer: standing }]
  if (access.kind === 'denied') return { result: refuse(...access.problems), facts }
  const place = placeOf(request, known)
  if (!where.includes(place)) return { result: refuse(NO_RELEASE), facts }
  const release = known?.release ? yield* state<ReleaseState>(releaseKey(known.release)) : undefined
  const rest = { at: request.at, actor: request.actor, source: request.source, trust: 'platform' as const }
  const context: Context = {
    request,
    person: request.actor,
    standing,
    place,
    release,
    policy,
    event: (type, suffix = '') => ({ ...rest, key: `${slot}:${type}${suffix}` }),
  }
  const handler = HANDLERS[parsed.command.name] as (command: ParsedCommand, context: Context) => Deciding<Result>
  return { result: yield* handler(parsed.command, context), facts }
}

/** An issue or pull request that no release is known by is any other one. */
const placeOf = (request: CommandGiven, known: IssueState | undefined): Place =>
  known?.release ? (request.issue.isPull ? 'proposal' : 'release-issue') : 'any-issue'

export const NOT_CONFIGURED: Problem = {
  code: 'not-configured',
  message: 'no configuration is in force, so nobody may do this yet',
  hint: 'Add .github/ringmaster.yml to the default branch of this repository.',
}
const NESTED: Problem = {
  code: 'argument-invalid',
  message: 'expected another command than a dry run of a dry run',
  hint: 'Such as /dry-run start.',
}
export const NOBODY: Problem = { code: 'unknown-person', message: 'expected a comment by a person, found none' }

const unknownCommand = (name: string, suggestions: readonly string[]): Problem => ({
  code: 'unknown-command',
  message: `there is no command ${quoted(`/${name}`)}`,
  hint:
    suggestions.length > 0
      ? `Did you mean ${suggestions.map((known) => `/${known}`).join(' or ')}?`
      : 'Say /help for the list.',
})
