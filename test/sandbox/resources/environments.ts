import { ensureEnvironment, findEnvironment } from '../actions/environments.ts'
import { type Environment, jobsOfAttempt, type Reviewer, recordsOf } from '../actions/records.ts'
import {
  type Answer,
  type Context,
  created,
  noContent,
  notFound,
  ok,
  paged,
  type Resource,
  reads,
  route,
  unprocessable,
  writes,
} from '../router.ts'
import { nodeId } from '../shapes/common.ts'
import { environmentBody, protectionRuleBody, ruleAppBody } from '../shapes/environment.ts'
import { type App, covers, type Repository } from '../store.ts'
import type { World } from '../world.ts'

const onEnvironments = '/repos/{owner}/{repo}/environments'
const onEnvironment = `${onEnvironments}/{environment_name}` as const
const onRules = `${onEnvironment}/deployment_protection_rules` as const
const onRule = `${onRules}/{protection_rule_id}` as const
const onPolicies = `${onEnvironment}/deployment-branch-policies` as const

const maxRules = 6
const maxReviewers = 6
const maxWaitMinutes = 43_200

const administers = writes('administration', { person: 'admin' })

const environmentOf = (context: Context): Environment => {
  const found = findEnvironment(context.repository(), context.params['environment_name'] ?? '')
  if (found === undefined) throw notFound()
  return found
}

function readReviewers(context: Context): Reviewer[] {
  const given = context.body['reviewers']
  if (!Array.isArray(given)) return []
  if (given.length > maxReviewers) throw unprocessable(`Too many reviewers: at most ${maxReviewers} are allowed.`)
  return given.map((one: Readonly<Record<string, unknown>>) => {
    const [type, id] = [one['type'] === 'Team' ? 'Team' : 'User', Number(one['id'])] as const
    const { accounts, teams } = context.world.store
    if (!(type === 'User' ? accounts.has(id) : teams.has(id)))
      throw unprocessable('Failed to create the environment protection rule. Please ensure the reviewers are valid.')
    return { type, id }
  })
}

function readBranchPolicy(context: Context): Environment['branchPolicy'] {
  const given = context.body['deployment_branch_policy'] as Readonly<Record<string, unknown>> | null | undefined
  if (given === null || given === undefined) return null
  const isProtected = given['protected_branches'] === true
  if (isProtected === (given['custom_branch_policies'] === true))
    throw unprocessable('protected_branches and custom_branch_policies cannot have the same value')
  return { protected_branches: isProtected, custom_branch_policies: !isProtected }
}

/** Sets all of it: what is left out goes back to its default, as GitHub does. Custom rules stay. */
function put(context: Context): Answer {
  const name = context.params['environment_name'] ?? ''
  const waitTimer = Number(context.body['wait_timer'] ?? 0)
  if (name.length > 255) throw unprocessable('The environment name is too long (maximum is 255 characters)')
  if (waitTimer < 0 || waitTimer > maxWaitMinutes)
    throw unprocessable(`wait_timer must be between 0 and ${maxWaitMinutes}`)
  const reviewers = readReviewers(context)
  const branchPolicy = readBranchPolicy(context)
  const repository = context.repository()
  const environment = ensureEnvironment(context.world, repository, name)
  environment.waitTimerMinutes = waitTimer
  environment.preventSelfReview = context.body['prevent_self_review'] === true
  environment.reviewers = reviewers
  environment.branchPolicy = branchPolicy
  environment.updatedAt = context.world.clock.now()
  return ok(environmentBody(context.world, repository, environment))
}

/** Jobs that wait at a deleted environment fail. */
function remove(context: Context): Answer {
  const environment = environmentOf(context)
  const { environments, runs } = recordsOf(context.repository())
  environments.delete(environment.name.toLowerCase())
  for (const run of runs.values())
    for (const job of jobsOfAttempt(run)) if (job.gate?.environment === environment) job.gate.settle('rejected')
  return noContent()
}

/** Apps that may be enabled as a rule: installed on the repository, with the permission and the event for it. */
const availableApps = (world: World, repository: Repository): App[] =>
  [...world.store.installations.values()]
    .filter(
      (one) =>
        covers(one, repository) &&
        one.permissions.get('deployments') === 'write' &&
        one.events.includes('deployment_protection_rule'),
    )
    .map((one) => one.app)

function enableRule(context: Context): Answer {
  const environment = environmentOf(context)
  const id = Number(context.body['integration_id'])
  const app = availableApps(context.world, context.repository()).find((one) => one.id === id)
  if (app === undefined) throw unprocessable('The integration is not available as a deployment protection rule here.')
  if (environment.rules.some((rule) => rule.app === app))
    throw unprocessable('The deployment protection rule is already enabled for this environment.')
  if (environment.rules.length >= maxRules)
    throw unprocessable(`An environment can have at most ${maxRules} deployment protection rules.`)
  const rule = { id: context.world.nextId(), app }
  environment.rules.push(rule)
  return created(protectionRuleBody(context.world, rule))
}

const ruleOf = (context: Context) => {
  const found = environmentOf(context).rules.find((one) => one.id === Number(context.params['protection_rule_id']))
  if (found === undefined) throw notFound()
  return found
}

function disableRule(context: Context): Answer {
  const { rules } = environmentOf(context)
  rules.splice(rules.indexOf(ruleOf(context)), 1)
  return noContent()
}

function listRules(context: Context): Answer {
  const bodies = environmentOf(context).rules.map((rule) => protectionRuleBody(context.world, rule))
  return ok({ total_count: bodies.length, custom_deployment_protection_rules: bodies })
}

function listAvailableApps(context: Context): Answer {
  const apps = availableApps(context.world, context.repository())
  const toBody = (page: App[]) => ({
    total_count: apps.length,
    available_custom_deployment_protection_rule_integrations: page.map((app) => ruleAppBody(context.world, app)),
  })
  return paged(context, apps, toBody)
}

const policyBody = (policy: Environment['branchPolicies'][number]) => ({
  ...policy,
  node_id: nodeId('GABP', policy.id),
})

function listPolicies(context: Context): Answer {
  const policies = environmentOf(context).branchPolicies
  const toBody = (page: (typeof policies)[number][]) => ({
    total_count: policies.length,
    branch_policies: page.map(policyBody),
  })
  return paged(context, policies, toBody)
}

function createPolicy(context: Context): Answer {
  const environment = environmentOf(context)
  if (environment.branchPolicy?.custom_branch_policies !== true) throw notFound()
  const type = context.body['type'] === 'tag' ? 'tag' : 'branch'
  const name = String(context.body['name'] ?? '')
  const known = environment.branchPolicies.find((one) => one.name === name && one.type === type)
  if (known !== undefined) return { status: 303 }
  const policy = { id: context.world.nextId(), name, type } as const
  environment.branchPolicies = [...environment.branchPolicies, policy]
  return ok(policyBody(policy))
}

export const environments: Resource = {
  routes: [
    route(`GET ${onEnvironments}`, reads('actions'), (context) => {
      const repository = context.repository()
      const all = [...recordsOf(repository).environments.values()]
      return paged(context, all, (page) => ({
        total_count: all.length,
        environments: page.map((one) => environmentBody(context.world, repository, one)),
      }))
    }),
    route(`GET ${onEnvironment}`, reads('actions'), (context) =>
      ok(environmentBody(context.world, context.repository(), environmentOf(context))),
    ),
    route(`PUT ${onEnvironment}`, administers, put),
    route(`DELETE ${onEnvironment}`, administers, remove),
    route(`GET ${onRules}`, reads('actions'), listRules),
    route(`POST ${onRules}`, administers, enableRule),
    route(`GET ${onRules}/apps`, reads('administration'), listAvailableApps),
    route(`GET ${onRule}`, reads('actions'), (context) => ok(protectionRuleBody(context.world, ruleOf(context)))),
    route(`DELETE ${onRule}`, administers, disableRule),
    route(`GET ${onPolicies}`, reads('actions'), listPolicies),
    route(`POST ${onPolicies}`, administers, createPolicy),
  ],
}
