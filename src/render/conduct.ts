import type { Conduct, InterferenceKind } from '../core/release/conduct.ts'
import type { ReleaseState } from '../core/release/schema.ts'
import { codeSpan, escapeMarkdown, fitted, isLogin, truncate } from './text.ts'

const short = (text: string): string => escapeMarkdown(truncate(text, 300))
const who = (person: { readonly login: string } | null): string => escapeMarkdown(person?.login ?? 'Ringmaster')

const JUDGEMENTS = { go: '🟢 go', 'no-go': '⛔ no-go' } as const

/** What people decided about a release beside its composition, for its board; empty where they decided nothing. */
export function conductLines({ conduct }: ReleaseState): string[] {
  const { hold, judgement, details, profile } = conduct
  const facts = [
    ...(details.targetDate ? [`target ${escapeMarkdown(details.targetDate)}`] : []),
    ...(details.window ? [`window ${escapeMarkdown(details.window)}`] : []),
    ...(details.epic ? [`epic ${short(details.epic)}`] : []),
    ...(profile ? [`profile ${codeSpan(profile)}`] : []),
  ]
  const lines = [
    ...(details.description ? [short(details.description)] : []),
    ...(facts.length > 0 ? [facts.join(' · ')] : []),
    ...(hold ? [`⏸ **held** by ${who(hold.by)}: ${short(hold.reason)}`] : []),
    ...(judgement
      ? [
          `${JUDGEMENTS[judgement.kind]}, says ${who(judgement.by)}${judgement.reason ? `: ${short(judgement.reason)}` : ''}`,
        ]
      : []),
  ]
  return lines.flatMap((line) => [line, ''])
}

const INTERFERENCES: Record<InterferenceKind, (by: string) => string> = {
  'comment-edited': (by) => `${by} edited a comment of Ringmaster; it was put right`,
  'comment-deleted': (by) => `${by} deleted a comment of Ringmaster; it was put back`,
  'proposal-pushed': (by) => `${by} pushed to the proposal; its composition was restored`,
  'proposal-merged': (by) => `${by} merged the proposal by hand`,
  'branch-pushed': (by) => `${by} pushed to a branch that only Ringmaster writes`,
  'check-forged': (by) => `the App ${by} made a check run under a name of Ringmaster`,
  'status-forged': (by) => `${by} set a commit status under a name of Ringmaster`,
}

/** Who touched the evidence of a release, newest last, as far as the release has them at hand; the log has all of them. */
export const interferenceLines = ({ interference }: Conduct): string[] =>
  interference.map(({ what, by, at }) => `${INTERFERENCES[what](escapeMarkdown(by))} (${at})`)

/** The comment by which those are called who could sign; a mention is meant here. */
export function renderReminder(
  { issue, title }: ReleaseState,
  { kind, to, missing }: Conduct['reminders'][number],
): string {
  const people = to.filter(isLogin).map((login) => `@${login}`)
  const late = kind === 'escalation' ? ' It has been waiting for long.' : ''
  return `${people.join(' ')}\n\nRelease #${issue} (${fitted(title, escapeMarkdown, 500)}) waits for ${missing.map(escapeMarkdown).join(', ') || 'its parties'}.${late} Approve this pull request, or request changes with the reason.`
}
