import process from 'node:process'
import { parseArgs } from 'node:util'
import { benchGrowth } from './ledger-growth.ts'
import { benchLoad } from './ledger-load.ts'
import { benchRedecide, benchReplay } from './ledger-replay.ts'
import { benchSize } from './ledger-size.ts'
import { isMet, toldOf } from './measure.ts'

/** 10,000 events and 60 commands an hour. */
const EVENTS_A_MINUTE = 10_000 / 60
/** Twice as many as the tail takes: snapshots are in it in their proportion. */
const SAMPLED_COMMITS = 128
const MINUTES = 60
const LENGTHS = [1_000, 100_000]
const AGES = [20_000, 200_000]

interface Arguments {
  readonly minutes: number
  readonly lengths: readonly number[]
  readonly ages: readonly number[]
}

function readArguments(args: readonly string[]): Arguments {
  const { positionals, values } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { age: { type: 'string', multiple: true } },
  })
  const [minutes = MINUTES, ...lengths] = positionals.map(Number)
  return {
    minutes,
    lengths: lengths.length > 0 ? lengths.toSorted((a, b) => a - b) : LENGTHS,
    ages: values.age?.map(Number).toSorted((a, b) => a - b) ?? AGES,
  }
}

/**
 * `npm run bench -- ledger [MINUTES] [HISTORY …] [--age EVENTS …]`: how long the load lasts, an hour by default (0: none);
 * the lengths of history for reads and appends, by default 1,000 and 100,000 events; and the lengths after which commits are
 * weighed, each with an `--age` before it, by default 20,000 and 200,000. A million events, as `ledger 0 1000 1000000` or
 * `ledger 0 --age 1000000`, take some minutes to make.
 *
 * Ends with exit code 1 where a target of the load is missed, or one of growth: at most so many requests at every length, and
 * 1.2 times the bytes of the shortest. Whether replay is fast enough is told alone, for other machines are slower.
 */
export async function benchLedger(write: (line: string) => void): Promise<void> {
  const { minutes, lengths, ages } = readArguments(process.argv.slice(3))
  if (minutes > 0) {
    const events = Math.round(EVENTS_A_MINUTE * minutes)
    const missed = await benchLoad(write, { minutes, events, commands: minutes })
    for (const target of missed) write(`Missed: ${target}`)
    if (missed.length > 0) process.exitCode = 1
    write('')
  }
  benchReplay(write)
  write('')
  await benchRedecide(write)
  write('')
  const targets = await benchGrowth(write, lengths)
  for (const target of targets) write(toldOf(target))
  if (!targets.every(isMet)) process.exitCode = 1
  write('')
  await benchSize(write, { commits: SAMPLED_COMMITS, ages })
}
