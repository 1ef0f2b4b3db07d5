import type { Row } from './blockers.ts'
import { type Opinion, personOf } from './opinions.ts'
import { fillSeats } from './seats.ts'
import { isFull, seatByTurns } from './turn-search.ts'

/** Person → since when they have approved the current content without a break, in milliseconds since 1970. */
export function approvingSince(opinions: readonly Opinion[]): Map<string, number> {
  const since = new Map<string, number>()
  for (const { person, kind, isDismissed, isCurrent, atMs } of opinions) {
    if (kind !== 'approval' || isDismissed || !isCurrent || Number.isNaN(atMs)) since.delete(person)
    else if (!since.has(person)) since.set(person, atMs)
  }
  return since
}

interface Seating {
  /** The people of each row. */
  readonly seated: readonly (readonly string[])[]
  /** Who approved before the parties that sign first, and has no seat for that. */
  readonly early: ReadonlySet<string>
}

/**
 * Seats people in turn. Where seating them one after the other leaves a required seat empty, every other way is tried:
 * somebody who approves as well must not take a seat that made it the turn of others.
 */
export function seatInTurn(
  rows: readonly Row[],
  valid: ReadonlyMap<string, Opinion>,
  since: ReadonlyMap<string, number>,
  perPerson: 'one' | 'all',
): Seating {
  const found = seatOneAfterTheOther(rows, valid, since, perPerson)
  if (isFull(rows, found.seated)) return found
  const other = seatByTurns(rows, valid, since, perPerson)
  return other === undefined ? found : { seated: other, early: new Set() }
}

/**
 * Seats people so that a party's approvals follow those of the parties before it. A party has signed when the last of
 * its seated people began to approve, so that approving once more never puts others out of turn; whoever was early
 * approves again. Fails closed: a party that is named and not there never signs.
 */
function seatOneAfterTheOther(
  rows: readonly Row[],
  valid: ReadonlyMap<string, Opinion>,
  since: ReadonlyMap<string, number>,
  perPerson: 'one' | 'all',
): Seating {
  const early = rows.map(() => new Set<string>())
  const candidates = rows.map(({ eligible }) => {
    const people = new Set(eligible.map(personOf))
    return [...valid.keys()].filter((person) => people.has(person))
  })
  for (;;) {
    const seated = fillSeats(
      rows.map(({ party }, index) => ({
        seats: party.count,
        candidates: (candidates[index] ?? []).filter((person) => !early[index]?.has(person)),
      })),
      perPerson,
    )
    const before = early.reduce((sum, people) => sum + people.size, 0)
    rows.forEach((row, index) => {
      const turnMs = turnOf(row, rows, seated, since)
      for (const person of seated[index] ?? [])
        if ((valid.get(person)?.atMs ?? Number.NEGATIVE_INFINITY) < turnMs) early[index]?.add(person)
    })
    if (early.reduce((sum, people) => sum + people.size, 0) > before) continue
    const seatedAnywhere = new Set(seated.flat())
    return { seated, early: new Set(early.flatMap((people) => [...people]).filter((one) => !seatedAnywhere.has(one))) }
  }
}

/** When it became a party's turn: never, while one that signs first has an empty seat. */
function turnOf(
  { party }: Row,
  rows: readonly Row[],
  seated: readonly (readonly string[])[],
  since: ReadonlyMap<string, number>,
): number {
  const ends = (party.after ?? []).map((name) => {
    const index = rows.findIndex((row) => row.party.name === name)
    const before = rows[index]?.party
    if (before?.optional === true) return Number.NEGATIVE_INFINITY
    const people = seated[index] ?? []
    if (before === undefined || people.length < before.count) return Number.POSITIVE_INFINITY
    return Math.max(...people.map((person) => since.get(person) ?? Number.POSITIVE_INFINITY))
  })
  return Math.max(Number.NEGATIVE_INFINITY, ...ends)
}
