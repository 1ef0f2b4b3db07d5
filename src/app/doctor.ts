import { CONFIG_PATH, parseConfiguration } from '../core/config/parse.ts'
import { RELEASES_BRANCH } from '../core/release/composition.ts'
import { branchHead, fileText } from '../github/branches.ts'
import { type GitHubApp, splitName } from '../github/client.ts'
import { branchProtection } from '../github/rulesets.ts'
import { outside } from '../github/trouble.ts'
import { EVENTS } from '../webhooks/index.ts'
import { manifestPermissions } from './permissions.ts'
import { DATA_BRANCH } from './ringmaster.ts'

/** One thing that was looked at. `hint` says what to do about it. */
export interface Finding {
  readonly state: 'pass' | 'warn' | 'fail'
  readonly what: string
  readonly hint?: string
}

const STRENGTH: Readonly<Record<string, number>> = { read: 1, write: 2, admin: 3 }
/** More than this and signatures, schedules and tokens go wrong. */
const MAX_CLOCK_SKEW_MS = 60_000

type Examination = (app: GitHubApp, repository: string, nowMs: number) => Promise<readonly Finding[]>

/** Looks at the installation as it is: every finding at once, in a fixed order. */
export async function examine(app: GitHubApp, repository: string, nowMs: number): Promise<readonly Finding[]> {
  const examinations: readonly (readonly [string, Examination])[] = [
    ['the permissions of the App', permissions],
    ['the clock', clock],
    ['the ruleset', rulesets],
    ['the configuration', configuration],
  ]
  const findings: Finding[] = []
  for (const [what, look] of examinations) {
    try {
      findings.push(...(await look(app, repository, nowMs)))
    } catch (error) {
      findings.push({
        state: 'fail',
        what: `could not look at ${what}: ${error instanceof Error ? error.message : String(error)}`,
      })
    }
  }
  return findings
}

const permissions: Examination = async (app, repository) => {
  const { data } = await outside('read the installation', () =>
    app.asApp.request('GET /repos/{owner}/{repo}/installation', splitName(repository)),
  )
  const granted = data.permissions as Readonly<Record<string, string | undefined>>
  const missing = Object.entries(manifestPermissions()).filter(
    ([name, access]) => (STRENGTH[granted[name] ?? ''] ?? 0) < (STRENGTH[access] ?? 0),
  )
  const absent = EVENTS.filter((event) => !data.events.includes(event as never))
  return [
    missing.length === 0
      ? { state: 'pass', what: 'the App has every permission it needs' }
      : {
          state: 'fail',
          what: `the App lacks ${missing.map(([name, access]) => `${name}: ${access}`).join(', ')}`,
          hint: 'Grant them in the settings of the App, then accept the request on the installation.',
        },
    absent.length === 0
      ? { state: 'pass', what: 'the App hears every event it needs' }
      : {
          state: 'fail',
          what: `the App does not hear ${absent.join(', ')}`,
          hint: 'Subscribe to them in the settings of the App.',
        },
  ]
}

const clock: Examination = async (app, _repository, nowMs) => {
  const { headers } = await outside('read the App', () => app.asApp.request('GET /app'))
  const skewMs = Math.abs(Date.parse(String(headers.date ?? '')) - nowMs)
  if (Number.isNaN(skewMs)) return [{ state: 'warn', what: 'GitHub told no time to compare the clock with' }]
  return skewMs <= MAX_CLOCK_SKEW_MS
    ? [{ state: 'pass', what: 'the clock agrees with GitHub' }]
    : [
        {
          state: 'fail',
          what: `the clock is ${Math.round(skewMs / 1_000)} s away from GitHub`,
          hint: 'Set it; tokens are refused otherwise.',
        },
      ]
}

const rulesets: Examination = async (app, repository) => {
  const octokit = await app.forRepository(repository)
  return Promise.all(
    [DATA_BRANCH, RELEASES_BRANCH].map(async (branch): Promise<Finding> => {
      const isGuarded = await branchProtection(octokit, repository, branch)
      return isGuarded
        ? { state: 'pass', what: `a ruleset guards ${branch}` }
        : {
            state: 'warn',
            what: `nothing guards ${branch}: every answer says "unprotected"`,
            hint: 'Create the ruleset: docs/install.md, "Protect the branches".',
          }
    }),
  )
}

const configuration: Examination = async (app, repository) => {
  const octokit = await app.forRepository(repository)
  const { data } = await outside(`read ${repository}`, () =>
    octokit.request('GET /repos/{owner}/{repo}', splitName(repository)),
  )
  const head = await branchHead(octokit, repository, data.default_branch)
  const text = head && (await fileText(octokit, repository, head, CONFIG_PATH))
  if (!text)
    return [
      { state: 'fail', what: `no ${CONFIG_PATH} on ${data.default_branch}`, hint: 'Add one: docs/configuration.md.' },
    ]
  const parsed = parseConfiguration(text)
  if (parsed.ok) return [{ state: 'pass', what: `the configuration is valid, digest ${parsed.value.digest}` }]
  return parsed.problems.map(({ line, message }) => ({
    state: 'fail',
    what: `${CONFIG_PATH}${line === undefined ? '' : `:${line}`}: ${message}`,
  }))
}
