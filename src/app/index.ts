import process from 'node:process'
import { RingmasterError } from '../core/problem.ts'
import { gitHubApp } from '../github/client.ts'
import { examine } from './doctor.ts'
import { pagesRepository, readSettings, type ServerSettings } from './environment.ts'
import { startServer, WEBHOOK_PATH } from './server.ts'

const SWEEP_EVERY_MS = 60_000

/** Every problem on a line of its own, then what to do, said once. */
function tell(error: RingmasterError): void {
  for (const { message, code } of error.problems) process.stderr.write(`${code}: ${message}\n`)
  for (const hint of new Set(error.problems.map((problem) => problem.hint))) if (hint) process.stderr.write(`${hint}\n`)
}

/** What the doctor finds wrong, told once at the start; it keeps nothing from starting. */
async function tellFindings(settings: ServerSettings): Promise<void> {
  const { appId, privateKey, apiUrl, releaseRepository } = settings
  const app = gitHubApp({ appId, privateKey, apiUrl })
  const findings = await examine({ app, releaseRepository, nowMs: Date.now(), pages: pagesRepository(settings) })
  app.close()
  for (const { state, what, hint } of findings)
    if (state !== 'pass') process.stderr.write(`ringmaster doctor: ${what}${hint === undefined ? '' : `. ${hint}`}\n`)
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
  void tellFindings(settings.value)
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
