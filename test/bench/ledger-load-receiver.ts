import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Intake } from '../../src/app/intake.ts'
import type { SimulatedTime } from './simulated-time.ts'

/** Names a status of a deployment, for the log and the deliveries alike. */
export const statusKey = (deployment: number | string, status: number | string): string => `${deployment}:${status}`

interface Told {
  readonly deployment: { readonly id: number }
  readonly deployment_status: { readonly id: number }
}

/** The App's server as far as deliveries go: acknowledges each and hands it to the intake. */
export class Receiver {
  readonly #server: Server
  readonly #time: SimulatedTime
  /** When each status of a deployment was first delivered, by its key. */
  readonly deliveredMs = new Map<string, number>()
  deliveries = 0
  intake: Intake | undefined

  constructor(time: SimulatedTime) {
    this.#time = time
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        response.writeHead(200).end()
        const named = (header: string): string => String(request.headers[header])
        this.#take(named('x-github-delivery'), named('x-github-event'), JSON.parse(Buffer.concat(chunks).toString()))
      })
    })
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`
  }

  #take(id: string, event: string, payload: unknown): void {
    this.deliveries += 1
    if (event === 'deployment_status') this.#note(payload as Told)
    this.intake?.take({ id, event, payload, receivedAt: this.#time.clock() })
  }

  #note({ deployment, deployment_status }: Told): void {
    const key = statusKey(deployment.id, deployment_status.id)
    if (!this.deliveredMs.has(key)) this.deliveredMs.set(key, this.#time.nowMs)
  }

  close(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }
}
