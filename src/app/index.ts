import process from 'node:process'
import { RingmasterError } from '../core/problem.ts'
import { readSettings } from './environment.ts'
import { startServer, WEBHOOK_PATH } from './server.ts'
import { tellFindings } from './tell-findings.ts'

const SWEEP_EVERY_MS = 60_000

/** Every problem on a line of its own, then what to do, said once. */
function tell(error: RingmasterError): void {
  for (const { message, code } of error.problems) process.stderr.write(`${code}: ${message}\n`)
  for (const hint of new Set(error.problems.map((problem) => problem.hint))) if (hint) process.stderr.write(`${hint}\n`)
}

async function main(): Promise<number> {
  const settings = readSettings(process.env)
  if (!settings.ok) {
    tell(new RingmasterError('bad-input', settings.problems))
    return 2
  }
  const server = await startServer(settings.value, {
    clock: () => new Date().toISOString(),
    sweepEveryMs: SWEEP_EVERY_MS,
  })
  process.stdout.write(`Ringmaster listens at ${server.url}${WEBHOOK_PATH} for ${settings.value.releaseRepository}\n`)
  /** Whatever it finds keeps nothing from starting. */
  void tellFindings(server.ringmaster.app, settings.value, {
    nowMs: Date.now(),
    tell: (line) => process.stderr.write(`${line}\n`),
  })
  return new Promise((resolve) => {
    const end = () =>
      void server.stop().then(
        () => resolve(0),
        () => resolve(70),
      )
    process.once('SIGTERM', end)
    process.once('SIGINT', end)
  })
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    if (error instanceof RingmasterError) tell(error)
    else
      process.stderr.write(
        `${error instanceof Error ? error.stack : String(error)}\nThis is a bug in Ringmaster; please report it.\n`,
      )
    process.exit(error instanceof RingmasterError ? { refused: 1, 'bad-input': 2, outside: 3 }[error.fault] : 70)
  },
)
