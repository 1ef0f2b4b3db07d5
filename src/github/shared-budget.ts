import { Budget, type BudgetOptions } from './budget.ts'

/** What is asked of one allowance that several processes spend from. */
export interface Claim extends BudgetOptions {
  readonly name: string
  readonly amount: number
  /** How much there has to be, so that a share is left to others; any number below zero for what goes in any case. */
  readonly needed: number
  /** How it stands as far as the asker knows: it begins from there where nothing is known of it any more. */
  readonly known: number
  /** What was spent while nobody could be asked: spent in any case, though no further than once the burst below zero. */
  readonly arrears: number
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

/**
 * What falls to one process. One can always be spent at once after a rest, so a part of less than two counts over as long a
 * stretch as it comes to two in: else nothing more would ever flow in.
 */
function partOf({ limit, windowMs, burst }: BudgetOptions, processes: number): BudgetOptions {
  const stretch = Math.max(1, (2 * processes) / limit)
  const share = stretch / processes
  return { limit: limit * share, windowMs: windowMs * stretch, burst: Math.max(1, burst * share) }
}

const setTo = (budget: Budget, nowMs: number, level: number): void => budget.spend(nowMs, budget.level(nowMs) - level)

/** A part of an allowance since nobody could be asked: as it would stand unspent, and as it stands. */
interface Away {
  readonly unspent: Budget
  readonly spent: Budget
}

/**
 * What this process may spend of a limit: all that the others leave while they can be asked, else an equal part. Both are
 * counted all the time, so that one takes over from the other at any moment; what was spent of the part alone is told as
 * soon as somebody can be asked again.
 */
export class Share {
  readonly name: string
  readonly #options: BudgetOptions
  readonly #sharing: Sharing
  readonly #processes: number
  readonly #whole: Budget
  readonly #part: Budget
  /** As it was told last, and has filled up since. */
  readonly #told: Budget
  #away: Away | null = null

  constructor(
    name: string,
    options: BudgetOptions,
    { sharing, processes }: { readonly sharing: Sharing; readonly processes: number },
  ) {
    this.name = name
    this.#options = options
    this.#sharing = sharing
    this.#processes = processes
    this.#whole = new Budget(options)
    this.#part = new Budget(partOf(options, processes))
    this.#told = new Budget(options)
  }

  get #budget(): Budget {
    return this.#sharing.isUp ? this.#whole : this.#part
  }

  get limit(): number {
    const { limit } = this.#options
    return this.#sharing.isUp ? limit : limit / this.#processes
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
    for (const budget of [this.#whole, this.#told]) setTo(budget, nowMs, level)
  }

  /** Notes what is spent although nobody could be asked. */
  owe(nowMs: number, amount: number): void {
    if (amount === 0) return
    this.#away ??= { unspent: this.#partAsTold(nowMs), spent: this.#partAsTold(nowMs) }
    this.#away.spent.spend(nowMs, amount)
  }

  #partAsTold(nowMs: number): Budget {
    const part = new Budget(partOf(this.#options, this.#processes))
    setTo(part, nowMs, this.#told.level(nowMs) / this.#processes)
    return part
  }

  /** What is owed still: what it would have filled up by unspent is nothing that the others lack. */
  #takeArrears(nowMs: number): number {
    if (this.#away === null) return 0
    const { unspent, spent } = this.#away
    this.#away = null
    return Math.max(0, unspent.level(nowMs) - spent.level(nowMs))
  }

  /** Takes back what was not spent in the end. */
  takeBack(nowMs: number, amount: number): void {
    this.spend(nowMs, -amount)
  }

  /** Whether this process has spent more than its part, with this amount; what is larger than the part went when that was full. */
  isBeyondPart(nowMs: number, amount: number): boolean {
    return this.#part.level(nowMs) < Math.min(0, this.#part.burst - amount)
  }

  /** The arrears go with the claim that is made first; where it finds nobody, they have to be owed again. */
  #claim(nowMs: number, amount: number, needed: number): Claim {
    const { name } = this
    return { ...this.#options, name, amount, needed, known: this.#told.level(nowMs), arrears: this.#takeArrears(nowMs) }
  }

  claim(nowMs: number, amount: number, reserve: number): Claim {
    const { burst } = this.#options
    return this.#claim(nowMs, amount, Math.min(burst, amount + reserve * burst))
  }

  /** Spends whatever is left: what is claimed is going to be done. */
  debt(nowMs: number, amount: number): Claim {
    return this.#claim(nowMs, amount, -1_000_000)
  }

  /** Only asks how it stands. */
  look(nowMs: number): Claim {
    return this.debt(nowMs, 0)
  }
}
