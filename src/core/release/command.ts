import { decideAccess, type Permission, personQuery } from '../access/decide.ts'
import { draft } from '../catalogue.ts'
import { type Answer, answer } from '../command/answer.ts'
import { nearest } from '../command/nearest.ts'
import { COMMANDS, type ParsedCommand, parseCommand } from '../command/table.ts'
import { readConfiguration, readPolicy } from '../config/in-force.ts'
import type { ParsedConfiguration } from '../config/parse.ts'
import { type Deciding, type Decision, fact, state, states } from '../decision.ts'
import { type BoardState, boardKey } from '../deployment/schema.ts'
import type { EventDraft } from '../event.ts'
import { type Problem, quoted } from '../problem.ts'
import { checklistOf, isLive } from '../process/checklist.ts'
import { type IssueState, issueKey } from '../process/issue.ts'
import { type ProductState, productKey, type VersionState, versionKey } from '../product/schema.ts'
import type { Request } from '../request.ts'
import { compositionDigest } from './composition.ts'
import { releaseKey } from './open.ts'
import { type ReleaseState, releaseIdOf } from './schema.ts'
import { isOpen, nextStatus, type ReleaseMove } from './transitions.ts'

type CommandGiven = Extract<Request, { kind: 'command-given' }>

/** What a command came to: an answer for its author, and what follows from it. */
interface Result {
  readonly answer: Answer
  readonly events: readonly EventDraft[]
}

interface Context {
  readonly request: CommandGiven
  readonly release: ReleaseState | undefined
  readonly policy: ParsedConfiguration
  readonly event: (type: string, suffix?: string) => Omit<EventDraft, 'type' | 'data'>
}

const done = (said: Answer, ...events: EventDraft[]): Result => ({ answer: said, events })

const refuse = (...problems: Problem[]): Result => ({
  answer: {
    code: 'refused',
    values: [],
    problems: problems.map(({ code, message, hint }) => ({
      code,
      message: message.slice(0, 1_900),
      ...(hint ? { hint: hint.slice(0, 1_900) } : {}),
    })),
  },
  events: [],
})

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
  const { result, facts } = yield* resultOf(request, known, slot)
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

function* resultOf(
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
  const person = yield* fact(query)
  const access = decideAccess(COMMANDS[parsed.command.name].permission as Permission, request.actor, person, roles)
  const facts = [{ query, answer: person }]
  if (access.kind === 'denied') return { result: refuse(...access.problems), facts }
  const release = known?.release ? yield* state<ReleaseState>(releaseKey(known.release)) : undefined
  const rest = { at: request.at, actor: request.actor, source: request.source, trust: 'platform' as const }
  const context: Context = {
    request,
    release,
    policy,
    event: (type, suffix = '') => ({ ...rest, key: `${slot}:${type}${suffix}` }),
  }
  const handler = HANDLERS[parsed.command.name] as (command: ParsedCommand, context: Context) => Deciding<Result>
  return { result: yield* handler(parsed.command, context), facts }
}

const NOT_CONFIGURED: Problem = {
  code: 'not-configured',
  message: 'no configuration is in force, so nobody may do this yet',
  hint: 'Add .github/ringmaster.yml to the default branch of this repository.',
}
const NOBODY: Problem = { code: 'unknown-person', message: 'expected a comment by a person, found none' }

const unknownCommand = (name: string, suggestions: readonly string[]): Problem => ({
  code: 'unknown-command',
  message: `there is no command ${quoted(`/${name}`)}`,
  hint:
    suggestions.length > 0
      ? `Did you mean ${suggestions.map((known) => `/${known}`).join(' or ')}?`
      : 'Say /help for the list.',
})

type Named<N extends ParsedCommand['name']> = Extract<ParsedCommand, { name: N }>
type Handlers = { readonly [N in ParsedCommand['name']]: (command: Named<N>, context: Context) => Deciding<Result> }

/** Calls for a release that still changes: the one table of what each command does. */
const HANDLERS: Handlers = {
  *release(command, { request, release, policy, event }) {
    if (request.issue.isPull)
      return refuse({
        code: 'not-an-issue',
        message: 'expected an issue, found a pull request',
        hint: 'Say /release on an issue.',
      })
    if (release) return done(answer('nothing-changed', `this is already the release issue of ${release.title}`))
    const id = releaseIdOf(request.issue.number)
    const title = command.title ?? request.issue.title
    const { repository, issue, actor } = request
    if (actor === null) return refuse(NOBODY)
    return done(
      answer('release-opened', title),
      draft(
        'release.opened',
        { release: id, title, repository, issue: issue.number, manager: actor, policyDigest: policy.digest },
        event('opened'),
      ),
    )
  },
  *add(command, context) {
    const open = openRelease(context)
    if (!open.ok) return refuse(open.problem)
    return yield* addVersion(open.release, command, context)
  },
  *remove(command, context) {
    const open = openRelease(context)
    if (!open.ok) return refuse(open.problem)
    const { release } = open
    if (!release.items.some((item) => item.product === command.product)) {
      return refuse(
        unknownProduct(
          command.product,
          release.items.map((item) => item.product),
          'a product of this release',
        ),
      )
    }
    if (release.status === 'in_progress' && release.items.length === 1) {
      return refuse({
        code: 'empty-release',
        message: 'expected at least one product in a started release, found this to be the last',
        hint: 'Say /cancel with a reason, or add another product first.',
      })
    }
    return done(
      answer('version-removed', command.product),
      draft('release.version_removed', { release: release.id, product: command.product }, context.event('removed')),
    )
  },
  *start(_command, context) {
    const open = openRelease(context, 'release.started')
    if (!open.ok) return refuse(open.problem)
    const { release } = open
    if (release.items.length === 0) {
      return refuse({
        code: 'empty-release',
        message: 'expected at least one product in the release, found none',
        hint: 'Say /add product@version first.',
      })
    }
    return done(
      answer('release-started'),
      draft('release.started', { release: release.id, digest: compositionDigest(release) }, context.event('started')),
    )
  },
  *complete(_command, context) {
    const open = openRelease(context, 'release.completed')
    if (!open.ok) return refuse(open.problem)
    const problems = yield* incomplete(open.release)
    if (problems.length > 0) return refuse(...problems)
    return done(
      answer('release-completed'),
      draft('release.completed', { release: open.release.id }, context.event('completed')),
    )
  },
  *cancel(command, context) {
    const open = openRelease(context, 'release.cancelled')
    if (!open.ok) return refuse(open.problem)
    return done(
      answer('release-cancelled'),
      draft('release.cancelled', { release: open.release.id, reason: command.reason }, context.event('cancelled')),
    )
  },
  *done(command, context) {
    const found = yield* stepOf(command.step, context)
    if (!found.ok) return refuse(found.problem)
    return done(
      answer('step-done', command.step),
      draft(
        'step.done',
        { release: found.release.id, step: command.step, evidence: command.evidence ?? null },
        context.event('done'),
      ),
    )
  },
  *undo(command, context) {
    const found = yield* stepOf(command.step, context)
    if (!found.ok) return refuse(found.problem)
    if (!found.release.steps.some((step) => step.id === command.step))
      return done(answer('nothing-changed', `step ${command.step} is open`))
    return done(
      answer('step-undone', command.step),
      draft('step.undone', { release: found.release.id, step: command.step }, context.event('undone')),
    )
  },
  *status(_command, { release }) {
    if (!release) return refuse(NO_RELEASE)
    return done({ code: 'status', values: yield* statusLines(release), problems: [] })
  },
  *help(command) {
    const entries = Object.values(COMMANDS).filter(
      (entry) => command.topic === undefined || entry.name === command.topic,
    )
    return done({ code: 'help', values: entries.map((entry) => `${entry.usage} — ${entry.help}`), problems: [] })
  },
}

const NO_RELEASE: Problem = {
  code: 'no-release',
  message: 'this is no release issue yet',
  hint: 'Say /release "Title" to make it one.',
}

type Opened = { readonly ok: true; readonly release: ReleaseState } | { readonly ok: false; readonly problem: Problem }

/** The release of the issue, when it can still change and can make the move asked for. */
function openRelease({ release }: Context, move?: ReleaseMove): Opened {
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

function* addVersion(release: ReleaseState, command: Named<'add'>, context: Context): Deciding<Result> {
  const configured = context.policy.configuration.products.map((product) => product.name)
  const product = yield* state<ProductState>(productKey(command.product))
  if (!product) return refuse(unknownProduct(command.product, configured, 'a product with a recorded build'))
  const wanted = command.version ?? product.versions.at(-1)?.version ?? ''
  const version = yield* state<VersionState>(versionKey(command.product, wanted))
  if (!version) {
    const close = nearest(
      wanted,
      product.versions.map((entry) => entry.version),
    )
    return refuse({
      code: 'unknown-version',
      message: `expected a recorded version of ${quoted(command.product)}, found ${quoted(wanted)}`,
      hint: close.length > 0 ? `Did you mean ${close.join(' or ')}?` : 'Record its build with the Action first.',
    })
  }
  const before = release.items.find((item) => item.product === command.product)
  if (before?.version === wanted)
    return done(answer('nothing-changed', `${command.product}@${wanted} is in the release`))
  const item = { product: command.product, version: wanted, sha: version.sha }
  const said = before
    ? answer('version-replaced', item.product, wanted, before.version)
    : answer('version-added', item.product, wanted, item.sha)
  return done(said, draft('release.version_added', { release: release.id, item }, context.event('added')))
}

function unknownProduct(name: string, known: readonly string[], what: string): Problem {
  const close = nearest(name, known)
  return {
    code: 'unknown-product',
    message: `expected ${what}, found ${quoted(name)}`,
    hint:
      close.length > 0
        ? `Did you mean ${close.map(quoted).join(' or ')}?`
        : `Known: ${known.slice(0, 20).map(quoted).join(', ') || 'none yet'}.`,
  }
}

/** What keeps a release from being complete: every version must be live in every environment that completion names. */
function* incomplete(release: ReleaseState): Deciding<Problem[]> {
  const policy = yield* readPolicy(release.policyDigest)
  if (!policy)
    return [
      {
        code: 'policy-unreadable',
        message: 'expected the configuration that the release was opened under, found it unreadable',
        hint: 'Run ringmaster ledger verify.',
      },
    ]
  if (release.signoff?.status !== 'approved') {
    return [
      {
        code: 'not-signed-off',
        message: `expected a signed-off release, found sign-off ${release.signoff?.status ?? 'pending'}`,
        hint: 'The check run on the proposal says who is missing.',
      },
    ]
  }
  const boards = yield* states<BoardState>(release.items.map((item) => boardKey(item.product)))
  const { completion, products } = policy.configuration
  return release.items.flatMap((item, index) => {
    const own = products.find((product) => product.name === item.product)?.environments
    return completion.environments
      .filter((environment) => own === undefined || own.includes(environment))
      .filter((environment) => !isLive(boards[index], environment, item.version))
      .map((environment) => ({
        code: 'not-live',
        message: `expected ${quoted(`${item.product}@${item.version}`)} live in ${quoted(environment)}, found that it is not`,
        hint: 'The matrix on the release issue shows where each version stands.',
      }))
  })
}

function* stepOf(step: string, context: Context): Deciding<Opened> {
  const open = openRelease(context)
  if (!open.ok) return open
  const policy = yield* readPolicy(open.release.policyDigest)
  const steps = policy?.configuration.checklist ?? []
  const found = steps.find((entry) => entry.id === step)
  if (found && found.machine === undefined) return open
  const ids = steps.filter((entry) => entry.machine === undefined).map((entry) => entry.id)
  const close = nearest(step, ids)
  return {
    ok: false,
    problem: {
      code: found ? 'machine-step' : 'unknown-step',
      message: found
        ? `step ${quoted(step)} ticks itself by its fact`
        : `expected a step of the checklist, found ${quoted(step)}`,
      hint:
        close.length > 0 && !found
          ? `Did you mean ${close.join(' or ')}?`
          : `Steps that people tick: ${ids.join(', ') || 'none'}.`,
    },
  }
}

function* statusLines(release: ReleaseState): Deciding<string[]> {
  const policy = yield* readPolicy(release.policyDigest)
  const boards = yield* states<BoardState>(release.items.map((item) => boardKey(item.product)))
  const checklist = policy
    ? checklistOf(
        release,
        policy.configuration,
        new Map(boards.flatMap((board) => (board ? [[board.product, board] as const] : []))),
      )
    : []
  const live = (index: number, version: string): string =>
    boards[index]?.cells
      .filter((cell) => cell.lastGood?.version === version)
      .map((cell) => cell.environment)
      .join(', ') || 'nowhere yet'
  const open = checklist.filter((line) => !line.isDone).map((line) => line.id)
  return [
    `${release.title} is ${release.status.replace('_', ' ')}; sign-off ${release.signoff?.status ?? 'not decided'}`,
    ...release.items.map((item, index) => `${item.product}@${item.version} is live in: ${live(index, item.version)}`),
    `Open steps: ${open.join(', ') || 'none'}`,
  ]
}
