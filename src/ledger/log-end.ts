import { HEAD_PATH } from './codec.ts'
import { firstSeqOf } from './event-files.ts'
import type { Head, LogPosition } from './schema.ts'
import { integrityProblem, type LedgerProblem } from './trouble.ts'

/**
 * What is wrong with the end of a log by its lines, when its head names a later event, or another one there: a log that lost
 * its last lines is whole by its chain. Names the first file that is missing, else the last one that is there (`last`). Null
 * when nothing is, and for a head that is behind: nothing is lost by that.
 */
export function endProblem(head: Head, end: LogPosition, last: string | null): LedgerProblem | null {
  if (head.seq < end.seq || (head.seq === end.seq && head.tip === end.tip)) return null
  const missing = head.tail.find((path) => (firstSeqOf(path) ?? 0) > end.seq)
  const isIn = last !== null && (head.seq === end.seq || head.tail.includes(last))
  const path = missing ?? (isIn ? last : HEAD_PATH)
  const expected = `expected the log to end at event ${head.seq} (${head.tip}), as ${HEAD_PATH} has it`
  const cause = head.seq === end.seq ? 'its last line was edited' : 'lines at its end were taken away'
  const found =
    missing === undefined
      ? `found event ${end.seq} (${end.tip}): ${cause}, or ${HEAD_PATH} was edited`
      : `found no such file behind event ${end.seq}`
  return integrityProblem('ledger-damaged', `${path}: ${expected}, ${found}`, { path })
}
