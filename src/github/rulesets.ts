import type { Octokit } from '@octokit/rest'
import { splitName } from './client.ts'
import { statusOf, translated } from './trouble.ts'

/** The ruleset that guards Ringmaster's branches; an admin creates it once (`docs/install.md`). */
export const RULESET_NAME = 'ringmaster branches'
const NEEDED_RULES = ['update', 'deletion', 'non_fast_forward'] as const

/** The body of the request that creates the ruleset: nobody but the App updates, deletes or rewrites the branches. */
export const rulesetBody = (appId: number, branches: readonly string[]) => ({
  name: RULESET_NAME,
  target: 'branch' as const,
  enforcement: 'active' as const,
  conditions: { ref_name: { include: branches.map((branch) => `refs/heads/${branch}`), exclude: [] } },
  bypass_actors: [{ actor_id: appId, actor_type: 'Integration' as const, bypass_mode: 'always' as const }],
  rules: [{ type: 'update' as const }, { type: 'deletion' as const }, { type: 'non_fast_forward' as const }],
})

/**
 * Whether GitHub itself keeps others from writing the data branch: the rules that are active for it, asked of GitHub.
 * Where the installation may not see the rules, the branch counts as unprotected; GitHub's trouble is thrown.
 */
export async function branchProtection(octokit: Octokit, fullName: string, branch: string): Promise<boolean> {
  const active = new Set((await branchRules(octokit, fullName, branch)).map(({ type }) => type))
  return NEEDED_RULES.every((rule) => active.has(rule))
}

/** A rule that is active for a branch, as GitHub lists it. */
export interface BranchRule {
  readonly type: string
  readonly parameters?: Readonly<Record<string, unknown>>
}

/** The rules that are active for a branch; none where the installation may not see them. Throws GitHub's trouble. */
export async function branchRules(octokit: Octokit, fullName: string, branch: string): Promise<readonly BranchRule[]> {
  try {
    const rules = await octokit.paginate('GET /repos/{owner}/{repo}/rules/branches/{branch}', {
      ...splitName(fullName),
      branch,
      per_page: 100,
    })
    return rules as unknown as readonly BranchRule[]
  } catch (error) {
    const status = statusOf(error)
    if (status === 404 || status === 403) return []
    throw translated('read the rules of the data branch', error)
  }
}
