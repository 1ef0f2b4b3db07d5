import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'

type Answer = (request: IncomingMessage, response: ServerResponse) => void

export interface StaticHost {
  readonly url: string
  /** What was asked for since the last `forget`, in order: `GET path → status`. */
  readonly asked: string[]
  /** Answers one path in another way until `restore`. */
  answer(path: string, answer: Answer | Uint8Array | 'missing'): void
  restore(): void
  close(): Promise<void>
}

/** A web server over a directory, with entity tags, on the loopback interface; single paths can be made to misbehave. */
export async function serveDirectory(directory: string): Promise<StaticHost> {
  const faults = new Map<string, Answer | Uint8Array | 'missing'>()
  const asked: string[] = []
  const server = createServer(async (request, response) => {
    const path = decodeURIComponent((request.url ?? '/').slice(1))
    response.on('close', () => asked.push(`${path} ${response.statusCode}`))
    const fault = faults.get(path)
    if (typeof fault === 'function') return fault(request, response)
    const bytes = fault === 'missing' ? null : (fault ?? (await readFile(join(directory, path)).catch(() => null)))
    if (bytes === null) return void response.writeHead(404).end('not here')
    const etag = `"${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}"`
    if (request.headers['if-none-match'] === etag) return void response.writeHead(304, { etag }).end()
    response.writeHead(200, { etag, 'content-length': bytes.length }).end(bytes)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    asked,
    answer: (path, answer) => void faults.set(path, answer),
    restore: () => faults.clear(),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
