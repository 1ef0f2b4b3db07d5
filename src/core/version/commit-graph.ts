/** A commit and what it comes from. */
export interface GraphCommit {
  readonly sha: string
  readonly parents: readonly string[]
}

/**
 * Commits in an order where a child comes before its parents, as git lists them. Questions are answered by walking
 * down that order once, without a queue; parents that are not in the list are none.
 */
export class CommitGraph {
  private readonly places: ReadonlyMap<string, number>
  private readonly parents: readonly (readonly number[])[]

  constructor(commits: readonly GraphCommit[]) {
    this.places = new Map(commits.map(({ sha }, place) => [sha, place]))
    this.parents = commits.map(({ parents }) => parents.flatMap((sha) => this.places.get(sha) ?? []))
  }

  /** The place of a commit in the order; undefined where it is not among them. */
  placeOf(sha: string): number | undefined {
    return this.places.get(sha)
  }

  /** Says of places whether they are `from` or its ancestors; the walk goes as far down as it is asked, once. */
  ancestorsOf(from: number): (place: number) => boolean {
    const reached = new Set([from])
    let walked = from
    return (place) => {
      for (; walked < place; walked += 1) {
        if (reached.has(walked)) for (const parent of this.parents[walked] ?? []) reached.add(parent)
      }
      return reached.has(place)
    }
  }

  /**
   * The places of what can be reached from `to` and not from `from` (null: from nothing), in order. With `firstParent`
   * only along the first parents of `to`.
   */
  between(from: number | null, to: number, firstParent = false): number[] {
    const wanted = new Set([to])
    const taken = new Set(from === null ? [] : [from])
    const found: number[] = []
    if (taken.has(to)) return found
    for (let place = Math.min(to, from ?? to); wanted.size > 0; place += 1) {
      const parents = this.parents[place] ?? []
      if (taken.delete(place)) {
        for (const parent of parents) {
          taken.add(parent)
          wanted.delete(parent)
        }
      } else if (wanted.delete(place)) {
        found.push(place)
        for (const parent of firstParent ? parents.slice(0, 1) : parents) if (!taken.has(parent)) wanted.add(parent)
      }
    }
    return found
  }
}
