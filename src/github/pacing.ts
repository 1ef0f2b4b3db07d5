import type { BudgetOptions } from './budget.ts'
import type { WorkClass } from './work-class.ts'

/** Who waits for a commit: somebody for an answer, a job at a gate, or nobody. */
export type Urgency = 'answer' | 'gate' | 'none'

/** GitHub recommends a rate; no stretch of this length holds more moves of a branch than that comes to. */
const WINDOW_MS = 10 * 60_000
/** How much of that may go at once after a rest; the remainder flows in evenly, 5.1 a minute where 6 are recommended. */
const BURST_SHARE = 0.15

/** How far apart commits are at 6 moves a minute, while changes keep coming and nobody waits for them. */
const SPACING_MS = 25_000
/** So many commits that nobody waits for go at once after a rest: what a workflow tells within seconds. */
const QUICK = 3

/** What commits leave of the burst to those that are more urgent. */
const RESERVE: Readonly<Record<Urgency, number>> = { answer: 0, gate: 1 / 3, none: 1 / 3 }

/**
 * What moves of other branches leave of the burst to the log: those that somebody waits for go as jobs at a gate do, and
 * after any other there is enough for a commit that a job at a gate waits for.
 */
export const reserveBeside = (workClass: WorkClass): number =>
  workClass === 'answer' || workClass === 'gate' ? RESERVE.gate : 1 / 2

/** How often a branch may move. */
export const allowanceOf = (pushesPerMinute: number): BudgetOptions => {
  const limit = pushesPerMinute * (WINDOW_MS / 60_000)
  return { limit, windowMs: WINDOW_MS, burst: Math.max(1, limit * BURST_SHARE) }
}

/** How far apart the commits of a branch are when more keeps coming. */
export const spacingOf = (pushesPerMinute: number): number => (SPACING_MS * 6) / pushesPerMinute

/** When a branch moved, as far as it matters for the next move. */
export interface Trail {
  readonly lastMs: number
  /** How many commits may still go at once although nobody waits for them, as it stood after the last move. */
  readonly quick: number
}

export const atRest: Trail = { lastMs: Number.NEGATIVE_INFINITY, quick: QUICK }

const quickAt = ({ lastMs, quick }: Trail, nowMs: number, spacingMs: number): number =>
  Math.min(QUICK, quick + (nowMs - lastMs) / spacingMs)

/** The trail after one more move. */
export const moved = (trail: Trail, nowMs: number, spacingMs: number): Trail => ({
  lastMs: nowMs,
  quick: Math.max(0, quickAt(trail, nowMs, spacingMs) - 1),
})

/** Milliseconds until one may be spent that leaves a share of the burst to others; 0 for now. */
export type Allowance = (reserve: number) => number

/**
 * Milliseconds until a branch may move. What somebody waits for goes at once while the allowance lasts, answers on what
 * gates leave of it. The rest goes at once after a pause and is grouped while more keeps coming: it waits no longer than
 * the spacing unless the allowance is used up.
 */
export function waitOf(
  trail: Trail,
  {
    nowMs,
    urgency,
    spacingMs,
    allowance,
  }: { readonly nowMs: number; readonly urgency: Urgency; readonly spacingMs: number; readonly allowance: Allowance },
): number {
  const courteousMs = allowance(RESERVE[urgency])
  if (urgency !== 'none') return courteousMs
  const groupedMs = Math.ceil((1 - quickAt(trail, nowMs, spacingMs)) * spacingMs)
  const latestMs = Math.ceil(trail.lastMs + spacingMs - nowMs)
  return Math.max(0, allowance(0), groupedMs, Math.min(latestMs, courteousMs))
}
