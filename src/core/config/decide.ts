import { decideAccess, type Person, personQuery, rolesWritten } from '../access/decide.ts'
import type { RoleBinding } from '../access/schema.ts'
import { draft } from '../catalogue.ts'
import { type Deciding, type Decision, fact, facts, state, type UsedFact } from '../decision.ts'
import type { FactQuery } from '../facts.ts'
import { canonicalJson, digestOf, sha256 } from '../json.ts'
import type { Problem } from '../problem.ts'
import type { Request } from '../request.ts'
import { adminLeft, type Finding, usedOf } from './admins.ts'
import {
  CHECKS_KEY,
  CONFIG_KEY,
  type ConfigChecks,
  type ConfigState,
  configDocument,
  REFUSED_KEY,
  type RefusedConfig,
  readConfiguration,
} from './in-force.ts'
import { CONFIG_PATH, checkConfiguration, type ParsedConfiguration, parseConfiguration } from './parse.ts'

type ConfigurationSeen = Extract<Request, { kind: 'configuration-seen' }>

/**
 * Whether the configuration of the default branch takes effect. The first sound one does; a later one when it came by a
 * merged pull request that somebody approved whom the roles of the configuration before allow. Otherwise the old one
 * stays in force and the refusal stands in the log, with every problem.
 */
export function* decideConfigurationSeen(request: ConfigurationSeen): Deciding<Decision<null>> {
  const { repository, commit } = request
  const current = yield* state<ConfigState>(CONFIG_KEY)
  const fileQuery = { kind: 'file', repository: repository.fullName, commit, path: CONFIG_PATH } as const
  const file = yield* fact(fileQuery)
  if (file.text === 'unreadable' || file.text === null) {
    const removed = file.text === null && current !== undefined
    return {
      kind: 'refuse',
      events: [],
      problems: [
        {
          code: removed ? 'configuration-removed' : 'not-configured',
          message: `expected ${CONFIG_PATH} in ${repository.fullName}, found ${file.text === null ? 'none' : 'that it cannot be read'}`,
          hint: removed
            ? 'The configuration in force stays; restore the file to change it.'
            : 'Add the file; see docs/configuration.md.',
        },
      ],
    }
  }
  const digest = sha256(file.text)
  if (current?.digest === digest) return yield* backInForce(request, current)
  const parsed = parseConfiguration(file.text)
  const next = parsed.ok ? parsed.value : null
  const approval: Finding =
    current === undefined ? { problems: [], used: [] } : yield* approvedUnderPrevious(request, digest, next)
  const admin: Finding = next ? yield* adminLeft(next, request.at) : { problems: [], used: [] }
  const problems: readonly Problem[] = [...(parsed.ok ? [] : parsed.problems), ...admin.problems, ...approval.problems]
  const used = [withoutText(fileQuery), ...approval.used, ...admin.used]
  const rest = { at: request.at, actor: request.actor, source: request.source, trust: 'platform' as const }
  if (problems.length > 0) {
    const told = recordable(problems)
    const codes = codesOf(told)
    const known = (yield* state<RefusedConfig>(REFUSED_KEY))?.refused
    const isKnown = known?.commit === commit && codesOf(known.problems) === codes
    const data = { digest, repository, commit, problems: told, facts: used }
    /** With the time: what is put right, or refused for something else, may be refused for the same once more. */
    const refused = draft('config.refused', data, { ...rest, key: `config:${commit}:refused:${codes}:${request.at}` })
    return { kind: 'refuse', problems, events: isKnown ? [] : [refused] }
  }
  return {
    kind: 'accept',
    answer: null,
    documents: [{ path: configDocument(digest), text: file.text }],
    events: [
      draft(
        'config.accepted',
        { digest, previous: current?.digest ?? null, repository, commit, facts: used },
        /** With the time: a branch that is pushed back to a commit brings its configuration once more. */
        { ...rest, key: `config:${commit}:accepted:${digest}:${request.at}` },
      ),
    ],
  }
}

const codesOf = (problems: readonly Pick<Problem, 'code'>[]): string => digestOf(problems.map(({ code }) => code))

/** The newest configuration is the one in force again: what was refused in between is history. */
function* backInForce(request: ConfigurationSeen, current: ConfigState): Deciding<Decision<null>> {
  const { repository, commit, at, actor, source } = request
  const known = yield* state<RefusedConfig>(REFUSED_KEY)
  if (!known?.refused) return { kind: 'accept', events: [], answer: null }
  const { digest } = current
  const data = { digest, previous: digest, repository, commit, facts: [] }
  const rest = { at, actor, source, trust: 'platform' as const, key: `config:${commit}:back:${digest}:${at}` }
  return { kind: 'accept', answer: null, events: [draft('config.accepted', data, rest)] }
}

/** A file that holds the configuration itself: its text is the document that the event names. */
const withoutText = (query: Extract<FactQuery, { kind: 'file' }>): UsedFact => ({
  query,
  answer: { kind: 'file', text: null },
})

/** Who approved exactly this file: what the approvers of a merged pull request saw at its last commit. */
function* approversOf(
  repository: string,
  pulls: readonly { readonly head: string; readonly approvers: readonly { login: string; id: number }[] }[],
  digest: string,
): Deciding<{ readonly approvers: readonly { login: string; id: number }[]; readonly used: readonly UsedFact[] }> {
  const queries = pulls.map(({ head }) => ({ kind: 'file', repository, commit: head, path: CONFIG_PATH }) as const)
  const files = yield* facts(queries)
  const isSame = pulls.map((_, index) => {
    const text = files[index]?.text
    return typeof text === 'string' && text !== 'unreadable' && sha256(text) === digest
  })
  return {
    approvers: pulls.flatMap((pull, index) => (isSame[index] ? pull.approvers : [])),
    used: queries.filter((_, index) => isSame[index]).map(withoutText),
  }
}

/** Whose own roles a change of the bindings gives, takes or dates anew: their approval of it does not count. */
function* ownRolesChanged(
  approvers: readonly Person[],
  repository: string,
  before: readonly RoleBinding[],
  after: readonly RoleBinding[],
): Deciding<{ readonly logins: readonly string[]; readonly used: readonly UsedFact[] }> {
  if (canonicalJson(before) === canonicalJson(after)) return { logins: [], used: [] }
  const all = [...before, ...after]
  const queries = approvers.map((approver) => personQuery(approver, repository, all))
  const answers = yield* facts(queries)
  const logins = approvers.flatMap((approver, index) => {
    const answer = answers[index]
    const held = (bindings: readonly RoleBinding[]) => (answer ? rolesWritten(approver, answer, bindings) : null)
    return answer && canonicalJson(held(before)) === canonicalJson(held(after)) ? [] : [approver.login]
  })
  return { logins, used: usedOf(queries, answers) }
}

const ownRoles = (logins: readonly string[]): Problem => ({
  code: 'own-role',
  message: `expected an approval by somebody whose own roles stay the same, found one by ${logins.join(', ')} alone`,
  hint: 'Nobody changes their own role alone: another admin approves the pull request too.',
})

function* approvedUnderPrevious(
  request: ConfigurationSeen,
  digest: string,
  next: ParsedConfiguration | null,
): Deciding<Finding> {
  const { repository, commit } = request
  const pullsQuery = { kind: 'merged-pulls', repository: repository.fullName, commit, path: CONFIG_PATH } as const
  const merged = yield* fact(pullsQuery)
  const previous = yield* readConfiguration()
  if (previous === null || merged.pulls === 'unreadable') {
    const what = previous === null ? 'the configuration in force' : 'the pull request of the change'
    return {
      problems: [
        {
          code: 'configuration-unreadable',
          message: `expected ${what} to be readable, found that it is not`,
          hint: 'Run ringmaster doctor.',
        },
      ],
      used: [],
    }
  }
  const seen = yield* approversOf(repository.fullName, merged.pulls, digest)
  const { approvers } = seen
  const { roles } = previous.configuration
  const queries = approvers.map((approver) => personQuery(approver, repository.fullName, roles))
  const answers = yield* facts(queries)
  const mayApprove = approvers.filter((approver, index) => {
    const answer = answers[index]
    if (answer === undefined) return false
    return decideAccess('change-configuration', approver, answer, roles, request.at).kind === 'allowed'
  })
  const changed = yield* ownRolesChanged(mayApprove, repository.fullName, roles, next?.configuration.roles ?? roles)
  const own = changed.logins
  const allowed = mayApprove.some((approver) => !own.includes(approver.login))
  const used = [{ query: pullsQuery, answer: merged }, ...seen.used, ...usedOf(queries, answers), ...changed.used]
  if (allowed) return { problems: [], used }
  if (own.length > 0) return { problems: [ownRoles(own)], used }
  const found =
    approvers.length === 0 ? 'no approval' : `approvals by ${approvers.map((approver) => approver.login).join(', ')}`
  return {
    problems: [
      {
        code: 'configuration-unapproved',
        message: `expected a merged pull request approved by somebody who may change the configuration, found ${found}`,
        hint: 'Bring the change in by a pull request that an admin of the configuration in force approves; until then the old one holds.',
      },
    ],
    used,
  }
}

/** More would not be read, and the event has to fit into a line of the log. */
const MAX_PROBLEMS = 50

const recordable = (problems: readonly Problem[]) => problems.slice(0, MAX_PROBLEMS).map(plain)

const plain = ({ code, message, hint, path, line }: Problem) => ({
  code,
  message: message.slice(0, 1_000),
  ...(hint === undefined ? {} : { hint: hint.slice(0, 1_000) }),
  ...(path === undefined ? {} : { path }),
  ...(line === undefined ? {} : { line }),
})

type ConfigurationProposed = Extract<Request, { kind: 'configuration-proposed' }>

/**
 * Reads a configuration that a pull request proposes, and asks whether an admin would be left; one that leaves it as it
 * is in force needs no check.
 */
export function* decideConfigurationProposed(request: ConfigurationProposed): Deciding<Decision<null>> {
  const { repository, commit } = request
  const current = yield* state<ConfigState>(CONFIG_KEY)
  const file = yield* fact({ kind: 'file', repository: repository.fullName, commit, path: CONFIG_PATH })
  if (file.text === null || file.text === 'unreadable' || sha256(file.text) === current?.digest) {
    return { kind: 'accept', events: [], answer: null }
  }
  const parsed = checkConfiguration(file.text)
  const found = parsed.ok ? yield* adminLeft(parsed.value, request.at) : parsed
  const problems = recordable(found.problems)
  const known = yield* state<ConfigChecks>(CHECKS_KEY)
  const before = known?.checks.find((check) => check.commit === commit)
  if (before && canonicalJson(before.problems) === canonicalJson(problems))
    return { kind: 'accept', events: [], answer: null }
  return {
    kind: 'accept',
    answer: null,
    events: [
      draft(
        'config.checked',
        { repository, commit, problems },
        {
          /** With the time: whom GitHub could not tell of once may be known when it is asked again. */
          key: `config:${commit}:checked:${request.at}`,
          at: request.at,
          actor: request.actor,
          source: request.source,
          trust: 'platform',
        },
      ),
    ],
  }
}
