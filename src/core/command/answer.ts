import { z } from 'zod'

/** What a command came to, as it stands in the log; the sentence for people is rendered from it. */
export const ANSWER_CODES = [
  'release-opened',
  'version-added',
  'version-replaced',
  'version-removed',
  'release-started',
  'release-completed',
  'release-cancelled',
  'step-done',
  'step-undone',
  'nothing-changed',
  'status',
  'help',
  'refused',
] as const

export const Answer = z.strictObject({
  code: z.enum(ANSWER_CODES),
  /** The values of the sentence, in its order; untrusted text among them. */
  values: z.array(z.string().max(400)).max(400),
  problems: z.array(
    z.strictObject({ code: z.string(), message: z.string().max(2_000), hint: z.string().max(2_000).optional() }),
  ),
})
export type Answer = z.infer<typeof Answer>

export const answer = (code: Answer['code'], ...values: string[]): Answer => ({ code, values, problems: [] })
