import { COMMANDS } from '../../command/table.ts'
import { readPolicy } from '../../config/in-force.ts'
import { type Deciding, states } from '../../decision.ts'
import { type BoardState, boardKey } from '../../deployment/schema.ts'
import { checklistOf } from '../../process/checklist.ts'
import { done, type HandlersOf, NO_RELEASE, refuse } from '../handling.ts'
import type { ReleaseState } from '../schema.ts'

/** Questions that change nothing. */
export const generalHandlers: HandlersOf<'status' | 'help'> = {
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
