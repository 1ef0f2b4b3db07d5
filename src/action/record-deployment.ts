import { DeploymentRecord } from '../core/deployment/schema.ts'
import { parseDeploymentStatus } from '../core/deployment/status.ts'
import { type Problem, quoted, unwrap } from '../core/problem.ts'
import { EnvironmentName } from '../core/product/schema.ts'
import { codeSpan, escapeMarkdown, markdownTable, truncate } from '../render/text.ts'
import { readContext } from './context.ts'
import type { Outcome } from './outcome.ts'
import { productNameOf } from './product-name.ts'
import type { Inputs } from './read-inputs.ts'
import { checkRecord } from './schema-problems.ts'
import { connectWith, type Shell } from './shell.ts'
import { together } from './together.ts'
import { type Attempt, MAX_DESCRIPTION_LENGTH, rehearseAttempt, writeAttempt } from './write-attempt.ts'

/**
 * Records one step of an attempt to deploy, as a GitHub Deployment for each run, attempt, product, version and
 * environment, with a status. Jobs of one run share it: a `pending` that an earlier job recorded is carried on. A
 * repeated step changes nothing; a new beginning after an end is an attempt of its own.
 */
export async function recordDeployment(inputs: Inputs, shell: Shell): Promise<Outcome<'record-deployment'>> {
  const context = unwrap(readContext(shell.environment))
  const [status, product, environment] = together(
    parseDeploymentStatus(inputs.status),
    productNameOf(inputs, context),
    checkRecord(EnvironmentName, inputs.environment),
  )
  const record = unwrap(
    checkRecord(DeploymentRecord, {
      schema: 'ringmaster/deployment/1',
      product,
      version: inputs.version,
      run: { id: context.runId, attempt: context.runAttempt, job: context.job },
    }),
  )
  const attempt: Attempt = {
    client: await connectWith(inputs, context, shell.clock),
    context,
    sha: inputs.sha ?? context.sha,
    environment,
    record,
    status,
    description: truncate(inputs.description ?? `${product} ${record.version}: ${status}`, MAX_DESCRIPTION_LENGTH),
    environmentUrl: inputs.environmentUrl ?? '',
  }
  const written = inputs.dryRun ? await rehearseAttempt(attempt) : await writeAttempt(attempt)
  return {
    outputs: { 'deployment-id': String(written.id ?? ''), version: record.version, product, status },
    summary: renderSummary(attempt, written.did),
    said: `${written.did} ${product} ${record.version} in ${environment}: ${status}`,
    warnings: [],
    ...(status === 'failed' && inputs.failOnFailedStatus ? { failures: [failedDeployment(attempt)] } : {}),
  }
}

function renderSummary({ record, environment, status, context, sha, environmentUrl }: Attempt, did: string): string {
  const rows = [
    ['Product', escapeMarkdown(record.product)],
    ['Version', codeSpan(record.version)],
    ['Environment', escapeMarkdown(environment)],
    ['Status', status],
    ['Commit', codeSpan(sha)],
    ['Run', `${context.runId}, attempt ${context.runAttempt}`],
    ...(environmentUrl === '' ? [] : [['Address', codeSpan(environmentUrl)]]),
  ]
  return `### ${did} ${escapeMarkdown(record.product)} ${codeSpan(record.version)}\n\n${markdownTable(['Deployment', ''], rows)}`
}

const failedDeployment = ({ record, environment }: Attempt): Problem => ({
  code: 'deployment-failed',
  message: `expected ${quoted(record.product)} ${record.version} to be deployed to ${quoted(environment)}, found failed; it is recorded as such`,
  hint: 'set `fail-on-failed-status: false` to let the step pass',
})
