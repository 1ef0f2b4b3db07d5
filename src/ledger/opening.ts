import { sha256 } from '../core/json.ts'
import { CARRIED_INDEX, firstProblems } from './carried.ts'
import type { Position } from './position.ts'
import type { ReadFiles } from './reads.ts'
import { integrityError, integrityProblem } from './trouble.ts'

/**
 * Checks that a branch goes on from one that was closed: its head names the next epoch and the end of the closed log, the
 * state it took over is the closed one's snapshot, and its first event, where that is at hand, says the same. Throws what is
 * wrong with it.
 */
export async function checkOpening(
  read: ReadFiles,
  name: string,
  { closed, opened }: { readonly closed: Position; readonly opened: Position },
): Promise<void> {
  const found: string[] = []
  const [before, { epoch, origin }] = [closed.head, opened.head]
  if (epoch !== before.epoch + 1) found.push(`expected epoch ${before.epoch + 1}, found ${epoch}`)
  if (origin.seq !== before.seq || origin.tip !== before.tip)
    found.push(
      `expected it to go on from event ${before.seq} (${before.tip}), the end of the closed branch, found event ${origin.seq} (${origin.tip})`,
    )
  const bytes = opened.commit === null ? null : (await read(opened.commit, [CARRIED_INDEX])).get(CARRIED_INDEX)
  const state = bytes ? sha256(bytes) : 'no file'
  if (state !== before.snapshot?.index)
    found.push(
      `expected ${CARRIED_INDEX} to be the snapshot of the closed branch, ${before.snapshot?.index}, found ${state}`,
    )
  const first = opened.tailEvents().find((event) => event.seq === origin.seq + 1)
  if (first) found.push(...firstProblems(first, opened.head, state))
  if (found.length === 0) return
  throw integrityError(found.map((message) => integrityProblem('ledger-damaged', `${name}: ${message}`)))
}
