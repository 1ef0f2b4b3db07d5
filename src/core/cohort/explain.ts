import type { Refusal, RefusedCode } from './admission.ts'
import type { NoUpdateReason, PassedOver, Resolution } from './resolve.ts'
import { parseThreshold, percentText } from './threshold.ts'

/** One line of an explanation. `text` is English and may hold text from outside; whoever renders it escapes it. */
export interface Sentence {
  readonly code: NoUpdateReason | PassedOver['code'] | `phase:${RefusedCode}` | 'ignored' | 'position' | 'outcome'
  readonly text: string
}

const percentOf = (threshold: string): string => percentText(parseThreshold(threshold) ?? 0n)

/** Why a phase keeps a device out, in words. */
export function refusalText(refusal: Refusal): string {
  switch (refusal.code) {
    case 'malformed':
      return 'its phase cannot be applied to this device (malformed phase, or no pseudonym), so it admits nobody'
    case 'halted':
      return `halted since ${refusal.at}: ${refusal.reason}`
    case 'not_tagged':
      return `only devices tagged ${refusal.tags.join(', ')} are admitted`
    case 'not_listed':
      return 'the device is not among those listed'
    case 'not_enrolled_in_time':
      return `only devices enrolled up to epoch ${refusal.epoch} are admitted`
    case 'not_started':
      return `the ramp starts at ${refusal.startsAt}`
    case 'above_threshold':
      return `the device is above the threshold; ${percentOf(refusal.threshold)} % now`
    case 'limit_reached':
      return `all ${refusal.limit} permissions are taken`
  }
}

function passedOverSentence(passed: PassedOver): Sentence {
  const { release } = passed
  switch (passed.code) {
    case 'disabled':
      return { code: 'disabled', text: `${release} is disabled: ${passed.reason}` }
    case 'held_for_target':
      return { code: 'held_for_target', text: `${release} is held for ${passed.target}: ${passed.reason}` }
    case 'requirement_not_met':
      return { code: 'requirement_not_met', text: `${release} requires a version ${passed.requirement}` }
    case 'requirement_unreadable':
      return {
        code: 'requirement_unreadable',
        text: `${release} has a requirement that cannot be read: ${passed.requirement}`,
      }
    case 'scheduled':
      return { code: 'scheduled', text: `${release} is scheduled for ${passed.schedule}` }
    case 'phase':
      return {
        code: `phase:${passed.refusal.code}`,
        text: `${release} is held by its phase: ${refusalText(passed.refusal)}`,
      }
  }
}

const NO_UPDATE_TEXT = {
  on_override_bundle: 'an override is in force and the device is on its bundle already',
  no_cohort: 'the device belongs to no cohort',
  nothing_reported: 'the device reported neither release nor bundle nor version',
  not_identified: 'nothing that the device reported is known in its channel',
  no_entry: 'no release of the channel may be entered from the reported version',
  on_latest: 'the device is on the latest release',
  nothing_available: 'no release ahead of the device is available to it',
  bundle_incomplete: 'the selected release has an artifact that is not signed or no longer there',
  channel_broken: 'the path ahead leads in a circle or to a release that is not there',
  clock_unreadable: 'the time of the check cannot be read',
} as const satisfies Record<NoUpdateReason, string>

function positionSentence(resolution: Resolution): Sentence[] {
  const { position } = resolution
  if (position.by === 'nothing') return []
  const text =
    position.by === 'version'
      ? `the reported version enters the channel at ${position.release}`
      : `the device is on ${position.release}, known by its ${position.by}`
  return [{ code: 'position', text }]
}

function outcomeSentence(resolution: Resolution): Sentence {
  switch (resolution.kind) {
    case 'update':
      return {
        code: 'outcome',
        text: `update to ${resolution.bundle} of ${resolution.source.kind} ${resolution.source.id}`,
      }
    case 'no_update': {
      const which = resolution.release === undefined ? '' : ` (${resolution.release})`
      return { code: resolution.reason, text: `no update: ${NO_UPDATE_TEXT[resolution.reason]}${which}` }
    }
    case 'device_quarantine':
      return { code: 'outcome', text: 'no update: the device is in quarantine' }
  }
}

/** The whole decision in sentences: what was ignored, where the device is, what was passed over, and the outcome last. */
export function explain(resolution: Resolution): readonly Sentence[] {
  return [
    ...resolution.ignored.map(
      (field): Sentence => ({
        code: 'ignored',
        text: `the reported ${field} identifies nothing in this channel`,
      }),
    ),
    ...positionSentence(resolution),
    ...resolution.passedOver.map(passedOverSentence),
    outcomeSentence(resolution),
  ]
}
