/** The sandbox's time: the machine's clock plus an offset that tests move. Credentials live on the machine's clock. */
export interface Clock {
  /** ISO 8601 UTC to the second, as GitHub writes times. */
  now(): string
  epochMs(): number
  /** Moves time forward and then runs the listeners, so that what waits for a time can come due. */
  advance(ms: number): void
  onAdvance(listener: () => void): void
}

export const toIso = (epochMs: number): string => `${new Date(epochMs).toISOString().slice(0, 19)}Z`

/** A clock that starts at `startAt` (ISO 8601; the machine's time when absent) and goes on ticking. */
export function createClock(startAt?: string): Clock {
  let offsetMs = startAt === undefined ? 0 : Date.parse(startAt) - Date.now()
  const listeners: (() => void)[] = []
  const epochMs = () => Date.now() + offsetMs
  return {
    epochMs,
    now: () => toIso(epochMs()),
    advance(ms) {
      offsetMs += ms
      for (const listener of listeners) listener()
    },
    onAdvance: (listener) => void listeners.push(listener),
  }
}
