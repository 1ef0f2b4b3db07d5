import { draft } from '../catalogue.ts'
import { readConfiguration } from '../config/in-force.ts'
import { type Deciding, type Decision, states } from '../decision.ts'
import { digestOf } from '../json.ts'
import { type Problem, quoted } from '../problem.ts'
import type { Request } from '../request.ts'
import { type ProductState, productKey, type VersionState, versionKey } from './schema.ts'

type BuildReported = Extract<Request, { kind: 'build-reported' }>

/**
 * Records a build: the product and the version come into being on first sight and stay bound, the product to its
 * repository and the version to its commit. A record that contradicts a binding changes nothing and is kept as refused.
 */
export function* decideBuildReported(request: BuildReported): Deciding<Decision<null>> {
  const { record, repository, sha, url } = request
  const [product, version] = (yield* states<unknown>([
    productKey(record.product),
    versionKey(record.product, record.version),
  ])) as [ProductState | undefined, VersionState | undefined]
  const inForce = yield* readConfiguration()
  const configured = inForce?.configuration.products.find((entry) => entry.name === record.product)
  const rest = { at: request.at, actor: request.actor, source: request.source, trust: request.trust }
  /** The whole report names the slot: jobs of one run add artifacts to one version, and a step may say more later. */
  const slot = `build:${repository.id}/${record.run.id}/${record.run.attempt}/${digestOf([record, sha]).slice(7)}`
  const problem = contradiction(request, product, version, configured?.repository)
  if (problem) {
    const { code, message } = problem
    return {
      kind: 'refuse',
      problems: [problem],
      events: [
        draft(
          'build.refused',
          { product: record.product, version: record.version, sha, repository, code, message, url },
          { ...rest, key: `${slot}:refused` },
        ),
      ],
    }
  }
  return {
    kind: 'accept',
    answer: null,
    events: [
      draft(
        'build.recorded',
        {
          product: record.product,
          version: record.version,
          sha,
          repository,
          path: record.path ?? null,
          status: record.status,
          bump: record.bump,
          previousVersion: record.previousVersion,
          run: record.run,
          url,
          artifacts: record.artifacts,
        },
        { ...rest, key: `${slot}:${request.trust}` },
      ),
    ],
  }
}

/** What a build contradicts, or null. */
function contradiction(
  request: BuildReported,
  product: ProductState | undefined,
  version: VersionState | undefined,
  configuredRepository: string | undefined,
): Problem<'product-elsewhere' | 'version-conflict'> | null {
  const { record, repository, sha } = request
  const home =
    configuredRepository ?? (product?.repository.id === repository.id ? undefined : product?.repository.fullName)
  if (home !== undefined && home.toLowerCase() !== repository.fullName.toLowerCase()) {
    return {
      code: 'product-elsewhere',
      message: `expected builds of ${quoted(record.product)} from ${home}, found one from ${repository.fullName}`,
      hint: 'Record it under another name, or change the repository of the product in the configuration.',
    }
  }
  if (version !== undefined && version.sha !== sha) {
    return {
      code: 'version-conflict',
      message: `expected ${quoted(`${record.product}@${record.version}`)} at commit ${version.sha}, to which it is bound, found a build at ${sha}`,
      hint: 'A version is immutable: record this build under a new version.',
    }
  }
  return null
}
