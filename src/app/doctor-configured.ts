import type { Configuration } from '../core/config/schema.ts'
import { teamOf } from '../core/release/signers.ts'
import { splitName } from '../github/client.ts'
import { outside, outsideOrNull } from '../github/trouble.ts'
import { type Examination, type Finding, readableConfiguration, type Ward } from './doctor-ward.ts'

interface Gated {
  readonly repository: string
  readonly environment: string
}

/** The environments of products that are gates, each repository and environment once. */
function gatedEnvironments({ products, rings }: Configuration): Gated[] {
  const gated = rings.filter((ring) => ring.gate).flatMap((ring) => ring.environments)
  const all = products.flatMap(({ repository, environments }) =>
    gated
      .filter((environment) => environments?.includes(environment) ?? true)
      .map((environment) => ({ repository, environment })),
  )
  return [...new Map(all.map((one) => [JSON.stringify([one.repository.toLowerCase(), one.environment]), one])).values()]
}

/** Whether GitHub asks the App before a job enters an environment that is a gate. */
export const protectionRules: Examination = async (ward) => {
  const configuration = await readableConfiguration(ward)
  const gated = configuration === null ? [] : gatedEnvironments(configuration)
  const findings = await Promise.all(
    gated.map((one) => failing(`the gate at ${placeOf(one)}`, () => askedAt(ward, one))),
  )
  return summed(findings, `GitHub asks the App before every environment that is a gate (${gated.length})`)
}

const placeOf = ({ repository, environment }: Gated): string => `${environment} of ${repository}`

async function askedAt({ app }: Ward, one: Gated): Promise<Finding | null> {
  const octokit = await app.forRepository(one.repository)
  const { id } = await app.profile()
  const found = await outsideOrNull(`read the protection rules of ${placeOf(one)}`, () =>
    octokit.request('GET /repos/{owner}/{repo}/environments/{environment_name}/deployment_protection_rules', {
      ...splitName(one.repository),
      environment_name: one.environment,
    }),
  )
  if (found === null)
    return {
      state: 'warn',
      what: `there is no environment ${placeOf(one)}`,
      hint: 'Create it and enable the protection rule of the App there, before anything deploys to it.',
    }
  const rules = found.data.custom_deployment_protection_rules ?? []
  if (rules.some((rule) => rule.app.id === id && rule.enabled)) return null
  return {
    state: 'fail',
    what: `GitHub does not ask the App before ${placeOf(one)}: whatever is deployed there is unauthorised`,
    hint: 'Enable the deployment protection rule of the App: Settings → Environments.',
  }
}

/** Whether the members of every team that the configuration names can be read; nobody could sign or act for others. */
export const teams: Examination = async (ward) => {
  const configuration = await readableConfiguration(ward)
  if (configuration === null) return []
  const { signoff, roles } = configuration
  const ofParties = signoff.parties.flatMap((party) => teamOf(party, ward.releaseRepository) ?? [])
  const ofDismissers = signoff.dismissers.filter((name) => name.includes('/'))
  const named = [...ofParties, ...ofDismissers, ...roles.flatMap((binding) => binding.teams)]
  const all = [...new Set(named)]
  const findings = await Promise.all(all.map((team) => failing(`the team ${team}`, () => readTeam(ward, team))))
  return summed(findings, `the members of every team can be read (${all.length})`)
}

async function readTeam({ app, releaseRepository }: Ward, team: string): Promise<Finding | null> {
  const octokit = await app.forRepository(releaseRepository)
  const [org = '', team_slug = ''] = team.split('/')
  const { data } = await outside(`read the members of ${team}`, () =>
    octokit.request('GET /orgs/{org}/teams/{team_slug}/members', { org, team_slug, per_page: 1 }),
  )
  if (data.length > 0) return null
  return { state: 'warn', what: `the team ${team} has no member`, hint: 'Nobody can sign or act for it.' }
}

/** Whether devices can reach the site of the branch that manifests are published to, where that is the host. */
export const pages: Examination = async ({ app, pages: fullName }) => {
  if (fullName === null) return []
  const octokit = await app.forRepository(fullName)
  const { data: repository } = await outside(`read ${fullName}`, () =>
    octokit.request('GET /repos/{owner}/{repo}', splitName(fullName)),
  )
  if (!repository.has_pages)
    return [
      {
        state: 'fail',
        what: `GitHub Pages is not on in ${fullName}`,
        hint: 'Settings → Pages: deploy from the branch ringmaster-pages.',
      },
    ]
  /** Only with a permission that nothing else needs does GitHub tell who may read the site. */
  const site = await octokit.request('GET /repos/{owner}/{repo}/pages', splitName(fullName)).catch(() => null)
  if (site?.data.public === false)
    return [
      {
        state: 'fail',
        what: `only people with access to ${fullName} can read its Pages`,
        hint: 'Devices sign in nowhere: make the site public, or publish to another host.',
      },
    ]
  const who = site === null ? ' (GitHub does not tell the App who may read it)' : ''
  return [{ state: 'pass', what: `GitHub Pages is on in ${fullName}${who}` }]
}

/** What could not be looked at is a finding of its own, and keeps the others of its kind. */
async function failing(what: string, look: () => Promise<Finding | null>): Promise<Finding | null> {
  try {
    return await look()
  } catch (error) {
    return {
      state: 'fail',
      what: `could not look at ${what}: ${error instanceof Error ? error.message : String(error)}`,
      hint: 'Check that the App is installed there with its permissions.',
    }
  }
}

/** Every trouble on a line of its own, or in one line that there is none; nothing where nothing was looked at. */
function summed(findings: readonly (Finding | null)[], sound: string): Finding[] {
  const troubles = findings.flatMap((finding) => finding ?? [])
  return troubles.length > 0 || findings.length === 0 ? troubles : [{ state: 'pass', what: sound }]
}
