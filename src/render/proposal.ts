import { compositionDigest } from '../core/release/composition.ts'
import type { ReleaseState } from '../core/release/schema.ts'
import { codeSpan, escapeMarkdown, foldLines, MAX_BODY, markdownTable, truncate } from './text.ts'

export const proposalTitle = (release: ReleaseState): string =>
  truncate(`Release #${release.issue}: ${release.title.replace(/[\p{Cc}\p{Cf}\u2028\u2029@]/gu, '')}`, 250)

/** What the approvers read: the composition as people read it, and what their approval means. */
export function renderProposal(release: ReleaseState): string {
  const head = `**${escapeMarkdown(release.title)}** is to be released with exactly these versions:\n`
  const foot = `\nApproving this pull request signs this content (\`${compositionDigest(release)}\`) for your party. A request for changes is a veto until you approve. It stays open until release #${release.issue} completes; only Ringmaster merges it.`
  const table = markdownTable(
    ['Product', 'Version', 'Commit'],
    release.items.map((item) => [escapeMarkdown(item.product), codeSpan(item.version), codeSpan(item.sha)]),
  )
  return [head, ...foldLines(table.split('\n'), MAX_BODY - head.length - foot.length - 2), foot].join('\n')
}
