import type { Answer } from '../core/command/answer.ts'
import type { IssueState } from '../core/process/issue.ts'
import { renderChannelChange } from './channel.ts'
import { codeSpan, escapeMarkdown, fitted, foldLines, MAX_BODY, truncate } from './text.ts'

type Values = readonly string[]
const at = (values: Values, index: number): string => values[index] ?? ''
const item = (values: Values): string => codeSpan(`${at(values, 0)}@${at(values, 1)}`)

/** One sentence for every outcome of a command. */
const SENTENCES: Record<Exclude<Answer['code'], 'refused' | 'help' | 'status'>, (values: Values) => string> = {
  'release-opened': (v) =>
    `This is now the release issue of ${escapeMarkdown(at(v, 0))}. Add versions with \`/add product@version\`.`,
  'version-added': (v) => `${item(v)} is in the release, at commit ${codeSpan(at(v, 2).slice(0, 12))}.${chosen(v)}`,
  'version-replaced': (v) =>
    `${item(v)} is in the release instead of ${codeSpan(at(v, 2))}. Approvals of the composition before no longer count.${chosen(v)}`,
  'version-removed': (v) => {
    const again = at(v, 1)
      ? ` ${plain(at(v, 1))} approved the composition before: to ship without it, approve the proposal again.`
      : ''
    return `${codeSpan(at(v, 0))} is out of the release. Approvals of the composition before no longer count.${again}`
  },
  'cut-asked': (v) => {
    const parts = [
      ...(at(v, 4) ? [`tag ${codeSpan(at(v, 4))} with its GitHub Release`] : []),
      ...(at(v, 5) ? [`branch ${codeSpan(at(v, 5))}`] : []),
    ]
    return `Asked for in ${plain(at(v, 3))}, at commit ${codeSpan(at(v, 2).slice(0, 12))} of ${item(v)}: ${parts.join(', ')}. Another comment says what came of it.`
  },
  'version-files-asked': (v) =>
    `Asked for in ${plain(at(v, 2))}: a pull request that writes ${codeSpan(at(v, 1))} into the version files of ${codeSpan(at(v, 0))}. Another comment says what came of it.`,
  'notes-asked': () =>
    'The notes of the release are told in a comment of their own on its issue, once the commits of its versions are read.',
  'release-started': () =>
    'The release is in progress. A pull request with its exact composition is opened for the parties to approve.',
  'release-completed': () => 'The release is complete. Its proposal is merged.',
  'release-cancelled': () => 'The release is cancelled. Its proposal is closed.',
  'release-rolled-back': (v) =>
    `The release is recorded as rolled back: ${plain(at(v, 0))}. Its gates are shut. Nothing is deployed by this: your own workflow deploys the version before, through the gates.`,
  'step-done': (v) => `Step ${codeSpan(at(v, 0))} is done.`,
  'step-undone': (v) => `Step ${codeSpan(at(v, 0))} is open again.`,
  'step-waived': (v) => `Step ${codeSpan(at(v, 0))} is waived: ${plain(at(v, 1))}.`,
  'release-reopened': () => 'The release is a draft again. Its approvals no longer count; `/start` asks for them anew.',
  'setting-set': (v) => {
    const what =
      at(v, 1) === '' ? `${codeSpan(at(v, 0))} is empty.` : `${codeSpan(at(v, 0))} is now ${plain(at(v, 1))}.`
    return at(v, 2) === '' ? what : `${what} It is part of what is signed: approvals of before no longer count.`
  },
  'manager-changed': (v) => `${plain(at(v, 0))} manages this release now.`,
  'judged-go': () => 'The release is a go.',
  'judged-no-go': (v) => `The release is a no-go: ${plain(at(v, 0))}. Its gates are shut until \`/go\`.`,
  'release-held': (v) => `The release is held: ${plain(at(v, 0))}. Its gates are shut until \`/unhold\`.`,
  'release-unheld': (v) => `The release goes on. It was held because: ${plain(at(v, 0))}.`,
  delegated: (v) =>
    `${plain(at(v, 1))} signs for ${plain(at(v, 0))} in your place until ${plain(at(v, 2))}. Your own approval does not count meanwhile.`,
  undelegated: (v) => `You sign for ${plain(at(v, 0))} yourself again.`,
  frozen: (v) =>
    `${environment(v)} is frozen: ${plain(at(v, 1))}. Nothing is let in until \`/unfreeze ${unspoken(at(v, 0))}\`.`,
  unfrozen: (v) => `${environment(v)} is no longer frozen.`,
  excepted: (v) => `Release ${plain(at(v, 0))} may enter ${plain(at(v, 1))} despite the freeze.`,
  'override-asked': (v) =>
    `Another person who may has to confirm with \`/confirm\` here before ${plain(at(v, 1))}; then this release may enter ${plain(at(v, 0))} against what stands.`,
  'override-confirmed': (v) =>
    `This release may enter ${plain(at(v, 0))} against what stands until ${plain(at(v, 1))}, as ${plain(at(v, 2))} asked. An alarm follows it up.`,
  'channel-changed': renderChannelChange,
  'devices-changed': (v) => `${plain(at(v, 0))}.`,
  'manifest-asked': (v) => `The manifest of ${codeSpan(at(v, 0))} is issued again.`,
  'nothing-changed': (v) => `Nothing changed: ${escapeMarkdown(at(v, 0))}.`,
}

/** Nobody named a version, and nothing says which of them is the highest. */
const chosen = (values: Values): string =>
  at(values, 3) === 'last-recorded'
    ? ' It is the version that was recorded last: the product has no scheme with an order, so say another one by its name if it was meant.'
    : ''

const environment = (values: Values): string => (at(values, 0) === '*' ? 'Everything' : plain(at(values, 0)))
/** The name of an environment inside our own code span. */
const unspoken = (name: string): string => name.replace(/[`\p{Cc}\p{Cf}]/gu, '')

/** One line of an answer: twenty commands of a comment share one reply, and none may crowd out another. */
const plain = (text: string): string => fitted(text, escapeMarkdown, 1_000)

/** A usage is shown as code: people copy it, and plain text would hold an empty character behind each "@". */
function helpLine(line: string): string {
  const [usage = '', ...words] = line.split(' — ')
  return `- ${codeSpan(usage)}${words.length > 0 ? ` — ${escapeMarkdown(words.join(' — '))}` : ''}`
}

function answerLines(answer: Answer): string[] {
  if (answer.code === 'refused') {
    return answer.problems.map(
      (problem) => `❌ ${plain(problem.message)}.${problem.hint ? ` ${plain(problem.hint)}` : ''}`,
    )
  }
  if (answer.code === 'help') return answer.values.map(helpLine)
  if (answer.code === 'status') return answer.values.map((line) => `- ${plain(line)}`)
  return [SENTENCES[answer.code](answer.values)]
}

/** What a dry run says: what would be answered, and that nothing was done. */
const dryLines = ({ dryRun = [] }: Answer): string[] => [
  dryRun.length === 0
    ? 'A dry run: nothing would change. The answer would be:'
    : `A dry run: nothing has changed. It would be recorded as ${dryRun.map(codeSpan).join(', ')}, and answered so:`,
  '',
]

/** The one reply to a comment: each of its commands with what came of it, in order. */
export function renderReply(comment: IssueState['comments'][number]): string {
  const to = comment.actor ? `${fitted(comment.actor.login, escapeMarkdown, 200)}: ` : ''
  /** Each answer has its share of the room, so that a long one does not hide the next. */
  const share = Math.floor(MAX_BODY / Math.max(1, comment.answers.length))
  const replies = comment.answers.map(({ command, answer }) => {
    const head = `${to}${codeSpan(truncate(`/${command}`, 80))}\n\n`
    const lines = [...(answer.dryRun === undefined ? [] : dryLines(answer)), ...answerLines(answer)]
    return `${head}${foldLines(lines, share - head.length - 2).join('\n')}`
  })
  return [...replies, ...noteLines(comment, to)].join('\n\n')
}

const NOTES = {
  edited:
    '✏️ This comment was edited. Commands are read once, when a comment is new: nothing was read again, and what was answered stands. Say it in a new comment.',
  deleted: '🗑 The comment with these commands was deleted. That takes nothing back: what was answered stands.',
  unreadable: '❌ No command of this comment was read.',
} as const

function noteLines({ note }: IssueState['comments'][number], to: string): string[] {
  if (note === undefined) return []
  return [`${to}${NOTES[note.kind]}${note.message === null ? '' : ` ${plain(note.message)}`}`]
}

/** The reaction that a comment gets: at a glance, whether everything it asked for was done. */
export const reactionOf = (comment: IssueState['comments'][number]): '+1' | 'confused' =>
  comment.answers.length === 0 || comment.answers.some((entry) => entry.answer.code === 'refused') ? 'confused' : '+1'
