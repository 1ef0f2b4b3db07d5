import { describe, expect, it } from '@jest/globals'
import type { ReviewFact } from '../../../src/core/facts.ts'
import { sha256 } from '../../../src/core/json.ts'
import { compositionText, releasePath } from '../../../src/core/release/composition.ts'
import { releaseKey } from '../../../src/core/release/open.ts'
import type { ReleaseState } from '../../../src/core/release/schema.ts'
import type { Request } from '../../../src/core/request.ts'
import {
  ANN,
  API_ITEM,
  asked,
  configuredWorld,
  event,
  givenRelease,
  minute,
  RELEASES,
  sha,
  type World,
} from '../decided.ts'

const HEAD = sha('e1')
const releaseOf = (world: World): ReleaseState => {
  const release = world.state<ReleaseState>(releaseKey('r5'))
  if (!release) throw new Error('expected the release, found none')
  return release
}

type Seen = Extract<Request, { kind: 'proposal-seen' }>
const seen = (bent: Partial<Seen> = {}): Seen => ({
  kind: 'proposal-seen',
  repository: RELEASES,
  release: 'r5',
  number: 9,
  url: 'https://example.test/pull/9',
  head: HEAD,
  author: 'ringmaster[bot]',
  merged: false,
  ...asked,
  ...bent,
})

/** The proposal shows a text at a commit; the current composition unless another is given. */
function shows(
  world: World,
  bent: Partial<Seen> = {},
  text: string | null | 'unreadable' = compositionText(releaseOf(world)),
) {
  const request = seen(bent)
  world.fact(
    { kind: 'file', repository: RELEASES.fullName, commit: request.head, path: releasePath('r5') },
    { kind: 'file', text },
  )
  return world.ask(request)
}

let reviews = 0
const says = (login: string, state: string, bent: Partial<ReviewFact> = {}): ReviewFact => {
  reviews += 1
  return {
    id: reviews,
    user: { login, id: login.length, type: 'User' },
    state,
    commit: HEAD,
    at: minute(reviews),
    ...bent,
  }
}

const TEAM = [
  { login: 'eve', id: 3 },
  { login: 'erik', id: 4 },
]
function reviewed(
  world: World,
  given: readonly ReviewFact[] | 'unreadable',
  team: typeof TEAM | 'unreadable' = TEAM,
  at = minute(90),
) {
  world.fact({ kind: 'team-members', team: 'acme/engineering' }, { kind: 'team-members', members: team })
  world.fact({ kind: 'reviews', repository: RELEASES.fullName, number: 9 }, { kind: 'reviews', reviews: given })
  return world.ask({ kind: 'release-review', release: 'r5', ...asked, at })
}

function proposed(bend: (text: string) => string = (text) => text): World {
  const world = configuredWorld(bend)
  givenRelease(world)
  shows(world)
  return world
}
/** As many as anybody could write. */
const MANY = Array.from({ length: 900 }, (_, index) => ({
  ...{ id: 10_000 + index, user: { login: `reader-${index}`, id: 100 + index, type: 'User' } },
  ...{ state: 'COMMENTED', commit: HEAD, at: minute(1) },
}))
const both = () => [says('eve', 'APPROVED'), says('quinn', 'APPROVED')]

describe('the signatures of a release', () => {
  it('are complete when every party has approved what the proposal shows', () => {
    const world = proposed()
    expect(reviewed(world, both()).types).toEqual(['signoff.decided', 'signoff.completed'])
    expect(releaseOf(world).signoff).toMatchObject({
      status: 'approved',
      parties: [
        { party: 'Engineering', filledBy: ['eve'] },
        { party: 'QA', filledBy: ['quinn'] },
      ],
      evidence: [
        { login: 'eve', commit: HEAD },
        { login: 'quinn', commit: HEAD },
      ],
      problems: [],
    })
  })

  it('are recorded with the facts that they rest on', () => {
    const world = proposed()
    const { factsUsed, events } = reviewed(world, both())
    expect(factsUsed.map((used) => used.query.kind).sort()).toEqual(['reviews', 'team-members'])
    expect(events[0]?.data).toMatchObject({ facts: [{}, {}] })
  })

  it.each<[string, () => [ReviewFact[], typeof TEAM]]>([
    ['reviews', () => [[...both(), ...MANY], TEAM]],
    [
      'members of a team',
      () => [both(), [...TEAM, ...Array.from({ length: 6_000 }, (_, id) => ({ login: `member-${id}`, id: 100 + id }))]],
    ],
  ])('are blocked, and lost where they were complete, while there are more %s than an event holds', (_, given) => {
    const world = proposed()
    reviewed(world, both())
    const [reviews, team] = given()
    const { types, events, factsUsed } = reviewed(world, reviews, team)
    expect(types).toEqual(['signoff.decided', 'signoff.lost'])
    expect(JSON.stringify(events).length).toBeLessThan(3_000)
    expect(releaseOf(world).signoff).toMatchObject({
      status: 'blocked',
      problems: [expect.stringMatching(/than the log can hold of one decision/)],
    })
    expect(events[0]?.data).toMatchObject({ facts: [{ answer: { reviews: 'too-large' } }] })
    /** What was recorded comes out again. */
    const recorded = events[0]?.data as { readonly facts: typeof factsUsed } | undefined
    for (const { query, answer } of recorded?.facts ?? []) world.fact(query, answer)
    expect(world.ask({ kind: 'release-review', release: 'r5', ...asked, at: minute(90) }).events).toEqual([])
    expect(reviewed(world, both(), TEAM, minute(95)).types).toEqual(['signoff.decided', 'signoff.completed'])
  })

  it('are not recorded again while nothing has changed', () => {
    const world = proposed()
    const given = both()
    reviewed(world, given)
    expect(reviewed(world, given, TEAM, minute(95)).events).toEqual([])
  })

  it.each<[string, () => ReviewFact[], string]>([
    ['nobody has said anything', () => [], 'pending'],
    ['a party is missing', () => [says('eve', 'APPROVED')], 'pending'],
    ['somebody outside the parties approved', () => [says('eve', 'APPROVED'), says('mallory', 'APPROVED')], 'pending'],
    ['whoever changed the composition approved', () => [says('ann', 'APPROVED'), says('quinn', 'APPROVED')], 'pending'],
    [
      'a bot approved',
      () => [says('erik', 'APPROVED', { user: { login: 'erik', id: 4, type: 'Bot' } }), says('quinn', 'APPROVED')],
      'pending',
    ],
    ['a party objects', () => [...both(), says('erik', 'CHANGES_REQUESTED')], 'vetoed'],
  ])('are not complete when %s', (...[, given, status]) => {
    const world = proposed()
    reviewed(world, given())
    expect(releaseOf(world).signoff?.status).toBe(status)
  })

  it('come back when whoever objected approves', () => {
    const world = proposed()
    const given = [...both(), says('erik', 'CHANGES_REQUESTED')]
    reviewed(world, given)
    reviewed(world, [...given, says('erik', 'APPROVED')])
    expect(releaseOf(world).signoff?.status).toBe('approved')
  })

  it.each<[string, Parameters<typeof reviewed>[1], Parameters<typeof reviewed>[2]]>([
    ['the reviews', 'unreadable', TEAM],
    ['the members of a team', [], 'unreadable'],
  ])('stay closed when %s cannot be read', (...[, given, team]) => {
    const world = proposed()
    reviewed(world, both())
    reviewed(world, given, team)
    expect(releaseOf(world).signoff?.status).toBe('blocked')
  })

  it('are blocked when the configuration that the release was opened under is gone, and name whoever objected', () => {
    const world = proposed()
    reviewed(world, [...both(), says('erik', 'CHANGES_REQUESTED')])
    world.documents.clear()
    expect(world.ask({ kind: 'release-review', release: 'r5', ...asked }).types).toEqual(['signoff.decided'])
    expect(releaseOf(world).signoff).toMatchObject({ status: 'blocked', vetoes: ['erik'] })
  })

  it.each<[string, (world: World) => void]>([
    ['a draft', (world) => world.record([event('release.reopened', { release: 'r5', reason: 'not yet' })])],
    ['an ended release', (world) => world.record([event('release.completed', { release: 'r5' })])],
  ])('are not decided for %s', (...[, bend]) => {
    const world = proposed()
    bend(world)
    expect(reviewed(world, both()).events).toEqual([])
  })

  it('are not decided for a release that nobody knows, or without a proposal', () => {
    const world = configuredWorld()
    const review = { kind: 'release-review', release: 'r5', ...asked } as const
    expect(world.ask(review).events).toEqual([])
    givenRelease(world)
    expect(world.ask(review).events).toEqual([])
  })
})

describe('the signatures of a proposal that somebody merged by hand', () => {
  const merged = (given: readonly ReviewFact[], bend?: (text: string) => string): World => {
    const world = proposed(bend)
    reviewed(world, given)
    shows(world, { merged: true, at: minute(80), interference: { what: 'proposal-merged', by: 'mallory' } })
    world.record([event('release.unheld', { release: 'r5' }, { actor: ANN })])
    return world
  }

  it('stand while nothing else changes', () => {
    const given = both()
    const world = merged(given)
    expect(reviewed(world, given).events).toEqual([])
    expect(releaseOf(world).signoff?.status).toBe('approved')
  })

  it('are taken back by an objection, and come back when it is withdrawn', () => {
    const given = both()
    const world = merged(given)
    const objected = [...given, says('erik', 'CHANGES_REQUESTED')]
    expect(reviewed(world, objected).types).toEqual(['signoff.decided', 'signoff.lost'])
    expect(releaseOf(world).signoff).toMatchObject({ status: 'vetoed', vetoes: ['erik'] })
    reviewed(world, [...objected, says('erik', 'APPROVED')])
    expect(releaseOf(world).signoff?.status).toBe('approved')
  })

  it('are taken back when somebody who signed leaves the team', () => {
    const given = both()
    const world = merged(given)
    reviewed(world, given, [{ login: 'erik', id: 4 }])
    expect(releaseOf(world).signoff).toMatchObject({ status: 'pending', parties: [{ filledBy: [] }, {}] })
  })

  it('are taken back when their time is over', () => {
    const given = both()
    const world = merged(given, (text) => text.replace('signoff:\n', 'signoff:\n  expiresHours: 48\n'))
    expect(reviewed(world, given, TEAM, minute(47 * 60)).events).toEqual([])
    reviewed(world, given, TEAM, minute(49 * 60))
    expect(releaseOf(world).signoff?.status).toBe('pending')
  })

  it('are waited for where they were not complete', () => {
    const given = [says('eve', 'APPROVED')]
    const world = merged(given)
    reviewed(world, [...given, says('quinn', 'APPROVED')])
    expect(releaseOf(world).signoff?.status).toBe('approved')
  })
})

describe('a proposal that does not show the current composition', () => {
  it.each<[string, string | null | 'unreadable']>([
    ['another text', 'products: []\n'],
    ['no such file', null],
    ['a file that cannot be read', 'unreadable'],
  ])('holds every approval back: %s', (...[, text]) => {
    const world = proposed()
    shows(world, { head: sha('e2') }, text)
    reviewed(world, [says('eve', 'APPROVED', { commit: sha('e2') }), says('quinn', 'APPROVED', { commit: sha('e2') })])
    expect(releaseOf(world).signoff).toMatchObject({
      status: 'pending',
      evidence: [],
      parties: [{ filledBy: [] }, { filledBy: [] }],
    })
    expect(releaseOf(world).signoff?.problems.join()).toMatch(/does not show the current composition/)
  })

  it('takes no approval of an older composition over to a new one', () => {
    const world = proposed()
    const given = both()
    reviewed(world, given)
    world.record([
      event('release.version_added', { release: 'r5', item: { ...API_ITEM, version: '1.0.1' } }, { actor: ANN }),
    ])
    expect(releaseOf(world).signoff).toBeNull()
    reviewed(world, given)
    expect(releaseOf(world).signoff?.status).toBe('pending')
    shows(world, { head: sha('e2') })
    reviewed(world, given)
    expect(releaseOf(world).signoff).toMatchObject({ status: 'pending', evidence: [] })
  })

  it('keeps approvals when another commit shows the same composition', () => {
    const world = proposed()
    const given = both()
    shows(world, { head: sha('e2') })
    reviewed(world, given)
    expect(releaseOf(world).signoff?.status).toBe('approved')
  })

  it('keeps them when the branch goes to another text and back', () => {
    const world = proposed()
    reviewed(world, both())
    shows(world, { head: sha('e2'), at: minute(1) }, 'other\n')
    shows(world, { at: minute(2) })
    shows(world, { head: sha('e2'), at: minute(3) }, 'other\n')
    expect(shows(world, { at: minute(4) }).types).toEqual(['proposal.seen'])
    expect(releaseOf(world).proposal?.head).toBe(HEAD)
  })
})

describe('what is said of a proposal', () => {
  it.each<[string, Partial<Seen>]>([
    ['again', {}],
    ['again later', { at: minute(50) }],
  ])('%s changes nothing', (...[, bent]) => {
    const world = proposed()
    expect(shows(world, bent).events).toEqual([])
  })

  it('late of a pull request before it, changes nothing but that its reviews are read as well, once', () => {
    const world = proposed()
    const { proposal } = releaseOf(world)
    const late = { number: 8, head: sha('d0'), interference: { what: 'proposal-pushed', by: 'mallory' } } as const
    expect(shows(world, late, 'other').types).toEqual(['proposal.seen'])
    expect(releaseOf(world)).toMatchObject({ proposal, earlier: [8] })
    expect(shows(world, { ...late, at: minute(50) }).events).toEqual([])
  })

  it('is read once at each commit: what cannot be read later takes nothing away', () => {
    const world = proposed()
    shows(world, { head: sha('e2'), at: minute(1) }, 'other\n')
    const { events, factsUsed } = shows(world, { at: minute(2), merged: true }, 'unreadable')
    expect(factsUsed).toEqual([])
    expect(events).toMatchObject([{ data: { headDigest: sha256(compositionText(releaseOf(world))), merged: true } }])
  })

  it('counts for nothing while it cannot be read, and is asked again', () => {
    const world = proposed()
    const later = { head: sha('e2'), at: minute(1) }
    shows(world, later, 'unreadable')
    expect(releaseOf(world).proposal?.headDigest).toBe('unreadable')
    expect(world.decide(seen(later)).decision).toMatchObject({ kind: 'accept', events: [], isEarly: true })
    shows(world, later)
    expect(releaseOf(world).proposal?.headDigest).toBe(sha256(compositionText(releaseOf(world))))
    expect(world.decide(seen(later)).decision).not.toHaveProperty('isEarly')
  })

  it('late, after it was merged, does not open it again', () => {
    const world = proposed()
    shows(world, { merged: true })
    expect(shows(world, { merged: false, at: minute(9) }).events).toEqual([])
    expect(releaseOf(world).proposal?.merged).toBe(true)
  })

  it('of a newer pull request takes its place', () => {
    const world = proposed()
    shows(world, { number: 12, head: sha('e5') })
    expect(releaseOf(world).proposal).toMatchObject({ number: 12, contents: [{ commit: sha('e5') }] })
  })

  it('of no known release comes to nothing', () => {
    expect(configuredWorld().ask(seen()).events).toEqual([])
  })
})

describe('an objection on a proposal that somebody closed to open another', () => {
  const onAnother = (given: () => readonly ReviewFact[]): World => {
    const world = proposed()
    reviewed(world, [says('erik', 'CHANGES_REQUESTED')])
    shows(world, { number: 12 })
    world.fact({ kind: 'reviews', repository: RELEASES.fullName, number: 12 }, { kind: 'reviews', reviews: given() })
    world.ask({ kind: 'release-review', release: 'r5', ...asked, at: minute(95) })
    return world
  }

  it('still stands', () => {
    expect(releaseOf(onAnother(both)).signoff).toMatchObject({ status: 'vetoed', vetoes: ['erik'] })
  })

  it('is lifted when whoever objected approves the other', () => {
    const world = onAnother(() => [...both(), says('erik', 'APPROVED')])
    expect(releaseOf(world).signoff).toMatchObject({ status: 'approved', vetoes: [] })
  })
})

describe('a review that is dismissed', () => {
  const dismissed = (reviewId: number, author: string, by: string): Request => ({
    kind: 'review-dismissed',
    repository: RELEASES,
    release: 'r5',
    reviewId,
    by,
    author,
    ...asked,
  })

  it.each([
    ['by whom it is not, an objection still stands', 'ann', 'vetoed'],
    ['by its author, it is lifted', 'erik', 'approved'],
  ])('%s', (...[, by, status]) => {
    const world = proposed()
    const veto = says('erik', 'CHANGES_REQUESTED')
    const given = [...both(), veto]
    reviewed(world, given)
    expect(world.ask(dismissed(veto.id, 'erik', by)).types).toEqual(['review.dismissed'])
    expect(world.ask(dismissed(veto.id, 'erik', by)).events).toEqual([])
    reviewed(
      world,
      given.map((review) => (review === veto ? { ...review, state: 'DISMISSED' } : review)),
    )
    expect(releaseOf(world).signoff?.status).toBe(status)
  })

  it.each<[string, readonly { login: string; id: number }[] | 'unreadable', string, RegExp | null]>([
    ['by a member of a team that may, an objection is lifted', [{ login: 'Lena', id: 31 }], 'approved', null],
    ['by whom left that team, it stands', [], 'vetoed', /^lena dismissed a review of erik and may not/],
    ['by a member of a team that cannot be read, it stands', 'unreadable', 'vetoed', /acme\/leads cannot be read/],
  ])('%s', (...[, members, status, problem]) => {
    const world = proposed((text) => text.replace('signoff:\n', 'signoff:\n  dismissers: [olga, acme/leads]\n'))
    const veto = says('erik', 'CHANGES_REQUESTED')
    const given = [...both(), veto]
    reviewed(world, given)
    expect(releaseOf(world).signoff?.status).toBe('vetoed')
    world.fact({ kind: 'team-members', team: 'acme/leads' }, { kind: 'team-members', members })
    world.ask(dismissed(veto.id, 'erik', 'lena'))
    const { events } = reviewed(
      world,
      given.map((review) => (review === veto ? { ...review, state: 'DISMISSED' } : review)),
    )
    expect(releaseOf(world).signoff?.status).toBe(status)
    const problems = releaseOf(world).signoff?.problems ?? []
    expect(problems.some((text) => problem?.test(text))).toBe(problem !== null)
    expect(JSON.stringify(events[0]?.data)).toContain('acme/leads')
  })

  it('is known as an objection also when the composition changed in between', () => {
    const world = proposed()
    const veto = says('erik', 'CHANGES_REQUESTED')
    reviewed(world, [...both(), veto])
    world.record([event('release.version_removed', { release: 'r5', product: 'web' })])
    world.ask(dismissed(veto.id, 'Erik', 'ann'))
    expect(releaseOf(world).dismissals).toMatchObject([{ was: 'CHANGES_REQUESTED', by: 'ann' }])
  })

  it('that approved is an approval less', () => {
    const world = proposed()
    const given = both()
    reviewed(world, given)
    world.ask(dismissed(given[0]?.id ?? 0, 'eve', 'ann'))
    reviewed(
      world,
      given.map((review, index) => (index === 0 ? { ...review, state: 'DISMISSED' } : review)),
    )
    expect(releaseOf(world).signoff?.status).toBe('pending')
  })

  it('of no known release comes to nothing', () => {
    expect(configuredWorld().ask(dismissed(1, 'erik', 'ann')).events).toEqual([])
  })
})
