import { z } from 'zod'

/** What a command came to, as it stands in the log; the sentence for people is rendered from it. */
export const ANSWER_CODES = [
  'release-opened',
  'version-added',
  'version-replaced',
  'version-removed',
  'cut-asked',
  'version-files-asked',
  'notes-asked',
  'release-started',
  'release-completed',
  'release-cancelled',
  'release-rolled-back',
  'step-done',
  'step-undone',
  'step-waived',
  'release-reopened',
  'setting-set',
  'manager-changed',
  'judged-go',
  'judged-no-go',
  'release-held',
  'release-unheld',
  'delegated',
  'undelegated',
  'frozen',
  'unfrozen',
  'excepted',
  'override-asked',
  'override-confirmed',
  'channel-changed',
  'manifest-asked',
  'devices-changed',
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
  /** For a dry run: the events that the command would have made; nothing was done. */
  dryRun: z.array(z.string()).optional(),
})
export type Answer = z.infer<typeof Answer>

/** Whether an answer says only how things stand: nothing was done or refused by it. */
export const onlyTells = ({ code, dryRun }: Answer): boolean =>
  dryRun !== undefined || code === 'status' || code === 'help'

export const answer = (code: Answer['code'], ...values: string[]): Answer => ({ code, values, problems: [] })
