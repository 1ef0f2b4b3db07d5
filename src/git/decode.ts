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

/**
 * Gathers pieces of an output and hands over the NUL-separated texts that are whole, in order, each time there are any.
 * One decoding of many texts is several times faster than one for each; only odd bytes need the slow way.
 */
export class NulSeparatedTexts {
  private rest: Buffer[] = []
  private readonly onTexts: (texts: readonly string[]) => void

  constructor(onTexts: (texts: readonly string[]) => void) {
    this.onTexts = onTexts
  }

  add(piece: Buffer): void {
    const end = piece.lastIndexOf(0)
    if (end === -1) {
      this.rest.push(piece)
      return
    }
    const head = piece.subarray(0, end)
    const whole = this.rest.length === 0 ? head : Buffer.concat([...this.rest, head])
    this.rest = end + 1 === piece.length ? [] : [piece.subarray(end + 1)]
    this.onTexts(isUtf8(whole) ? whole.toString('utf8').split('\0') : splitAll(whole).map(decodeText))
  }
}

/** As `splitAtNul`, and an empty piece at the end is one too. */
function splitAll(bytes: Buffer): Buffer[] {
  const pieces = splitAtNul(bytes)
  if (bytes.length === 0 || bytes.at(-1) === 0) pieces.push(Buffer.alloc(0))
  return pieces
}
