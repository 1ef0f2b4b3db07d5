import { nearest } from '../../command/nearest.ts'
import { COMMANDS } from '../../command/table.ts'
import { readPolicy } from '../../config/in-force.ts'
import { type Deciding, states } from '../../decision.ts'
import { type BoardState, boardKey } from '../../deployment/schema.ts'
import { quoted } from '../../problem.ts'
import { checklistOf } from '../../process/checklist.ts'
import { done, type HandlersOf, NO_RELEASE, refuse } from '../handling.ts'
import type { ReleaseState } from '../schema.ts'

/** Questions that change nothing. */
export const generalHandlers: HandlersOf<'status' | 'help'> = {
  *status(_command, { release }) {
    if (!release) return refuse(NO_RELEASE)
    return done({ code: 'status', values: yield* statusLines(release), problems: [] })
  },
  *help({ topic }) {
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
    const entries = Object.values(COMMANDS).filter((entry) => topic === undefined || entry.name === topic)
    return done({ code: 'help', values: entries.map((entry) => `${entry.usage} — ${entry.help}`), problems: [] })
  },
}

/** What an answer holds at most, as its schema says; the board has the rest. */
const MAX_VALUES = 400
const MAX_VALUE = 400

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
  const lines = [
    `${release.title} is ${release.status.replace('_', ' ')}; sign-off ${release.signoff?.status ?? 'not decided'}`,
    ...release.items.map((item, index) => `${item.product}@${item.version} is live in: ${live(index, item.version)}`),
    `Open steps: ${open.join(', ') || 'none'}`,
  ]
  return lines.slice(0, MAX_VALUES).map((line) => (line.length > MAX_VALUE ? `${line.slice(0, MAX_VALUE - 1)}…` : line))
}
