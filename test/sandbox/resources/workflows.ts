import { readDispatchInputs } from '../actions/dispatch-inputs.ts'
import { recordsOf, type Workflow } from '../actions/records.ts'
import { launchWorkflow } from '../actions/trigger.ts'
import { runOnRepositoryDispatch } from '../actions/watch-events.ts'
import { readWorkflow, refreshWorkflows } from '../actions/workflows.ts'
import {
  type Answer,
  type Context,
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
import { runHtmlUrl, runUrl, workflowBody } from '../shapes/workflow-run.ts'

const onWorkflows = '/repos/{owner}/{repo}/actions/workflows'
const onWorkflow = `${onWorkflows}/{workflow_id}` as const

/** By its id or the name of its file. */
export async function workflowOf(context: Context): Promise<Workflow> {
  const repository = context.repository()
  await refreshWorkflows(context.world, repository)
  const wanted = context.params['workflow_id'] ?? ''
  const found = [...recordsOf(repository).workflows.values()].find(
    (one) => String(one.id) === wanted || one.path === `.github/workflows/${wanted}`,
  )
  if (found === undefined) throw notFound()
  return found
}

async function list(context: Context): Promise<Answer> {
  const repository = context.repository()
  await refreshWorkflows(context.world, repository)
  const all = [...recordsOf(repository).workflows.values()]
  return paged(context, all, (page) => ({
    total_count: all.length,
    workflows: page.map((one) => workflowBody(context.world, repository, one)),
  }))
}

/** A branch or tag, by short or full name. */
async function fullRefOf(context: Context, given: string): Promise<{ ref: string; sha: string }> {
  const names = given.startsWith('refs/') ? [given] : [`refs/heads/${given}`, `refs/tags/${given}`]
  for (const ref of names) {
    const isThere = (await context.git().readRef(ref)) !== undefined
    const sha = isThere ? await context.git().resolveCommit(ref) : undefined
    if (sha !== undefined) return { ref, sha }
  }
  throw unprocessable(`No ref found for: ${given}`)
}

async function dispatch(context: Context): Promise<Answer> {
  const [repository, workflow] = [context.repository(), await workflowOf(context)]
  const { world } = context
  const { ref, sha } = await fullRefOf(context, String(context.body['ref'] ?? ''))
  const found = await readWorkflow(context.git(), sha, workflow.path)
  if (found === undefined) throw notFound()
  if (found.kind === 'broken') throw unprocessable(`Failed to parse workflow: ${found.message}`)
  if (!Object.hasOwn(found.file.on, 'workflow_dispatch'))
    throw unprocessable("Workflow does not have 'workflow_dispatch' trigger")
  const given = (context.body['inputs'] ?? {}) as Readonly<Record<string, unknown>>
  const inputs = readDispatchInputs(found.file.on.workflow_dispatch?.inputs ?? {}, given)
  const texts = Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name, String(value)]))
  const payload = { inputs: texts, ref, workflow: workflow.path }
  const actor = context.actor()
  world.deliver({ event: 'workflow_dispatch', repository, sender: actor, payload })
  const trigger = { world, repository, event: 'workflow_dispatch', sha, ref, actor, payload, inputs }
  const run = await launchWorkflow(trigger, found)
  if (context.body['return_run_details'] !== true) return noContent()
  return ok({ workflow_run_id: run.id, run_url: runUrl(world, run), html_url: runHtmlUrl(world, run) })
}

async function repositoryDispatch(context: Context): Promise<Answer> {
  const [repository, actor, { world }] = [context.repository(), context.actor(), context]
  const eventType = String(context.body['event_type'] ?? '')
  const clientPayload = (context.body['client_payload'] ?? {}) as Readonly<Record<string, unknown>>
  if (eventType === '' || eventType.length > 100) throw unprocessable('event_type must have 1 to 100 characters.')
  if (Object.keys(clientPayload).length > 10) throw unprocessable('No more than 10 properties are allowed.')
  const payload = { branch: repository.defaultBranch, client_payload: clientPayload }
  world.deliver({ event: 'repository_dispatch', action: eventType, repository, sender: actor, payload })
  await runOnRepositoryDispatch(world, repository, actor, eventType, clientPayload)
  return noContent()
}

export const workflows: Resource = {
  routes: [
    route(`GET ${onWorkflows}`, reads('actions'), list),
    route(`GET ${onWorkflow}`, reads('actions'), async (context) =>
      ok(workflowBody(context.world, context.repository(), await workflowOf(context))),
    ),
    route(`POST ${onWorkflow}/dispatches`, writes('actions'), dispatch),
    route('POST /repos/{owner}/{repo}/dispatches', writes('contents'), repositoryDispatch),
  ],
}
