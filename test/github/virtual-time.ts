import type { GovernorOptions } from '../../src/github/governor.ts'

/** A clock that moves only when told, and runs what is due on the way. */
export class VirtualTime {
  nowMs: number
  readonly #timers = new Set<{ readonly atMs: number; readonly run: () => void }>()

  constructor(startMs = Date.parse('2026-11-20T10:00:00Z')) {
    this.nowMs = startMs
  }

  readonly timer: GovernorOptions['timer'] = (milliseconds, run) => {
    const entry = { atMs: this.nowMs + milliseconds, run }
    this.#timers.add(entry)
    return () => this.#timers.delete(entry)
  }

  readonly delay = (milliseconds: number): Promise<void> =>
    new Promise((resolve) => {
      this.timer(milliseconds, resolve)
    })

  get pending(): number {
    return this.#timers.size
  }

  /** Lets everything that is ready go on: several turns of the event loop. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve()
    await new Promise((resolve) => setImmediate(resolve))
  }

  async advance(milliseconds: number): Promise<void> {
    const untilMs = this.nowMs + milliseconds
    await this.settle()
    for (;;) {
      const next = [...this.#timers].filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0]
      if (!next) break
      this.#timers.delete(next)
      this.nowMs = Math.max(this.nowMs, next.atMs)
      next.run()
      await this.settle()
    }
    this.nowMs = untilMs
  }
}
