import type { Bundle, Device, DeviceReport } from '../core/cohort/schema.ts'
import { parseDocument } from '../core/manifest/issues.ts'
import { cohortRole, manifestPath } from '../core/manifest/names.ts'
import { BundleDocument, type BundleReference, Manifest } from '../core/manifest/schema.ts'
import { checkFloor, checkReference, retiredCohorts } from '../core/manifest/signed-bundles.ts'
import { roleOfPath, type TrustedSet, targetOf } from '../core/manifest/trusted-set.ts'
import { accepted, type Checked, type Problem, quoted, rejected } from '../core/problem.ts'
import { type DeviceDecision, decide, nextPollSeconds, trustedNowMs } from './decide.ts'
import { type DeviceCode, type Host, loadRole, loadTarget, pruneTargets, recallAll, refresh } from './refresh.ts'
import { type DeviceState, type Offer, readState, withFloor, withRolledBack, writeState } from './state.ts'

export type CheckCode = DeviceCode | 'state-unreadable' | 'manifest-expired' | 'cohort-retired' | 'cohort-loop'
export type CheckProblem = Problem<CheckCode>

export interface UpdateRequest {
  readonly host: Host
  /** The root that the device was built with; needed until the first check has succeeded. */
  readonly pinnedRoot?: Uint8Array | undefined
  readonly cohort: string
  readonly report: DeviceReport
  readonly device: Device
  /** The cohort in which the device's epoch counts: that of its enrolment, `cohort` where left out. */
  readonly enrolledIn?: string | undefined
  /** Bundles that the device has just rolled back. */
  readonly rolledBack?: readonly string[]
  /** The device's clock, ISO 8601 UTC. */
  readonly now: string
  /** From 0 up to 1, for the jitter of the next poll. */
  readonly random: number
}

export type UpdateAnswer =
  | {
      readonly kind: 'decided'
      readonly decision: DeviceDecision
      /** The signed bundle; null unless the decision is an update. */
      readonly bundle: Bundle | null
      readonly cohort: string
      /** Whether the host was reached; otherwise the decision rests on verified files that have not expired. */
      readonly fresh: boolean
      readonly manifestIssuedAt: string
      readonly nextPollSeconds: number
    }
  /** Nothing could be decided. What was offered and verified before may still be finished. */
  | {
      readonly kind: 'refused'
      readonly problems: readonly CheckProblem[]
      readonly mayFinish: Offer | null
    }

const MAX_MOVES = 4

/**
 * One update check of a device: refreshes and verifies the metadata, takes the cohort's manifest, decides, verifies
 * the chosen bundle against its own role, and remembers. Never acts on what has expired or is not signed; then the
 * device keeps what it has. Throws only when its own directory cannot be read or written.
 */
export async function checkForUpdate(request: UpdateRequest): Promise<UpdateAnswer> {
  const { cache } = request.host
  const read = await readState(cache)
  if (!read.ok) return { kind: 'refused', problems: read.problems, mayFinish: null }
  const known = withRolledBack(read.value, request.rolledBack ?? [])
  const metadata = await freshOrCached(request, trustedNowMs(request.now, known))
  /** A change of keys on the way has made it forget the floor. */
  const kept = await readState(cache)
  const state = kept.ok ? { ...known, clockFloor: kept.value.clockFloor } : known
  const refused = (problems: readonly CheckProblem[]): UpdateAnswer => ({
    kind: 'refused',
    problems,
    mayFinish: state.offer && !state.rolledBack.includes(state.offer.bundle.id) ? state.offer : null,
  })
  const answered = metadata.ok ? await answer(request, metadata.value, state) : { state, outcome: metadata }
  const { outcome } = answered
  await writeState(cache, read.value, outcome.ok ? outcome.value.next : answered.state)
  if (!outcome.ok) return refused(outcome.problems)
  await pruneTargets(cache, outcome.value.keep)
  return outcome.value.reply
}

interface Metadata {
  readonly trusted: TrustedSet
  readonly host: Host
  readonly fresh: boolean
}

/** An attack is never answered from the cache: only an unreachable host is. */
async function freshOrCached(request: UpdateRequest, nowMs: number): Promise<Checked<Metadata, CheckCode>> {
  const { host, pinnedRoot } = request
  const refreshed = await refresh(host, pinnedRoot, { nowMs, clockMs: Date.parse(request.now) })
  if (refreshed.ok) return accepted({ trusted: refreshed.value, host, fresh: true })
  if (!refreshed.problems.every(({ code }) => code === 'host-unreachable')) return refreshed
  const recalled = await recallAll(host, pinnedRoot, nowMs)
  return recalled.ok ? accepted({ trusted: recalled.value, host, fresh: false }) : rejected(...refreshed.problems)
}

interface Answered {
  readonly reply: UpdateAnswer
  readonly next: DeviceState
  /** Digests of the cached targets that are still of use. */
  readonly keep: ReadonlySet<string>
}

/** The answer with the state to remember, which a refusal leaves as far as it came: the floor has risen. */
async function answer(
  request: UpdateRequest,
  metadata: Metadata,
  before: DeviceState,
): Promise<{ readonly state: DeviceState; readonly outcome: Checked<Answered, CheckCode> }> {
  let cohort = request.cohort
  let state = before
  const seen = new Set<string>()
  while (seen.size <= MAX_MOVES && !seen.has(cohort)) {
    seen.add(cohort)
    const loaded = await loadManifest(metadata, cohort, trustedNowMs(request.now, state))
    if (!loaded.ok) return { state, outcome: loaded }
    const { manifest, digest } = loaded.value
    // The floor rises with what is signed and current, and before anything is decided by it.
    state = withFloor(state, manifest.issuedAt)
    const decision = decide({ ...request, device: deviceIn(cohort, request), manifest, state })
    if (decision.kind === 'moved') {
      cohort = decision.to
      continue
    }
    const bundle =
      decision.kind === 'update'
        ? await loadBundle({ ...metadata, trusted: loaded.value.trusted }, decision.bundle)
        : null
    if (bundle && !bundle.ok) return { state, outcome: bundle }
    const offer =
      bundle && decision.kind === 'update' ? offerOf(bundle.value, decision, cohort, request.now, state.offer) : null
    const keep = new Set([digest, ...(decision.kind === 'update' ? [decision.bundle.sha256] : [])])
    const reply: UpdateAnswer = {
      kind: 'decided',
      decision,
      bundle: bundle?.value ?? null,
      cohort,
      fresh: metadata.fresh,
      manifestIssuedAt: manifest.issuedAt,
      nextPollSeconds: nextPollSeconds(manifest, trustedNowMs(request.now, state), request.random),
    }
    return { state, outcome: accepted({ reply, next: { ...state, offer }, keep }) }
  }
  return { state, outcome: movedInACircle(request.cohort, [...seen]) }
}

/** Another cohort's roster does not hold the device: an epoch from elsewhere would let it into exact counts. */
function deviceIn(cohort: string, { device, cohort: asked, enrolledIn = asked }: UpdateRequest): Device {
  if (cohort === enrolledIn) return device
  const { epoch: _elsewhere, ...rest } = device
  return rest
}

const movedInACircle = (cohort: string, seen: readonly string[]) =>
  refuse(
    'cohort-loop',
    `expected the cohort ${quoted(cohort)} to be moved to one that stays, found that it is sent on and on: ${seen.map(quoted).join(', ')}`,
  )

/** What is remembered of an offer; the same one again keeps the time at which it was made first. */
function offerOf(
  bundle: Bundle,
  { source }: Extract<DeviceDecision, { kind: 'update' }>,
  cohort: string,
  now: string,
  before: Offer | null,
): Offer {
  const isSame = before?.bundle.id === bundle.id && before.source.id === source.id && before.source.kind === source.kind
  return { bundle, source, cohort, offeredAt: isSame ? before.offeredAt : now }
}

async function loadManifest({ host, trusted }: Metadata, cohort: string, nowMs: number) {
  const path = manifestPath(cohort)
  const role = roleOfPath(trusted, path)
  if (role !== cohortRole(cohort)) return noCohort(cohort, trusted)
  const loaded = await loadRole(host, trusted, role)
  if (!loaded.ok) return loaded
  const target = targetOf(loaded.value, role, path)
  if (!target) return noCohort(cohort, trusted)
  const bytes = await loadTarget(host, target)
  if (!bytes.ok) return bytes
  const manifest = parseDocument(
    Manifest,
    bytes.value,
    'manifest-invalid',
    `the manifest of the cohort ${quoted(cohort)}`,
  )
  if (!manifest.ok) return manifest
  if (manifest.value.cohort !== cohort) {
    return refuse(
      'manifest-invalid',
      `expected the manifest of the cohort ${quoted(cohort)}, found that of ${quoted(manifest.value.cohort)}`,
    )
  }
  if (nowMs >= Date.parse(manifest.value.expiresAt)) {
    return refuse(
      'manifest-expired',
      `expected a manifest that is valid now, found one that expired at ${manifest.value.expiresAt}`,
    )
  }
  return accepted({ manifest: manifest.value, trusted: loaded.value, digest: target.hashes['sha256'] ?? '' })
}

function noCohort(cohort: string, trusted: TrustedSet) {
  if (retiredCohorts(trusted.roles.get('targets')).includes(cohort)) {
    return refuse(
      'cohort-retired',
      `expected a cohort that is served, found that ${quoted(cohort)} was retired; the device has to be given another one`,
    )
  }
  return refuse('cohort-unknown', `expected a cohort that targets.json delegates to, found ${quoted(cohort)}`)
}

const refuse = (code: CheckCode, message: string) =>
  rejected<CheckCode>({ code, message, hint: 'The device keeps what it has.' })

/** The document of a bundle: named by the manifest and by a bundles role, above the floor, and exactly as signed. */
async function loadBundle(
  { host, trusted }: Metadata,
  reference: BundleReference,
): Promise<Checked<Bundle, CheckCode>> {
  const role = roleOfPath(trusted, reference.path)
  const loaded = role === undefined ? accepted(trusted) : await loadRole(host, trusted, role)
  if (!loaded.ok) return loaded
  const target = checkReference(reference, loaded.value)
  if (!target.ok) return target
  const floor = checkFloor(reference, loaded.value)
  if (!floor.ok) return floor
  const bytes = await loadTarget(host, target.value)
  if (!bytes.ok) return bytes
  const document = parseDocument(BundleDocument, bytes.value, 'bundle-mismatch', `the bundle ${quoted(reference.id)}`)
  if (!document.ok) return document
  const { bundle } = document.value
  const same =
    bundle.id === reference.id && bundle.product === reference.product && bundle.version === reference.version
  return same
    ? accepted(bundle)
    : refuse(
        'bundle-mismatch',
        `expected the bundle ${quoted(reference.id)} in its document, found ${quoted(bundle.id)}, ${quoted(bundle.product)} ${quoted(bundle.version)}`,
      )
}
