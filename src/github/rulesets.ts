import type { Octokit } from '@octokit/rest'
import { splitName } from './client.ts'
import { outsideOrNull, statusOf, translated } from './trouble.ts'

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
  return missingFrom(await branchRules(octokit, fullName, branch)).length === 0
}

function missingFrom(rules: readonly BranchRule[]): readonly string[] {
  const active = new Set(rules.map(({ type }) => type))
  return NEEDED_RULES.filter((rule) => !active.has(rule))
}

/** What keeps others from writing a branch, as far as the App may see. */
export type BranchGuard =
  | { readonly kind: 'ruleset' }
  | { readonly kind: 'lacking'; readonly missing: readonly string[] }
  | { readonly kind: 'classic' }
  | { readonly kind: 'none' }

/**
 * The guard of a branch, classic protection included: whether it is there is in the branch, which contents: read shows,
 * and what it says is behind administration: read, which the App does not have. A branch that is not there has none to see.
 */
export async function branchGuard(octokit: Octokit, fullName: string, branch: string): Promise<BranchGuard> {
  const rules = await branchRules(octokit, fullName, branch)
  const missing = missingFrom(rules)
  if (missing.length === 0) return { kind: 'ruleset' }
  // A branch counts as protected by any rule of a ruleset too: only without one does it tell of classic protection.
  if (rules.length > 0) return { kind: 'lacking', missing }
  const found = await outsideOrNull(`read the branch ${branch}`, () =>
    octokit.request('GET /repos/{owner}/{repo}/branches/{branch}', { ...splitName(fullName), branch }),
  )
  return { kind: found?.data.protected === true ? 'classic' : 'none' }
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
