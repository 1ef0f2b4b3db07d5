import type { Answer } from '../core/command/answer.ts'
import type { IssueState } from '../core/process/issue.ts'
import { codeSpan, escapeMarkdown, fitted, foldLines, MAX_BODY, truncate } from './text.ts'

type Values = readonly string[]
const at = (values: Values, index: number): string => values[index] ?? ''
const item = (values: Values): string => codeSpan(`${at(values, 0)}@${at(values, 1)}`)

/** One sentence for every outcome of a command. */
const SENTENCES: Record<Exclude<Answer['code'], 'refused' | 'help' | 'status'>, (values: Values) => string> = {
  'release-opened': (v) =>
    `This is now the release issue of ${escapeMarkdown(at(v, 0))}. Add versions with \`/add product@version\`.`,
  'version-added': (v) => `${item(v)} is in the release, at commit ${codeSpan(at(v, 2).slice(0, 12))}.`,
  'version-replaced': (v) =>
    `${item(v)} is in the release instead of ${codeSpan(at(v, 2))}. Approvals of the composition before no longer count.`,
  'version-removed': (v) =>
    `${codeSpan(at(v, 0))} is out of the release. Approvals of the composition before no longer count.`,
  'release-started': () =>
    'The release is in progress. A pull request with its exact composition is opened for the parties to approve.',
  'release-completed': () => 'The release is complete. Its proposal is merged.',
  'release-cancelled': () => 'The release is cancelled. Its proposal is closed.',
  'step-done': (v) => `Step ${codeSpan(at(v, 0))} is done.`,
  'step-undone': (v) => `Step ${codeSpan(at(v, 0))} is open again.`,
  'nothing-changed': (v) => `Nothing changed: ${escapeMarkdown(at(v, 0))}.`,
}

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

/** The one reply to a comment: each of its commands with what came of it, in order. */
export function renderReply(comment: IssueState['comments'][number]): string {
  const to = comment.actor ? `${fitted(comment.actor.login, escapeMarkdown, 200)}: ` : ''
  /** Each answer has its share of the room, so that a long one does not hide the next. */
  const share = Math.floor(MAX_BODY / Math.max(1, comment.answers.length))
  return comment.answers
    .map(({ command, answer }) => {
      const head = `${to}${codeSpan(truncate(`/${command}`, 80))}\n\n`
      return `${head}${foldLines(answerLines(answer), share - head.length - 2).join('\n')}`
    })
    .join('\n\n')
}

/** The reaction that a comment gets: at a glance, whether everything it asked for was done. */
export const reactionOf = (comment: IssueState['comments'][number]): '+1' | 'confused' =>
  comment.answers.some((entry) => entry.answer.code === 'refused') ? 'confused' : '+1'
