import { z } from 'zod'
import { DEPLOYMENT_TASK, DeploymentRecord } from '../core/deployment/schema.ts'
import { fencedJson } from '../core/fenced.ts'
import { SigningRequest } from '../core/manifest/schema.ts'
import { type Problem, quotedWithin } from '../core/problem.ts'
import { NumberQuestion, QUESTION_CHECK_PREFIX } from '../core/product/build-line-schema.ts'
import { BUILD_CHECK_PREFIX, BuildRecord } from '../core/product/schema.ts'
import { BUNDLES_CHECK } from './bundles.ts'
import { type Delivery, type Installation, Repository } from './delivery.ts'
import { deploymentPayload } from './deployments.ts'

const CheckRun = z.object({
  check_run: z.object({
    name: z.string(),
    head_sha: z.string(),
    output: z.object({ text: z.string().nullish() }).nullish(),
  }),
  repository: Repository,
})

const Deployment = z.object({
  deployment: z.object({ id: z.number(), task: z.string(), payload: z.unknown().optional() }),
  repository: Repository,
})

const ISSUES_SHOWN = 3

const faults = (error: z.ZodError): string =>
  error.issues
    .slice(0, ISSUES_SHOWN)
    .map(({ path, message }) => `${path.map(String).join('.') || 'the record'}: ${message}`)
    .join('; ')

const unread = (kind: string, where: string, found: string): Problem<'record-unread'> => ({
  code: 'record-unread',
  message: `expected ${kind} in ${where}, found ${quotedWithin(500, found)}`,
  hint: 'Nothing of it is taken: record it again with the Action of this version.',
})

function inCheckRun(payload: unknown, installation: Installation): Problem<'record-unread'> | null {
  const read = CheckRun.safeParse(payload)
  if (!read.success) return null
  const { check_run: run, repository } = read.data
  const where = `the check run ${quotedWithin(200, run.name)} of ${repository.full_name} at ${run.head_sha}`
  const value = fencedJson(run.output?.text)
  if (run.name.startsWith(BUILD_CHECK_PREFIX)) {
    const record = BuildRecord.safeParse(value)
    if (!record.success) return unread('a record of a build', where, faults(record.error))
    const { product } = record.data
    return run.name === `${BUILD_CHECK_PREFIX}${product}` ? null : unread('the product of its name', where, product)
  }
  if (run.name.startsWith(QUESTION_CHECK_PREFIX)) {
    const question = NumberQuestion.safeParse(value)
    if (!question.success) return unread('a question for a build number', where, faults(question.error))
    const { product } = question.data
    return run.name === `${QUESTION_CHECK_PREFIX}${product}` ? null : unread('the product of its name', where, product)
  }
  if (run.name !== BUNDLES_CHECK || repository.id !== installation.releaseRepositoryId) return null
  const request = SigningRequest.safeParse(value)
  return request.success ? null : unread('a signed request of bundles', where, faults(request.error))
}

function inDeployment(payload: unknown): Problem<'record-unread'> | null {
  const read = Deployment.safeParse(payload)
  if (!read.success || read.data.deployment.task !== DEPLOYMENT_TASK) return null
  const { deployment, repository } = read.data
  const record = DeploymentRecord.safeParse(deploymentPayload(deployment.payload))
  if (record.success) return null
  return unread(
    'a record of a deployment',
    `deployment ${deployment.id} of ${repository.full_name}`,
    faults(record.error),
  )
}

/** What is wrong with a record that bears our name and does not read as one, so that it is left out; null for all else. */
export function unreadIn(delivery: Delivery, installation: Installation): Problem<'record-unread'> | null {
  if (delivery.event === 'check_run') return inCheckRun(delivery.payload, installation)
  return delivery.event === 'deployment_status' ? inDeployment(delivery.payload) : null
}
