import { type Comment, conversationsOf, type Issue, type Label, type Reaction, type Review } from '../records.ts'
import type { Repository } from '../store.ts'
import type { World } from '../world.ts'
import {
  appOrNull,
  authorAssociation,
  type Body,
  htmlUrl,
  nodeId,
  repositoryBody,
  repositoryUrl,
  userBody,
  userOrNull,
} from './common.ts'

export const labelBody = (world: World, repository: Repository, label: Label): Body => ({
  id: label.id,
  node_id: nodeId('LA', label.id),
  url: `${repositoryUrl(world, repository)}/labels/${encodeURIComponent(label.name)}`,
  name: label.name,
  color: label.color,
  default: false,
  description: label.description,
})

export const reactionBody = (world: World, reaction: Reaction): Body => ({
  id: reaction.id,
  node_id: nodeId('REA', reaction.id),
  user: userBody(world, reaction.by),
  content: reaction.content,
  created_at: reaction.createdAt,
})

export const reactionContents = ['+1', '-1', 'laugh', 'hooray', 'confused', 'heart', 'rocket', 'eyes'] as const

function rollup(url: string, reactions: readonly Reaction[]): Body {
  const count = (content: string) => reactions.filter((reaction) => reaction.content === content).length
  const counts = Object.fromEntries(reactionContents.map((content) => [content, count(content)]))
  return { url: `${url}/reactions`, total_count: reactions.length, ...counts }
}

const pullLinks = (world: World, repository: Repository, number: number): Body => ({
  url: `${repositoryUrl(world, repository)}/pulls/${number}`,
  html_url: htmlUrl(world, repository, `/pull/${number}`),
  diff_url: htmlUrl(world, repository, `/pull/${number}.diff`),
  patch_url: htmlUrl(world, repository, `/pull/${number}.patch`),
})

export function issueBody(world: World, repository: Repository, issue: Issue): Body {
  const url = `${repositoryUrl(world, repository)}/issues/${issue.number}`
  const { comments } = conversationsOf(repository)
  const kind = issue.pull ? 'pull' : 'issues'
  const pull = issue.pull
    ? {
        draft: issue.pull.draft,
        pull_request: { ...pullLinks(world, repository, issue.number), merged_at: issue.pull.mergedAt },
      }
    : {}
  return {
    id: issue.id,
    node_id: nodeId(issue.pull ? 'PR' : 'I', issue.id),
    url,
    repository_url: repositoryUrl(world, repository),
    labels_url: `${url}/labels{/name}`,
    comments_url: `${url}/comments`,
    events_url: `${url}/events`,
    timeline_url: `${url}/timeline`,
    html_url: htmlUrl(world, repository, `/${kind}/${issue.number}`),
    number: issue.number,
    state: issue.state,
    state_reason: issue.stateReason,
    title: issue.title,
    body: issue.body,
    user: userBody(world, issue.author),
    labels: issue.labels.map((label) => labelBody(world, repository, label)),
    assignee: userOrNull(world, issue.assignees[0]),
    assignees: issue.assignees.map((account) => userBody(world, account)),
    milestone: null,
    locked: issue.locked,
    active_lock_reason: null,
    comments: [...comments.values()].filter((comment) => comment.issue === issue).length,
    closed_at: issue.closedAt,
    closed_by: userOrNull(world, issue.closedBy),
    created_at: issue.createdAt,
    updated_at: issue.updatedAt,
    author_association: authorAssociation(repository, issue.author),
    performed_via_github_app: appOrNull(world, issue.app),
    reactions: rollup(url, issue.reactions),
    ...pull,
  }
}

export function commentBody(world: World, repository: Repository, comment: Comment): Body {
  const url = `${repositoryUrl(world, repository)}/issues/comments/${comment.id}`
  const { issue } = comment
  return {
    id: comment.id,
    node_id: nodeId('IC', comment.id),
    url,
    html_url: htmlUrl(
      world,
      repository,
      `/${issue.pull ? 'pull' : 'issues'}/${issue.number}#issuecomment-${comment.id}`,
    ),
    issue_url: `${repositoryUrl(world, repository)}/issues/${issue.number}`,
    body: comment.body,
    user: userBody(world, comment.author),
    created_at: comment.createdAt,
    updated_at: comment.updatedAt,
    author_association: authorAssociation(repository, comment.author),
    performed_via_github_app: appOrNull(world, comment.app),
    reactions: rollup(url, comment.reactions),
  }
}

/** What lists of pull requests show. */
export function simplePullBody(world: World, repository: Repository, issue: Issue): Body {
  const { pull, number } = issue
  if (!pull) throw new Error(`#${number} is no pull request`)
  const url = `${repositoryUrl(world, repository)}/pulls/${number}`
  const issueUrl = `${repositoryUrl(world, repository)}/issues/${number}`
  const end = (ref: string, oid: string) => ({
    label: `${repository.owner.login}:${ref}`,
    ref,
    sha: oid,
    user: userBody(world, repository.owner),
    repo: repositoryBody(world, repository),
  })
  const links = {
    commits: `${url}/commits`,
    review_comments: `${url}/comments`,
    review_comment: `${repositoryUrl(world, repository)}/pulls/comments{/number}`,
    comments: `${issueUrl}/comments`,
    statuses: `${repositoryUrl(world, repository)}/statuses/${pull.headOid}`,
  }
  const html = htmlUrl(world, repository, `/pull/${number}`)
  const named = { self: url, html, issue: issueUrl, ...links }
  return {
    id: pull.id,
    node_id: nodeId('PR', pull.id),
    ...pullLinks(world, repository, number),
    issue_url: issueUrl,
    ...Object.fromEntries(Object.entries(links).map(([name, href]) => [`${name}_url`, href])),
    number,
    state: issue.state,
    locked: issue.locked,
    title: issue.title,
    user: userBody(world, issue.author),
    body: issue.body,
    labels: issue.labels.map((label) => labelBody(world, repository, label)),
    milestone: null,
    active_lock_reason: null,
    created_at: issue.createdAt,
    updated_at: issue.updatedAt,
    closed_at: issue.closedAt,
    merged_at: pull.mergedAt,
    merge_commit_sha: pull.mergeCommitOid,
    assignee: userOrNull(world, issue.assignees[0]),
    assignees: issue.assignees.map((account) => userBody(world, account)),
    requested_reviewers: pull.reviewers.map((account) => userBody(world, account)),
    requested_teams: [],
    head: end(pull.headRef, pull.headOid),
    base: end(pull.baseRef, pull.baseOid),
    _links: Object.fromEntries(Object.entries(named).map(([name, href]) => [name, { href }])),
    author_association: authorAssociation(repository, issue.author),
    auto_merge: null,
    draft: pull.draft,
  }
}

export interface Mergeability {
  readonly mergeable: boolean | null
  readonly state: string
}

/** One pull request in full; webhooks do not know yet whether it can be merged. */
export function pullBody(
  world: World,
  repository: Repository,
  issue: Issue,
  { mergeable, state }: Mergeability = { mergeable: null, state: 'unknown' },
): Body {
  const { pull } = issue
  if (!pull) throw new Error(`#${issue.number} is no pull request`)
  const { comments } = conversationsOf(repository)
  return {
    ...simplePullBody(world, repository, issue),
    merged: pull.mergedAt !== null,
    mergeable,
    rebaseable: mergeable,
    mergeable_state: state,
    merged_by: userOrNull(world, pull.mergedBy),
    comments: [...comments.values()].filter((comment) => comment.issue === issue).length,
    review_comments: 0,
    maintainer_can_modify: false,
    commits: pull.stats.commits,
    additions: pull.stats.additions,
    deletions: pull.stats.deletions,
    changed_files: pull.stats.changedFiles,
  }
}

/** REST writes states in capitals, webhooks in small letters. */
export function reviewBody(world: World, repository: Repository, review: Review, form: 'rest' | 'webhook'): Body {
  const { issue } = review
  const html = htmlUrl(world, repository, `/pull/${issue.number}#pullrequestreview-${review.id}`)
  const pullUrl = `${repositoryUrl(world, repository)}/pulls/${issue.number}`
  return {
    id: review.id,
    node_id: nodeId('PRR', review.id),
    user: userBody(world, review.author),
    body: form === 'webhook' && review.body === '' ? null : review.body,
    state: form === 'webhook' ? review.state.toLowerCase() : review.state,
    html_url: html,
    pull_request_url: pullUrl,
    author_association: authorAssociation(repository, review.author),
    _links: { html: { href: html }, pull_request: { href: pullUrl } },
    ...(review.submittedAt === null ? {} : { submitted_at: review.submittedAt }),
    commit_id: review.commitOid,
  }
}
