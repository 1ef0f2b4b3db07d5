import { hash } from 'node:crypto'

/** What a device's bucket is hashed from, beside its pseudonym; the salt is new for each channel release. */
export interface BucketScope {
  readonly cohort: string
  readonly release: string
  readonly salt: string
}

const BUCKET_DIGITS = 32

/** In one call: a hash object for each device costs twice the hash itself. */
const sha256Start = (bytes: Uint8Array): string => hash('sha256', bytes, 'hex').slice(0, BUCKET_DIGITS)

/** Length prefix and UTF-8 bytes, so that no two lists of texts have the same bytes. */
function framed(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8')
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}

/** The first 16 bytes of SHA-256 over a domain name and framed texts, as 32 lower-case hexadecimal digits. */
function framedDigest(domain: string, parts: readonly string[]): string {
  const bytes = Buffer.concat([Buffer.from(domain, 'utf8'), ...parts.map(framed)])
  return sha256Start(bytes)
}

const PREFIX_BYTES = 4
const MAX_UTF8_PER_UNIT = 3
/** Longer pseudonyms are hashed all the same, from bytes of their own. */
const USUAL_PSEUDONYM_BYTES = 256

/** Hashes pseudonyms of one scope; the scope's own bytes are laid out once, and each pseudonym is written after them. */
export function bucketHasher(scope: BucketScope): (pseudonym: string) => string {
  const head = Buffer.concat([
    Buffer.from('phase/1', 'utf8'),
    framed(scope.cohort),
    framed(scope.release),
    framed(scope.salt),
  ])
  const start = head.length + PREFIX_BYTES
  const usual = Buffer.concat([head, Buffer.alloc(PREFIX_BYTES + USUAL_PSEUDONYM_BYTES)])
  return (pseudonym) => {
    if (pseudonym.length * MAX_UTF8_PER_UNIT > USUAL_PSEUDONYM_BYTES)
      return sha256Start(Buffer.concat([head, framed(pseudonym)]))
    const length = usual.write(pseudonym, start, 'utf8')
    usual.writeUInt32BE(length, head.length)
    return sha256Start(usual.subarray(0, start + length))
  }
}

/**
 * A device's bucket: the first 16 bytes, big-endian, of SHA-256("phase/1" + LP(cohort) + LP(release) + LP(salt) +
 * LP(pseudonym)), LP being a 4-byte big-endian length and the UTF-8 bytes; 32 lower-case hexadecimal digits.
 */
export const bucketOf = (scope: BucketScope, pseudonym: string): string => bucketHasher(scope)(pseudonym)

/** How an override or a quarantine names a device in a public file: a digest that needs the pseudonym to be found. */
export const pseudonymDigest = (list: { readonly id: string; readonly salt: string }, pseudonym: string): string =>
  framedDigest('named/1', [list.id, list.salt, pseudonym])
