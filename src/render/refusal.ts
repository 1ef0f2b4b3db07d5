import { type Refusal, refusalOutput } from '../core/product/refusal-schema.ts'
import type { RepositoryRef } from '../core/product/schema.ts'
import type { Output } from './output.ts'
import { codeSpan, escapeMarkdown, fitted } from './text.ts'

export const REFUSED_CHECK = 'ringmaster/refused'

const plain = (text: string): string => fitted(text, escapeMarkdown, 2_000)

function subjectOf({ of }: Refusal): string {
  const item = codeSpan(`${of.product}@${of.version}`)
  return of.kind === 'build' ? `build of ${item}` : `deployment of ${item} to ${codeSpan(of.environment)}`
}

const line = (refusal: Refusal): string =>
  `- ❌ ${subjectOf(refusal)} (${codeSpan(refusal.code)}): ${plain(refusal.message)}.${refusal.hint === null ? '' : ` ${plain(refusal.hint)}`}`

/** The check run on a commit that says which records of it were refused, for as long as they are. */
export function refusalCheck(
  subject: string,
  given: { readonly sha: string; readonly repository: RepositoryRef },
  refusals: readonly Refusal[],
): Output {
  const { sha, repository } = given
  const [newest] = refusals.slice(-1)
  const count = refusals.length === 1 ? '1 record was refused' : `${refusals.length} records were refused`
  return {
    kind: 'check-run',
    subject,
    key: refusalOutput(sha, repository.id),
    repository,
    sha,
    name: REFUSED_CHECK,
    status: 'completed',
    conclusion: newest ? 'failure' : 'success',
    title: newest ? count : 'Recorded since',
    summary: newest
      ? ['Nothing of what was refused counts; the log keeps it.', '', ...refusals.map(line)].join('\n')
      : 'What was refused here before is recorded now.',
    annotations: [],
    otherwise: {
      alarm: `refusals/${repository.id}`,
      code: 'refusals-unseen',
      message: newest
        ? `expected to say on the commits of ${repository.fullName} what was refused of them, found that GitHub takes no check run there; the first one, at ${sha}: ${newest.message}`
        : '',
    },
  }
}
