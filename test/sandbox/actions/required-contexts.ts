import { statusStates } from '../resources/check-state.ts'
import { type Context, Refusal } from '../router.ts'

/**
 * The commit statuses that a deployment asks for: the named contexts, or all there are when none is named. Refuses with
 * 409 unless each of them is `success`; check runs do not count.
 */
export function refuseUnlessContextsPass(
  context: Context,
  ref: string,
  sha: string,
  required: readonly string[] | undefined,
): void {
  const states = statusStates(context.repository(), sha)
  const contexts = (required ?? [...states.keys()]).map((name) => ({
    context: name,
    state: states.get(name) ?? 'pending',
  }))
  if (contexts.every(({ state }) => state === 'success')) return
  throw new Refusal(409, `Conflict: Commit status checks failed for ${ref}.`, [
    { contexts, resource: 'Deployment', field: 'required_contexts', code: 'invalid' },
  ])
}
