import type { Problem } from '../core/problem.ts'
import { HEAD_PATH } from './codec.ts'
import type { LogPosition } from './schema.ts'
import { integrityProblem } from './trouble.ts'

/** A place of the log by the digest of its line; null where it is not known which event that is. */
export interface Anchor {
  readonly seq: number | null
  readonly digest: string
  /** Where it stands, for people. */
  readonly where?: string
}

const placed = (where: string | undefined): string => (where === undefined ? '' : ` (${where})`)

/** Digests of the log that stand outside the branch, held against it event by event. */
export class Anchors {
  /** The digests that anchors name, by the event that they name, with where each stands. */
  readonly #bySeq = new Map<number, Map<string, string | undefined>>()
  /** Digests of anchors that name no event, as long as no line has them. */
  readonly #unplaced = new Set<string>()
  #agreed: number | null = null

  constructor(anchors: readonly Anchor[]) {
    for (const { seq, digest, where } of anchors) {
      if (seq === null) this.#unplaced.add(digest)
      else this.#bySeq.set(seq, (this.#bySeq.get(seq) ?? new Map()).set(digest, where))
    }
  }

  /** What anchors say against the event at a position, which stands in that line; events come in their order. */
  problemsAt({ seq, tip }: LogPosition, path: string, line: number): Problem[] {
    const shared = this.#agreed
    if (this.#unplaced.delete(tip)) this.#agreed = seq
    return [...(this.#bySeq.get(seq) ?? [])].flatMap(([anchor, where]) => {
      if (anchor === tip) {
        this.#agreed = seq
        return []
      }
      const message = `${path}:${line}: expected event ${seq} to be ${anchor}, as an anchor outside the branch names it${placed(where)}, found ${tip}`
      if (shared === null)
        return [integrityProblem('ledger-replaced', `${message}: the log was replaced`, { path, line })]
      const fork = `${message}: the log was forked after event ${shared}, up to which anchors agree`
      return [integrityProblem('ledger-forked', fork, { path, line })]
    })
  }

  /** The newest event that an anchor names rightly: up to there the log is the one that was seen outside. */
  get agreed(): number | null {
    return this.#agreed
  }

  /** What anchors say of a branch that is no log: nothing of what was seen is left to have been cut off. */
  replacedProblems(): Problem[] {
    const placedOnes = [...this.#bySeq].map(([seq, digests]) => {
      const [where] = digests.values()
      return `event ${seq}, which an anchor outside the branch names${placed(where)}`
    })
    const others = [...this.#unplaced].map(
      (digest) => `an event with the digest ${digest}, which an anchor outside the branch names`,
    )
    return [...placedOnes, ...others].map((expected) =>
      integrityProblem('ledger-replaced', `expected ${expected}, found no log: it was replaced`, { path: HEAD_PATH }),
    )
  }

  /** What anchors name that a log does not hold which ends at a position; `since` is its first event. */
  missingProblems({ seq: end }: LogPosition, since: number): Problem[] {
    const beyond = [...this.#bySeq].filter(([seq]) => seq > end)
    const range = since > 1 ? ` from event ${since} on` : ''
    return [
      ...beyond.map(([seq, digests]) => {
        const [where] = digests.values()
        const message = `expected event ${seq}, which an anchor outside the branch names${placed(where)}, found the log to end at ${end}: it was truncated`
        return integrityProblem('ledger-rewound', message, { path: HEAD_PATH })
      }),
      ...[...this.#unplaced].map((digest) => {
        const message = `expected an event with the digest ${digest}, which an anchor outside the branch names, found none${range} up to event ${end}: the log was replaced, forked or truncated${range && ', or it is of an epoch before'}`
        return integrityProblem('ledger-replaced', message, { path: HEAD_PATH })
      }),
    ]
  }
}
