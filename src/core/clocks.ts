/** Our clock and GitHub's are taken to differ by less than this, in milliseconds. */
export const CLOCKS_DIFFER_MS = 15 * 60_000

/**
 * Whether so many milliseconds have passed since an instant. It counts as passed, too, where the clock was set back to before
 * that instant: nothing waits for it to come round again.
 */
export const hasPassed = (sinceMs: number, lastingMs: number, nowMs: number): boolean =>
  nowMs < sinceMs || nowMs - sinceMs >= lastingMs
