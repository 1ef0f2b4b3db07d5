import { matchesPattern } from '../rulesets.ts'
import type { Environment } from './records.ts'

/** Why a ref may not deploy to the environment, in GitHub's words; undefined when it may. */
export function refusalOfRef(environment: Environment, ref: string): string | undefined {
  if (environment.branchPolicy?.custom_branch_policies !== true) return undefined
  const type = ref.startsWith('refs/tags/') ? 'tag' : 'branch'
  const name = ref.replace(/^refs\/(heads|tags)\//, '')
  const isAllowed = environment.branchPolicies.some(
    (policy) => policy.type === type && matchesPattern(policy.name, name),
  )
  const kind = type === 'tag' ? 'Tag' : 'Branch'
  return isAllowed
    ? undefined
    : `${kind} "${name}" is not allowed to deploy to ${environment.name} due to environment protection rules.`
}
