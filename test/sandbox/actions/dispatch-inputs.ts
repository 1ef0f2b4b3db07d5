import { unprocessable } from '../router.ts'
import type { DispatchInput } from './workflow-file.ts'

const isGood: Record<DispatchInput['type'], (value: string, input: DispatchInput) => boolean> = {
  string: () => true,
  environment: () => true,
  boolean: (value) => value === 'true' || value === 'false',
  number: (value) => value.trim() !== '' && Number.isFinite(Number(value)),
  choice: (value, input) => input.options?.includes(value) ?? false,
}

const toKind: Record<DispatchInput['type'], (value: string) => unknown> = {
  string: (value) => value,
  environment: (value) => value,
  boolean: (value) => value === 'true',
  number: (value) => Number(value),
  choice: (value) => value,
}

/** GitHub takes at most this many inputs. */
const maxInputs = 25

/**
 * The inputs of a dispatch with their defaults, in the kinds that the workflow declares; refuses with 422 what GitHub
 * refuses: unknown names, missing required ones, values outside of a choice.
 */
export function readDispatchInputs(
  declared: Readonly<Record<string, DispatchInput | null>>,
  given: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const inputs = new Map(Object.entries(declared).map(([name, input]) => [name, input ?? noInput] as const))
  const unexpected = Object.keys(given).filter((name) => !inputs.has(name))
  if (unexpected.length > 0) throw unprocessable(`Unexpected inputs provided: ${JSON.stringify(unexpected)}`)
  if (Object.keys(given).length > maxInputs) throw unprocessable(`you may only define up to ${maxInputs} \`inputs\``)
  const read = [...inputs].map(([name, input]) => {
    const value = Object.hasOwn(given, name) ? given[name] : input.default
    if ((value === undefined || value === '') && input.required)
      throw unprocessable(`Required input '${name}' not provided`)
    if (value === undefined) return [name, input.type === 'boolean' ? false : ''] as const
    const text = String(value)
    if (!isGood[input.type](text, input))
      throw unprocessable(`Provided value '${text}' for input '${name}' not in the list of allowed values`)
    return [name, toKind[input.type](text)] as const
  })
  return Object.fromEntries(read)
}
const noInput: DispatchInput = { required: false, type: 'string' }
