import { draft } from '../catalogue.ts'
import { readConfiguration } from '../config/in-force.ts'
import { type Deciding, type Decision, states } from '../decision.ts'
import { digestOf } from '../json.ts'
import { type Problem, quoted } from '../problem.ts'
import type { Request } from '../request.ts'
import { parseVersion, type VersionScheme } from '../version/version.ts'
import {
  type CommitState,
  commitKey,
  type ProductState,
  placeOf,
  productKey,
  type VersionState,
  versionKey,
} from './schema.ts'

type BuildReported = Extract<Request, { kind: 'build-reported' }>

/**
 * Records a build: the product and the version come into being on first sight and stay bound, the product to its
 * repository and the version to its commit. A record that contradicts a binding changes nothing and is kept as refused.
 */
export function* decideBuildReported(request: BuildReported): Deciding<Decision<null>> {
  const { record, repository, sha, url } = request
  const [product, version, commit] = (yield* states<unknown>([
    productKey(record.product),
    versionKey(record.product, record.version),
    commitKey(sha),
  ])) as [ProductState | undefined, VersionState | undefined, CommitState | undefined]
  const inForce = yield* readConfiguration()
  const configured = inForce?.configuration.products.find((entry) => entry.name === record.product)
  const rest = { at: request.at, actor: request.actor, source: request.source, trust: request.trust }
  /** The whole report names the slot: jobs of one run add artifacts to one version, and a step may say more later. */
  const slot = `build:${repository.id}/${record.run.id}/${record.run.attempt}/${digestOf([record, sha]).slice(7)}`
  const problem =
    contradiction(request, product, version, configured?.repository) ??
    misnumbered(request, version, configured?.scheme) ??
    excess(request, version, configured ? undefined : commit)
  if (problem) {
    const { code, message, hint = null } = problem
    return {
      kind: 'refuse',
      problems: [problem],
      events: [
        draft(
          'build.refused',
          { product: record.product, version: record.version, sha, repository, code, message, url, hint },
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
          ...(record.customerAction === undefined ? {} : { customerAction: record.customerAction }),
        },
        { ...rest, key: `${slot}:${request.trust}` },
      ),
    ],
  }
}

/** One deployment of a commit is an event for each version that is bound to it. */
const MAX_VERSIONS_OF_COMMIT = 1_000
/** As many as one record may name: all of them stand in one bundle. */
const MAX_ARTIFACTS = 500

/**
 * What a build would make too much of, or null: whoever may record builds must not be able to swell the log. `commit` is
 * left out for configured products, so that others cannot crowd them out.
 */
function excess(
  { record, sha }: BuildReported,
  version: VersionState | undefined,
  commit: CommitState | undefined,
): Problem<'too-many-versions' | 'too-many-artifacts'> | null {
  if (version === undefined && (commit?.items.length ?? 0) >= MAX_VERSIONS_OF_COMMIT) {
    return {
      code: 'too-many-versions',
      message: `expected at most ${MAX_VERSIONS_OF_COMMIT} versions of commit ${sha}, found another one`,
      hint: 'Record only what is released by itself as a product.',
    }
  }
  const known = version?.artifacts ?? []
  const places = new Set([...known, ...record.artifacts].map((artifact) => placeOf(artifact)))
  if (places.size <= Math.max(MAX_ARTIFACTS, known.length)) return null
  return {
    code: 'too-many-artifacts',
    message: `expected at most ${MAX_ARTIFACTS} artifacts of ${quoted(`${record.product}@${record.version}`)} from all of its builds, found ${places.size}`,
    hint: 'Put files that devices install together into one archive.',
  }
}

/**
 * A new version that is none by the product's scheme, or null. One that was recorded before the product had its scheme
 * stays, with what its builds still say.
 */
function misnumbered(
  { record }: BuildReported,
  version: VersionState | undefined,
  scheme: VersionScheme | undefined,
): Problem<'version-scheme'> | null {
  if (scheme === undefined || version !== undefined) return null
  const read = parseVersion(scheme, record.version)
  if (read.ok) return null
  const hints = [...read.problems.flatMap(({ hint }) => (hint === undefined ? [] : [hint])), OTHER_SCHEME]
  return {
    code: 'version-scheme',
    message: `expected a version of ${quoted(record.product)} by its scheme ${scheme}, found ${quoted(record.version)}: ${read.problems.map(({ message }) => message).join('; ')}`,
    hint: hints.join(' '),
  }
}

const OTHER_SCHEME = 'Record it under such a version, or change the scheme of the product in the configuration.'

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
