import type { Admission, AdmissionPort, Admit } from './admission.ts'
import { isComplete } from './declared-phase.ts'
import { haltedAdmission, taggedWith } from './phase.ts'
import type { DeclaredPhase, Device } from './schema.ts'
import { sharePermissions } from './threshold.ts'

/** What the server has counted. Reads must be of one state: the claim itself is appended by compare-and-swap. */
export interface ClaimBook {
  /** How many devices hold a claim on the release, whatever the phase was when they took it. */
  count(releaseId: string): number
  /** Whether the device holds one already; a device between check and install must not be stranded. */
  holds(releaseId: string, device: Device): boolean
  /** Devices of the cohort now. */
  cohortSize(): number
}

const EVERYBODY_IN: Admission = { admitted: true, code: 'everybody', takesClaim: false }
const TAG_IN: Admission = { admitted: true, code: 'tag', takesClaim: true }
const CLAIM_HELD: Admission = { admitted: true, code: 'claim_held', takesClaim: false }
const WITHIN_LIMIT: Admission = { admitted: true, code: 'within_limit', takesClaim: true }
const MALFORMED: Admission = { admitted: false, code: 'malformed' }

function admitByLimit(
  book: ClaimBook,
  releaseId: string,
  tags: readonly string[],
  limitNow: () => number | undefined,
): Admit {
  const isTagged = taggedWith(tags)
  return (device) => {
    if (isTagged(device)) return TAG_IN
    if (book.holds(releaseId, device)) return CLAIM_HELD
    const limit = limitNow()
    if (limit === undefined) return MALFORMED
    return book.count(releaseId) < limit ? WITHIN_LIMIT : { admitted: false, code: 'limit_reached', limit }
  }
}

function admitByClaims(book: ClaimBook, releaseId: string, phase: DeclaredPhase): Admit {
  if (phase.halted !== undefined) {
    const refusal = haltedAdmission(phase.halted)
    return () => refusal
  }
  if (isComplete(phase)) return () => EVERYBODY_IN
  switch (phase.kind) {
    case 'everybody':
      return () => EVERYBODY_IN
    case 'tags': {
      const isTagged = taggedWith(phase.tags)
      return (device) => (isTagged(device) ? TAG_IN : { admitted: false, code: 'not_tagged', tags: phase.tags })
    }
    case 'share':
      return admitByLimit(book, releaseId, phase.tags ?? [], () => sharePermissions(phase.share, book.cohortSize()))
    case 'count':
      return admitByLimit(book, releaseId, phase.tags ?? [], () => phase.count)
    case 'ramp':
      // A ramp grows by the clock of each device; counted claims have no part in it.
      return () => MALFORMED
  }
}

/**
 * Admission counted by the server, first come, first served: a release is open while fewer devices hold a claim than
 * the phase allows, a share being floor(share × devices of the cohort). A holder stays admitted.
 */
export const claimsAdmission = (book: ClaimBook): AdmissionPort<DeclaredPhase> => ({
  of: (releaseId, phase) => admitByClaims(book, releaseId, phase),
})
