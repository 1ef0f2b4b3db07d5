import type { Problem } from '../core/problem.ts'

export type FetchOutcome =
  | { readonly kind: 'found'; readonly bytes: Uint8Array; readonly etag: string | undefined }
  /** The host says that the copy with the given tag is still right. */
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'missing' }
  | { readonly kind: 'trouble'; readonly problem: Problem<'host-unreachable' | 'answer-too-long'> }

/** Where a device fetches from. Never throws; paths are relative to the base address. */
export interface Fetcher {
  readonly name: string
  get(path: string, options: { readonly maxBytes: number; readonly etag?: string | undefined }): Promise<FetchOutcome>
}

export interface HttpOptions {
  /** For one file from request to last byte, so that a host that drips bytes is given up. */
  readonly timeoutMs?: number
}

const DEFAULT_TIMEOUT_MS = 30_000

/** 403 is what S3-compatible hosts answer for a missing file to those who may not list. */
const MISSING: ReadonlySet<number> = new Set([403, 404, 410])

/** Fetches over HTTP, conditionally where a tag is known, and never takes more bytes than it was told to. */
export function httpFetcher(baseUrl: string, options: HttpOptions = {}): Fetcher {
  const base = baseUrl.endsWith('/') ? baseUrl : `${baseUrl}/`
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS
  return {
    name: base,
    async get(path, { maxBytes, etag }) {
      const url = new URL(path, base)
      try {
        const response = await fetch(url, {
          signal: AbortSignal.timeout(timeoutMs),
          headers: etag === undefined ? {} : { 'if-none-match': etag },
        })
        if (response.status === 304 && etag !== undefined) return await ended(response, { kind: 'unchanged' })
        if (MISSING.has(response.status)) return await ended(response, { kind: 'missing' })
        if (!response.ok) return await ended(response, trouble(url, `status ${response.status}`))
        const bytes = await readUpTo(response, maxBytes)
        if (!bytes) return tooLong(url, maxBytes)
        return { kind: 'found', bytes, etag: response.headers.get('etag') ?? undefined }
      } catch (error) {
        return trouble(url, reasonOf(error))
      }
    },
  }
}

async function ended(response: Response, outcome: FetchOutcome): Promise<FetchOutcome> {
  await response.body?.cancel()
  return outcome
}

/** The whole body, or null as soon as it is longer than allowed; the rest is not read then. */
async function readUpTo(response: Response, maxBytes: number): Promise<Uint8Array | null> {
  const reader = response.body?.getReader()
  if (!reader) return new Uint8Array()
  const parts: Uint8Array[] = []
  let length = 0
  while (true) {
    const { done, value } = await reader.read()
    if (done) return Buffer.concat(parts)
    length += value.length
    if (length > maxBytes) {
      await reader.cancel()
      return null
    }
    parts.push(value)
  }
}

function reasonOf(error: unknown): string {
  const { name, message, cause } = error as Error
  if (name === 'TimeoutError') return 'no end of the answer in time'
  return (cause as Error | undefined)?.message || message
}

const trouble = (url: URL, found: string): FetchOutcome => ({
  kind: 'trouble',
  problem: {
    code: 'host-unreachable',
    message: `expected ${url.href}, found ${found}`,
    hint: 'The device keeps what it has and asks again at its next poll.',
  },
})

const tooLong = (url: URL, maxBytes: number): FetchOutcome => ({
  kind: 'trouble',
  problem: {
    code: 'answer-too-long',
    message: `expected at most ${maxBytes} bytes from ${url.href}, found more`,
    hint: 'The host serves something else than what was signed; the device keeps what it has.',
  },
})
