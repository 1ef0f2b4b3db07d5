import { type Account, type App, perRepository, type Repository } from '../store.ts'

export interface CommitStatus {
  readonly id: number
  readonly oid: string
  readonly state: 'error' | 'failure' | 'pending' | 'success'
  readonly context: string
  readonly description: string | null
  readonly targetUrl: string | null
  readonly creator: Account
  readonly createdAt: string
}

export interface Annotation {
  readonly path: string
  readonly start_line: number
  readonly end_line: number
  readonly start_column?: number
  readonly end_column?: number
  readonly annotation_level: string
  readonly message: string
  readonly title?: string
  readonly raw_details?: string
}

export interface CheckSuite {
  readonly id: number
  readonly app: App
  readonly headOid: string
  readonly headBranch: string | null
  readonly createdAt: string
}

export interface CheckRun {
  readonly id: number
  readonly suite: CheckSuite
  name: string
  externalId: string
  detailsUrl: string | null
  status: string
  conclusion: string | null
  readonly startedAt: string
  completedAt: string | null
  title: string | null
  summary: string | null
  text: string | null
  readonly annotations: Annotation[]
  readonly madeAtMs: number
}

/** Statuses oldest first; the last one of a context counts. */
export const statusesOf = perRepository((): CommitStatus[] => [])
export const checksOf = perRepository(() => ({
  suites: new Map<number, CheckSuite>(),
  runs: new Map<number, CheckRun>(),
}))

/** The latest state of each commit-status context of a commit (check runs do not count). */
export function statusStates(repository: Repository, oid: string): Map<string, CommitStatus['state']> {
  return new Map(
    statusesOf(repository)
      .filter((status) => status.oid === oid)
      .map((status) => [status.context, status.state]),
  )
}

const passing = new Set(['success', 'neutral', 'skipped'])

/** Statuses and check runs by name, as required status checks see them. */
export function contextStates(repository: Repository, oid: string): Map<string, string> {
  const states = new Map<string, string>(statusStates(repository, oid))
  for (const run of checksOf(repository).runs.values()) {
    if (run.suite.headOid !== oid) continue
    const state = run.status !== 'completed' ? 'pending' : passing.has(run.conclusion ?? '') ? 'success' : 'failure'
    states.set(run.name, state)
  }
  return states
}
