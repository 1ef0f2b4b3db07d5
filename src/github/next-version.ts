import type { Octokit } from '@octokit/rest'
import type { NextVersionFact } from '../core/facts.ts'
import { unwrap } from '../core/problem.ts'
import type { CommitSource } from '../core/product/bump-options.ts'
import { decideNext } from '../core/version/decide-next.ts'
import { ruleWithoutText } from '../core/version/explain.ts'
import { splitName } from './client.ts'
import { readCommitRange } from './commit-range.ts'
import { headOf } from './tags.ts'

/** What the commits on the default branch ask for since the last release of a product. */
export async function nextVersion(
  octokit: Octokit,
  repository: string,
  source: CommitSource,
): Promise<NextVersionFact | 'too-many'> {
  const at = splitName(repository)
  const { data } = await octokit.request('GET /repos/{owner}/{repo}', at)
  const branch = data.default_branch
  const head = await headOf(octokit, at, branch)
  if (head === null) throw new Error(`expected a commit on ${branch} of ${repository}, found none`)
  const range = await readCommitRange(octokit, at, source, head, null)
  if (range === 'too-many') return range
  const from = range.from?.version.text ?? null
  const { to, bump, policy, commits } = unwrap(decideNext(source.scheme, source.bump, from, range.commits, range.judge))
  return {
    ...{ branch, head, from, to, bump, policy, outside: range.outside },
    commits: commits.map(({ sha, level, reason, warnings }) => ({
      ...{ sha, level, rule: ruleWithoutText(reason) },
      warnings: warnings.map(({ code }) => code),
    })),
  }
}
