import type { WorkClass } from './work-class.ts'

/** What is known of a request before it is sent: Octokit's own options. */
export interface RequestOptions {
  readonly method: string
  /** A route such as `/repos/{owner}/{repo}/issues`, or a whole address. */
  readonly url: string
  readonly [parameter: string]: unknown
}

/** What a request counts against GitHub's limits. */
export interface RequestCost {
  readonly resource: 'core' | 'graphql'
  /** Points of the limits per minute: reads 1, changes 5. */
  readonly points: number
  /** Whether GitHub notifies people of it: the limits on creating content are strict for these. */
  readonly isContent: boolean
  /** `owner/name` of the repository whose branch it moves, or null. */
  readonly pushesTo: string | null
  /** Whether sending it twice is the same as sending it once. */
  readonly isSafe: boolean
  /** Its class where the work has not named one. */
  readonly workClass: WorkClass
}

const REPOSITORY = '/repos/[^/]+/[^/]+'
const route = (method: string, path: string, workClass: WorkClass) => ({
  method,
  path: new RegExp(`${REPOSITORY}${path}$`),
  workClass,
})

/** The operations that GitHub's description marks with `triggersNotification`, as far as the product makes them. */
const CONTENT = [
  route('POST', '/issues', 'bulk'),
  route('POST', '/issues/[^/]+/comments', 'answer'),
  route('POST', '/pulls', 'answer'),
  route('POST', '/pulls/[^/]+/comments', 'answer'),
  route('POST', '/pulls/[^/]+/reviews', 'answer'),
  route('POST', '/pulls/[^/]+/requested_reviewers', 'answer'),
  route('PUT', '/pulls/[^/]+/merge', 'bulk'),
  route('POST', '/releases', 'bulk'),
  route('POST', '/commits/[^/]+/comments', 'bulk'),
] as const

/** Operations that move a branch. */
const PUSHES = [
  route('POST', '/git/refs', 'append'),
  route('PATCH', '/git/refs/.+', 'append'),
  route('PUT', '/contents/.+', 'append'),
  route('PUT', '/pulls/[^/]+/merge', 'bulk'),
] as const

const OTHERS = [
  route('POST', '/issues/comments/[^/]+/reactions', 'answer'),
  route('POST', '/actions/runs/[^/]+/deployment_protection_rule', 'gate'),
  route('POST', '/actions/runs/[^/]+/pending_deployments', 'gate'),
] as const

const READS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

/** The path of a request: routes keep their placeholders, which stand for one segment each. */
const pathOf = (url: string): string => url.replace(/^https?:\/\/[^/]+/, '').split('?')[0] ?? ''

const graphqlTarget = (options: RequestOptions): string | null => {
  const variables = options['variables'] as { input?: { branch?: { repositoryNameWithOwner?: unknown } } } | undefined
  const name = variables?.input?.branch?.repositoryNameWithOwner
  return typeof name === 'string' ? name.toLowerCase() : null
}

function restTarget(options: RequestOptions): string {
  const named = `${String(options['owner'])}/${String(options['repo'])}`
  const [, owner, repo] = /\/repos\/([^/{]+)\/([^/{]+)/.exec(pathOf(options.url)) ?? []
  return (owner === undefined ? named : `${owner}/${repo}`).toLowerCase()
}

/** What a request costs. Sources: docs.github.com rate limits for the REST API; `x-github.triggersNotification`. */
export function costOf(options: RequestOptions): RequestCost {
  const path = pathOf(options.url)
  if (path.endsWith('/graphql')) {
    const isMutation = /^\s*mutation\b/.test(String(options['query'] ?? ''))
    return {
      resource: 'graphql',
      points: isMutation ? 5 : 1,
      isContent: false,
      pushesTo: isMutation ? graphqlTarget(options) : null,
      isSafe: !isMutation,
      workClass: isMutation ? 'append' : 'read',
    }
  }
  const isRead = READS.has(options.method)
  const fits = (entry: (typeof CONTENT | typeof PUSHES | typeof OTHERS)[number]) =>
    entry.method === options.method && entry.path.test(path)
  const content = CONTENT.find(fits)
  const push = PUSHES.find(fits)
  return {
    resource: 'core',
    points: isRead ? 1 : 5,
    isContent: content !== undefined,
    pushesTo: push ? restTarget(options) : null,
    isSafe: isRead,
    workClass: (content ?? push ?? OTHERS.find(fits))?.workClass ?? (isRead ? 'read' : 'bulk'),
  }
}
