/** An entry of a tree as `POST /repos/{owner}/{repo}/git/trees` takes it; with `sha: null` it goes. */
export type TreeInput = Readonly<Record<string, string | null>>

/** GitHub takes its time over trees above some 2.5 MB, and gives up after ten seconds. */
const MAX_PIECE_BYTES = 1024 * 1024

/** The entries of a tree in their order, in as few requests as keep each of them within what GitHub answers in time. */
export function piecesOf(entries: readonly TreeInput[]): TreeInput[][] {
  const pieces: { entries: TreeInput[]; bytes: number }[] = []
  for (const entry of entries) {
    const bytes = Buffer.byteLength(JSON.stringify(entry)) + 1
    const last = pieces.at(-1)
    if (last && last.bytes + bytes <= MAX_PIECE_BYTES) {
      last.entries.push(entry)
      last.bytes += bytes
    } else pieces.push({ entries: [entry], bytes })
  }
  return pieces.map((piece) => piece.entries)
}
