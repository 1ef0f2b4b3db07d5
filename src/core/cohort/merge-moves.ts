import { framedKey } from './framed-key.ts'
import type { DeviceReport } from './schema.ts'
import { type Move, OTHER_TARGETS, placeLabel } from './simulate.ts'

/** So many places of one way are told one by one. */
const TOLD_ALONE = 3

/**
 * Moves with those of one way as one: where every known version was tried, dozens of them are offered the same. `places`
 * are those that were tried, oldest first.
 */
export function mergeMoves(
  moves: readonly Move[],
  places: readonly DeviceReport[],
  held: readonly string[],
): readonly Move[] {
  const targets = held.length === 0 ? [undefined] : [...held, OTHER_TARGETS]
  const order = new Map(
    places.flatMap((report, at) =>
      targets.map((target) => [placeLabel(report, target, report.version), { at, target }] as const),
    ),
  )
  const ways = new Map<string, Move[]>()
  for (const move of moves) {
    const { before, after, direction, devices } = move
    const target = order.get(move.from)?.target
    const way = framedKey([before, after, direction, String(devices), target ?? null])
    ways.set(way, [...(ways.get(way) ?? []), move])
  }
  const placeOf = ({ from }: Move): number => order.get(from)?.at ?? -1
  return [...ways.values()].flatMap((way) => {
    const sorted = way.sort((a, b) => placeOf(a) - placeOf(b))
    const [first, last] = [sorted[0], sorted.at(-1)]
    if (sorted.length <= TOLD_ALONE || first === undefined || last === undefined) return sorted
    return [{ ...first, from: `one of ${sorted.length} versions (${first.from} … ${last.from})` }]
  })
}
