import type { Configuration } from '../core/config/schema.ts'
import type { BoardState } from '../core/deployment/schema.ts'
import { checklistOf } from '../core/process/checklist.ts'
import type { ReleaseState } from '../core/release/schema.ts'
import { releaseMatrix } from './matrix.ts'
import { signoffLine } from './signoff.ts'
import { codeSpan, escapeMarkdown, truncate } from './text.ts'

/** GitHub's limit of a comment is 65,536 characters; what is ours to add (marker, notes) fits into the rest. */
const MAX_BODY = 65_000

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
): string {
  const lines = [
    `### ${escapeMarkdown(release.title)}`,
    '',
    `**${STATUS_WORDS[release.status]}** · managed by ${escapeMarkdown(release.manager.login)} · ${signoffLine(release)}`,
    ...(release.endReason ? ['', `Reason: ${escapeMarkdown(release.endReason)}`] : []),
    '',
    releaseMatrix(release, configuration, boards),
    '',
    ...(release.proposal ? [`Composition to sign: #${release.proposal.number}`, ''] : []),
    ...checklistLines(release, configuration, boards),
    ...(unprotected ? ['> **Unprotected log:** no ruleset guards the data branch; see `ringmaster doctor`.', ''] : []),
    `<sub>${nextStep(release)} · \`/help\` lists the commands.</sub>`,
  ]
  return fold(lines.join('\n'))
}

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
    ...checklist.map((line) => {
      const who = line.by
        ? ` — ${escapeMarkdown(line.by.login)}, ${line.at?.slice(0, 16).replace('T', ' ') ?? ''} UTC`
        : ''
      const evidence = line.evidence ? `: ${escapeMarkdown(truncate(line.evidence, 200))}` : ''
      const auto = line.isMachine ? ' _(ticks itself)_' : ''
      return `- ${line.isDone ? '✅' : '⬜'} ${codeSpan(line.id)} ${escapeMarkdown(line.text)}${auto}${who}${evidence}`
    }),
    '',
  ]
}

const NEXT_STEP: Record<ReleaseState['status'], string> = {
  draft: 'Next: `/add product@version`, then `/start`',
  in_progress: 'Next: the parties approve the proposal; then the gates open; then `/complete`',
  completed: 'This release is complete',
  cancelled: 'This release is cancelled',
  rolled_back: 'This release was rolled back',
}
const nextStep = (release: ReleaseState): string => NEXT_STEP[release.status]

/** A text that would not fit is cut at a line, and says so. */
export function fold(body: string): string {
  if (body.length <= MAX_BODY) return body
  const cut = body.slice(0, MAX_BODY - 200)
  return `${cut.slice(0, cut.lastIndexOf('\n'))}\n\n_More than fits here: the rest stands in the ledger (\`ringmaster release show\`)._`
}
