import type { BudgetOptions } from './budget.ts'
import { type Claim, type Grant, Share, type SharedBudget, type Sharing } from './shared-budget.ts'

export interface SharesOptions {
  /** Milliseconds since 1970. */
  readonly nowMs: () => number
  /** How many processes share the installation, each with an equal part of what is not counted by GitHub's headers. */
  readonly processes: number
  /** Where all processes of the installation spend together, under names that begin with the scope. */
  readonly shared?: { readonly budget: SharedBudget; readonly scope: string } | undefined
}

/** What was asked of the other processes. */
interface Asked {
  readonly share: Share
  readonly claim: Claim
}

/** What a request spends of one share. */
export interface Spending {
  readonly share: Share
  readonly amount: number
  /** The part of its burst that is left to others; null for what is going to be done in any case. */
  readonly reserve: number | null
  /** Whether it waits where this process, with nobody to ask, has spent more than its part. */
  readonly keepsToPart: boolean
}

/** The shares of one process in the limits of an installation, and what its processes tell each other of them. */
export class Shares {
  readonly #options: SharesOptions
  readonly #sharing: Sharing

  constructor(options: SharesOptions) {
    this.#options = options
    this.#sharing = { isUp: options.shared !== undefined }
  }

  /** Whether the budgets are those of all processes together; else they are this one's part. */
  get isShared(): boolean {
    return this.#sharing.isUp
  }

  of(name: string, limit: BudgetOptions): Share {
    const { processes, shared } = this.#options
    return new Share(`${shared?.scope ?? ''}${name}`, limit, { sharing: this.#sharing, processes })
  }

  /** Asks the others how a share stands. */
  async learn(share: Share): Promise<void> {
    if (this.#options.shared === undefined) return
    const asked = [{ share, claim: share.look(this.#options.nowMs()) }]
    this.#hear(asked, await this.#claim(asked))
  }

  /** Asks the others for what was spent here already. False where they refuse: it is taken back, all of it. */
  async areGranted(spendings: readonly Spending[]): Promise<boolean> {
    if (this.#options.shared === undefined) return true
    const askedMs = this.#options.nowMs()
    const asked = spendings.map(({ share, amount, reserve }): Asked => {
      return { share, claim: reserve === null ? share.debt(askedMs, amount) : share.claim(askedMs, amount, reserve) }
    })
    const grant = await this.#claim(asked)
    const nowMs = this.#options.nowMs()
    const isBeyondPart = ({ share, amount, keepsToPart }: Spending): boolean =>
      keepsToPart && share.isBeyondPart(nowMs, amount)
    const goes = grant === null ? !spendings.some(isBeyondPart) : grant.isGranted
    for (const { share, amount } of spendings) {
      if (!goes) share.takeBack(nowMs, amount)
      else if (grant === null) share.owe(nowMs, amount)
    }
    this.#hear(asked, grant)
    return goes
  }

  async #claim(asked: readonly Asked[]): Promise<Grant | null> {
    const grant = (await this.#options.shared?.budget.claim(asked.map(({ claim }) => claim))) ?? null
    this.#sharing.isUp = grant !== null
    return grant
  }

  /** Takes over how things stand; what was not taken in is owed as before. */
  #hear(asked: readonly Asked[], grant: Grant | null): void {
    const nowMs = this.#options.nowMs()
    for (const [index, { share, claim }] of asked.entries()) {
      const level = grant?.levels[index]
      if (level === undefined) share.owe(nowMs, claim.arrears)
      else share.learn(nowMs, level)
    }
  }
}
