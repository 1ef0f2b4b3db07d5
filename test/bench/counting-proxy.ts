import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface CountingProxy {
  readonly url: string
  /** Bytes to the host and from it, and connections, since the last call. */
  take(): { readonly sent: number; readonly received: number; readonly connections: number }
  close(): Promise<void>
}

/** Stands before a host on the loopback interface and counts every byte of HTTP; TLS and TCP would come on top. */
export async function countingProxy(hostUrl: string): Promise<CountingProxy> {
  const { hostname, port } = new URL(hostUrl)
  const open = new Set<Socket>()
  let counted = { sent: 0, received: 0, connections: 0 }
  const server = createServer((device) => {
    const host = connect(Number(port), hostname)
    counted.connections += 1
    for (const socket of [device, host]) {
      open.add(socket)
      socket.on('error', () => socket.destroy())
    }
    device.on('data', (bytes) => {
      counted.sent += bytes.length
    })
    host.on('data', (bytes) => {
      counted.received += bytes.length
    })
    device.pipe(host).pipe(device)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    take: () => {
      const taken = counted
      counted = { sent: 0, received: 0, connections: 0 }
      return taken
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of open) socket.destroy()
      }),
  }
}
