import { explain, type Sentence } from '../core/cohort/explain.ts'
import { quoted } from '../core/problem.ts'
import type { DeviceDecision, HeldReason } from './decide.ts'

export interface DeviceSentence {
  readonly code: Sentence['code'] | HeldReason['code'] | 'moved' | 'offered'
  readonly text: string
}

const CONTROL = /[\p{Cc}\p{Cf}\u2028\u2029]/gu

/** Reasons are written by people elsewhere: on a device's console they must not move the cursor or turn the text round. */
const visible = (text: string): string =>
  text.replace(CONTROL, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`)

/** What a device decided and why, one sentence a line: how resolution went, then what the device makes of it. */
export function explainDecision(decision: DeviceDecision): readonly DeviceSentence[] {
  return sentences(decision).map(({ code, text }) => ({ code, text: visible(text) }))
}

function sentences(decision: DeviceDecision): readonly DeviceSentence[] {
  switch (decision.kind) {
    case 'moved':
      return [{ code: 'moved', text: `the devices of this cohort belong to the cohort ${quoted(decision.to)} now` }]
    case 'no_update':
      return explain(decision.resolution)
    case 'held':
      return [...(decision.resolution ? explain(decision.resolution) : []), heldSentence(decision.reason)]
    case 'update':
      return [...explain(decision.resolution), offeredSentence(decision)]
  }
}

function offeredSentence({ bundle, byEntry }: Extract<DeviceDecision, { kind: 'update' }>): DeviceSentence {
  const entry = byEntry ? ', by way of the entry release, because what the device runs is not known here' : ''
  return { code: 'offered', text: `${bundle.product} ${bundle.version} is offered${entry}` }
}

function heldSentence(reason: HeldReason): DeviceSentence {
  return { code: reason.code, text: `no update: ${heldText(reason)}` }
}

function heldText(reason: HeldReason): string {
  switch (reason.code) {
    case 'rolled_back_here':
      return `this device rolled ${reason.bundle} back before and waits for another bundle`
    case 'unasked_downgrade':
      return `${reason.to} is below the installed ${reason.from}, and only an override may take a device back`
    case 'already_on_version':
      return `the device runs version ${reason.version} already`
    case 'already_on_bundle':
      return `the device is on ${reason.bundle} already`
    case 'clock_below_floor':
      return `the device's clock says ${reason.clock}, but ${reason.floor} has passed already; set the clock`
    case 'bundle_not_in_manifest':
      return `the manifest offers ${reason.bundle} and does not describe it`
  }
}
