import { setTimeout as sleep } from 'node:timers/promises'
import type { PublishedFile } from '../core/manifest/publication.ts'
import { RingmasterError } from '../core/problem.ts'
import type { Publication, PutOutcome } from './publication.ts'
import { encodeKey, type S3Credentials, signedHeaders } from './s3-signature.ts'

export interface S3Options {
  /** Such as `https://s3.eu-central-1.amazonaws.com`; the bucket follows in the path. */
  readonly endpoint: string
  readonly bucket: string
  readonly region: string
  /** Before every path, such as `updates/`; empty for the bucket itself. */
  readonly prefix?: string
  readonly credentials: S3Credentials
  /** ISO 8601 UTC; the store refuses requests that are more than 15 minutes off. */
  readonly clock: () => string
  readonly timeoutMs?: number
  /** Before the second try of a request; it doubles for each further one. */
  readonly retryMs?: number
}

const MAX_TRIES = 4
const READS_AT_ONCE = 16
const NO_BODY = new Uint8Array()
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

/**
 * A bucket of an S3-compatible store that keeps conditional writes (`If-None-Match: *`): immutable files are created
 * and never replaced, also when two publishers race. The credentials need to list the bucket, for without that a
 * missing file looks like a forbidden one.
 */
export function s3Publication(options: S3Options): Publication {
  const name = `the bucket ${options.bucket}`
  const send = sender(options, name)
  const read = async (path: string): Promise<Uint8Array | null> => {
    const response = await send('GET', path, new Map(), NO_BODY)
    if (response.status === 200) return new Uint8Array(await response.arrayBuffer())
    await response.body?.cancel()
    if (response.status === 404) return null
    throw trouble(name, `read ${path}`, `status ${response.status}`)
  }
  const write = async ({ path, bytes, immutable }: PublishedFile): Promise<'stored' | 'conflict'> => {
    const headers = new Map([
      ['cache-control', cacheControl(immutable)],
      ['content-type', typeOf(path)],
    ])
    if (immutable) headers.set('if-none-match', '*')
    const response = await send('PUT', path, headers, bytes)
    await response.body?.cancel()
    if (response.ok) return 'stored'
    if (immutable && response.status === 412) {
      const stored = await read(path)
      return stored !== null && Buffer.compare(stored, bytes) === 0 ? 'stored' : 'conflict'
    }
    throw trouble(name, `write ${path}`, `status ${response.status}`)
  }
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

type Send = (
  method: 'GET' | 'PUT',
  path: string,
  headers: ReadonlyMap<string, string>,
  body: Uint8Array,
) => Promise<Response>

/** 409 is what a conditional write answers while another one of the same key is under way. */
const isPassing = (status: number): boolean => status >= 500 || status === 429 || status === 409

/** Signs anew for each try; a write that arrived although its answer did not is found by its condition. */
function sender(
  { endpoint, bucket, prefix = '', region, credentials, clock, ...times }: S3Options,
  name: string,
): Send {
  const { timeoutMs = 30_000, retryMs = 500 } = times
  return async (method, path, headers, body) => {
    const url = new URL(`/${encodeKey(`${bucket}/${prefix}${path}`)}`, endpoint)
    for (let tries = 1; ; tries += 1) {
      const request = { method, url, headers, body, region, now: clock() }
      const found = await fetch(url, {
        method,
        headers: Object.fromEntries(signedHeaders(request, credentials)),
        ...(method === 'PUT' ? { body } : {}),
        redirect: 'error',
        signal: AbortSignal.timeout(timeoutMs),
      }).catch((error: Error) => error)
      if (found instanceof Response && !isPassing(found.status)) return found
      const reason =
        found instanceof Response ? `status ${found.status}` : ((found.cause as Error)?.message ?? found.message)
      if (found instanceof Response) await found.body?.cancel()
      if (tries === MAX_TRIES) throw trouble(name, `${method === 'PUT' ? 'write' : 'read'} ${path}`, reason)
      await sleep(retryMs * 2 ** (tries - 1))
    }
  }
}

const trouble = (name: string, what: string, found: string): RingmasterError =>
  new RingmasterError('outside', {
    code: 'publication-io',
    message: `expected to ${what} in ${name}, found ${found}`,
    hint: 'Look at the address, the region, the clock and the permissions (get, put and list); clients still see the publication before.',
  })
