import type { AggregateKey, LedgerEvent } from '../core/event.ts'
import { canonicalJson, sha256 } from '../core/json.ts'
import { model } from '../core/model.ts'
import { RingmasterError } from '../core/problem.ts'
import { releaseKey } from '../core/release/open.ts'
import type { ReleaseState } from '../core/release/schema.ts'
import { replayLog } from '../ledger/replay.ts'
import type { LedgerStore } from '../ledger/store.ts'
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

/** Everything that the log knows of a release: who signed what under which rules, and what was let through. */
export interface EvidencePack {
  readonly schemaVersion: 1
  readonly release: ReleaseState
  readonly repository: string
  readonly policy: { readonly digest: string; readonly path: string; readonly text: string | null }
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

const asEvidence = (event: LedgerEvent, digest: string, path: string, line: number): EvidenceEvent => ({
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
  readonly product?: unknown
  readonly version?: unknown
  readonly repository?: { readonly id?: unknown } | null
  readonly issue?: unknown
  readonly seq?: unknown
}

const isOf = (release: string, data: Told): boolean =>
  data.release === release || (Array.isArray(data.releases) && data.releases.includes(release))

const noLedger = () =>
  new RingmasterError('bad-input', {
    code: 'no-ledger',
    message: 'expected the branch of a log, found none',
    hint: NO_LEDGER_HINT,
  })

/**
 * Collects the evidence of a release by replaying the whole log, through all of its epochs. Throws `unknown-release` when the log knows none of
 * that id, and what is wrong with the log.
 */
export async function evidenceOf(
  epochs: readonly { readonly store: LedgerStore }[],
  id: string,
  now: string,
): Promise<EvidencePack> {
  const newest = epochs.at(-1)
  if (!newest) throw noLedger()
  const { store } = newest
  const all: { event: LedgerEvent; digest: string; path: string; line: number }[] = []
  const seen = (event: LedgerEvent, digest: string, path: string, line: number) =>
    void (event.type === 'output.settled' || all.push({ event, digest, path, line }))
  for (const before of epochs.slice(0, -1)) await replayLog(before.store, model, { now, seen })
  const { states, end, commit } = await replayLog(store, model, { now, seen })
  const release = states.get(releaseKey(id) as AggregateKey) as ReleaseState | undefined
  if (!release) {
    throw new RingmasterError('bad-input', {
      code: 'unknown-release',
      message: `expected a release of the log, found none called ${JSON.stringify(id)}`,
      hint: 'Releases are named r and the number of their issue, such as r12.',
    })
  }
  const items = new Set(release.items.map(({ product, version }) => JSON.stringify([product, version])))
  const told = all.map((entry) => ({ ...entry, data: (entry.event.data ?? {}) as Told }))
  const gates = new Set(told.filter(({ data }) => isOf(id, data) && data.gate).map(({ data }) => String(data.gate)))
  const ofGate = ({ event, data }: (typeof told)[number]) =>
    gates.has(String(data.gate)) || (event.type === 'gate.requested' && gates.has(String(model.keysOf(event)[0])))
  const ofItem =
    (...nouns: readonly string[]) =>
    ({ event, data }: (typeof told)[number]) =>
      nouns.includes(event.type.split('.')[0] ?? '') && items.has(JSON.stringify([data.product, data.version]))
  const said = new Set(told.flatMap(({ event, data }) => (isOf(id, data) && event.source.url) || []))
  const isCommand = ({ event, data }: (typeof told)[number]) =>
    ['command.answered', 'comment.noted'].includes(event.type) &&
    ((data.repository?.id === release.repository.id && data.issue === release.issue) ||
      said.has(event.source.url ?? ''))
  const parts = {
    signoffs: told.filter(({ event, data }) => event.type.startsWith('signoff.') && isOf(id, data)),
    gates: told.filter(ofGate),
    deployments: told.filter(ofItem('deployment')),
    builds: told.filter(ofItem('build')),
    commands: told.filter(isCommand),
  }
  const concerned = new Set([...Object.values(parts).flat(), ...told.filter(({ data }) => isOf(id, data))])
  const numbers = new Set<unknown>([...concerned].map(({ event }) => event.seq))
  const events = told.filter(
    (entry) => concerned.has(entry) || (entry.event.type === 'event.redacted' && numbers.has(entry.data.seq)),
  )
  const evidence = (entries: typeof told) =>
    entries.map(({ event, digest, path, line }) => asEvidence(event, digest, path, line))
  const path = `configs/${release.policyDigest.replace(/^sha256:/, '')}.yml`
  const bytes = (await store.read(commit, [path])).get(path)
  const pack = {
    schemaVersion: 1,
    release,
    repository: release.repository.fullName,
    policy: { digest: release.policyDigest, path, text: bytes ? Buffer.from(bytes).toString('utf8') : null },
    signoffs: evidence(parts.signoffs),
    gates: evidence(parts.gates),
    deployments: evidence(parts.deployments),
    builds: evidence(parts.builds),
    commands: evidence(parts.commands),
    events: evidence(events),
    head: { seq: end.seq, digest: end.tip, commit },
  } as const
  return { ...pack, digest: sha256(canonicalJson(pack)) }
}
