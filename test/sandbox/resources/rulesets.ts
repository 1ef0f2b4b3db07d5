import { may } from '../access.ts'
import {
  type Context,
  created,
  type Handler,
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
import { type BypassActor, type Rule, type Ruleset, rulesetsOf, rulesInForce } from '../rulesets.ts'
import { type Body, htmlUrl, nodeId, repositoryUrl } from '../shapes/common.ts'
import { fullName } from '../store.ts'

interface RulesetWrite {
  readonly name?: string
  readonly target?: Ruleset['target']
  readonly enforcement?: Ruleset['enforcement']
  readonly bypass_actors?: readonly {
    actor_id?: number | null
    actor_type: BypassActor['actor_type']
    bypass_mode?: BypassActor['bypass_mode']
  }[]
  readonly conditions?: {
    readonly ref_name?: { readonly include?: readonly string[]; readonly exclude?: readonly string[] }
  }
  readonly rules?: readonly Rule[]
}

/** Who may not administer does not see the bypass actors, as on GitHub. */
function bodyOf(context: Context, ruleset: Ruleset): Body {
  const { world, identity } = context
  const repository = context.repository()
  const url = `${repositoryUrl(world, repository)}/rulesets/${ruleset.id}`
  const isAdmin = may(world.store, identity, repository, ['administration'], 'write', 'admin')
  return {
    ...summaryOf(context, ruleset),
    conditions: { ref_name: { include: ruleset.include, exclude: ruleset.exclude } },
    rules: ruleset.rules,
    ...(isAdmin ? { bypass_actors: ruleset.bypassActors } : {}),
    current_user_can_bypass: 'never',
    _links: { self: { href: url }, html: { href: htmlUrl(world, repository, `/rules/${ruleset.id}`) } },
  }
}

const summaryOf = (context: Context, ruleset: Ruleset): Body => ({
  id: ruleset.id,
  name: ruleset.name,
  target: ruleset.target,
  source_type: 'Repository',
  source: fullName(context.repository()),
  enforcement: ruleset.enforcement,
  node_id: nodeId('RRS', ruleset.id),
  created_at: ruleset.createdAt,
  updated_at: ruleset.updatedAt,
})

function rulesetAt(context: Context): Ruleset {
  const ruleset = rulesetsOf(context.repository()).get(Number(context.params['ruleset_id']))
  if (!ruleset) throw notFound()
  return ruleset
}

function fill(context: Context, ruleset: Ruleset, request: RulesetWrite): void {
  const actors = request.bypass_actors?.map((actor) => {
    if (actor.actor_type === 'Integration' && !context.world.store.apps.has(actor.actor_id ?? 0)) {
      throw unprocessable(
        'Validation Failed: Actor integration must be part of the ruleset source or owner organization',
      )
    }
    return {
      actor_id: actor.actor_id ?? null,
      actor_type: actor.actor_type,
      bypass_mode: actor.bypass_mode ?? 'always',
    }
  })
  const refName = request.conditions?.ref_name
  if (request.name !== undefined) ruleset.name = request.name
  if (request.target !== undefined) ruleset.target = request.target
  if (request.enforcement !== undefined) ruleset.enforcement = request.enforcement
  if (actors !== undefined) ruleset.bypassActors = actors
  if (refName !== undefined) Object.assign(ruleset, { include: refName.include ?? [], exclude: refName.exclude ?? [] })
  if (request.rules !== undefined) ruleset.rules = request.rules
  ruleset.updatedAt = context.world.clock.now()
}

const create: Handler = (context) => {
  const known = rulesetsOf(context.repository())
  const request = context.body as RulesetWrite
  if ([...known.values()].some((one) => one.name === request.name))
    throw unprocessable('Validation Failed: Name must be unique')
  const now = context.world.clock.now()
  const ruleset: Ruleset = {
    id: context.world.nextId(),
    name: '',
    target: 'branch',
    enforcement: 'active',
    bypassActors: [],
    include: [],
    exclude: [],
    rules: [],
    createdAt: now,
    updatedAt: now,
  }
  fill(context, ruleset, request)
  known.set(ruleset.id, ruleset)
  return created(bodyOf(context, ruleset))
}

const update: Handler = (context) => {
  const ruleset = rulesetAt(context)
  fill(context, ruleset, context.body as RulesetWrite)
  return ok(bodyOf(context, ruleset))
}

const ofBranch: Handler = (context) => {
  const ref = `refs/heads/${context.params['branch']}`
  const inForce = rulesInForce(context.world, context.repository(), undefined, ref, false)
  return paged(
    context,
    inForce.map(({ ruleset, rule }) => ({
      ...rule,
      ruleset_source_type: 'Repository',
      ruleset_source: fullName(context.repository()),
      ruleset_id: ruleset.id,
    })),
  )
}

const admin = writes('administration', { person: 'admin' })

/** Rulesets of the repository; `rulesets.ts` judges by them. */
export const rulesets: Resource = {
  routes: [
    route('GET /repos/{owner}/{repo}/rulesets', reads('metadata'), (context) =>
      paged(context, [...rulesetsOf(context.repository()).values()], (page) =>
        page.map((one) => summaryOf(context, one)),
      ),
    ),
    route('POST /repos/{owner}/{repo}/rulesets', admin, create),
    route('GET /repos/{owner}/{repo}/rulesets/{ruleset_id}', reads('metadata'), (context) =>
      ok(bodyOf(context, rulesetAt(context))),
    ),
    route('PUT /repos/{owner}/{repo}/rulesets/{ruleset_id}', admin, update),
    route('DELETE /repos/{owner}/{repo}/rulesets/{ruleset_id}', admin, (context) => {
      rulesetsOf(context.repository()).delete(rulesetAt(context).id)
      return noContent()
    }),
    route('GET /repos/{owner}/{repo}/rules/branches/{branch}', reads('metadata'), ofBranch),
  ],
}
