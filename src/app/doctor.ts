import { z } from 'zod'
import { CONFIG_PATH } from '../core/config/parse.ts'
import { branchOfEpoch, DATA_BRANCH, PAGES_BRANCH } from '../core/own-branches.ts'
import { RELEASES_BRANCH } from '../core/release/composition.ts'
import { splitName } from '../github/client.ts'
import { MERGE_METHODS } from '../github/proposals.ts'
import { type BranchGuard, type BranchRule, branchGuard, branchRules } from '../github/rulesets.ts'
import { outside } from '../github/trouble.ts'
import { plainLine } from '../render/text-table.ts'
import { EVENTS } from '../webhooks/index.ts'
import { isOwnCheck } from '../webhooks/interference.ts'
import { pages, protectionRules, teams } from './doctor-configured.ts'
import { type Examination, type Finding, type Installed, wardOf } from './doctor-ward.ts'
import { manifestPermissions } from './permissions.ts'

const STRENGTH: Readonly<Record<string, number>> = { read: 1, write: 2, admin: 3 }
/** More than this and signatures, schedules and tokens go wrong. */
const MAX_CLOCK_SKEW_MS = 60_000

/** Stands for the branches of all later epochs; GitHub tells the rules of a branch before it exists. */
const NEXT_DATA_BRANCH = branchOfEpoch(2)

/** Looks at the installation as it is: every finding at once, in a fixed order. */
export async function examine(installed: Installed): Promise<readonly Finding[]> {
  const ward = wardOf(installed)
  const examinations: readonly (readonly [string, Examination])[] = [
    ['the permissions of the App', permissions],
    ['the clock', clock],
    ['the ruleset', rulesets],
    ['the configuration', configuration],
    ['the merge methods', mergeMethods],
    ['the required checks', requiredChecks],
    ['the protection rules', protectionRules],
    ['the teams', teams],
    ['the site', pages],
  ]
  const findings: Finding[] = []
  for (const [what, look] of examinations) {
    try {
      findings.push(...(await look(ward)))
    } catch (error) {
      findings.push({
        state: 'fail',
        what: `could not look at ${what}: ${error instanceof Error ? error.message : String(error)}`,
      })
    }
  }
  return findings
}

const permissions: Examination = async ({ app, releaseRepository }) => {
  const { data } = await outside('read the installation', () =>
    app.asApp.request('GET /repos/{owner}/{repo}/installation', splitName(releaseRepository)),
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

const clock: Examination = async ({ app, nowMs }) => {
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

const UNGUARDED: Readonly<Record<string, string>> = {
  [NEXT_DATA_BRANCH]: 'the log will be unprotected in its next epoch',
  [PAGES_BRANCH]: 'others can take manifests away',
}

const rulesets: Examination = async ({ app, releaseRepository, pages: site }) => {
  const guarded = [DATA_BRANCH, NEXT_DATA_BRANCH, RELEASES_BRANCH].map((branch) => ({
    repository: releaseRepository,
    branch,
  }))
  if (site !== null) guarded.push({ repository: site, branch: PAGES_BRANCH })
  return Promise.all(
    guarded.map(async ({ repository, branch }) =>
      guardOf(branch, await branchGuard(await app.forRepository(repository), repository, branch)),
    ),
  )
}

function guardOf(branch: string, guard: BranchGuard): Finding {
  const follows = UNGUARDED[branch] ?? 'every answer says "unprotected"'
  const hint = 'Create the ruleset: docs/install.md, "Protect the branches".'
  switch (guard.kind) {
    case 'ruleset':
      return { state: 'pass', what: `a ruleset guards ${branch}` }
    case 'lacking':
      return { state: 'warn', what: `the rulesets of ${branch} lack ${guard.missing.join(', ')}: ${follows}`, hint }
    case 'classic':
      return {
        state: 'warn',
        what: `classic protection guards ${branch}, and no ruleset: whom it lets push or force-push the App may not read`,
        hint: `${hint} Only there can the App see that nobody else may write.`,
      }
    case 'none':
      return { state: 'warn', what: `no ruleset guards ${branch}: ${follows}`, hint }
  }
}

/** Whether proposals can be merged when their release completes; whichever method there is will do. */
const mergeMethods: Examination = async (ward) => {
  const { app, releaseRepository } = ward
  const octokit = await app.forRepository(releaseRepository)
  const { allow_merge_commit, allow_squash_merge, allow_rebase_merge } = await ward.repository()
  const rules = await branchRules(octokit, releaseRepository, RELEASES_BRANCH)
  const allowed = { merge: allow_merge_commit, squash: allow_squash_merge, rebase: allow_rebase_merge }
  const methods = MERGE_METHODS.filter((method) => allowed[method] !== false && isTaken(rules, method))
  return methods.length > 0
    ? [{ state: 'pass', what: `proposals can be merged (${methods.join(', ')})` }]
    : [
        {
          state: 'fail',
          what: `${RELEASES_BRANCH} takes no proposal by any way of merging`,
          hint: 'Allow one of them in the settings of the repository, and in the rules of the branch.',
        },
      ]
}

/**
 * Whether a check of ours that is required is required of the App: GitHub takes a check run or commit status of the same
 * name from anybody otherwise.
 */
const requiredChecks: Examination = async (ward) => {
  const { app, releaseRepository } = ward
  const octokit = await app.forRepository(releaseRepository)
  const { id } = await app.profile()
  const { default_branch } = await ward.repository()
  const findings = await Promise.all(
    [RELEASES_BRANCH, default_branch].map(async (branch) => {
      const rules = await branchRules(octokit, releaseRepository, branch)
      return ownChecksIn(rules).map((check) => pinned(check, branch, id))
    }),
  )
  return findings.flat()
}

const RequiredChecks = z.object({
  required_status_checks: z.array(z.object({ context: z.string(), integration_id: z.number().nullish() })),
})
type RequiredCheck = z.infer<typeof RequiredChecks>['required_status_checks'][number]

const ownChecksIn = (rules: readonly BranchRule[]): RequiredCheck[] =>
  rules.flatMap(({ type, parameters }) => {
    const read = type === 'required_status_checks' ? RequiredChecks.safeParse(parameters) : undefined
    return read?.success ? read.data.required_status_checks.filter(({ context }) => isOwnCheck(context)) : []
  })

function pinned({ context, integration_id: source }: RequiredCheck, branch: string, appId: number): Finding {
  const check = `the check ${plainLine(context)} that ${branch} requires`
  if (source === appId) return { state: 'pass', what: `${check} counts from the App alone` }
  const hint = `Name the App as its source in the ruleset: integration_id ${appId}.`
  return typeof source === 'number'
    ? { state: 'fail', what: `${check} counts from another App alone (${source}): it never will be there`, hint }
    : { state: 'warn', what: `${check} counts from anybody who can write: it is not pinned to the App`, hint }
}

function isTaken(rules: readonly BranchRule[], method: (typeof MERGE_METHODS)[number]): boolean {
  if (method === 'merge' && rules.some(({ type }) => type === 'required_linear_history')) return false
  return rules.every(({ type, parameters }) => {
    const among = type === 'pull_request' ? parameters?.['allowed_merge_methods'] : undefined
    return !Array.isArray(among) || among.includes(method)
  })
}

const configuration: Examination = async (ward) => {
  const parsed = await ward.configuration()
  if (parsed === null) {
    const { default_branch } = await ward.repository()
    return [{ state: 'fail', what: `no ${CONFIG_PATH} on ${default_branch}`, hint: 'Add one: docs/configuration.md.' }]
  }
  if (parsed.ok) return [{ state: 'pass', what: `the configuration is valid, digest ${parsed.value.digest}` }]
  return parsed.problems.map(({ line, message }) => ({
    state: 'fail',
    what: `${CONFIG_PATH}${line === undefined ? '' : `:${line}`}: ${message}`,
  }))
}
