import type { Environment, ProtectionRule, Reviewer } from '../actions/records.ts'
import type { App, Repository } from '../store.ts'
import type { World } from '../world.ts'
import { type Body, nodeId, simpleTeamBody, userBody } from './common.ts'
import { environmentMention } from './deployment.ts'

/** A built-in reviewer with who that is; undefined when the person or team is gone. */
export function reviewerBody(world: World, { type, id }: Reviewer): Body | undefined {
  if (type === 'User') {
    const account = world.store.accounts.get(id)
    return account && { type, reviewer: userBody(world, account) }
  }
  const team = world.store.teams.get(id)
  return team && { type, reviewer: { ...simpleTeamBody(world, team), parent: null } }
}

export const reviewersBody = (world: World, environment: Environment): Body[] =>
  environment.reviewers.map((reviewer) => reviewerBody(world, reviewer)).filter((body) => body !== undefined)

const gate = (id: number, type: string, rest: Body = {}): Body => ({ id, node_id: nodeId('GA', id), type, ...rest })

function protectionRules(world: World, environment: Environment): Body[] {
  const { waitTimer, reviewers, branchPolicy } = environment.builtInRuleIds
  const people = reviewersBody(world, environment)
  return [
    ...(environment.waitTimerMinutes > 0
      ? [gate(waitTimer, 'wait_timer', { wait_timer: environment.waitTimerMinutes })]
      : []),
    ...(people.length > 0
      ? [
          gate(reviewers, 'required_reviewers', {
            prevent_self_review: environment.preventSelfReview,
            reviewers: people,
          }),
        ]
      : []),
    ...(environment.branchPolicy === null ? [] : [gate(branchPolicy, 'branch_policy')]),
    ...environment.rules.map((rule) => gate(rule.id, rule.app.slug)),
  ]
}

export const environmentBody = (world: World, repository: Repository, environment: Environment): Body => ({
  ...environmentMention(world, repository, environment),
  created_at: environment.createdAt,
  updated_at: environment.updatedAt,
  protection_rules: protectionRules(world, environment),
  deployment_branch_policy: environment.branchPolicy,
})

export const ruleAppBody = (world: World, app: App): Body => ({
  id: app.id,
  slug: app.slug,
  integration_url: `${world.origin}/apps/${app.slug}`,
  node_id: nodeId('A', app.id),
})

export const protectionRuleBody = (world: World, rule: ProtectionRule): Body => ({
  id: rule.id,
  node_id: nodeId('GA', rule.id),
  enabled: true,
  app: ruleAppBody(world, rule.app),
})
