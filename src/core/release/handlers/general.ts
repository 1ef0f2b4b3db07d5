import { decideAccess } from '../../access/decide.ts'
import type { CommandEntry } from '../../command/entry.ts'
import { nearest } from '../../command/nearest.ts'
import { COMMANDS } from '../../command/table.ts'
import { readPolicy } from '../../config/in-force.ts'
import { type Deciding, states } from '../../decision.ts'
import { type BoardState, boardKey } from '../../deployment/schema.ts'
import { type Problem, quoted } from '../../problem.ts'
import { checklistOf } from '../../process/checklist.ts'
import { type Context, done, type HandlersOf, lines, NO_RELEASE, refuse } from '../handling.ts'
import type { ReleaseState } from '../schema.ts'
import { type Hidden, hiddenLines, hiddenRings, isHidden } from '../visibility.ts'
import { outsideParties } from './signoff.ts'

/** Questions that change nothing. */
export const generalHandlers: HandlersOf<'status' | 'help'> = {
  *status(_command, context) {
    const { release } = context
    if (!release) return refuse(NO_RELEASE)
    const hidden = yield* hiddenRings(context)
    return done(lines([...(yield* statusLines(release, hidden)), ...hiddenLines(hidden)]))
  },
  *help({ topic }, context) {
    if (topic !== undefined && !Object.hasOwn(COMMANDS, topic)) {
      const close = nearest(topic, Object.keys(COMMANDS))
      return refuse({
        code: 'unknown-command',
        message: `there is no command ${quoted(`/${topic}`)}`,
        hint:
          close.length > 0
            ? `Did you mean ${close.map((name) => `/${name}`).join(' or ')}?`
            : 'Say /help for the list.',
      })
    }
    const wanted: readonly Shown[] = Object.values(COMMANDS).filter(
      (entry) => topic === undefined || entry.name === topic,
    )
    const { release } = context
    const outside = release && wanted.some((entry) => entry.ofParty) ? yield* outsideParties(release, context) : null
    const shown = wanted.filter(
      (entry) => isFor(entry, context, topic === undefined) && (outside === null || !entry.ofParty),
    )
    const [only] = wanted
    if (shown.length === 0 && only) return refuse(...notFor(only, context), ...(outside ? [outside] : []))
    return done({ code: 'help', values: shown.map((entry) => `${entry.usage} — ${entry.help}`), problems: [] })
  },
}

type Shown = Pick<CommandEntry<string, object>, 'name' | 'usage' | 'help' | 'where' | 'permission' | 'ofParty'>

const accessTo = ({ permission }: Shown, { person, standing, policy, request }: Context) =>
  decideAccess(permission, person, standing, policy.configuration.roles, request.at)

/** Help lists what this person may do here, and explains what they may do anywhere. */
const isFor = (entry: Shown, context: Context, here: boolean): boolean =>
  (!here || entry.where.includes(context.place)) && accessTo(entry, context).kind === 'allowed'

function notFor(entry: Shown, context: Context): readonly Problem[] {
  const access = accessTo(entry, context)
  return access.kind === 'denied' ? access.problems : []
}

function conductLines({ conduct, manager }: ReleaseState): string[] {
  const { hold, judgement, details } = conduct
  return [
    `Manager: ${manager.login}`,
    ...(judgement
      ? [`${judgement.kind}, says ${judgement.by?.login ?? 'nobody'}${judgement.reason ? `: ${judgement.reason}` : ''}`]
      : []),
    ...(hold ? [`Held by ${hold.by?.login ?? 'Ringmaster'}: ${hold.reason}`] : []),
    ...(details.targetDate ? [`Target date: ${details.targetDate}`] : []),
    ...(details.window ? [`Window: ${details.window}`] : []),
  ]
}

function* statusLines(release: ReleaseState, hidden: Hidden): Deciding<string[]> {
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
      .filter((cell) => cell.lastGood?.version === version && !isHidden(hidden, cell.environment))
      .map((cell) => cell.environment)
      .join(', ') || 'nowhere yet'
  const open = checklist.filter((line) => !line.isDone).map((line) => line.id)
  return [
    `${release.title} is ${release.status.replace('_', ' ')}; sign-off ${release.signoff?.status ?? 'not decided'}`,
    ...release.items.map((item, index) => `${item.product}@${item.version} is live in: ${live(index, item.version)}`),
    `Open steps: ${open.join(', ') || 'none'}`,
    ...conductLines(release),
  ]
}
