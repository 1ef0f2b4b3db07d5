import type { Configuration } from '../core/config/schema.ts'
import type { BoardState } from '../core/deployment/schema.ts'
import { type ChecklistLine, checklistOf } from '../core/process/checklist.ts'
import type { ReleaseState } from '../core/release/schema.ts'
import { keptEnvironments } from '../core/release/visibility.ts'
import { conductLines } from './conduct.ts'
import { releaseMatrix } from './matrix.ts'
import { signoffLine } from './signoff.ts'
import { codeSpan, escapeMarkdown, foldLines, MAX_BODY, truncate } from './text.ts'

/** What the checklist may take of the room of a comment; the matrix has what is left. */
const MAX_CHECKLIST = 20_000

export const STATUS_WORDS = {
  draft: 'draft',
  in_progress: 'in progress',
  completed: 'completed',
  cancelled: 'cancelled',
  rolled_back: 'rolled back',
} as const satisfies Record<ReleaseState['status'], string>

export const labelOf = (status: ReleaseState['status']): string => `release:${status.replace('_', '-')}`

/** The one comment of a release that is edited in place: what it is, where it stands, and what comes next. */
export function renderBoard(
  release: ReleaseState,
  configuration: Configuration | null,
  boards: ReadonlyMap<string, BoardState>,
  unprotected: boolean,
  kept: ReadonlySet<string> = keptEnvironments(configuration ? [configuration] : []),
): string {
  const head = [
    `### ${headingText(release.title)}`,
    '',
    `**${STATUS_WORDS[release.status]}** · managed by ${escapeMarkdown(release.manager.login)} · ${signoffLine(release)}`,
    ...(release.endReason ? ['', `Reason: ${escapeMarkdown(release.endReason)}`] : []),
    '',
    ...conductLines(release),
  ]
  const foot = [
    '',
    ...(release.proposal ? [`Composition to sign: #${release.proposal.number}`, ''] : []),
    ...checklistLines(release, configuration, boards),
    ...(unprotected ? ['> **Unprotected log:** no ruleset guards the data branch; see `ringmaster doctor`.', ''] : []),
    `<sub>${nextStep(release)} · \`/help\` lists the commands.</sub>`,
  ]
  const room = MAX_BODY - [...head, ...foot].join('\n').length
  const matrix = foldLines(releaseMatrix(release, configuration, boards, kept).split('\n'), room)
  return [...head, ...matrix, ...foot].join('\n')
}

/** Number signs at the end of a heading would pass for its closing. */
const headingText = (title: string): string => escapeMarkdown(title).replace(/#$/, '\\#')

function checklistLines(
  release: ReleaseState,
  configuration: Configuration | null,
  boards: ReadonlyMap<string, BoardState>,
): string[] {
  const checklist = configuration ? checklistOf(release, configuration, boards) : []
  if (checklist.length === 0) return []
  const done = checklist.filter((line) => line.isDone).length
  return [
    `**Checklist** ${done} of ${checklist.length}`,
    '',
    ...foldLines(checklist.map(checklistLine), MAX_CHECKLIST, '- '),
    '',
  ]
}

function checklistLine(line: ChecklistLine): string {
  const who = line.by ? ` — ${escapeMarkdown(line.by.login)}, ${line.at?.slice(0, 16).replace('T', ' ') ?? ''} UTC` : ''
  const evidence = line.evidence ? `: ${escapeMarkdown(truncate(line.evidence, 200))}` : ''
  const auto = line.isMachine ? ' _(ticks itself)_' : ''
  return `- ${line.isDone ? '✅' : '⬜'} ${codeSpan(line.id)} ${escapeMarkdown(line.text)}${auto}${who}${evidence}`
}

const NEXT_STEP: Record<ReleaseState['status'], string> = {
  draft: 'Next: `/add product@version`, then `/start`',
  in_progress: 'Next: the parties approve the proposal; then the gates open; then `/complete`',
  completed: 'This release is complete',
  cancelled: 'This release is cancelled',
  rolled_back: 'This release was rolled back',
}
const nextStep = (release: ReleaseState): string => NEXT_STEP[release.status]
