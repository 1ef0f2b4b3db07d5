import type { SweepKind } from '../engine/sweeps.ts'
import { KEPT_MS } from './catch-up.ts'

interface OwedKind {
  /** From when on it has to be looked up. */
  readonly fromMs: number
  /** When it could not be for the first time. */
  readonly sinceMs: number
  readonly isHolding: boolean
}

interface OwedRepository {
  readonly name: string
  readonly kinds: ReadonlyMap<SweepKind, OwedKind>
}

/** What holds the mark no longer, although it could not be looked up. */
interface Released {
  readonly repository: string
  readonly kinds: readonly SweepKind[]
}

/**
 * Nothing that is owed holds the mark for longer. So a start still finds in the delivery log what the mark does not cover,
 * by a clock that differs and between two sweeps, too.
 */
const HELD_MS = KEPT_MS - 3 * 3_600_000

/** Kinds of facts that a sweep could not look up, by the repository that they are in. Instants in milliseconds since 1970. */
export class Owed {
  /** By id: a name may change before they can be looked up. */
  readonly #repositories = new Map<number, OwedRepository>()

  /** The repositories of which something is owed, by id with the names that they had. */
  get names(): ReadonlyMap<number, string> {
    return new Map([...this.#repositories].map(([id, { name }]) => [id, name]))
  }

  has(repository: number, kind: SweepKind): boolean {
    return this.#repositories.get(repository)?.kinds.has(kind) ?? false
  }

  /** From when on a kind has to be looked up that would be from an instant on: of what holds nothing the last three days. */
  fromMs(repository: number, kind: SweepKind, sinceMs: number): number {
    const owed = this.#repositories.get(repository)?.kinds.get(kind)
    if (owed === undefined) return sinceMs
    return Math.min(sinceMs, owed.isHolding ? owed.fromMs : Math.max(owed.fromMs, sinceMs - KEPT_MS))
  }

  /** Notes what could not be looked up of a repository at an instant, from when on; nothing else is owed of it any more. */
  note(
    { id, full_name }: { readonly id: number; readonly full_name: string },
    failed: ReadonlyMap<SweepKind, number>,
    atMs: number,
  ): void {
    const before = this.#repositories.get(id)?.kinds
    const kinds = new Map(
      [...failed].map(([kind, fromMs]) => {
        const { sinceMs, isHolding } = before?.get(kind) ?? { sinceMs: atMs, isHolding: true }
        return [kind, { fromMs, sinceMs, isHolding }]
      }),
    )
    if (kinds.size > 0) this.#repositories.set(id, { name: full_name, kinds })
    else this.#repositories.delete(id)
  }

  forget(repository: number): void {
    this.#repositories.delete(repository)
  }

  /** Lets the mark go on without what was owed for about three days at an instant; each is named once. */
  release(atMs: number): readonly Released[] {
    return [...this.#repositories].flatMap(([id, { name, kinds }]) => {
      const isOver = ({ sinceMs, isHolding }: OwedKind): boolean => isHolding && atMs - sinceMs >= HELD_MS
      const over = [...kinds].flatMap(([kind, owed]) => (isOver(owed) ? [kind] : []))
      if (over.length === 0) return []
      const left = [...kinds].map(
        ([kind, owed]) => [kind, isOver(owed) ? { ...owed, isHolding: false } : owed] as const,
      )
      this.#repositories.set(id, { name, kinds: new Map(left) })
      return [{ repository: name, kinds: over }]
    })
  }

  /** From when on something is owed that holds the mark; infinite where nothing does. */
  get heldMs(): number {
    const kinds = [...this.#repositories.values()].flatMap((owed) => [...owed.kinds.values()])
    return Math.min(Number.POSITIVE_INFINITY, ...kinds.filter(({ isHolding }) => isHolding).map(({ fromMs }) => fromMs))
  }
}
