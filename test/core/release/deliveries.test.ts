import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { ReviewFact } from '../../../src/core/facts.ts'
import { compositionText, releasePath } from '../../../src/core/release/composition.ts'
import { releaseKey } from '../../../src/core/release/open.ts'
import type { ReleaseState } from '../../../src/core/release/schema.ts'
import type { Request } from '../../../src/core/request.ts'
import { asked, configuredWorld, givenRelease, minute, RELEASES, sha, type World } from '../decided.ts'

/** What people do at GitHub, one after the other. */
type Step =
  | { readonly kind: 'review'; readonly by: string; readonly state: 'APPROVED' | 'CHANGES_REQUESTED' }
  | { readonly kind: 'dismiss'; readonly by: string; readonly which: number }
  | { readonly kind: 'push'; readonly isOurs: boolean }
  | { readonly kind: 'reopen' }
  | { readonly kind: 'team'; readonly members: readonly string[] }

const SIGNERS = ['eve', 'erik', 'quinn'] as const
const ids: Readonly<Record<string, number>> = { eve: 3, erik: 4, quinn: 5, olga: 6, mallory: 66 }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('review' as const),
      by: fc.constantFrom(...SIGNERS),
      state: fc.constantFrom('APPROVED' as const, 'APPROVED' as const, 'CHANGES_REQUESTED' as const),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('dismiss' as const),
      by: fc.constantFrom('olga', 'mallory', ...SIGNERS),
      which: fc.nat(9),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('push' as const), isOurs: fc.boolean() }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'reopen' as const }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('team' as const),
      members: fc.subarray(['eve', 'erik'], { minLength: 1 }),
    }),
  },
)

/** How many steps later a delivery comes; each one comes once at least, and sometimes again. */
const delays = fc.array(fc.nat(6), { minLength: 1, maxLength: 2 })
const history = fc.array(fc.tuple(step, fc.array(delays, { minLength: 3, maxLength: 3 })), {
  minLength: 1,
  maxLength: 12,
})
type History = readonly (readonly [Step, readonly (readonly number[])[]])[]

/** GitHub as it stands, with what a delivery of each step says. */
class GitHub {
  number = 9
  head = sha('e0')
  texts = new Map<string, string>()
  reviews = new Map<number, ReviewFact[]>([[9, []]])
  members: readonly string[] = ['eve', 'erik']
  #ids = 0

  readonly text: string

  constructor(text: string) {
    this.text = text
    this.texts.set(this.head, text)
  }

  seen(interference?: 'proposal-pushed'): Request {
    return {
      kind: 'proposal-seen',
      repository: RELEASES,
      release: 'r5',
      number: this.number,
      url: 'https://example.test/pull',
      head: this.head,
      author: 'ringmaster[bot]',
      merged: false,
      ...(interference ? { interference: { what: interference, by: 'mallory' } } : {}),
      ...asked,
    }
  }

  /** The step, and what GitHub delivers of it. */
  apply(given: Step, at: string): Request[] {
    const review: Request = { kind: 'release-review', release: 'r5', ...asked }
    const own = this.reviews.get(this.number) ?? []
    switch (given.kind) {
      case 'review': {
        this.#ids += 1
        const { by: login, state } = given
        const user = { login, id: ids[login] ?? 0, type: 'User' }
        this.reviews.set(this.number, [...own, { id: this.#ids, user, state, commit: this.head, at }])
        return [
          review,
          { kind: 'review-submitted', repository: RELEASES, release: 'r5', reviewId: this.#ids, state, ...asked },
        ]
      }
      case 'dismiss': {
        const open = own.filter(({ state }) => state !== 'DISMISSED')
        const found = open[given.which % Math.max(1, open.length)]
        if (!found) return []
        this.reviews.set(
          this.number,
          own.map((one) => (one === found ? { ...one, state: 'DISMISSED' } : one)),
        )
        const author = found.user?.login ?? 'ghost'
        return [
          {
            kind: 'review-dismissed',
            repository: RELEASES,
            release: 'r5',
            reviewId: found.id,
            by: given.by,
            author,
            ...asked,
          },
          review,
        ]
      }
      case 'push':
        this.#ids += 1
        this.head = sha(`f${this.#ids}`)
        this.texts.set(this.head, given.isOurs ? this.text : 'something else')
        return [this.seen(given.isOurs ? undefined : 'proposal-pushed')]
      case 'reopen':
        this.#ids += 1
        this.number = 9 + this.#ids
        this.reviews.set(this.number, [])
        return [this.seen()]
      case 'team':
        this.members = given.members
        return [review]
    }
  }

  tell(world: World): void {
    for (const [commit, text] of this.texts)
      world.fact(
        { kind: 'file', repository: RELEASES.fullName, commit, path: releasePath('r5') },
        { kind: 'file', text },
      )
    for (const [number, reviews] of this.reviews)
      world.fact({ kind: 'reviews', repository: RELEASES.fullName, number }, { kind: 'reviews', reviews })
    world.fact(
      { kind: 'team-members', team: 'acme/engineering' },
      { kind: 'team-members', members: this.members.map((login) => ({ login, id: ids[login] ?? 0 })) },
    )
  }
}

/** Lives through a history with the deliveries as late as given, or in time; then the clock ticks, as it does. */
function live(history: History, inTime: boolean, look: (github: GitHub, release: ReleaseState) => void = () => {}) {
  const world = configuredWorld((text) => text.replace('signoff:\n', 'signoff:\n  dismissers: [olga]\n'))
  givenRelease(world)
  const known = (): ReleaseState => world.state<ReleaseState>(releaseKey('r5')) as ReleaseState
  const github = new GitHub(compositionText(known()))
  const late = new Map<number, Request[]>()
  let asks = 0
  const ask = (request: Request): void => {
    asks += 1
    github.tell(world)
    world.ask({ ...request, at: new Date(Date.parse(minute(60)) + asks).toISOString() })
    if (request.kind === 'release-review') look(github, known())
  }
  ask(github.seen())
  const end = history.length + 7
  for (let now = 0; now < end; now += 1) {
    const current = history[now]
    if (current) {
      const [given, when] = current
      github.apply(given, minute(now + 1)).forEach((request, index) => {
        for (const delay of inTime ? [0] : (when[index] ?? [0]))
          late.set(now + delay, [...(late.get(now + delay) ?? []), request])
      })
    }
    for (const request of late.get(now) ?? []) ask(request)
  }
  const tick = (): ReleaseState => {
    ask({ ...github.seen(), source: { kind: 'reconciler' } })
    ask({ kind: 'release-review', release: 'r5', ...asked })
    return known()
  }
  return { github, ask, tick }
}

const lived = (history: History, inTime: boolean): ReleaseState => live(history, inTime).tick()

/** Who has approved what the release is now, said again from GitHub alone: the last word of each, on every proposal. */
function approving({ reviews, texts, text }: GitHub): Set<string> {
  const last = new Map<string, ReviewFact>()
  const all = [...reviews.values()].flat().sort((a, b) => a.id - b.id)
  for (const review of all) last.set(review.user?.login ?? '', review)
  return new Set(
    [...last]
      .filter(([, { state, commit }]) => state === 'APPROVED' && texts.get(commit ?? '') === text)
      .map(([login]) => login),
  )
}

const factsOf = ({ signoff, dismissals, earlier, proposal, conduct }: ReleaseState) => ({
  signoff,
  dismissals,
  earlier,
  proposal: { ...proposal, contents: proposal?.contents.toSorted((a, b) => (a.commit < b.commit ? -1 : 1)) },
  reviews: conduct.reviews.toSorted((a, b) => a.reviewId - b.reviewId),
})

const runs = { numRuns: Number(process.env['RINGMASTER_LAW_RUNS'] ?? 80) }

describe('deliveries', () => {
  it('come to the same facts and the same decision in whatever order, however late and often', () => {
    const statuses = new Set<string>()
    fc.assert(
      fc.property(history, (given) => {
        const inTime = lived(given, true)
        expect(factsOf(lived(given, false))).toEqual(factsOf(inTime))
        statuses.add(inTime.signoff?.status ?? 'none')
      }),
      runs,
    )
    expect([...statuses].sort()).toEqual(['approved', 'pending', 'vetoed'])
  })

  it('never come to more than different members have approved, at any moment', () => {
    let approved = 0
    fc.assert(
      fc.property(history, (given) => {
        live(given, false, (github, { signoff, proposal }) => {
          /** What is said on a pull request that nobody has told of yet cannot be heard. */
          if (signoff?.status !== 'approved' || proposal?.number !== github.number) return
          approved += 1
          const engineer = github.members.find((login) => approving(github).has(login))
          expect(engineer).toBeDefined()
          expect(approving(github)).toContain('quinn')
          expect(signoff.evidence.map(({ party }) => party)).toEqual(['Engineering', 'QA'])
          for (const { login } of signoff.evidence) expect(approving(github)).toContain(login)
        })
      }),
      runs,
    )
    expect(approved).toBeGreaterThan(0)
  })

  it('are never less approved for one more approval', () => {
    const RANK = { blocked: 0, vetoed: 1, pending: 2, approved: 3 }
    fc.assert(
      fc.property(history, fc.constantFrom(...SIGNERS), (given, by) => {
        const { github, ask, tick } = live(given, true)
        const before = tick().signoff?.status ?? 'blocked'
        for (const request of github.apply({ kind: 'review', by, state: 'APPROVED' }, minute(59))) ask(request)
        expect(RANK[tick().signoff?.status ?? 'blocked']).toBeGreaterThanOrEqual(RANK[before])
      }),
      runs,
    )
  })

  it('of a review that was dismissed before anybody looked tell what it said', () => {
    const approvedAndDismissed: History = [
      [{ kind: 'review', by: 'eve', state: 'APPROVED' }, [[5], [5]]],
      [{ kind: 'dismiss', by: 'eve', which: 0 }, [[0], [0]]],
    ]
    const { dismissals, signoff } = lived(approvedAndDismissed, false)
    expect(dismissals).toMatchObject([{ was: 'APPROVED', by: 'eve' }])
    expect(signoff?.problems).toEqual([])
  })
})
