import { accepted, type Checked, rejected } from '../core/problem.ts'

const BLOCK = 512
const MAX_NAME = 100
const MAX_PREFIX = 155

/** A file of an archive. */
export interface TarFile {
  readonly path: string
  readonly bytes: Uint8Array
}

const padded = (bytes: Uint8Array): Uint8Array[] => [bytes, Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK)]

/** Where a long path is cut in two, as the format wants it. */
function cut(path: string): { readonly name: string; readonly prefix: string } {
  if (path.length <= MAX_NAME) return { name: path, prefix: '' }
  const at = path.indexOf('/', path.length - MAX_NAME - 1)
  if (at < 0 || at > MAX_PREFIX) throw new RangeError(`expected a path that fits into a tar header, found ${path}`)
  return { name: path.slice(at + 1), prefix: path.slice(0, at) }
}

const octal = (value: number, length: number): string => `${value.toString(8).padStart(length - 1, '0')}\0`

const checksumOf = (header: Uint8Array): number =>
  header.reduce((sum, byte, index) => sum + (index >= 148 && index < 156 ? 0x20 : byte), 0)

/** POSIX.1-1988 (ustar), section "Header Block": nothing in it but path, size and kind differs from file to file. */
function headerOf(path: string, size: number, kind: '0' | 'g'): Buffer {
  const { name, prefix } = cut(path)
  const header = Buffer.alloc(BLOCK)
  const put = (text: string, at: number) => header.write(text, at, 'latin1')
  put(name, 0)
  put(octal(0o644, 8), 100)
  put(octal(0, 8), 108)
  put(octal(0, 8), 116)
  put(octal(size, 12), 124)
  put(octal(0, 12), 136)
  put(kind, 156)
  put('ustar\x0000', 257)
  put(prefix, 345)
  put(`${checksumOf(header).toString(8).padStart(6, '0')}\0 `, 148)
  return header
}

/** The length counts itself. */
const comment = (text: string): string => {
  const rest = ` comment=${text}\n`
  const length = [rest.length + 2, rest.length + 3].find((size) => String(size).length + rest.length === size)
  return `${length}${rest}`
}

/** The bytes with which an archive of a commit begins, where `git get-tar-commit-id` finds its id. */
export function* tarBeginning(commit: string): Generator<Uint8Array> {
  const bytes = Buffer.from(comment(commit), 'latin1')
  yield headerOf('pax_global_header', bytes.length, 'g')
  yield* padded(bytes)
}

/** The bytes of a file of an archive. */
export function* tarFile({ path, bytes }: TarFile): Generator<Uint8Array> {
  yield headerOf(path, bytes.length, '0')
  yield* padded(bytes)
}

/** The bytes that end an archive. */
export const TAR_END: Uint8Array = Buffer.alloc(2 * BLOCK)

const textAt = (header: Buffer, start: number, length: number): string =>
  header.toString('latin1', start, start + length).replace(/\0.*$/s, '')

export interface Tar {
  /** The id of the commit, as it says; null where it says none. */
  readonly commit: string | null
  readonly files: ReadonlyMap<string, Uint8Array>
}

const broken = (message: string) => rejected({ code: 'archive-damaged' as const, message })

/** Hands out the bytes of a stream by count, and fewer only at its end. */
function taker(chunks: AsyncIterable<Uint8Array>): (count: number) => Promise<Buffer> {
  const reading = chunks[Symbol.asyncIterator]()
  let rest: Uint8Array = new Uint8Array()
  return async (count) => {
    const taken: Uint8Array[] = []
    for (let missing = count; missing > 0; ) {
      if (rest.length === 0) {
        const { done, value } = await reading.next()
        if (done) break
        rest = value
      }
      const part = rest.subarray(0, missing)
      rest = rest.subarray(part.length)
      missing -= part.length
      taken.push(part)
    }
    return Buffer.concat(taken)
  }
}

/**
 * Takes an archive of plain files apart, as its bytes come in; they are not read further than to its end. Anything else in it,
 * or anything that is cut off or changed, is a problem. Rejects as the stream does.
 */
export async function readTar(chunks: AsyncIterable<Uint8Array>): Promise<Checked<Tar, 'archive-damaged'>> {
  const take = taker(chunks)
  const files = new Map<string, Uint8Array>()
  let commit: string | null = null
  for (let at = 0; ; ) {
    const header = await take(BLOCK)
    if (header.length < BLOCK) return broken('expected the archive to be whole, found that it is cut off')
    if (header.every((byte) => byte === 0)) return accepted({ commit, files })
    const size = Number.parseInt(textAt(header, 124, 12), 8)
    const sum = Number.parseInt(textAt(header, 148, 8), 8)
    if (sum !== checksumOf(header) || !(size >= 0))
      return broken(`expected the header of a file at byte ${at} of the archive, found something else`)
    const blocks = Math.ceil(size / BLOCK) * BLOCK
    const stored = await take(blocks)
    if (stored.length < blocks) return broken('expected the archive to be whole, found that it is cut off')
    const data = stored.subarray(0, size)
    const [kind, prefix] = [textAt(header, 156, 1), textAt(header, 345, MAX_PREFIX)]
    const path = `${prefix === '' ? '' : `${prefix}/`}${textAt(header, 0, MAX_NAME)}`
    if (kind === 'g') commit = / comment=(.+)\n/.exec(data.toString('latin1'))?.[1] ?? null
    else if (kind !== '0' || files.has(path)) return broken(`expected each file of the archive once, found ${path}`)
    else files.set(path, data)
    at += BLOCK + blocks
  }
}
