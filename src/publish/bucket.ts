import { setTimeout as sleep } from 'node:timers/promises'
import type { RingmasterError } from '../core/problem.ts'
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

export interface StoredObject {
  readonly bytes: Uint8Array
  /** Its ETag: that of one content alone. */
  readonly version: string
  /** By the clock of the store on both sides, to the second; null where the store does not say. */
  readonly ageMs: number | null
}

/** What a write asks of the object that is there: anything, that there is none, or that it is a version still. */
export type Condition =
  | { readonly kind: 'any' }
  | { readonly kind: 'absent' }
  | { readonly kind: 'is'; version: string }

export interface Bucket {
  readonly read: (path: string) => Promise<StoredObject | null>
  /** A write whose answer was lost is found again by its bytes. */
  readonly write: (
    path: string,
    bytes: Uint8Array,
    options: { readonly headers?: Iterable<readonly [string, string]>; readonly condition: Condition },
  ) => Promise<'stored' | 'conflict'>
}

const MAX_TRIES = 4
const NO_BODY = new Uint8Array()

/** 409 is what a conditional write answers while another one of the same key is under way. */
const isPassing = (status: number): boolean => status >= 500 || status === 429 || status === 409

const conditionHeaders = (condition: Condition): readonly (readonly [string, string])[] => {
  if (condition.kind === 'absent') return [['if-none-match', '*']]
  return condition.kind === 'is' ? [['if-match', condition.version]] : []
}

/**
 * A bucket of an S3-compatible store that keeps conditional writes (`If-None-Match: *`, `If-Match`). The credentials
 * need to list the bucket, for without that a missing file looks like a forbidden one. Throws `trouble` for everything
 * that the store refuses.
 */
export function openBucket(options: S3Options, trouble: (what: string, found: string) => RingmasterError): Bucket {
  const send = sender(options, trouble)
  const read: Bucket['read'] = async (path) => {
    const response = await send('GET', path, new Map(), NO_BODY)
    if (response.status === 200) {
      const { headers } = response
      const bytes = new Uint8Array(await response.arrayBuffer())
      const ageMs = Date.parse(headers.get('date') ?? '') - Date.parse(headers.get('last-modified') ?? '')
      return { bytes, version: headers.get('etag') ?? '', ageMs: Number.isNaN(ageMs) ? null : ageMs }
    }
    await response.body?.cancel()
    if (response.status === 404) return null
    throw trouble(`read ${path}`, `status ${response.status}`)
  }
  return {
    read,
    async write(path, bytes, { headers = [], condition }) {
      const response = await send('PUT', path, new Map([...headers, ...conditionHeaders(condition)]), bytes)
      await response.body?.cancel()
      if (response.ok) return 'stored'
      const isGone = response.status === 404 && condition.kind === 'is'
      if (condition.kind !== 'any' && (response.status === 412 || isGone)) {
        const stored = await read(path)
        return stored !== null && Buffer.compare(stored.bytes, bytes) === 0 ? 'stored' : 'conflict'
      }
      throw trouble(`write ${path}`, `status ${response.status}`)
    },
  }
}

type Send = (
  method: 'GET' | 'PUT',
  path: string,
  headers: ReadonlyMap<string, string>,
  body: Uint8Array,
) => Promise<Response>

/** Signs anew for each try; a write that arrived although its answer did not is found by its condition. */
function sender(
  { endpoint, bucket, prefix = '', region, credentials, clock, ...times }: S3Options,
  trouble: (what: string, found: string) => RingmasterError,
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
      if (tries === MAX_TRIES) throw trouble(`${method === 'PUT' ? 'write' : 'read'} ${path}`, reason)
      await sleep(retryMs * 2 ** (tries - 1))
    }
  }
}
