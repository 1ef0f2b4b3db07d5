import { conversationsOf, type Label } from '../records.ts'
import {
  type Context,
  created,
  type Handler,
  invalid,
  noContent,
  notFound,
  ok,
  paged,
  type Resource,
  reads,
  route,
  writes,
} from '../router.ts'
import { labelBody } from '../shapes/conversation.ts'

const either = ['issues', 'pull_requests']

function labelAt(context: Context): Label {
  const label = conversationsOf(context.repository()).labels.get((context.params['name'] ?? '').toLowerCase())
  if (!label) throw notFound()
  return label
}

const bodyOf = (context: Context, label: Label) => labelBody(context.world, context.repository(), label)

const create: Handler = (context) => {
  const { labels } = conversationsOf(context.repository())
  const {
    name,
    color = 'ededed',
    description = null,
  } = context.body as { name: string; color?: string; description?: string | null }
  if (labels.has(name.toLowerCase())) throw invalid('Label', 'name', 'already_exists')
  if (!/^[0-9a-f]{6}$/i.test(color)) throw invalid('Label', 'color', 'invalid')
  if (description !== null && [...description].length > 100) throw invalid('Label', 'description', 'too_long')
  const label = { id: context.world.nextId(), name, color, description }
  labels.set(name.toLowerCase(), label)
  return created(bodyOf(context, label))
}

const update: Handler = (context) => {
  const { labels } = conversationsOf(context.repository())
  const label = labelAt(context)
  const change = context.body as { new_name?: string; color?: string; description?: string | null }
  const name = change.new_name ?? label.name
  const other = labels.get(name.toLowerCase())
  if (other && other !== label) throw invalid('Label', 'name', 'already_exists')
  labels.delete(label.name.toLowerCase())
  labels.set(name.toLowerCase(), label)
  Object.assign(label, { name, color: change.color ?? label.color })
  if (change.description !== undefined) label.description = change.description
  return ok(bodyOf(context, label))
}

const remove: Handler = (context) => {
  const label = labelAt(context)
  const { labels, issues } = conversationsOf(context.repository())
  labels.delete(label.name.toLowerCase())
  for (const issue of issues.values()) issue.labels = issue.labels.filter((one) => one !== label)
  return noContent()
}

/** The repository's labels. */
export const labels: Resource = {
  routes: [
    route('GET /repos/{owner}/{repo}/labels', reads(either), (context) =>
      paged(context, [...conversationsOf(context.repository()).labels.values()], (page) =>
        page.map((label) => bodyOf(context, label)),
      ),
    ),
    route('POST /repos/{owner}/{repo}/labels', writes(either), create),
    route('GET /repos/{owner}/{repo}/labels/{name}', reads(either), (context) => ok(bodyOf(context, labelAt(context)))),
    route('PATCH /repos/{owner}/{repo}/labels/{name}', writes(either), update),
    route('DELETE /repos/{owner}/{repo}/labels/{name}', writes(either), remove),
  ],
}
