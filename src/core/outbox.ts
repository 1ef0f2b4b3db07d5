import { z } from 'zod'
import type { TypedEvent } from './catalogue.ts'

/**
 * State: which outputs of a subject are known to be outside as they should be. `outbox/<subject>`. Only a memory that
 * saves looking again: without it the reconciler looks for its markers and comes to the same world.
 */
export const OutboxState = z.object({
  settled: z.array(z.object({ output: z.string(), digest: z.string(), remote: z.string().nullable() })),
})
export type OutboxState = z.infer<typeof OutboxState>

export const outboxKey = (subject: string): `outbox/${string}` => `outbox/${subject}`

const OUTPUTS_AT_HAND = 200

export function evolveOutbox(state: OutboxState | undefined, event: TypedEvent<'output.settled'>): OutboxState {
  const { output, digest, remote } = event.data
  const others = (state?.settled ?? []).filter((entry) => entry.output !== output)
  return { settled: [...others, { output, digest, remote }].slice(-OUTPUTS_AT_HAND) }
}
