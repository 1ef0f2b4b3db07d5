import type { Row } from './blockers.ts'
import { type Opinion, personOf } from './opinions.ts'
import { fillSeats } from './seats.ts'

/** Whether every required party has all of its people. */
export const isFull = (rows: readonly Row[], seated: readonly (readonly string[])[]): boolean =>
  rows.every(({ party }, index) => party.optional === true || (seated[index] ?? []).length >= party.count)

/** Seatings that are tried before it is given up; many more than people in a hurry make. */
const MOST_TRIED = 500

/**
 * A seating that fills every required seat, with an instant for each party that others wait for: by then all of its
 * people approved, and those who wait approved since. Undefined when there is none.
 */
export function seatByTurns(
  rows: readonly Row[],
  valid: ReadonlyMap<string, Opinion>,
  since: ReadonlyMap<string, number>,
  perPerson: 'one' | 'all',
): string[][] | undefined {
  const awaited = rows.filter(
    ({ party }) => party.optional !== true && rows.some((row) => row.party.after?.includes(party.name)),
  )
  if (awaited.length === 0) return undefined
  const sinceOf = (person: string): number => since.get(person) ?? Number.POSITIVE_INFINITY
  const peopleOf = new Map(
    rows.map((row) => {
      const people = new Set(row.eligible.map(personOf))
      return [row, [...valid.keys()].filter((person) => people.has(person))] as const
    }),
  )
  const mayFollow = (person: string, { party }: Row, signedBy: ReadonlyMap<string, number>): boolean =>
    (party.after ?? []).every((name) => {
      const before = rows.find((row) => row.party.name === name)
      const turn = before?.party.optional === true ? undefined : signedBy.get(name)
      return (
        before !== undefined && (turn === undefined || (valid.get(person)?.atMs ?? Number.NEGATIVE_INFINITY) >= turn)
      )
    })
  const seatedFor = (signedBy: ReadonlyMap<string, number>): string[][] =>
    fillSeats(
      rows.map((row) => ({
        seats: row.party.count,
        candidates: (peopleOf.get(row) ?? []).filter(
          (person) =>
            sinceOf(person) <= (signedBy.get(row.party.name) ?? Number.POSITIVE_INFINITY) &&
            mayFollow(person, row, signedBy),
        ),
      })),
      perPerson,
    )
  let tried = 0
  /** Parties whose instant is not chosen yet keep nobody waiting: when even so a seat is empty, no choice fills it. */
  const search = (signedBy: ReadonlyMap<string, number>): string[][] | undefined => {
    tried += 1
    const seated = tried > MOST_TRIED ? undefined : seatedFor(signedBy)
    if (seated === undefined || !isFull(rows, seated)) return undefined
    const next = awaited[signedBy.size]
    if (next === undefined) return seated
    const instants = [...new Set((peopleOf.get(next) ?? []).map(sinceOf))].sort((a, b) => a - b)
    for (const instant of instants) {
      const found = search(new Map([...signedBy, [next.party.name, instant]]))
      if (found !== undefined) return found
    }
    return undefined
  }
  return search(new Map())
}
