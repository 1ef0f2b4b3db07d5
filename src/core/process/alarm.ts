import { draft } from '../catalogue.ts'
import { type Deciding, type Decision, state } from '../decision.ts'
import { sha256 } from '../json.ts'
import { OPEN_KEY, type OpenIndex } from '../release/open.ts'
import type { Request } from '../request.ts'

type ConditionSeen = Extract<Request, { kind: 'condition-seen' }>

/** Raises an alarm when its condition begins and clears it when the condition ends; in between nothing is added. */
export function* decideConditionSeen(request: ConditionSeen): Deciding<Decision<null>> {
  const open = yield* state<OpenIndex>(OPEN_KEY)
  const known = open?.alarms.find((entry) => entry.alarm === request.alarm)
  if ((known?.isOpen ?? false) === request.holds) return { kind: 'accept', events: [], answer: null }
  const { alarm, code, message } = request
  const rest = {
    key: `alarm:${sha256(alarm).slice(7)}:${request.holds ? 'raised' : 'cleared'}:${request.at}`,
    at: request.at,
    actor: null,
    source: request.source,
    trust: 'platform' as const,
  }
  const event = request.holds
    ? draft('alarm.raised', { alarm, code, message }, rest)
    : draft('alarm.cleared', { alarm }, rest)
  return { kind: 'accept', events: [event], answer: null }
}
