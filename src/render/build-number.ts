import { ANSWER_CHECK_PREFIX, type BuildSlot, type NumberAnswer } from '../core/product/build-line-schema.ts'
import type { OutputOf } from './output.ts'
import { codeSpan, escapeMarkdown, fitted, truncate } from './text.ts'

const MAX_TITLE = 255

const answerOf = ({ version, refusal }: BuildSlot): NumberAnswer | null => {
  if (version !== undefined) return { outcome: 'handed-out', version }
  return refusal === undefined ? null : { outcome: 'refused', refusal }
}

/** The check run that tells a workflow its build number, or why there is none; null where nobody asked by one. */
export function buildNumberCheck(subject: string, slot: BuildSlot): OutputOf<'check-run'> | null {
  const answer = answerOf(slot)
  if (answer === null || slot.asked === undefined) return null
  return {
    kind: 'check-run',
    subject,
    key: subject,
    ...slot.asked,
    name: `${ANSWER_CHECK_PREFIX}${slot.product}`,
    status: 'completed',
    conclusion: answer.outcome === 'handed-out' ? 'success' : 'failure',
    ...wordsOf(slot.product, answer),
    text: `Read by the workflow that asked.\n\n\`\`\`json\n${JSON.stringify(answer, null, 1)}\n\`\`\`\n`,
    annotations: [],
  }
}

function wordsOf(product: string, answer: NumberAnswer): { readonly title: string; readonly summary: string } {
  if (answer.outcome === 'handed-out')
    return {
      title: truncate(`${product} ${answer.version}`, MAX_TITLE),
      summary: `${codeSpan(answer.version)} is the number of this attempt and of no other.`,
    }
  const { code, message, hint } = answer.refusal
  const plain = (text: string): string => fitted(text, escapeMarkdown, 2_000)
  return {
    title: truncate(`No number of ${product}: ${code}`, MAX_TITLE),
    summary: `${codeSpan(code)}: ${plain(message)}.${hint === null ? '' : ` ${plain(hint)}`}`,
  }
}
