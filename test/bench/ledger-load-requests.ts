import { costOf } from '../../src/github/request-cost.ts'
import type { RequestRecord } from '../sandbox/sandbox.ts'

export const isOurs = ({ identity }: RequestRecord): boolean => identity.startsWith('ringmaster')

/** What moves a branch: a commit in one request, or the last one of a commit whose trees are too large for that. */
export const isCommit = ({ fields, route }: RequestRecord): boolean =>
  fields.includes('createCommitOnBranch') ||
  route === 'PUT /repos/{owner}/{repo}/contents/{path}' ||
  route === 'PATCH /repos/{owner}/{repo}/git/refs/{ref}'

const costOfRecord = (request: RequestRecord) =>
  costOf({ method: request.method, url: request.path, query: isCommit(request) ? 'mutation' : 'query' })

export const isContent = (request: RequestRecord): boolean => costOfRecord(request).isContent
export const isChange = (request: RequestRecord): boolean => costOfRecord(request).points === 5

/** GraphQL refuses for its primary limit with 200, before it has read which fields are asked for. */
export const isRefused = ({ status, route, fields }: RequestRecord): boolean =>
  status === 403 || status === 429 || (status === 200 && route === 'POST /graphql' && fields.length === 0)

export interface RequestClass {
  readonly name: string
  readonly has: (request: RequestRecord) => boolean
}

/** What the hourly look at everything reads in the repositories of the products. */
const LOOKED_AT: ReadonlyMap<string, string> = new Map([
  ['GET /repos/{owner}/{repo}/deployments', 'deployments'],
  ['GET /repos/{owner}/{repo}/deployments/{deployment_id}/statuses', 'statuses of deployments'],
  ['GET /repos/{owner}/{repo}/actions/runs', 'runs'],
  ['GET /repos/{owner}/{repo}/commits/{ref}/check-runs', 'check runs'],
])

/** Each look begins with it. */
export const isLook = ({ route }: RequestRecord): boolean => route === 'GET /installation/repositories'

const isDeliveryLog = ({ route }: RequestRecord): boolean => route?.startsWith('GET /app/hook/deliveries') ?? false
const isOfTheLook = ({ route }: RequestRecord): boolean => LOOKED_AT.has(route ?? '')

/** Every request is in one of them. */
export const CLASSES: readonly RequestClass[] = [
  { name: 'commits', has: isCommit },
  { name: 'creating content (what GitHub notifies of)', has: isContent },
  { name: 'other changes', has: (one) => isChange(one) && !isCommit(one) && !isContent(one) },
  ...[...LOOKED_AT].map(
    ([route, what]): RequestClass => ({ name: `the hourly look: ${what}`, has: (one) => one.route === route }),
  ),
  { name: 'the delivery log', has: isDeliveryLog },
  { name: 'other reads by REST', has: (one) => one.method === 'GET' && !isOfTheLook(one) && !isDeliveryLog(one) },
  { name: 'reads by GraphQL', has: (one) => one.route === 'POST /graphql' && !isChange(one) },
]
