import { isUtf8 } from 'node:buffer'

/**
 * Text of bytes that ought to be UTF-8. Where they are not, every byte becomes the character of the same number
 * (Latin-1), so that nothing is lost and what is ASCII in them still reads.
 */
export const decodeText = (bytes: Buffer): string => bytes.toString(isUtf8(bytes) ? 'utf8' : 'latin1')

/** Text of a path or a ref name: what is not UTF-8 becomes U+FFFD, so that the folders before it still compare. */
export const decodeName = (bytes: Buffer): string => bytes.toString('utf8')

/** The NUL-separated pieces of an output; what stands after the last NUL is left out when it is empty. */
export function splitAtNul(bytes: Buffer): Buffer[] {
  const pieces: Buffer[] = []
  let start = 0
  for (let end = bytes.indexOf(0); end !== -1; end = bytes.indexOf(0, start)) {
    pieces.push(bytes.subarray(start, end))
    start = end + 1
  }
  if (start < bytes.length) pieces.push(bytes.subarray(start))
  return pieces
}
