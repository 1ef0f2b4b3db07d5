/** Names longer than this are not compared: the work grows with the product of the lengths. */
const MAX_LENGTH = 100
const MAX_SUGGESTIONS = 3

/**
 * The least number of insertions, deletions, replacements and swaps of neighbours that turn one text into another
 * (optimal string alignment): swapped letters are the commonest slip, and one slip.
 */
function distance(a: string, b: string): number {
  let beforeLast: number[] = []
  let before = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (before[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      const swapped = isSwap ? (beforeLast[j - 2] ?? 0) + 1 : replaced
      row.push(Math.min((before[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, replaced, swapped))
    }
    beforeLast = before
    before = row
  }
  return before[b.length] ?? 0
}

/** The known names that a mistyped one may have meant, nearest first: at most a third of its letters differ. */
export function nearest(name: string, known: readonly string[]): string[] {
  if (name.length === 0 || name.length > MAX_LENGTH) return []
  const most = Math.max(1, Math.floor(name.length / 3))
  return known
    .filter((candidate) => Math.abs(candidate.length - name.length) <= most)
    .map((candidate) => ({ candidate, far: distance(name.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ far }) => far <= most)
    .sort((a, b) => a.far - b.far || (a.candidate < b.candidate ? -1 : 1))
    .slice(0, MAX_SUGGESTIONS)
    .map(({ candidate }) => candidate)
}
