import type { EventType } from './catalogue.ts'
import { isEventType } from './catalogue.ts'
import type { EventDraft } from './event.ts'

/** Blockers whose sentence quotes what somebody wrote. */
const QUOTING = new Set(['held', 'no-go', 'frozen'])

const CHANNEL_RELEASE = ['disabled/reason', 'holds/*/reason', 'phase/halted/reason'] as const
const within = (member: string, patterns: readonly string[]): string[] => patterns.map((rest) => `${member}/${rest}`)

/**
 * Where people write freely, by type of event: members of `data`, `*` for each item of a list. They are sealed, so that
 * they can be taken out again. What decisions rest on (ids, logins, versions, names, and the title, which is signed) is none of it.
 */
const TEXTS: { readonly [T in EventType]?: readonly string[] } = {
  'config.refused': ['problems/*/message'],
  'config.checked': ['problems/*/message'],
  'build.refused': ['message'],
  'deployment.refused': ['message'],
  'build-number.refused': ['message'],
  'release.reopened': ['reason'],
  'release.cancelled': ['reason'],
  'release.rolled_back': ['reason'],
  'release.set': ['value'],
  'release.judged': ['reason'],
  'release.held': ['reason'],
  'step.waived': ['reason'],
  'step.done': ['evidence'],
  'override.asked': ['reason'],
  'environment.frozen': ['reason'],
  'freeze.excepted': ['reason'],
  'gate.decided': ['blockers/*/message'],
  'command.answered': ['answer/values/*', 'answer/problems/*/message'],
  'comment.noted': ['message'],
  'cut.settled': ['outcome/message'],
  'channel.changed': ['reason', ...within('release', CHANNEL_RELEASE)],
  'channel.withdrawn': ['reason', ...within('withdrawn', CHANNEL_RELEASE), ...within('fix/release', CHANNEL_RELEASE)],
  'alarm.raised': ['message'],
  'event.redacted': ['reason'],
}

/** Settings that are words of people; the others are names and times that decisions read, and the title. */
const FREE_SETTINGS = new Set<unknown>(['description', 'epic'])

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

function found(value: unknown, [step, ...rest]: readonly string[], pointer: string): string[] {
  if (step === undefined) return typeof value === 'string' ? [pointer] : []
  if (step !== '*') return isObject(value) ? found(value[step], rest, `${pointer}/${step}`) : []
  if (!Array.isArray(value)) return []
  return value.flatMap((item: unknown, index) => found(item, rest, `${pointer}/${index}`))
}

function isFree(type: EventType, data: unknown, pointer: string): boolean {
  if (type === 'release.set') return isObject(data) && FREE_SETTINGS.has(data['key'])
  if (type !== 'gate.decided') return true
  const { blockers } = data as { blockers: readonly { code: string }[] }
  return QUOTING.has(blockers[Number(pointer.split('/')[2])]?.code ?? '')
}

/** The texts of an event as JSON pointers into its data. */
export function textsOf({ type, data }: Pick<EventDraft, 'type' | 'data'>): readonly string[] {
  if (!isEventType(type)) return []
  return (TEXTS[type] ?? [])
    .flatMap((pattern) => found(data, pattern.split('/'), ''))
    .filter((pointer) => isFree(type, data, pointer))
}
