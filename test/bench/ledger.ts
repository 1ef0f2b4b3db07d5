import process from 'node:process'
import { benchGrowth, benchReplay } from './ledger-growth.ts'
import { benchLoad } from './ledger-load.ts'

/** 10,000 events and 60 commands an hour. */
const EVENTS_A_MINUTE = 10_000 / 60

/** `npm run bench -- ledger [MINUTES] [HISTORY …]`: how long the load lasts, and the lengths of history. */
export async function benchLedger(write: (line: string) => void): Promise<void> {
  const [minutes = '10', ...sizes] = process.argv.slice(3)
  const lasting = Number(minutes)
  await benchLoad(write, { minutes: lasting, events: Math.round(EVENTS_A_MINUTE * lasting), commands: lasting })
  write('')
  benchReplay(write)
  write('')
  await benchGrowth(write, sizes.length > 0 ? sizes.map(Number) : [1_000, 20_000, 100_000])
}
