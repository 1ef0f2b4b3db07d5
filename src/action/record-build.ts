import { parseBuildStatus } from '../core/deployment/status.ts'
import { digestOf } from '../core/json.ts'
import { type Problem, RingmasterError, unwrap } from '../core/problem.ts'
import { BuildRecord, buildExternalId } from '../core/product/schema.ts'
import { parseVersion } from '../core/version/version.ts'
import { codeSpan, escapeMarkdown } from '../render/text.ts'
import { readArtifacts } from './artifacts.ts'
import { buildCheckOf, renderBuildSummary } from './build-check.ts'
import { type RunContext, readContext } from './context.ts'
import type { Outcome } from './outcome.ts'
import { productNameOf } from './product-name.ts'
import type { Inputs } from './read-inputs.ts'
import { checkRecord } from './schema-problems.ts'
import { connectWith, type Shell } from './shell.ts'
import { together } from './together.ts'
import { type Written, writeCheck } from './write-check.ts'

const PURPOSE = { what: 'keep the build as a check run', permission: 'checks: write' }

const WORDS = {
  created: 'Recorded',
  updated: 'Updated the build of',
  left: 'Already recorded:',
  'would-create': 'Dry run: would record',
  'would-update': 'Dry run: would update the build of',
} as const satisfies Record<Written['did'], string>

/** The version that a build is about, given or computed from the checkout. */
interface BuiltVersion {
  readonly version: string
  readonly previousVersion: string | null
  readonly bump: BuildRecord['bump']
  readonly sha: string
  readonly warnings: readonly Problem[]
  /** Markdown that tells what gave a computed version; empty for a given one. */
  readonly why: string
}

/**
 * Records a build on its commit, as a check run of its own for each run, attempt and product: a repeated step edits it.
 * Without a version it is computed; when nothing since the last release makes one, nothing is recorded and that is no
 * failure.
 */
export async function recordBuild(inputs: Inputs, shell: Shell): Promise<Outcome<'record-build'>> {
  const context = unwrap(readContext(shell.environment))
  const [status, product, artifacts] = together(
    parseBuildStatus(inputs.status),
    productNameOf(inputs, context),
    await readArtifacts(inputs.artifacts, context.workspace),
  )
  const built = await versionOf(inputs, context, shell)
  if (built === null) return nothingToRecord(product, status)
  const record = unwrap(
    checkRecord(BuildRecord, {
      schema: 'ringmaster/build/1',
      product,
      version: built.version,
      ...(inputs.path === null ? {} : { path: inputs.path }),
      previousVersion: built.previousVersion,
      bump: built.bump,
      status,
      run: { id: context.runId, attempt: context.runAttempt, job: context.job },
      ...(context.runNumber === null ? {} : { buildNumber: context.runNumber }),
      ...(context.branch === null ? {} : { branch: context.branch }),
      artifacts,
      ...(inputs.customerAction === null ? {} : { customerAction: inputs.customerAction }),
    }),
  )
  const check = unwrap(buildCheckOf(record))
  const client = await connectWith(inputs, context, shell.clock)
  const { id, did: done } = await writeCheck({
    ...{ client, context, purpose: PURPOSE, sha: built.sha, check, dryRun: inputs.dryRun },
    externalId: buildExternalId(record.run, digestOf(product)),
  })
  const did = WORDS[done]
  return {
    outputs: { 'check-run-id': String(id ?? ''), version: record.version, product, status },
    summary: `### ${did} ${escapeMarkdown(product)} ${codeSpan(record.version)}\n\n${renderBuildSummary(record)}\n\n${built.why}`,
    said: `${did} ${product} ${record.version} (${status}) on ${built.sha}`,
    warnings: built.warnings,
    ...(status === 'failed' && inputs.failOnFailedStatus ? { failures: [failedBuild(record)] } : {}),
  }
}

async function versionOf(inputs: Inputs, context: RunContext, shell: Shell): Promise<BuiltVersion | null> {
  if (inputs.version !== null) {
    if (inputs.scheme !== null) unwrap(parseVersion(inputs.scheme, inputs.version))
    return {
      version: inputs.version,
      previousVersion: null,
      bump: 'given',
      sha: inputs.sha ?? context.sha,
      warnings: [],
      why: '',
    }
  }
  const { computeVersionFor } = await import('./compute-version.ts')
  const { explainVersion, renderBump } = await import('./bump-summary.ts')
  const computed = await computeVersionFor(inputs, shell)
  if (computed.version === null) return null
  if (inputs.sha !== null && inputs.sha !== computed.sha) {
    throw new RingmasterError('bad-input', {
      code: 'sha-not-checked-out',
      message: `expected the commit ${inputs.sha} to be checked out, because its version is computed there, found ${computed.sha}`,
      hint: 'leave the input sha out, or give the version',
      path: 'sha',
    })
  }
  return { ...computed, version: computed.version, why: renderBump(inputs, computed, explainVersion(computed)) }
}

const nothingToRecord = (product: string, status: BuildRecord['status']): Outcome<'record-build'> => ({
  outputs: { 'check-run-id': '', version: '', product, status },
  summary: `### No new version of ${escapeMarkdown(product)}\n\nNothing since the last release makes one, so nothing was recorded.`,
  said: `No new version of ${product}: nothing since the last release makes one, so nothing was recorded`,
  warnings: [],
})

const failedBuild = ({ product, version }: BuildRecord): Problem => ({
  code: 'build-failed',
  message: `expected the build of ${product} ${version} to be completed, found failed; it is recorded as such`,
  hint: 'set `fail-on-failed-status: false` to let the step pass',
})
