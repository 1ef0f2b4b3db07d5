import { instantMs } from '../cohort/instant.ts'

/** From when until when something holds, as the configuration writes it: days in UTC, or instants. */
export interface Term {
  readonly from?: string | undefined
  readonly until?: string | undefined
}

const DAY = /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/

/** When a term that is written so begins, in milliseconds since 1970; undefined for what is no day and no instant. */
export const beginOf = (text: string): number | undefined => instantMs(DAY.test(text) ? `${text}T00:00:00Z` : text)

/** When a term that is written so is over: a day counts to its end. */
export function endOf(text: string): number | undefined {
  const begin = beginOf(text)
  return begin !== undefined && DAY.test(text) ? begin + 86_400_000 : begin
}

/** Whether a term holds at an instant; one that cannot be read never does. */
export function holdsAt({ from, until }: Term, at: string): boolean {
  const now = instantMs(at)
  const begin = from === undefined ? Number.NEGATIVE_INFINITY : beginOf(from)
  const end = until === undefined ? Number.POSITIVE_INFINITY : endOf(until)
  return now !== undefined && begin !== undefined && end !== undefined && begin <= now && now < end
}
