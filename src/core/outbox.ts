import { z } from 'zod'
import type { EventData, TypedEvent } from './catalogue.ts'

/** What is known of one output. */
const Settled = z.object({
  output: z.string(),
  /** Of what was written last; null where two processes wrote, neither knew of the other, and nobody knows who came last. */
  digest: z.string().nullable(),
  remote: z.string().nullable(),
  /** The newest receipt. It, `writer` and `after` are absent where a version wrote that did not tell them. */
  seq: z.int().optional(),
  writer: z.string().optional(),
  /** The newest receipt of which the writer has to know, so that its next one comes behind all others. */
  after: z.int().optional(),
})
export type Settled = z.infer<typeof Settled>

/**
 * State: which outputs of a subject are known to be outside as they should be. `outbox/<subject>`. Only a memory that
 * saves looking again: without it the reconciler looks for its markers and comes to the same world.
 */
export const OutboxState = z.object({ settled: z.array(Settled) })
export type OutboxState = z.infer<typeof OutboxState>

export const outboxKey = (subject: string): `outbox/${string}` => `outbox/${subject}`

const OUTPUTS_AT_HAND = 200

/** What a process wrote, with the newest receipt of that output that it knew of, 0 for none. */
export type Receipt = Pick<EventData<'output.settled'>, 'output' | 'remote' | 'writer' | 'follows'> & {
  readonly digest: string | null
}

/**
 * What is known of an output after a receipt. Receipts come into the log later than what they tell happened: one that
 * knew of another's receipt tells what came behind it; of two that knew nothing of each other, either may be the last.
 */
export function settledAfter(known: Settled | undefined, receipt: Receipt, seq: number): Settled {
  const { output, digest, remote, writer, follows } = receipt
  if (writer === undefined || follows === undefined) return { output, digest, remote }
  const newest = known?.seq ?? 0
  /** One process writes an output once at a time, and its receipts come in that order. */
  const isOwn = known?.writer === writer && follows >= (known.after ?? 0)
  const isNext = follows === newest || isOwn
  const isSure = isNext || known?.digest === digest
  return { output, digest: isSure ? digest : null, remote, seq, writer, after: isNext ? follows : newest }
}

export function evolveOutbox(state: OutboxState | undefined, event: TypedEvent<'output.settled'>): OutboxState {
  const settled = state?.settled ?? []
  const { output } = event.data
  const others = settled.filter((entry) => entry.output !== output)
  const known = settled.find((entry) => entry.output === output)
  return { settled: [...others, settledAfter(known, event.data, event.seq)].slice(-OUTPUTS_AT_HAND) }
}
