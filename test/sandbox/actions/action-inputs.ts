import { join } from 'node:path'
import type { ActionMetadata, Step } from './action-metadata.ts'
import { interpolate, type Scope, toText, type Value } from './expression.ts'
import type { Frame, JobState } from './job-state.ts'
import type { ActionSource } from './job-types.ts'

/** Where `uses:` leads. Throws for an action nobody told the sandbox of. */
export function sourceOf({ options }: JobState, uses: string, frame: Frame): ActionSource {
  if (uses.startsWith('$/')) return { directory: join(frame.action?.root ?? options.workspace, uses.slice(2)) }
  if (uses.startsWith('./')) return { directory: join(options.workspace, uses) }
  const known = options.actions?.get(uses)
  if (known === undefined) throw new Error(`Unable to resolve action ${uses}: the sandbox was not told where it is.`)
  return known
}

/** What stands in `with:`, by lower-case name. */
export const givenInputs = (step: Extract<Step, { uses: string }>, scope: Scope): Map<string, string> =>
  new Map([...(step.with ?? [])].map(([name, value]) => [name.toLowerCase(), toText(interpolate(value, scope))]))

/** The inputs of an action with their defaults; `required` is not enforced, unknown names only warn, as on GitHub. */
export function inputsOf(
  { log }: JobState,
  metadata: ActionMetadata,
  given: ReadonlyMap<string, string>,
  scope: Scope,
): Map<string, Value> {
  const names = [...metadata.inputs.keys()]
  const known = new Set(names.map((name) => name.toLowerCase()))
  const unknown = [...given.keys()].filter((name) => !known.has(name))
  if (unknown.length > 0)
    log.warn(`Unexpected input(s) '${unknown.join("', '")}', valid inputs are ['${names.join("', '")}']`)
  return new Map(
    [...metadata.inputs].map(([name, input]) => [
      name,
      given.get(name.toLowerCase()) ?? toText(interpolate(String(input?.default ?? ''), scope)),
    ]),
  )
}
