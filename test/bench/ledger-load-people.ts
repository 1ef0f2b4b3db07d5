import type { Octokit } from '@octokit/rest'
import { markerIn } from '../../src/render/output.ts'
import { conversationsOf } from '../sandbox/records.ts'
import type { Sandbox } from '../sandbox/sandbox.ts'
import { type Repository, repositoryByName } from '../sandbox/store.ts'
import { nameOf, releases } from './ledger-load-world.ts'
import type { SimulatedTime } from './simulated-time.ts'

/** Products of the load that each release holds before it: nobody may give more than thirty commands in ten minutes. */
const FIRST_PRODUCTS = 10

/** One is under way and one is put together for later, as versions come. */
type Which = 'current' | 'next'

interface Turn {
  readonly release: Which
  readonly text: string
}

/** By turns; each of them changes something, or asks where a release stands. */
const TURNS: readonly ((turn: number) => Turn)[] = [
  (turn) => ({ release: 'next', text: `/add ${nameOf(FIRST_PRODUCTS + turn)}` }),
  () => ({ release: 'current', text: '/status' }),
  (turn) => ({ release: 'current', text: `/hold The metrics look odd, look ${turn + 1}` }),
  () => ({ release: 'next', text: '/status' }),
  () => ({ release: 'current', text: '/unhold' }),
  () => ({ release: 'current', text: '/status' }),
]

const turnAt = (index: number): Turn => {
  const turn = TURNS[index % TURNS.length]
  if (turn === undefined) throw new Error(`expected a turn for command ${index}`)
  return turn(Math.floor(index / TURNS.length))
}

/** The events of the log that change releases, by the word that asks for them. */
const CHANGES = { '/add': 'release.version_added', '/hold': 'release.held', '/unhold': 'release.unheld' } as const

/** How often so many commands ask for each change of a release, by its event; what the releases begin with included. */
export function changesAskedFor(commands: number): ReadonlyMap<string, number> {
  const words = Array.from({ length: commands }, (_, index) => turnAt(index).text.split(' ', 1)[0])
  const before = { '/add': 2 * FIRST_PRODUCTS, '/hold': 0, '/unhold': 0 } as const
  return new Map(
    (['/add', '/hold', '/unhold'] as const).map((word) => [
      CHANGES[word],
      before[word] + words.filter((given) => given === word).length,
    ]),
  )
}

/** Somebody who conducts two releases, and how long each answer took. */
export class People {
  readonly #octokit: Octokit
  readonly #repository: Repository
  readonly #time: SimulatedTime
  /** When each comment was written, by its id. */
  readonly #askedMs = new Map<number, number>()
  readonly #answeredMs = new Map<number, number>()
  readonly #issues = new Map<Which, number>()
  #seen = 0
  #commands = 0

  constructor(sandbox: Sandbox, time: SimulatedTime) {
    const repository = repositoryByName(sandbox.world.store, releases.owner, releases.repo)
    if (!repository) throw new Error(`expected the repository ${releases.repo}`)
    this.#repository = repository
    this.#octokit = sandbox.as('ann').octokit
    this.#time = time
    time.onRest = () => this.#look()
  }

  /** Opens the releases with products of the load in them, and starts the current one. */
  async begin(): Promise<void> {
    for (const release of ['current', 'next'] as const) {
      const { data } = await this.#octokit.rest.issues.create({ ...releases, title: `The ${release} release` })
      this.#issues.set(release, data.number)
      await this.#say({ release, text: '/release' })
      const text = Array.from({ length: FIRST_PRODUCTS }, (_, product) => `/add ${nameOf(product)}`).join('\n')
      await this.#say({ release, text })
    }
    await this.#say({ release: 'current', text: '/start' })
  }

  async command(): Promise<void> {
    const turn = turnAt(this.#commands)
    this.#commands += 1
    await this.#say(turn)
  }

  async #say({ release, text: body }: Turn): Promise<void> {
    const askedMs = this.#time.nowMs
    const issue_number = this.#issues.get(release) ?? 0
    const { data } = await this.#octokit.rest.issues.createComment({ ...releases, issue_number, body })
    this.#askedMs.set(Number(data.id), askedMs)
  }

  /** Comments that nobody has answered yet. */
  get waiting(): number {
    return this.#askedMs.size - this.#answeredMs.size
  }

  /** Milliseconds from each comment of a time on to its answer. */
  answeredSince(fromMs: number): readonly number[] {
    return [...this.#askedMs].flatMap(([comment, askedMs]) =>
      askedMs >= fromMs ? [(this.#answeredMs.get(comment) ?? Number.POSITIVE_INFINITY) - askedMs] : [],
    )
  }

  /** An answer names the comment that it answers in its marker. */
  #look(): void {
    const { comments } = conversationsOf(this.#repository)
    if (comments.size === this.#seen) return
    const fresh = [...comments.values()].slice(this.#seen)
    this.#seen = comments.size
    for (const { app, body } of fresh) {
      const answered = app === null ? null : /^reply\/([0-9]+)$/.exec(markerIn(body) ?? '')
      if (!answered) continue
      const comment = Number(answered[1])
      if (!this.#askedMs.has(comment)) throw new Error(`expected answers to what was asked, found ${body}`)
      if (this.#answeredMs.has(comment))
        throw new Error(`expected one answer to comment ${comment}, found a second one`)
      this.#answeredMs.set(comment, this.#time.nowMs)
    }
  }
}
