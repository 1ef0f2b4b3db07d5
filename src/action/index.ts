import { runAction } from './run-action.ts'
import { runnerOf } from './runner.ts'

const print = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

process.exitCode = await runAction(
  {
    environment: process.env,
    clock: { nowMs: Date.now, sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)) },
  },
  runnerOf(process.env, print),
)
