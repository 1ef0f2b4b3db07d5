import { writeSync } from 'node:fs'
import { runAction } from './run-action.ts'
import { runnerOf } from './runner.ts'

/** Writes at once: the stream of standard output would cost a cold start milliseconds, and may be cut off by an exit. */
const print = (line: string): void => {
  const bytes = Buffer.from(`${line}\n`)
  for (let at = 0; at < bytes.length; ) at += written(bytes, at)
}

/** How many bytes a pipe took; none while its reader is slow. */
function written(bytes: Buffer, at: number): number {
  try {
    return writeSync(1, bytes, at)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return 0
    throw error
  }
}

runAction(
  {
    environment: process.env,
    clock: { nowMs: Date.now, sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)) },
  },
  runnerOf(process.env, print),
).then((code) => {
  /** Everything is written by now; to let Node end by itself takes it milliseconds more. */
  process.exit(code)
})
