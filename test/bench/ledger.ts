import process from 'node:process'
import { benchGrowth } from './ledger-growth.ts'
import { benchLoad } from './ledger-load.ts'
import { benchRedecide, benchReplay } from './ledger-replay.ts'
import { benchSize } from './ledger-size.ts'
import { isMet, toldOf } from './measure.ts'

/** 10,000 events and 60 commands an hour. */
const EVENTS_A_MINUTE = 10_000 / 60
/** Twice as many as the tail takes: snapshots are in it in their proportion. */
const SAMPLED_COMMITS = 128

/**
 * `npm run bench -- ledger [MINUTES] [HISTORY …]`: how long the load lasts, three hours by default (0: none), and the lengths of
 * history, by default 1,000 and 100,000 events. A million events take some minutes to make.
 *
 * Ends with exit code 1 where a target of the load is missed, or one of growth: at most so many requests at every length, and
 * 1.2 times the bytes of the shortest.
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
  const lengths = sizes.map(Number).toSorted((a, b) => a - b)
  const targets = await benchGrowth(write, lengths.length > 0 ? lengths : [1_000, 100_000])
  for (const target of targets) write(toldOf(target))
  if (!targets.every(isMet)) process.exitCode = 1
  write('')
  await benchSize(write, SAMPLED_COMMITS)
}
