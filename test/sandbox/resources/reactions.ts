import { accountOf } from '../identity.ts'
import { conversationsOf, type Reaction } from '../records.ts'
import {
  answer,
  type Context,
  type Handler,
  noContent,
  notFound,
  paged,
  type Resource,
  reads,
  route,
  writes,
} from '../router.ts'
import { reactionBody } from '../shapes/conversation.ts'
import { issueAt } from './issues.ts'

const either = ['issues', 'pull_requests']
type Target = (context: Context) => Reaction[]

const ofIssue: Target = (context) => issueAt(context).reactions
const ofComment: Target = (context) => {
  const comment = conversationsOf(context.repository()).comments.get(Number(context.params['comment_id']))
  if (!comment) throw notFound()
  return comment.reactions
}

const list =
  (target: Target): Handler =>
  (context) => {
    const content = context.query.get('content')
    const found = target(context).filter((reaction) => content === null || reaction.content === content)
    const page = paged(context, found)
    return { ...page, body: (page.body as Reaction[]).map((reaction) => reactionBody(context.world, reaction)) }
  }

/** 201 when new, 200 when the account had reacted so already. */
const create =
  (target: Target): Handler =>
  (context) => {
    const { world } = context
    const reactions = target(context)
    const { content } = context.body as { content: string }
    const by = context.actor()
    const known = reactions.find((reaction) => reaction.by === by && reaction.content === content)
    const reaction = known ?? { id: world.nextId(), content, by, createdAt: world.clock.now() }
    if (!known) reactions.push(reaction)
    return answer(known ? 200 : 201, reactionBody(world, reaction))
  }

const remove =
  (target: Target): Handler =>
  (context) => {
    const reactions = target(context)
    const at = reactions.findIndex((reaction) => String(reaction.id) === context.params['reaction_id'])
    if (reactions[at]?.by !== accountOf(context.identity)) throw notFound()
    reactions.splice(at, 1)
    return noContent()
  }

const places = [
  ['/repos/{owner}/{repo}/issues/{issue_number}/reactions', ofIssue],
  ['/repos/{owner}/{repo}/issues/comments/{comment_id}/reactions', ofComment],
] as const

/** Reactions on issues, pull requests and their comments; they send no webhook. */
export const reactions: Resource = {
  routes: places.flatMap(([path, target]) => [
    route(`GET ${path}`, reads(either), list(target)),
    route(`POST ${path}`, writes(either, { person: 'read' }), create(target)),
    route(`DELETE ${path}/{reaction_id}`, writes(either, { person: 'read' }), remove(target)),
  ]),
}
