import process from 'node:process'
import { benchGrowth } from './ledger-growth.ts'
import { benchLoad } from './ledger-load.ts'
import { benchRedecide, benchReplay } from './ledger-replay.ts'
import { benchSize } from './ledger-size.ts'

/** 10,000 events and 60 commands an hour. */
const EVENTS_A_MINUTE = 10_000 / 60
/** Twice as many as the tail takes: snapshots are in it in their proportion. */
const SAMPLED_COMMITS = 128

/**
 * `npm run bench -- ledger [MINUTES] [HISTORY …]`: how long the load lasts, three hours by default (0: none), and the lengths of history. A million
 * events take some minutes to make.
 */
export async function benchLedger(write: (line: string) => void): Promise<void> {
  const [minutes = '180', ...sizes] = process.argv.slice(3)
  const lasting = Number(minutes)
  if (lasting > 0) {
    const events = Math.round(EVENTS_A_MINUTE * lasting)
    const missed = await benchLoad(write, { minutes: lasting, events, commands: lasting })
    for (const target of missed) write(`Missed: ${target}`)
    if (missed.length > 0) process.exitCode = 1
    write('')
  }
  benchReplay(write)
  write('')
  await benchRedecide(write)
  write('')
  await benchGrowth(write, sizes.length > 0 ? sizes.map(Number) : [1_000, 100_000])
  write('')
  await benchSize(write, SAMPLED_COMMITS)
}
