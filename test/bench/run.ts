import { cpus } from 'node:os'

type Write = (line: string) => void
type Bench = (write: Write) => void | Promise<void>

/** Loaded only when asked for: a bench of one thing must not warm up, or slow down, another one. */
const benches: ReadonlyMap<string, () => Promise<Bench>> = new Map([
  ['bump', async () => (await import('./bump.ts')).benchBump],
  ['ledger', async () => (await import('./ledger.ts')).benchLedger],
  ['manifest', async () => (await import('./manifest.ts')).benchManifest],
  ['scale', async () => (await import('./scale.ts')).benchScale],
  [
    'resolve',
    async () => {
      const { benchResolve } = await import('./resolve.ts')
      const { benchManifest } = await import('./manifest.ts')
      return async (write) => {
        benchResolve(write)
        write('')
        await benchManifest(write)
      }
    },
  ],
])

const write: Write = (line) => void process.stdout.write(`${line}\n`)
const [name = ''] = process.argv.slice(2)
const load = benches.get(name)
if (load === undefined) {
  process.stderr.write(`Usage: npm run bench -- ${[...benches.keys()].join('|')}\n`)
  process.exitCode = 2
} else {
  write(`${name}, Node ${process.version}, ${cpus()[0]?.model ?? 'unknown processor'}\n`)
  await (await load())(write)
}
