import { describe, expect, it } from '@jest/globals'
import type { ReviewFact } from '../../../src/core/facts.ts'
import { compositionText, releasePath } from '../../../src/core/release/composition.ts'
import { releaseKey } from '../../../src/core/release/open.ts'
import type { ReleaseState } from '../../../src/core/release/schema.ts'
import { ANN, asked, BOB, configuredWorld, event, givenRelease, minute, RELEASES, sha, type World } from '../decided.ts'

const HEAD = sha('e1')
const EVE = { login: 'eve', id: 3 }
const QUINN = { login: 'quinn', id: 4 }
const release = (world: World): ReleaseState => world.state<ReleaseState>(releaseKey('r5')) as ReleaseState

/** A started release whose proposal shows its composition, under a configuration of which some lines are others. */
function proposed(bend: (text: string) => string = (text) => text): World {
  const world = configuredWorld(bend)
  givenRelease(world)
  show(world)
  return world
}

function show(world: World, head = HEAD): void {
  const text = compositionText(release(world))
  world.fact(
    { kind: 'file', repository: RELEASES.fullName, commit: head, path: releasePath('r5') },
    { kind: 'file', text },
  )
  world.ask({
    kind: 'proposal-seen',
    repository: RELEASES,
    release: 'r5',
    number: 9,
    url: '',
    head,
    author: 'ringmaster[bot]',
    merged: false,
    ...asked,
  })
}

const said = (login: string, id: number, at = minute(1), state = 'APPROVED'): ReviewFact => ({
  id,
  user: { login, id, type: 'User' },
  state,
  commit: HEAD,
  at,
})
const BOTH = [said('eve', 1), said('quinn', 2)]

function decide(world: World, reviews: readonly ReviewFact[], at = minute(2), team: readonly (typeof EVE)[] = [EVE]) {
  world.fact({ kind: 'team-members', team: 'acme/engineering' }, { kind: 'team-members', members: team })
  world.fact({ kind: 'reviews', repository: RELEASES.fullName, number: 9 }, { kind: 'reviews', reviews })
  return world.ask({ kind: 'release-review', release: 'r5', ...asked, at })
}
const status = (world: World) => release(world).signoff?.status
const delegate = (until: string, party = 'QA') =>
  event('party.delegated', { release: 'r5', party, from: QUINN, to: BOB, until }, { actor: QUINN })

describe('a configuration that names no party', () => {
  const USUAL = ['Engineering', 'Product', 'QA', 'Security']
  const PEOPLE = [EVE, { login: 'pia', id: 11 }, QUINN, { login: 'sam', id: 12 }]
  const usual = (signoff = '') => proposed((text) => text.replace(/signoff:\n[\s\S]*(?=checklist:)/, signoff))
  const staff = (world: World, parties: readonly string[]) => {
    for (const [index, party] of USUAL.entries()) {
      const members = parties.includes(party) ? PEOPLE.slice(index, index + 1) : 'unreadable'
      const team = `acme/${party.toLowerCase()}`
      world.fact({ kind: 'team-members', team }, { kind: 'team-members', members })
    }
  }
  const asks = (world: World, by: typeof PEOPLE, at = minute(2)) => {
    const reviews = by.map(({ login, id }) => said(login, id))
    world.fact({ kind: 'reviews', repository: RELEASES.fullName, number: 9 }, { kind: 'reviews', reviews })
    world.ask({ kind: 'release-review', release: 'r5', ...asked, at })
  }

  it.each([
    ['', 'no section'],
    ['signoff: { authorMaySign: false }\n', 'a section without parties'],
  ])('asks for all four usual ones, by their teams in the organization of the release repository: %s', (signoff) => {
    const world = usual(signoff)
    staff(world, USUAL)
    asks(world, PEOPLE.slice(0, 3))
    expect(release(world).signoff).toMatchObject({ status: 'pending' })
    expect(release(world).signoff?.parties.map(({ party, optional }) => [party, optional])).toEqual(
      USUAL.map((party) => [party, false]),
    )
    asks(world, PEOPLE, minute(3))
    expect(status(world)).toBe('approved')
  })

  it('is blocked by a team that is not there, and says which', () => {
    const world = usual()
    staff(world, ['Engineering', 'Product', 'QA'])
    asks(world, PEOPLE)
    expect(status(world)).toBe('blocked')
    expect(release(world).signoff?.problems.join('\n')).toContain('Security')
  })
})

describe('a delegation', () => {
  it('lets the other sign in the place of its giver, who then does not', () => {
    const world = proposed()
    world.record([delegate(minute(60))])
    decide(world, [said('eve', 1), said('bob', 2)])
    expect(status(world)).toBe('approved')
    decide(world, BOTH, minute(3))
    expect(status(world)).toBe('pending')
  })

  it('leaves an objection of its giver standing, until that person approves or it is dismissed', () => {
    const world = proposed()
    world.record([delegate(minute(600))])
    const vetoed = [said('eve', 1), said('bob', 2), said('quinn', 3, minute(2), 'CHANGES_REQUESTED')]
    decide(world, vetoed, minute(3))
    expect(release(world).signoff).toMatchObject({ status: 'vetoed', vetoes: ['quinn'] })
    decide(world, [...vetoed, said('bob', 4, minute(4))], minute(5))
    expect(status(world)).toBe('vetoed')
    decide(world, [...vetoed, said('quinn', 4, minute(4))], minute(5))
    expect(release(world).signoff).toMatchObject({
      status: 'approved',
      parties: [{ filledBy: ['eve'] }, { filledBy: ['bob'] }],
      ignored: [{ code: 'veto-lifted' }, { login: 'quinn', code: 'away' }],
    })
  })

  it('made after an objection does not take it back', () => {
    const world = proposed()
    const reviews = [said('eve', 1), said('quinn', 2, minute(1), 'CHANGES_REQUESTED'), said('bob', 3)]
    decide(world, reviews)
    world.record([delegate(minute(60))])
    decide(world, reviews, minute(3))
    expect(release(world).signoff).toMatchObject({ status: 'vetoed', vetoes: ['quinn'] })
  })

  it('by whoever may not sign what they changed themselves lets nobody sign instead', () => {
    const given = event('party.delegated', {
      release: 'r5',
      party: 'Engineering',
      from: ANN,
      to: BOB,
      until: minute(60),
    })
    const approved = (bend?: (text: string) => string) => {
      const world = proposed(bend)
      world.record([given])
      decide(world, [said('bob', 1), said('quinn', 2)], minute(3), [ANN])
      return status(world)
    }
    expect(approved()).toBe('blocked')
    expect(approved((text) => text.replace('signoff:\n', 'signoff:\n  authorMaySign: true\n'))).toBe('approved')
  })

  it('ends with its time, and with the membership of its giver', () => {
    const world = proposed((text) => text.replace('{ name: QA, users: [quinn] }', '{ name: QA, team: acme/qa }'))
    world.record([delegate(minute(60))])
    const qa = (members: readonly (typeof EVE)[]) =>
      world.fact({ kind: 'team-members', team: 'acme/qa' }, { kind: 'team-members', members })
    const reviews = [said('eve', 1), said('bob', 2)]
    qa([QUINN])
    decide(world, reviews, minute(59))
    expect(status(world)).toBe('approved')
    decide(world, reviews, minute(60))
    expect(status(world)).toBe('pending')
    qa([ANN, EVE])
    decide(world, reviews, minute(50))
    expect(status(world)).not.toBe('approved')
  })

  it('is taken back', () => {
    const world = proposed()
    world.record([delegate(minute(60)), event('party.undelegated', { release: 'r5', party: 'QA', from: QUINN })])
    decide(world, BOTH)
    expect(status(world)).toBe('approved')
  })

  it('of one party changes no other', () => {
    const world = proposed()
    world.record([delegate(minute(60), 'Engineering')])
    decide(world, BOTH)
    expect(status(world)).toBe('approved')
  })
})

describe('a profile', () => {
  const profiles = (text: string) =>
    text.replace('checklist:', '  profiles:\n    - { name: hotfix, parties: [QA] }\nchecklist:')

  it('asks its own parties alone, on a content of its own', () => {
    const world = proposed(profiles)
    decide(world, BOTH)
    world.record([event('release.set', { release: 'r5', key: 'profile', value: 'hotfix' })])
    expect(release(world).signoff).toBeNull()
    decide(world, [said('quinn', 2)], minute(3))
    expect(status(world)).toBe('pending')
    show(world, sha('e2'))
    decide(world, [{ ...said('quinn', 2), commit: sha('e2') }], minute(4))
    expect(release(world).signoff).toMatchObject({ status: 'approved', parties: [{ party: 'QA' }] })
  })

  it('that is not there blocks', () => {
    const world = proposed(profiles)
    world.record([event('release.set', { release: 'r5', key: 'profile', value: 'gone' })])
    show(world)
    decide(world, BOTH)
    expect(status(world)).toBe('blocked')
  })
})

describe('signed off', () => {
  it('is said once, and said again when it is lost', () => {
    const world = proposed()
    expect(decide(world, BOTH).types).toEqual(['signoff.decided', 'signoff.completed'])
    expect(world.log.at(-1)?.data).toMatchObject({ signers: ['eve', 'quinn'], head: HEAD })
    expect(decide(world, BOTH, minute(3)).types).toEqual([])
    const veto = said('quinn', 3, minute(4), 'CHANGES_REQUESTED')
    expect(decide(world, [...BOTH, veto], minute(5)).types).toEqual(['signoff.decided', 'signoff.lost'])
    expect(release(world).conduct.waitingSince).toBe(minute(5))
  })

  it('is lost when the time of an approval is over, and when a member leaves', () => {
    const world = proposed((text) => text.replace('signoff:\n', 'signoff:\n  expiresHours: 1\n'))
    decide(world, BOTH)
    expect(decide(world, BOTH, minute(62)).types).toEqual(['signoff.decided', 'signoff.lost'])
    const other = proposed()
    decide(other, BOTH)
    decide(other, BOTH, minute(3), [ANN, { login: 'erik', id: 8 }])
    expect(status(other)).toBe('pending')
  })
})

describe('a dismissal', () => {
  const dismissed = (reviewId: number, by: string) => ({
    kind: 'review-dismissed' as const,
    repository: RELEASES,
    release: 'r5',
    reviewId,
    by,
    author: 'quinn',
    ...asked,
  })

  it('by somebody who may not is named on the check', () => {
    const world = proposed()
    decide(world, BOTH)
    world.ask(dismissed(2, 'mallory'))
    decide(world, [said('eve', 1), said('quinn', 2, minute(1), 'DISMISSED')], minute(3))
    expect(release(world).signoff?.problems).toEqual([expect.stringMatching(/^mallory dismissed a review of quinn/)])
  })

  it('of a review that nobody had seen holds the release: it may have been an objection', () => {
    const world = proposed()
    world.ask(dismissed(3, 'mallory'))
    decide(world, [said('eve', 1), said('quinn', 2), said('quinn', 3, minute(2), 'DISMISSED')], minute(3))
    expect(status(world)).toBe('pending')
    expect(release(world).dismissals).toMatchObject([{ reviewId: 3, was: null }])
  })

  it('of an approval that was seen is known as such', () => {
    const world = proposed()
    decide(world, BOTH)
    world.ask(dismissed(2, 'quinn'))
    expect(release(world).dismissals).toMatchObject([{ reviewId: 2, was: 'APPROVED' }])
  })
})

describe('reminders', () => {
  const bend = (text: string) =>
    text.replace(
      'signoff:\n',
      'signoff:\n  reminders: { afterHours: 2, everyHours: 3, escalateAfterHours: 5, escalateTo: [olga] }\n',
    )
  const hour = (hours: number) => minute(60 * hours)
  const reminders = (world: World) =>
    release(world).conduct.reminders.map(({ number, kind, to, missing }) => [number, kind, to, missing])

  it('come when they are due, once each, to those who could sign; later to others too', () => {
    const world = proposed(bend)
    for (const at of [0, 1, 2, 2, 3, 4.9, 5, 6]) decide(world, [said('eve', 1)], hour(at))
    expect(reminders(world)).toEqual([
      [1, 'reminder', ['quinn'], ['QA']],
      [2, 'escalation', ['quinn', 'olga'], ['QA']],
    ])
  })

  it('end with the signatures, and begin anew with another composition', () => {
    const world = proposed(bend)
    decide(world, BOTH, hour(1))
    decide(world, BOTH, hour(9))
    expect(reminders(world)).toEqual([])
    world.record([event('release.version_removed', { release: 'r5', product: 'web' }, { at: hour(9) })])
    decide(world, [], hour(10))
    expect(reminders(world)).toEqual([])
    decide(world, [], hour(11))
    expect(reminders(world)).toEqual([[1, 'reminder', ['eve', 'quinn'], ['Engineering', 'QA']]])
  })

  it('are not sent where nobody asked for them', () => {
    const world = proposed()
    decide(world, [], hour(500))
    expect(reminders(world)).toEqual([])
  })
})
