import { configDocument } from '../core/config/in-force.ts'
import type { LedgerEvent } from '../core/event.ts'
import { canonicalJson, sha256 } from '../core/json.ts'
import { model } from '../core/model.ts'
import { RingmasterError } from '../core/problem.ts'
import { releaseKey } from '../core/release/open.ts'
import type { ReleaseState } from '../core/release/schema.ts'
import { lineageOf } from '../ledger/authorship.ts'
import { type LogEntry, readEpochs } from '../ledger/read-log.ts'
import { replayLog } from '../ledger/replay.ts'
import type { LedgerStore } from '../ledger/store.ts'
import { integrityError, integrityProblem } from '../ledger/trouble.ts'
import { NO_LEDGER_HINT } from './ledger-remedies.ts'

/** One event that speaks of the release, with where it stands in the log. */
export interface EvidenceEvent {
  readonly seq: number
  readonly type: string
  readonly at: string
  readonly actor: { readonly login: string; readonly id: number } | null
  readonly trust: string
  readonly url: string | null
  /** SHA-256 of the exact line; the next line of the log names it. */
  readonly digest: string
  readonly path: string
  readonly line: number
  readonly data: unknown
}

export type Protection = 'protected' | 'unprotected' | 'not-asked'

interface Policy {
  readonly digest: string
  readonly path: string
  readonly text: string
}

/** Everything that the log knows of a release: who signed what under which rules, and what was let through. */
export interface EvidencePack {
  readonly schemaVersion: 1
  readonly release: ReleaseState
  readonly repository: string
  /** Whether a ruleset guarded the branch of the log when this was made; `not-asked` for a clone, which cannot tell. */
  readonly protection: Protection
  /** The configuration that the release keeps to. */
  readonly policy: Policy
  /** Every other one that a gate of it was decided by. */
  readonly gatePolicies: readonly Policy[]
  readonly signoffs: readonly EvidenceEvent[]
  readonly gates: readonly EvidenceEvent[]
  readonly deployments: readonly EvidenceEvent[]
  /** Of the versions that it holds now: how they were built, and records of them that were refused. */
  readonly builds: readonly EvidenceEvent[]
  /** What people said on its issue, or elsewhere of it, with what GitHub said of their rights. */
  readonly commands: readonly EvidenceEvent[]
  /** All of these, and what else names the release or took a text out of one of them, in the order of the log. */
  readonly events: readonly EvidenceEvent[]
  readonly head: { readonly seq: number; readonly digest: string; readonly commit: string }
  /** SHA-256 of all the rest in canonical form. */
  readonly digest: string
}

const asEvidence = ({ event, digest, path, line }: LogEntry): EvidenceEvent => ({
  seq: event.seq,
  type: event.type,
  at: event.at,
  actor: event.actor,
  trust: event.trust,
  url: event.source.url ?? null,
  digest,
  path,
  line,
  data: event.data,
})

interface Told {
  readonly release?: unknown
  readonly releases?: unknown
  readonly gate?: unknown
  readonly policyDigest?: unknown
  readonly product?: unknown
  readonly version?: unknown
  readonly repository?: { readonly id?: unknown } | null
  readonly issue?: unknown
  readonly seq?: unknown
}

const dataOf = ({ data }: LedgerEvent): Told => data ?? {}

const isOf = (release: string, data: Told): boolean =>
  data.release === release || (Array.isArray(data.releases) && data.releases.includes(release))

/** What events that name a release lead to: gates that were decided for it, and comments that it was said in. */
class Mentions {
  readonly gates = new Set<unknown>()
  readonly comments = new Set<unknown>()
  readonly #release: string

  constructor(release: string) {
    this.#release = release
  }

  note(event: LedgerEvent): void {
    const data = dataOf(event)
    if (!isOf(this.#release, data)) return
    if (data.gate !== undefined) this.gates.add(data.gate)
    if (event.source.url !== undefined) this.comments.add(event.source.url)
  }
}

type PartName = 'signoffs' | 'gates' | 'deployments' | 'builds' | 'commands'

/** Which events make each part of the pack. */
function partsFor(
  { id, items, repository, issue }: ReleaseState,
  { gates, comments }: Mentions,
): { readonly [Name in PartName]: (event: LedgerEvent) => boolean } {
  const versions = new Set(items.map(({ product, version }) => JSON.stringify([product, version])))
  const isVersion = ({ product, version }: Told): boolean => versions.has(JSON.stringify([product, version]))
  const isHere = (data: Told): boolean => data.repository?.id === repository.id && data.issue === issue
  return {
    signoffs: (event) => event.type.startsWith('signoff.') && isOf(id, dataOf(event)),
    gates: (event) =>
      gates.has(dataOf(event).gate) || (event.type === 'gate.requested' && gates.has(model.keysOf(event)[0])),
    deployments: (event) => event.type.startsWith('deployment.') && isVersion(dataOf(event)),
    builds: (event) => event.type.startsWith('build.') && isVersion(dataOf(event)),
    commands: (event) =>
      (event.type === 'command.answered' || event.type === 'comment.noted') &&
      (isHere(dataOf(event)) || comments.has(event.source.url)),
  }
}

const noLedger = () =>
  new RingmasterError('bad-input', {
    code: 'no-ledger',
    message: 'expected the branch of a log, found none',
    hint: NO_LEDGER_HINT,
  })

/** Configurations by their digests, in that order. Throws `ledger-damaged` for one that is gone, or has another text. */
async function policiesOf(store: LedgerStore, commit: string, digests: readonly string[]): Promise<readonly Policy[]> {
  const paths = digests.map(configDocument)
  const files = await store.read(commit, paths)
  return digests.map((digest, index) => {
    const path = paths[index] ?? ''
    const bytes = files.get(path)
    const found = bytes ? sha256(bytes) : 'no file'
    if (bytes && found === digest) return { digest, path, text: Buffer.from(bytes).toString('utf8') }
    const message = `${store.name}: ${path}: expected ${digest}, as the release or a gate of it names it, found ${found}`
    throw integrityError(integrityProblem('ledger-damaged', message, { path }))
  })
}

/**
 * Collects the evidence of a release from the whole log, through all of its epochs. It is read twice, so that no more is kept
 * of it than what speaks of the release. Throws `unknown-release` when the log knows none of that id, and what is wrong with
 * the log.
 */
export async function evidenceOf(
  epochs: readonly { readonly store: LedgerStore }[],
  id: string,
  { now, protection }: { readonly now: string; readonly protection: Protection },
): Promise<EvidencePack> {
  const newest = epochs.at(-1)
  if (!newest) throw noLedger()
  const { store } = newest
  const { problems } = await lineageOf(epochs.map((epoch) => epoch.store))
  if (problems.length > 0) throw integrityError(problems)
  const mentions = new Mentions(id)
  for await (const { event } of readEpochs(epochs.slice(0, -1))) mentions.note(event)
  const { states, end, commit } = await replayLog(store, model, { now, seen: (event) => mentions.note(event) })
  const release = states.get(releaseKey(id)) as ReleaseState | undefined
  if (!release) {
    throw new RingmasterError('bad-input', {
      code: 'unknown-release',
      message: `expected a release of the log, found none called ${JSON.stringify(id)}`,
      hint: 'Releases are named r and the number of their issue, such as r12.',
    })
  }
  const { parts, events } = await collected(epochs, partsFor(release, mentions), id, end.seq)
  const decidedBy = parts.gates.flatMap(({ data }) => (data as Told).policyDigest ?? []).map(String)
  const [policy, ...gatePolicies] = await policiesOf(store, commit, [...new Set([release.policyDigest, ...decidedBy])])
  const pack = {
    schemaVersion: 1,
    release,
    repository: release.repository.fullName,
    protection,
    policy: policy as Policy,
    gatePolicies,
    ...parts,
    events,
    head: { seq: end.seq, digest: end.tip, commit },
  } as const
  return { ...pack, digest: sha256(canonicalJson(pack)) }
}

/** The events of each part, and all that concern the release, up to a number. */
async function collected(
  epochs: readonly { readonly store: LedgerStore }[],
  wanted: ReturnType<typeof partsFor>,
  id: string,
  lastSeq: number,
) {
  const parts: Record<PartName, EvidenceEvent[]> = {
    signoffs: [],
    gates: [],
    deployments: [],
    builds: [],
    commands: [],
  }
  const events: EvidenceEvent[] = []
  const numbers = new Set<unknown>()
  for await (const entry of readEpochs(epochs)) {
    const { event } = entry
    if (event.seq > lastSeq) break
    if (event.type === 'output.settled') continue
    const names = (Object.keys(parts) as PartName[]).filter((name) => wanted[name](event))
    const isRedaction = event.type === 'event.redacted' && numbers.has(dataOf(event).seq)
    if (names.length === 0 && !isRedaction && !isOf(id, dataOf(event))) continue
    const evidence = asEvidence(entry)
    for (const name of names) parts[name].push(evidence)
    events.push(evidence)
    numbers.add(event.seq)
  }
  return { parts, events }
}
