import type { Cut, CutOutcome } from '../core/product/cut-schema.ts'
import { codeSpan, escapeMarkdown, fitted, isLogin, linkTo } from './text.ts'

const plain = (text: string): string => fitted(text, escapeMarkdown, 2_000)

/** What came of a cut, told to who asked for it. */
export function renderCut(cut: Cut, outcome: CutOutcome, by: string | null): string {
  const to = by !== null && isLogin(by) ? `@${by} ` : ''
  const name = codeSpan(`${cut.product}@${cut.version}`)
  if (outcome.kind === 'refused') {
    const hint = outcome.hint === null ? '' : ` ${plain(outcome.hint)}`
    return `${to}❌ ${name} was not ${cut.versionFiles === undefined ? 'cut' : 'written'}: ${plain(outcome.message)}.${hint}`
  }
  if (cut.versionFiles !== undefined) {
    const where = escapeMarkdown(cut.repository.fullName)
    return outcome.url === null
      ? `${to}✅ The version files of ${name} in ${where} hold it already.`
      : `${to}✅ A pull request writes ${name} into its files in ${where}: ${linkTo(outcome.url)}`
  }
  return [`${to}✅ ${name} is cut in ${escapeMarkdown(cut.repository.fullName)}:`, ...partsOf(cut, outcome)].join('\n')
}

function partsOf({ tag, branch, sha }: Cut, { branchHead, url }: Extract<CutOutcome, { kind: 'made' }>): string[] {
  const at = codeSpan(sha.slice(0, 12))
  return [
    ...(tag === null ? [] : [`- tag ${codeSpan(tag)} at ${at}`]),
    ...(branch === null ? [] : [`- branch ${codeSpan(branch)} ${whereabouts(sha, branchHead)}`]),
    ...(url === null ? [] : [`- GitHub Release: ${linkTo(url)}`]),
  ]
}

const whereabouts = (sha: string, head: string | null): string =>
  head === null || head === sha
    ? `at ${codeSpan(sha.slice(0, 12))}`
    : `at ${codeSpan(head.slice(0, 12))}: it was there before, and was left as it is`
