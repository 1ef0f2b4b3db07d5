import { quoted } from '../problem.ts'

/** A place in a document: keys of mappings and indexes of lists, from the outside in. */
export type Place = readonly PropertyKey[]

const PLAIN = /^[A-Za-z_][A-Za-z0-9_-]*$/

/** A place as people write it, such as `rings[0].ring`; `the file` for the whole. */
export function placeText(place: Place): string {
  const text = place
    .map((key) => {
      if (typeof key === 'number') return `[${key}]`
      return PLAIN.test(String(key)) ? `.${String(key)}` : `[${quoted(String(key))}]`
    })
    .join('')
  return text.replace(/^\./, '') || 'the file'
}

/** What stands at a place; undefined where there is nothing. */
export function valueAt(value: unknown, place: Place): unknown {
  let current: unknown = value
  for (const key of place) {
    if (current === null || typeof current !== 'object') return undefined
    current = Object.hasOwn(current, key) ? (current as Record<PropertyKey, unknown>)[key] : undefined
  }
  return current
}
