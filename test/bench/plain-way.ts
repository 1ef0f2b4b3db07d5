import type { Octokit } from '@octokit/rest'
import { type SimulatedTime, withLatency } from './simulated-time.ts'

export interface PlainEvent {
  readonly name: string
  readonly text: string
}

/**
 * The log as one writes it down: a commit by the Contents API for each event, one after the other, because two of them
 * on one branch at once conflict.
 */
export class PlainWay {
  readonly #octokit: Octokit
  readonly #repository: { readonly owner: string; readonly repo: string }
  readonly #time: SimulatedTime
  #before: Promise<void> = Promise.resolve()
  /** Requests that take no simulated time. */
  inFlight = 0
  /** Milliseconds from an event to its commit, in their order. */
  readonly durable: number[] = []
  endMs = Number.NaN

  constructor(
    octokit: Octokit,
    repository: { readonly owner: string; readonly repo: string },
    { time, random }: { readonly time: SimulatedTime; readonly random: () => number },
  ) {
    this.#octokit = octokit
    this.#repository = repository
    this.#time = time
    octokit.hook.wrap('request', async (send, options) => {
      this.inFlight += 1
      try {
        return await send(options)
      } finally {
        this.inFlight -= 1
      }
    })
    withLatency(octokit, time, random)
  }

  take({ name, text }: PlainEvent): void {
    const tookMs = this.#time.nowMs
    this.#before = this.#before.then(async () => {
      await this.#octokit.rest.repos.createOrUpdateFileContents({
        ...this.#repository,
        path: `events/${name}.json`,
        message: `Record ${name}`,
        content: Buffer.from(text).toString('base64'),
      })
      this.durable.push(this.#time.nowMs - tookMs)
      this.endMs = this.#time.nowMs
    })
  }

  /** Settles when every event is in the repository; rejects when one could not be written. */
  done(): Promise<void> {
    return this.#before
  }
}
