import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type S3Request, signedHeaders } from '../../src/publish/s3-signature.ts'

export const CREDENTIALS = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
}
/** When every request is signed. */
export const NOW = '2013-05-24T00:00:00Z'

type Fault = 'answered' | 'go on' | 'lose the answer'

interface Stored {
  readonly bytes: Buffer
  readonly headers: IncomingMessage['headers']
  readonly etag: string
  readonly at: Date
}

/** A store with the semantics that are used of S3, which checks signatures as far as it can: by signing again. */
export class BucketServer {
  readonly objects = new Map<string, Stored>()
  /** Taken one by one before a request is answered in earnest. */
  readonly faults: ((request: IncomingMessage, response: ServerResponse) => Fault)[] = []
  readonly asked: string[] = []
  private readonly server: Server = createServer((request, response) => void this.answer(request, response))

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }

  close(): Promise<void> {
    this.server.closeAllConnections()
    return new Promise((resolve) => this.server.close(() => resolve()))
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    const bytes = Buffer.concat(parts)
    const key = request.url ?? ''
    this.asked.push(`${request.method} ${key}`)
    if (!this.isSigned(request, bytes)) return void response.writeHead(403).end()
    const fault = this.faults.shift()
    const done = fault?.(request, response)
    if (done === 'answered') return
    const stored = this.objects.get(key)
    if (request.method === 'GET') {
      if (stored === undefined) return void response.writeHead(404).end()
      return void response
        .writeHead(200, { etag: stored.etag, 'last-modified': stored.at.toUTCString() })
        .end(stored.bytes)
    }
    const wanted = request.headers['if-match']
    if (wanted !== undefined && stored === undefined) return void response.writeHead(404).end()
    const isOther = wanted !== undefined && wanted !== stored?.etag
    if (isOther || (request.headers['if-none-match'] === '*' && stored)) return void response.writeHead(412).end()
    this.keep(key, bytes, request.headers)
    if (done === 'lose the answer') return void request.socket.destroy()
    response.writeHead(200).end()
  }

  keep(key: string, bytes: Buffer, headers: IncomingMessage['headers'] = {}, at = new Date()): void {
    const etag = `"${createHash('md5').update(bytes).digest('hex')}"`
    this.objects.set(key, { bytes, headers, etag, at })
  }

  private isSigned({ method, url, headers }: IncomingMessage, body: Buffer): boolean {
    const names = /SignedHeaders=([^,]+),/.exec(headers.authorization ?? '')?.[1]?.split(';') ?? []
    const added = new Set(['host', 'x-amz-content-sha256', 'x-amz-date'])
    const again: S3Request = {
      method: method === 'PUT' ? 'PUT' : 'GET',
      url: new URL(url ?? '', `http://${headers.host}`),
      headers: new Map(names.filter((name) => !added.has(name)).map((name) => [name, String(headers[name])])),
      body,
      region: 'us-east-1',
      now: NOW,
    }
    return signedHeaders(again, CREDENTIALS).get('authorization') === headers.authorization
  }
}
