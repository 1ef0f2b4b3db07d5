import type { PublishedFile } from '../core/manifest/publication.ts'
import { RingmasterError } from '../core/problem.ts'
import { openBucket, type S3Options } from './bucket.ts'
import type { Publication, PutOutcome } from './publication.ts'

const READS_AT_ONCE = 16
const YEAR_SECONDS = 31_536_000

/** Immutable files may be kept for ever; the others have to be asked for each time. */
const cacheControl = (immutable: boolean): string =>
  immutable ? `public, max-age=${YEAR_SECONDS}, immutable` : 'no-cache'

const TYPES: readonly (readonly [end: string, type: string])[] = [
  ['.json', 'application/json'],
  ['/graph', 'application/json'],
  ['.html', 'text/html; charset=utf-8'],
  ['SHA256SUMS', 'text/plain; charset=utf-8'],
]
const typeOf = (path: string): string => TYPES.find(([end]) => path.endsWith(end))?.[1] ?? 'application/octet-stream'

/** A bucket in which immutable files are created and never replaced, also when two publishers race. */
export function s3Publication(options: S3Options): Publication {
  const name = `the bucket ${options.bucket}`
  const bucket = openBucket(options, (what, found) => trouble(name, what, found))
  const read = async (path: string): Promise<Uint8Array | null> => (await bucket.read(path))?.bytes ?? null
  const write = ({ path, bytes, immutable }: PublishedFile): Promise<'stored' | 'conflict'> =>
    bucket.write(path, bytes, {
      headers: [
        ['cache-control', cacheControl(immutable)],
        ['content-type', typeOf(path)],
      ],
      condition: { kind: immutable ? 'absent' : 'any' },
    })
  return {
    name,
    async get(paths) {
      const found: [string, Uint8Array | null][] = []
      for (let at = 0; at < paths.length; at += READS_AT_ONCE) {
        const some = paths.slice(at, at + READS_AT_ONCE)
        found.push(
          ...(await Promise.all(some.map(async (path): Promise<(typeof found)[number]> => [path, await read(path)]))),
        )
      }
      return new Map(found)
    },
    async put(files): Promise<PutOutcome> {
      // One after the other: what points at a file must never be there before it.
      for (const file of files) {
        if ((await write(file)) === 'conflict') return { kind: 'conflict', paths: [file.path] }
      }
      return { kind: 'stored' }
    },
  }
}

const trouble = (name: string, what: string, found: string): RingmasterError =>
  new RingmasterError('outside', {
    code: 'publication-io',
    message: `expected to ${what} in ${name}, found ${found}`,
    hint: 'Look at the address, the region, the clock and the permissions (get, put and list); clients still see the publication before.',
  })
