/** Our clock and GitHub's are taken to differ by less than this, in milliseconds. */
export const CLOCKS_DIFFER_MS = 15 * 60_000
