import { decideAccess, personQuery } from '../../access/decide.ts'
import { draft } from '../../catalogue.ts'
import { answer } from '../../command/answer.ts'
import { nearest } from '../../command/nearest.ts'
import { readPolicy } from '../../config/in-force.ts'
import { type Deciding, fact } from '../../decision.ts'
import type { Actor } from '../../event.ts'
import { type Checked, type Problem, quoted } from '../../problem.ts'
import { type Context, done, type HandlersOf, openRelease, POLICY_UNREADABLE, refuse } from '../handling.ts'
import type { ReleaseState } from '../schema.ts'

/** How a release is conducted: who manages it, what is said of it, and whether it goes. */
export const conductHandlers: HandlersOf<'set' | 'manager' | 'go' | 'no-go' | 'hold' | 'unhold'> = {
  *set({ key, value }, context) {
    const open = openRelease(context)
    if (!open.ok) return refuse(open.problem)
    const { release } = open
    if (key === 'profile') {
      const denials = withoutTheRight(context)
      if (denials.length > 0) return refuse(...denials)
      const problem = value === null ? null : yield* unknownProfile(release, value)
      if (problem) return refuse(problem)
    }
    if (value === settingOf(release, key))
      return done(answer('nothing-changed', `${key} is ${value === null ? 'empty' : value}`))
    const isSigned = (key === 'title' || key === 'profile') && release.status === 'in_progress'
    return done(
      answer('setting-set', key, value ?? '', isSigned ? 'signed' : ''),
      draft('release.set', { release: release.id, key, value }, context.event('set')),
    )
  },
  *manager({ login }, context) {
    const open = openRelease(context)
    if (!open.ok) return refuse(open.problem)
    const found = yield* managerNamed(login, context)
    if (!found.ok) return refuse(...found.problems)
    const manager = found.value
    if (manager.id === open.release.manager.id)
      return done(answer('nothing-changed', `${manager.login} manages this release`))
    return done(
      answer('manager-changed', manager.login),
      draft('release.manager_changed', { release: open.release.id, manager }, context.event('manager')),
    )
  },
  *go(_command, context) {
    const open = openRelease(context)
    if (!open.ok) return refuse(open.problem)
    const { id, conduct } = open.release
    if (conduct.judgement?.kind === 'go') return done(answer('nothing-changed', 'this release is a go'))
    return done(
      answer('judged-go'),
      draft('release.judged', { release: id, judgement: 'go', reason: null }, context.event('judged')),
    )
  },
  *'no-go'({ reason }, context) {
    const open = openRelease(context)
    if (!open.ok) return refuse(open.problem)
    return done(
      answer('judged-no-go', reason),
      draft('release.judged', { release: open.release.id, judgement: 'no-go', reason }, context.event('judged')),
    )
  },
  *hold({ reason }, context) {
    const open = openRelease(context)
    if (!open.ok) return refuse(open.problem)
    const { hold } = open.release.conduct
    if (hold !== null)
      return done(answer('nothing-changed', `it is held by ${hold.by?.login ?? 'Ringmaster'}: ${hold.reason}`))
    return done(
      answer('release-held', reason),
      draft('release.held', { release: open.release.id, reason }, context.event('held')),
    )
  },
  *unhold(_command, context) {
    const open = openRelease(context)
    if (!open.ok) return refuse(open.problem)
    const { id, conduct } = open.release
    if (conduct.hold === null) return done(answer('nothing-changed', 'this release is not held'))
    return done(
      answer('release-unheld', conduct.hold.reason),
      draft('release.unheld', { release: id }, context.event('unheld')),
    )
  },
}

const SETTING_OF = {
  title: (release: ReleaseState) => release.title,
  profile: ({ conduct }: ReleaseState) => conduct.profile,
  description: ({ conduct }: ReleaseState) => conduct.details.description,
  'target-date': ({ conduct }: ReleaseState) => conduct.details.targetDate,
  window: ({ conduct }: ReleaseState) => conduct.details.window,
  epic: ({ conduct }: ReleaseState) => conduct.details.epic,
} as const
const settingOf = (release: ReleaseState, key: keyof typeof SETTING_OF): string | null => SETTING_OF[key](release)

/** Who could start a release says who signs it: others would choose whose signature they can do without. */
function withoutTheRight({ policy, request, person, standing }: Context): readonly Problem[] {
  const access = decideAccess('complete-release', person, standing, policy.configuration.roles, request.at)
  return access.kind === 'denied' ? access.problems : []
}

function* unknownProfile(release: ReleaseState, name: string): Deciding<Problem | null> {
  const policy = yield* readPolicy(release.policyDigest)
  if (!policy) return POLICY_UNREADABLE
  const names = policy.configuration.signoff.profiles.map((profile) => profile.name)
  if (names.includes(name)) return null
  const close = nearest(name, names)
  return {
    code: 'unknown-profile',
    message: `expected a profile of the configuration, found ${quoted(name)}`,
    hint:
      close.length > 0 ? `Did you mean ${close.map(quoted).join(' or ')}?` : `Known: ${names.join(', ') || 'none'}.`,
  }
}

/** A manager has to be able to end what they manage. */
function* managerNamed(login: string, { policy, request }: Context): Deciding<Checked<Actor>> {
  const person = yield* personNamed(login)
  if (!person.ok) return person
  const { roles } = policy.configuration
  const standing = yield* fact(personQuery(person.value, request.repository.fullName, roles))
  const access = decideAccess('complete-release', person.value, standing, roles, request.at)
  return access.kind === 'allowed' ? person : { ok: false, problems: access.problems }
}

/** The person that a login names now. */
export function* personNamed(login: string): Deciding<Checked<Actor>> {
  const { account } = yield* fact({ kind: 'account', login })
  const refused = (code: string, message: string, hint: string) =>
    ({ ok: false, problems: [{ code, message, hint }] }) as const
  if (account === 'unreadable')
    return refused('account-unreadable', `could not read who ${login} is, so nothing is changed`, 'Try again.')
  if (account === null)
    return refused(
      'unknown-person',
      `expected the login of a person, found nobody of the name ${quoted(login)}`,
      'Check the spelling.',
    )
  if (account.type !== 'User')
    return refused('not-a-person', `expected a person, found that ${login} is a ${account.type}`, 'Name a person.')
  return { ok: true, value: { login: account.login, id: account.id } }
}
