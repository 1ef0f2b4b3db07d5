import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** An address for webhooks that answers as told and does nothing with them. */
export interface Listener {
  readonly url: string
  answer: number
  close(): Promise<void>
}

export async function listening(): Promise<Listener> {
  const server = createServer((request, response) => {
    request.resume()
    response.writeHead(listener.answer).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const listener: Listener = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    answer: 200,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
  return listener
}
