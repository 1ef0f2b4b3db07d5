/** Where two values first differ, as a JSON pointer (RFC 6901), and what stands there; undefined for nothing. */
export interface JsonDifference {
  readonly pointer: string
  readonly expected: unknown
  readonly found: unknown
}

const isCompound = (value: unknown): value is object => typeof value === 'object' && value !== null

const namesOf = (value: object): string[] => Object.keys(value).filter((name) => memberOf(value, name) !== undefined)

const memberOf = (value: object, name: string): unknown =>
  Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined

const step = (name: string): string => `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`

/** Members in the order of canonical JSON, items in theirs; a member that is undefined is none. Null when all is equal. */
export function firstDifference(expected: unknown, found: unknown, pointer = ''): JsonDifference | null {
  if (Object.is(expected, found)) return null
  if (!isCompound(expected) || !isCompound(found) || Array.isArray(expected) !== Array.isArray(found))
    return { pointer, expected, found }
  const names = [...new Set([...namesOf(expected), ...namesOf(found)])]
  const ordered = Array.isArray(expected) ? names.sort((a, b) => Number(a) - Number(b)) : names.sort()
  for (const name of ordered) {
    const difference = firstDifference(memberOf(expected, name), memberOf(found, name), `${pointer}${step(name)}`)
    if (difference) return difference
  }
  return null
}
