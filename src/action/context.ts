import { accepted, type Checked, type Problem, quoted } from '../core/problem.ts'

/** Where the step runs, as the runner says it. Checked by form only; the App reads the facts again from GitHub. */
export interface RunContext {
  /** Without a slash at the end; an Enterprise Server has its own. */
  readonly apiUrl: string
  readonly serverUrl: string
  readonly owner: string
  readonly repository: string
  /** The commit that started the run, 40 hexadecimal digits. */
  readonly sha: string
  /** The full name of the ref that started the run, such as `refs/heads/main`. */
  readonly ref: string | null
  /** The branch that is built: of a pull request the head's. Null for tags and where there is none. */
  readonly branch: string | null
  readonly runId: number
  readonly runAttempt: number
  readonly runNumber: string | null
  readonly job: string
  readonly workspace: string
}

export type ContextProblemCode = 'not-in-a-workflow'

type Environment = Readonly<NodeJS.ProcessEnv>

const HINT = 'run this inside GitHub Actions, or set the variable as the runner does'

const NEEDED = {
  GITHUB_REPOSITORY: /^[^/\s]+\/[^/\s]+$/,
  GITHUB_SHA: /^[0-9a-f]{40}$/,
  GITHUB_RUN_ID: /^[1-9]\d{0,15}$/,
  GITHUB_RUN_ATTEMPT: /^[1-9]\d{0,8}$/,
  GITHUB_JOB: /^.{1,255}$/su,
} as const satisfies Record<string, RegExp>

/** The run that a record belongs to, or every variable of the runner that is missing or odd. */
export function readContext(environment: Environment): Checked<RunContext, ContextProblemCode> {
  const problems: Problem<ContextProblemCode>[] = Object.entries(NEEDED)
    .filter(([name, form]) => !form.test(environment[name] ?? ''))
    .map(([name]) => ({
      code: 'not-in-a-workflow',
      message: `expected the variable ${name} as GitHub Actions sets it, found ${quoted(environment[name] ?? '')}`,
      hint: HINT,
    }))
  if (problems.length > 0) return { ok: false, problems }
  const [owner = '', repository = ''] = (environment['GITHUB_REPOSITORY'] ?? '').split('/')
  return accepted({
    apiUrl: withoutSlash(environment['GITHUB_API_URL'] || 'https://api.github.com'),
    serverUrl: withoutSlash(environment['GITHUB_SERVER_URL'] || 'https://github.com'),
    owner,
    repository,
    sha: environment['GITHUB_SHA'] ?? '',
    ref: environment['GITHUB_REF'] || null,
    branch: branchOf(environment),
    runId: Number(environment['GITHUB_RUN_ID']),
    runAttempt: Number(environment['GITHUB_RUN_ATTEMPT']),
    runNumber: environment['GITHUB_RUN_NUMBER'] || null,
    job: environment['GITHUB_JOB'] ?? '',
    workspace: workspaceOf(environment),
  })
}

const withoutSlash = (url: string): string => (url.endsWith('/') ? url.slice(0, -1) : url)

const branchOf = (environment: Environment): string | null =>
  environment['GITHUB_HEAD_REF'] ||
  (environment['GITHUB_REF_TYPE'] === 'branch' ? environment['GITHUB_REF_NAME'] || null : null)

/** The folder of the checkouts; a bump needs nothing else of the run. */
export const workspaceOf = (environment: Environment): string => environment['GITHUB_WORKSPACE'] || '.'

/** The page of the run, for people. */
export const runUrl = (context: RunContext): string =>
  `${context.serverUrl}/${context.owner}/${context.repository}/actions/runs/${context.runId}`
