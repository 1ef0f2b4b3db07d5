import { draft } from '../../catalogue.ts'
import { answer } from '../../command/answer.ts'
import { nearest } from '../../command/nearest.ts'
import { readPolicy } from '../../config/in-force.ts'
import type { SignoffConfiguration } from '../../config/schema.ts'
import type { Deciding } from '../../decision.ts'
import { type Problem, quoted } from '../../problem.ts'
import {
  type Context,
  done,
  type HandlersOf,
  lines,
  NO_RELEASE,
  openRelease,
  POLICY_UNREADABLE,
  refuse,
} from '../handling.ts'
import type { ReleaseState, SignoffRecord } from '../schema.ts'
import { partiesOf, signersOf } from '../signers.ts'
import { personNamed } from './conduct.ts'

const MAX_DELEGATION_DAYS = 366

/** Who signs, and who is waited for. */
export const signoffHandlers: HandlersOf<'pending' | 'delegate'> = {
  *pending(_command, { release }) {
    if (!release) return refuse(NO_RELEASE)
    return done(lines(pendingLines(release)))
  },
  *delegate({ party: name, login, until }, context) {
    const open = openRelease(context)
    if (!open.ok) return refuse(open.problem)
    const { release } = open
    const found = yield* memberParty(release, name, context)
    if ('problem' in found) return refuse(found.problem)
    const { party } = found
    const from = { login: context.person.login, id: context.person.id }
    const known = release.conduct.delegations.find((entry) => entry.party === party && entry.from.id === from.id)
    if (login === undefined || until === undefined) {
      if (!known) return done(answer('nothing-changed', `nobody signs for ${party} in your place`))
      return done(
        answer('undelegated', party),
        draft('party.undelegated', { release: release.id, party, from }, context.event('undelegated')),
      )
    }
    const problem = wrongTime(until, context.request.at)
    if (problem) return refuse(problem)
    const to = yield* personNamed(login)
    if (!to.ok) return refuse(...to.problems)
    if (to.value.id === from.id) return refuse(TO_ONESELF)
    return done(
      answer('delegated', party, to.value.login, until),
      draft('party.delegated', { release: release.id, party, from, to: to.value, until }, context.event('delegated')),
    )
  },
}

const TO_ONESELF: Problem = {
  code: 'own-delegate',
  message: 'expected another person than yourself',
  hint: 'Say /delegate party off to sign yourself again.',
}

function wrongTime(until: string, now: string): Problem | null {
  const days = (Date.parse(until) - Date.parse(now)) / 86_400_000
  if (days > 0 && days <= MAX_DELEGATION_DAYS) return null
  return {
    code: 'argument-invalid',
    message: `expected a time within the next ${MAX_DELEGATION_DAYS} days, found ${quoted(until)}`,
    hint: 'Such as until 2026-11-20.',
  }
}

/** The party of a release that the author of a command is a member of: only a member can hand their own say on. */
function* memberParty(
  release: ReleaseState,
  name: string,
  context: Context,
): Deciding<{ readonly party: string } | { readonly problem: Problem }> {
  const policy = yield* readPolicy(release.policyDigest)
  if (!policy) return { problem: POLICY_UNREADABLE }
  const { signoff } = policy.configuration
  const names = partiesOf(release, signoff).map((party) => party.name)
  const party = names.find((known) => known.toLowerCase() === name.toLowerCase())
  if (party === undefined) {
    const close = nearest(name, names)
    const hint = close.length > 0 ? `Did you mean ${close.map(quoted).join(' or ')}?` : `Known: ${names.join(', ')}.`
    return {
      problem: { code: 'unknown-party', message: `expected a party of this release, found ${quoted(name)}`, hint },
    }
  }
  const { own, unreadable } = yield* membershipsOf(release, signoff, context)
  if (unreadable.includes(party)) return { problem: unreadableParties([party]) }
  if (own.includes(party)) return { party }
  return {
    problem: {
      code: 'not-a-member',
      message: `expected a member of ${party}, found that ${context.person.login} is none`,
      hint: 'Only a member hands their own say on.',
    },
  }
}

/** The parties that a person is a member of, not by a delegation; and those of which nobody can say. */
function* membershipsOf(
  release: ReleaseState,
  signoff: SignoffConfiguration,
  { person, request }: Context,
): Deciding<{ readonly own: readonly string[]; readonly unreadable: readonly string[] }> {
  const itself = { ...release, conduct: { ...release.conduct, delegations: [] } }
  const { parties, unreadable } = yield* signersOf(itself, signoff, request.at)
  const own = parties.filter(({ members }) =>
    members.some((login) => login.toLowerCase() === person.login.toLowerCase()),
  )
  return { own: own.map(({ name }) => name), unreadable }
}

const unreadableParties = (parties: readonly string[]): Problem => ({
  code: 'membership-unreadable',
  message: `could not read who is in ${parties.join(', ')}, so nothing is delegated`,
  hint: 'Try again; see ringmaster doctor.',
})

/** Why a person may not say what members of a party of a release say; null when they may. */
export function* outsideParties(release: ReleaseState, context: Context): Deciding<Problem | null> {
  const policy = yield* readPolicy(release.policyDigest)
  if (!policy) return POLICY_UNREADABLE
  const { own, unreadable } = yield* membershipsOf(release, policy.configuration.signoff, context)
  if (own.length > 0) return null
  if (unreadable.length > 0) return unreadableParties(unreadable)
  return {
    code: 'not-a-member',
    message: `expected a member of a party of this release, found that ${context.person.login} is none`,
    hint: 'Only a member hands their own say on.',
  }
}

const missingIn = (signoff: SignoffRecord) =>
  signoff.parties.filter((party) => !party.optional && party.filledBy.length < party.seats)

/** Party by party, whose approval is waited for. */
export function pendingLines(release: ReleaseState): string[] {
  const { signoff, status } = release
  if (status === 'draft') return ['nobody yet: the release is a draft']
  if (!signoff) return ['the signatures are not decided yet']
  const waiting = missingIn(signoff).map(
    (party) =>
      `${party.party}: ${party.filledBy.length} of ${party.seats}; could sign: ${party.couldFill.slice(0, 20).join(', ') || 'nobody'}`,
  )
  const vetoes = signoff.vetoes.map((login) => `${login} objects, and has to approve the current content`)
  const all = [...vetoes, ...waiting, ...signoff.problems]
  return all.length > 0 ? all : ['nobody: every party has signed']
}
