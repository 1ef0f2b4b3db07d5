import { Budget, type BudgetOptions } from './budget.ts'

/** What is asked of one allowance that several processes spend from. */
export interface Claim extends BudgetOptions {
  readonly name: string
  readonly amount: number
  /** How much there has to be, so that a share is left to others; any number below zero for what goes in any case. */
  readonly needed: number
}

export interface Grant {
  readonly isGranted: boolean
  /** How each allowance stands afterwards, in the order of the claims. */
  readonly levels: readonly number[]
}

/** The allowances of an installation, where all its processes can ask and spend. */
export interface SharedBudget {
  /** Spends all claims together or none of them. Null while it cannot be asked: each process then keeps to its part. */
  claim(claims: readonly Claim[]): Promise<Grant | null>
  close(): void
}

/** Whether the processes can ask each other at the moment; one of these for each governor. */
export interface Sharing {
  isUp: boolean
}

const partOf = ({ limit, windowMs, burst }: BudgetOptions, processes: number): BudgetOptions => ({
  limit: limit / processes,
  windowMs,
  burst: Math.max(1, burst / processes),
})

/**
 * What this process may spend of a limit: all that the others leave while they can be asked, else an equal part. Both are
 * counted all the time, so that one takes over from the other at any moment.
 */
export class Share {
  readonly name: string
  readonly #options: BudgetOptions
  readonly #sharing: Sharing
  readonly #whole: Budget
  readonly #part: Budget

  constructor(
    name: string,
    options: BudgetOptions,
    { sharing, processes }: { readonly sharing: Sharing; readonly processes: number },
  ) {
    this.name = name
    this.#options = options
    this.#sharing = sharing
    this.#whole = new Budget(options)
    this.#part = new Budget(partOf(options, processes))
  }

  get #budget(): Budget {
    return this.#sharing.isUp ? this.#whole : this.#part
  }

  get limit(): number {
    return this.#budget.limit
  }

  level(nowMs: number): number {
    return this.#budget.level(nowMs)
  }

  waitMs(nowMs: number, amount: number, reserve = 0): number {
    return this.#budget.waitMs(nowMs, amount, reserve)
  }

  spend(nowMs: number, amount: number): void {
    this.#whole.spend(nowMs, amount)
    this.#part.spend(nowMs, amount)
  }

  /** Takes over how all processes together stand. */
  learn(nowMs: number, level: number): void {
    this.#whole.spend(nowMs, this.#whole.level(nowMs) - level)
  }

  /** Takes back what was not spent in the end. */
  takeBack(nowMs: number, amount: number): void {
    this.spend(nowMs, -amount)
  }

  /** Whether this process has spent more than its part. */
  isBeyondPart(nowMs: number): boolean {
    return this.#part.level(nowMs) < 0
  }

  claim(amount: number, reserve: number): Claim {
    const { burst } = this.#options
    return { ...this.#options, name: this.name, amount, needed: Math.min(burst, amount + reserve * burst) }
  }

  /** Spends whatever is left: what is claimed is going to be done. */
  debt(amount: number): Claim {
    return { ...this.#options, name: this.name, amount, needed: -1_000_000 }
  }

  /** Only asks how it stands. */
  look(): Claim {
    return this.debt(0)
  }
}
