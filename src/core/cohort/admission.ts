import type { Device } from './schema.ts'

/** Why a phase let a device in. */
export type AdmittedCode = 'everybody' | 'tag' | 'bucket' | 'listed' | 'claim_held' | 'within_limit'

/** Why a phase keeps a device out, with what a sentence about it needs. */
export type Refusal =
  | { readonly code: 'malformed' }
  | { readonly code: 'halted'; readonly at: string; readonly reason: string }
  | { readonly code: 'not_tagged'; readonly tags: readonly string[] }
  | { readonly code: 'not_listed' }
  | { readonly code: 'not_enrolled_in_time'; readonly epoch: number }
  | { readonly code: 'not_started'; readonly startsAt: string }
  | { readonly code: 'above_threshold'; readonly threshold: string }
  | { readonly code: 'limit_reached'; readonly limit: number }

export type RefusedCode = Refusal['code']

export type Admission =
  | {
      readonly admitted: true
      readonly code: AdmittedCode
      /** Whether serving the release takes a claim that the caller has to record. */
      readonly takesClaim: boolean
    }
  | ({ readonly admitted: false } & Refusal)

/** Answers for every device and instant; `nowMs` is milliseconds since 1970, NaN where the instant cannot be read. */
export type Admit = (device: Device, nowMs: number) => Admission

/**
 * The port of admission. One release's phase is read once; a phase that cannot be read gives an `Admit` that admits
 * nobody, so an implementation never throws and never lets in by accident.
 */
export interface AdmissionPort<Phase = unknown> {
  of(releaseId: string, phase: Phase): Admit
}
