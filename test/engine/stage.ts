import { createHash } from 'node:crypto'
import type { FactAnswer, OutsideQuery, ReviewFact } from '../../src/core/facts.ts'
import { model } from '../../src/core/model.ts'
import { unwrap } from '../../src/core/problem.ts'
import type { RepositoryRef } from '../../src/core/product/schema.ts'
import type { Request } from '../../src/core/request.ts'
import { createEngine, type Engine, type EngineOptions } from '../../src/engine/engine.ts'
import type { Applied, FactSource, Log, Outlets } from '../../src/engine/ports.ts'
import { withoutAnchors } from '../../src/github/anchors.ts'
import { type Ledger, type LedgerOptions, openLedger } from '../../src/ledger/ledger.ts'
import { type MemoryBranch, memoryBranch, memoryStore } from '../../src/ledger/memory.ts'
import { openLine } from '../../src/ledger/sealed.ts'
import type { LedgerStore } from '../../src/ledger/store.ts'
import type { Output, OutputKind } from '../../src/render/output.ts'
import { nextId } from '../ledger/opened.ts'

export const RELEASES: RepositoryRef = { id: 77, fullName: 'acme/releases' }
export const PLATFORM: RepositoryRef = { id: 78, fullName: 'acme/platform' }
export const SHA = 'c'.repeat(40)
export const ann = { login: 'ann', id: 1 }

export const CONFIGURATION = `schemaVersion: 1
products:
  - { name: user-service, repository: acme/platform }
rings:
  - { ring: "0", label: integration, environments: [integration] }
  - { ring: "4", label: production, environments: [production], gate: { signoff: true, previousRing: false } }
signoff:
  parties:
    - { name: Engineering, users: [eve] }
completion:
  environments: [production]
roles:
  - { role: admin, users: [ann] }
`

const ids: Record<string, number> = { ann: 1, eve: 2 }
const shaOf = (text: string): string => createHash('sha1').update(text).digest('hex')

/** The world outside, as plain values: what stands there, what was done to it, and what goes wrong next. */
export class Outside {
  readonly standing = new Map<string, { kind: OutputKind; digest: string; output: Output }>()
  readonly effects: string[] = []
  readonly files = new Map<string, string>()
  reviews: ReviewFact[] = []
  readonly asked: OutsideQuery[] = []
  /** Thrown before anything is done, for an output of this key or kind. */
  broken: (output: Output) => string | null = () => null
  /** Thrown after the effect: the process died before it could note that it had done it. */
  dying: (output: Output) => boolean = () => false
  waitFor: (output: Output) => Promise<void> = async () => {}
  /** When an output that was created is to be looked at once more; never where null. */
  lookInMs: (output: Output) => number | null = () => null

  constructor() {
    this.files.set('config', CONFIGURATION)
  }

  approve(login: string, commit: string, state = 'APPROVED'): void {
    const id = this.reviews.length + 1
    const user = { login, id: ids[login] ?? 99, type: 'User' }
    this.reviews = [...this.reviews, { id, user, state, commit, at: '2026-11-20T10:00:00Z' }]
  }

  readonly facts: FactSource = async (query) => {
    this.asked.push(query)
    return this.#answer(query)
  }

  #answer(query: OutsideQuery): FactAnswer {
    switch (query.kind) {
      case 'person':
        return {
          kind: 'person',
          permission: 'write',
          teams: query.teams.map((team) => ({ team, membership: 'not-member' })),
        }
      case 'account':
        return { kind: 'account', account: { login: query.login, id: ids[query.login] ?? 99, type: 'User' } }
      case 'team-members':
        return { kind: 'team-members', members: [] }
      case 'reviews':
        return { kind: 'reviews', reviews: this.reviews }
      case 'file':
        return { kind: 'file', text: this.files.get(query.commit) ?? null }
      case 'app-access':
        return { kind: 'app-access', contents: 'write' }
      case 'visibility':
        return { kind: 'visibility', visibility: 'private' }
      case 'tags':
        return { kind: 'tags', tags: [] }
      case 'next-version':
        return { kind: 'next-version', next: 'unreadable' }
      case 'merged-pulls':
        return { kind: 'merged-pulls', pulls: [] }
      case 'channel-effect':
        return { kind: 'channel-effect', effect: 'unreadable' }
    }
  }

  /** Every outlet looks for what stands under its key, creates or edits, and says what it did. */
  get outlets(): Outlets {
    const apply = async (output: Output, _remote: string | null, isLook = false): Promise<Applied> => {
      await this.waitFor(output)
      const reason = this.broken(output)
      if (reason !== null) throw new Error(reason)
      const digest = withoutAnchors(
        JSON.stringify({ ...output, comment: output.kind === 'gate-answer' ? '' : undefined }),
      )
      const known = this.standing.get(output.key)
      if (known?.digest !== digest) {
        this.effects.push(`${known ? 'edit' : 'create'} ${output.key}`)
        this.standing.set(output.key, { kind: output.kind, digest, output })
      }
      if (this.dying(output)) throw new Error('killed')
      const lookInMs = known === undefined ? this.lookInMs(output) : null
      return {
        remote: output.key,
        observed: this.#observed(output),
        ...(isLook && known && known.digest !== digest ? { isSetRight: true } : {}),
        ...(lookInMs === null ? {} : { lookInMs }),
      }
    }
    return {
      comment: apply,
      reaction: apply,
      label: apply,
      proposal: apply,
      'proposal-end': apply,
      'check-run': apply,
      'gate-answer': apply,
      cut: apply,
      notes: apply,
      alarm: apply,
      manifest: apply,
    }
  }

  #observed(output: Output): Request[] {
    if (output.kind !== 'proposal' && output.kind !== 'proposal-end') return []
    const head = output.kind === 'proposal' ? shaOf(output.text) : (output.head ?? '')
    if (output.kind === 'proposal') this.files.set(head, output.text)
    return [
      {
        kind: 'proposal-seen',
        repository: output.repository,
        release: output.release,
        number: 900,
        url: 'https://github.example/acme/releases/pull/900',
        head,
        author: 'ringmaster[bot]',
        merged: output.kind === 'proposal-end',
        at: '2026-11-20T10:00:00Z',
        actor: null,
        source: { kind: 'reconciler' },
      },
    ]
  }
}

/** A back-off that is only noted, and that a test lets pass when it wants to. */
export class Waits {
  readonly milliseconds: number[] = []
  #release: (() => void)[] = []
  readonly delay = (milliseconds: number): Promise<void> => {
    this.milliseconds.push(milliseconds)
    return new Promise((resolve) => this.#release.push(resolve))
  }
  get open(): number {
    return this.#release.length
  }
  pass(): void {
    for (const release of this.#release.splice(0)) release()
  }
}

export interface Stage {
  readonly engine: Engine
  readonly ledger: Ledger
  readonly branch: MemoryBranch
  readonly outside: Outside
  readonly waits: Waits
  readonly logged: { readonly data: Record<string, unknown>; readonly message: string }[]
  now: string
}

let stages = 0

/** An engine over a memory ledger. Several stages over one branch and one outside are one program, restarted. */
export function stage(
  given: {
    branch?: MemoryBranch
    outside?: Outside
    store?: LedgerStore
    ledger?: Partial<LedgerOptions>
    engine?: Partial<Pick<EngineOptions, 'appending' | 'facts' | 'isAlone' | 'isLasting'>>
  } = {},
): Stage {
  const branch = given.branch ?? memoryBranch()
  const outside = given.outside ?? new Outside()
  stages += 1
  const chance = String(stages).padStart(4, '0').repeat(8)
  const waits = new Waits()
  const logged: Stage['logged'] = []
  const log: Log = { info: () => {}, error: (data, message) => void logged.push({ data, message }) }
  const self = { now: '2026-11-20T10:00:00Z' }
  const ledger = openLedger({
    store: given.store ?? memoryStore(branch),
    model,
    clock: () => self.now,
    newId: nextId,
    writer: { version: '0.1.0' },
    delay: async () => {},
    random: () => 0,
    followed: (events) => engine.follow(events),
    ...given.ledger,
  })
  const engine: Engine = createEngine({
    ledger,
    facts: outside.facts,
    outlets: outside.outlets,
    around: () => ({ releaseRepository: RELEASES, unprotected: false }),
    clock: () => self.now,
    random: () => chance,
    log,
    delay: waits.delay,
    ...given.engine,
  })
  return Object.assign(self, { engine, ledger, branch, outside, waits, logged })
}

const asked = { at: '2026-11-20T10:00:00Z', source: { kind: 'webhook', delivery: 'd' } } as const

export const configurationSeen = {
  kind: 'configuration-seen',
  repository: RELEASES,
  commit: 'config',
  actor: ann,
  ...asked,
} satisfies Request

export const buildReported = (version = '1.0.0', sha = SHA): Request => ({
  kind: 'build-reported',
  repository: PLATFORM,
  sha,
  checkRunId: 5,
  url: 'https://github.example/acme/platform/runs/5',
  record: {
    schema: 'ringmaster/build/1',
    product: 'user-service',
    version,
    previousVersion: null,
    bump: 'minor',
    status: 'completed',
    run: { id: 500, attempt: 1, job: 'build' },
    artifacts: [],
  },
  trust: 'platform',
  actor: ann,
  ...asked,
})

let comments = 100
export function command(name: string, args = '', issue = 12): Request {
  comments += 1
  return {
    kind: 'command-given',
    repository: RELEASES,
    issue: { number: issue, title: 'A release', isPull: false, open: true },
    comment: { id: comments, url: `https://github.example/c/${comments}` },
    command: { name, args },
    index: 0,
    of: 1,
    actor: ann,
    ...asked,
  }
}

export const gateRequested = (runId = 600, environment = 'production'): Request => ({
  kind: 'gate-requested',
  repository: PLATFORM,
  runId,
  environment,
  deploymentId: 700 + runId,
  sha: SHA,
  ref: 'main',
  installationId: 3,
  actor: ann,
  ...asked,
})

export const releaseReview = (release = 'r12'): Request => ({
  kind: 'release-review',
  release,
  actor: null,
  ...asked,
})

export const proposalSeen = (
  head: string,
  more: Partial<Extract<Request, { kind: 'proposal-seen' }>> = {},
): Request => ({
  kind: 'proposal-seen',
  repository: RELEASES,
  release: 'r12',
  number: 900,
  url: 'https://github.example/acme/releases/pull/900',
  head,
  author: 'ringmaster[bot]',
  merged: false,
  actor: null,
  ...asked,
  ...more,
})

/** Submits one request after the other, each to its end outside. */
export async function play(on: Stage, ...requests: readonly Request[]): Promise<void> {
  for (const request of requests) {
    await on.engine.submit(request)
    await on.engine.idle()
  }
}

/** A configuration in force, one recorded version, and a started release of it. */
export async function started(on: Stage): Promise<void> {
  await play(
    on,
    configurationSeen,
    buildReported(),
    command('release', '"First"'),
    command('add', 'user-service@1.0.0'),
    command('start'),
  )
}

/** The commit that the proposal of the release shows now. */
export const proposedHead = (outside: Outside): string => {
  const proposal = outside.standing.get('r12/proposal')?.output
  if (proposal?.kind !== 'proposal') throw new Error('expected a proposal')
  return shaOf(proposal.text)
}

type StoredEvent = { type: string; data: Record<string, unknown>; seq: number }

/** Every event of a ledger's branch, oldest first. */
export function eventsOf(branch: MemoryBranch): StoredEvent[] {
  const tree = branch.head === null ? undefined : branch.commits.get(branch.head)?.tree
  return [...(tree ?? new Map<string, Uint8Array>())]
    .filter(([path]) => path.startsWith('events/'))
    .flatMap(([, bytes]) => Buffer.from(bytes).toString('utf8').trim().split('\n'))
    .map((line) => unwrap(openLine(JSON.parse(line), Buffer.from(line))).event as StoredEvent)
    .sort((a, b) => a.seq - b.seq)
}
