/** One party as the matching sees it. */
export interface SeatRow {
  readonly seats: number
  /** Distinct people. */
  readonly candidates: readonly string[]
}

/**
 * Seats people so that as many seats as possible are filled, rows in the order given: a later row never takes a seat
 * from an earlier one. With 'one' a person fills one seat at most, with 'all' one in every row. Returns the people of
 * each row. A maximum bipartite matching by augmenting paths; deterministic in the order of rows and candidates.
 */
export function fillSeats(rows: readonly SeatRow[], seatsPerPerson: 'one' | 'all'): string[][] {
  if (seatsPerPerson === 'all') return rows.map((row) => row.candidates.slice(0, Math.max(0, row.seats)))
  const rowOf = new Map<string, number>()
  rows.forEach((row, index) => {
    for (let seat = 0; seat < row.seats && seatOneMore(rows, index, rowOf); seat += 1);
  })
  return rows.map((row, index) => row.candidates.filter((person) => rowOf.get(person) === index))
}

/** Finds a chain of moves that ends in a person without a seat; everybody else keeps one. False when there is none. */
function seatOneMore(rows: readonly SeatRow[], start: number, rowOf: Map<string, number>): boolean {
  const wantedBy = new Map<string, number>()
  /** Row → the person whose leaving it made it look for another. */
  const leftBy = new Map<number, string>()
  const queue = [start]
  for (const row of queue) {
    for (const person of rows[row]?.candidates ?? []) {
      if (wantedBy.has(person)) continue
      wantedBy.set(person, row)
      const current = rowOf.get(person)
      if (current === undefined) {
        move(person, wantedBy, leftBy, rowOf)
        return true
      }
      if (current === start || leftBy.has(current)) continue
      leftBy.set(current, person)
      queue.push(current)
    }
  }
  return false
}

function move(
  free: string,
  wantedBy: ReadonlyMap<string, number>,
  leftBy: ReadonlyMap<number, string>,
  rowOf: Map<string, number>,
): void {
  for (let person: string | undefined = free; person !== undefined; ) {
    const row = wantedBy.get(person)
    if (row === undefined) return
    rowOf.set(person, row)
    person = leftBy.get(row)
  }
}
