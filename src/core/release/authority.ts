import { decideAccess, personQuery } from '../access/decide.ts'
import type { EventData, TypedEvent } from '../catalogue.ts'
import { COMMANDS, parseCommand } from '../command/table.ts'
import { readConfiguration } from '../config/in-force.ts'
import { type Deciding, fact } from '../decision.ts'
import { NOBODY, NOT_CONFIGURED } from './command.ts'
import { refuse } from './handling.ts'

type Answered = EventData<'command.answered'>

const refusedFor = (data: Answered, problems: Parameters<typeof refuse>): Answered => ({
  ...data,
  answer: refuse(...problems).answer,
})

/**
 * Whether the person of an answered command was entitled to it, decided again under the configuration then in force from
 * the facts that stand with the answer: the data as it has to be in that respect. Null where nobody was asked for: a
 * command that nobody knows, one that was refused before, and dry runs, which do nothing.
 */
export function* decideAuthority({ data, actor, at }: TypedEvent<'command.answered'>): Deciding<Answered | null> {
  const parsed = parseCommand({ name: data.command, args: '' })
  if (parsed.kind === 'unknown' || data.command === 'dry-run') return null
  if (data.answer.code === 'refused' && data.facts.length === 0) return null
  const { permission } = COMMANDS[parsed.kind === 'command' ? parsed.command.name : parsed.name]
  const policy = yield* readConfiguration()
  if (policy === null) return refusedFor(data, [NOT_CONFIGURED])
  if (actor === null) return refusedFor(data, [NOBODY])
  const { roles } = policy.configuration
  const standing = yield* fact(personQuery(actor, data.repository.fullName, roles))
  const access = decideAccess(permission, actor, standing, roles, at)
  if (access.kind === 'denied') return refusedFor(data, [...access.problems])
  const stranger = decideAccess(permission, actor, { kind: 'person', permission: 'none', teams: [] }, roles, at)
  const denials = stranger.kind === 'denied' ? stranger.problems : []
  const isDenial = ({ message, hint }: Answered['answer']['problems'][number]): boolean =>
    denials.some((denial) => denial.message === message && denial.hint === hint)
  return { ...data, answer: { ...data.answer, problems: data.answer.problems.filter((problem) => !isDenial(problem)) } }
}
