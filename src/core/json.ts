import { hash } from 'node:crypto'

/**
 * Canonical JSON: keys sorted by code unit, no blanks, so that equal values have equal bytes.
 * Members whose value is undefined are left out. Numbers must be finite; throws TypeError otherwise.
 */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError(`expected a finite number, found ${value}`)
    return JSON.stringify(value)
  }
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item ?? null)).join(',')}]`
  if (typeof value === 'object') {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
      .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`)
    return `{${members.join(',')}}`
  }
  throw new TypeError(`expected a JSON value, found ${typeof value}`)
}

/** `sha256:` and 64 hexadecimal digits of the exact bytes (text is taken as UTF-8). */
export function sha256(bytes: string | Uint8Array): `sha256:${string}` {
  return `sha256:${hash('sha256', bytes, 'hex')}`
}

/** The digest of a value: SHA-256 of its canonical JSON. */
export const digestOf = (value: unknown): `sha256:${string}` => sha256(canonicalJson(value))
