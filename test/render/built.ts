import type { Answer } from '../../src/core/command/answer.ts'
import type { Configuration } from '../../src/core/config/schema.ts'
import type { BoardState } from '../../src/core/deployment/schema.ts'
import { newConduct } from '../../src/core/release/conduct.ts'
import type { ReleaseState, SignoffRecord } from '../../src/core/release/schema.ts'
import type { GateState } from '../../src/core/ring/schema.ts'

export const AT = '2026-11-20T10:00:00.000Z'
export const DIGEST = `sha256:${'d'.repeat(64)}`
export const SHA = 'a'.repeat(40)
const repository = { id: 77, fullName: 'acme/releases' }

export const signoff = (more: Partial<SignoffRecord> = {}): SignoffRecord => ({
  status: 'pending',
  digest: DIGEST,
  policyDigest: DIGEST,
  head: SHA,
  parties: [],
  evidence: [],
  ignored: [],
  vetoes: [],
  problems: [],
  ...more,
})

export const release = (more: Partial<ReleaseState> = {}): ReleaseState => ({
  id: 'r12',
  title: 'Platform',
  status: 'in_progress',
  repository,
  issue: 12,
  manager: { login: 'ann', id: 1 },
  openedAt: AT,
  policyDigest: DIGEST,
  items: [{ product: 'api', version: '1.2.3', sha: SHA }],
  editors: [],
  startedBy: null,
  steps: [],
  proposal: null,
  dismissals: [],
  objectors: [],
  conduct: newConduct,
  signoff: null,
  endedAt: null,
  endReason: null,
  ...more,
})

export const configuration = (more: Partial<Configuration> = {}): Configuration => ({
  schemaVersion: 1,
  products: [{ name: 'api', repository: 'acme/api' }],
  rings: [{ ring: '4', label: 'production', environments: ['production'], cohorts: [] }],
  signoff: { parties: [], authorMaySign: false, dismissers: [], profiles: [] },
  checklist: [],
  completion: { environments: ['production'], notes: false },
  roles: [],
  cohorts: [],
  ...more,
})

/** A board with one attempt in one environment. */
export const board = (product: string, version: string, environment: string, url: string): BoardState => {
  const attempt = {
    key: 'run:1/1/1',
    version,
    status: 'completed',
    statusId: 1,
    at: AT,
    startedAt: AT,
    completedAt: AT,
    url,
    actor: null,
    trust: 'platform',
    authorisation: 'gate',
    origin: 'record',
  } as const
  return {
    product,
    cells: [{ environment, lastGood: attempt, attempts: [attempt], completed: { known: [], claimed: [] } }],
  } as unknown as BoardState
}

export const gate = (more: Partial<GateState> = {}): GateState => ({
  key: 'gate/78/600/production',
  repository: { id: 78, fullName: 'acme/platform' },
  runId: 600,
  environment: 'production',
  deploymentId: 8,
  sha: SHA,
  ref: 'main',
  installationId: 3,
  requestedAt: AT,
  verdict: 'waiting',
  blockers: [],
  items: [{ product: 'api', version: '1.2.3' }],
  approvedItems: [],
  intent: 'recorded',
  releases: [],
  reports: 1,
  decidedAt: AT,
  ...more,
})

export const replyTo = (answers: readonly Answer[], login = 'ann', command = 'add') => ({
  comment: 9,
  of: answers.length,
  actor: { login, id: 1 },
  at: AT,
  answers: answers.map((answer, index) => ({ index, command, answer })),
})
