import process from 'node:process'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** What a shell expects of a program that Ctrl+C ended. */
export const INTERRUPTED = 130

export interface Interruption {
  /** Settles with the first signal, and never before. */
  readonly signal: Promise<string>
  readonly isHere: boolean
}

/** Takes the signals that end a program, so that it can clean up; those that follow do not cut the cleaning short. */
export function onInterruption(): Interruption {
  let isHere = false
  const signal = new Promise<string>((resolve) => {
    for (const name of SIGNALS)
      process.on(name, () => {
        isHere = true
        resolve(name)
      })
  })
  return {
    signal,
    get isHere() {
      return isHere
    },
  }
}
