import { compositionDigest } from '../core/release/composition.ts'
import type { ReleaseState } from '../core/release/schema.ts'
import { codeSpan, escapeMarkdown, foldLines, MAX_BODY, truncate } from './text.ts'

export const proposalTitle = (release: ReleaseState): string =>
  truncate(`Release #${release.issue}: ${release.title.replace(/[\p{Cc}\p{Cf}\u2028\u2029@]/gu, '')}`, 250)

/**
 * What the approvers read: the composition as people read it, and what their approval means. A list and not a table, and
 * no whole commit: on a telephone lines of a list wrap, and a table is pushed aside. The file holds the whole commits.
 */
export function renderProposal(release: ReleaseState): string {
  const head = `**${escapeMarkdown(release.title)}** is to be released with exactly these versions:\n`
  const foot = `\nApproving this pull request signs this content (\`${compositionDigest(release)}\`) for your party. A request for changes is a veto until you approve. It stays open until release #${release.issue} completes; only Ringmaster merges it.`
  const items = release.items.map(
    ({ product, version, sha }) =>
      `- ${escapeMarkdown(product)} ${codeSpan(version)}, commit ${codeSpan(sha.slice(0, 12))}`,
  )
  return [head, ...foldLines(items, MAX_BODY - head.length - foot.length - 2, '- '), foot].join('\n')
}
