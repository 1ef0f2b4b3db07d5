import process from 'node:process'
import { benchGrowth, benchReplay } from './ledger-growth.ts'
import { benchLoad } from './ledger-load.ts'

/** `npm run bench -- ledger [EVENTS] [HISTORY …]`: the events of the hour, and the lengths of history. */
export async function benchLedger(write: (line: string) => void): Promise<void> {
  const [events = '10000', ...sizes] = process.argv.slice(3)
  await benchLoad(write, { events: Number(events), commands: 60 })
  write('')
  benchReplay(write)
  write('')
  await benchGrowth(write, sizes.length > 0 ? sizes.map(Number) : [1_000, 100_000])
}
