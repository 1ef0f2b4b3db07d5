import { draft } from '../../catalogue.ts'
import { answer } from '../../command/answer.ts'
import type { ProductConfig } from '../../config/schema.ts'
import { type Deciding, fact, state } from '../../decision.ts'
import type { TaggedCommit } from '../../facts.ts'
import { accepted, type Checked, type Problem, quoted, rejected } from '../../problem.ts'
import { type CommitSource, commitSourceOf } from '../../product/bump-options.ts'
import {
  type CutCode,
  type CutPlan,
  type CutSource,
  cutSource,
  planCandidate,
  planLine,
  planRelease,
  tagPrefixOf,
  unnameable,
} from '../../product/cut-plan.ts'
import { type CutState, type CutsState, cutsKey } from '../../product/cut-schema.ts'
import { latestVersion } from '../../product/latest.ts'
import {
  type ProductState,
  productKey,
  type RepositoryRef,
  type VersionState,
  versionKey,
} from '../../product/schema.ts'
import { isRefName, isStable } from '../../version/tags.ts'
import { parseVersion } from '../../version/version.ts'
import { type Context, done, type HandlersOf, type Named, type Result, refuse } from '../handling.ts'
import { unknownProduct, unknownVersion } from './composition.ts'

/** What makes tags, release branches and GitHub Releases: asked for here, made by the reconciler. */
export const versionHandlers: HandlersOf<'rc' | 'cut' | 'version-files'> = {
  *rc(command, context) {
    const found = yield* sourceOf(command, context, null)
    return found.ok ? yield* tagged(found.value, context, planCandidate) : refuse(...found.problems)
  },
  *cut(command, context) {
    const line = LINE.test(command.version ?? '') ? (command.version ?? null) : null
    const found = yield* sourceOf(command, context, line)
    if (!found.ok) return refuse(...found.problems)
    if (line !== null) return yield* branched(found.value, context, line)
    const problem = yield* boundElsewhere(found.value)
    return problem ? refuse(problem) : yield* tagged(found.value, context, planRelease)
  },
  *'version-files'(command, context) {
    const { product: name, version } = command
    const config = context.policy.configuration.products.find((entry) => entry.name === name)
    const product = yield* state<ProductState>(productKey(name))
    const newest = product?.versions.at(-1)
    if (!config || !product || !newest) {
      const names = context.policy.configuration.products.map((entry) => entry.name)
      return refuse(unknownProduct(name, names, 'a product of the configuration with a recorded build'))
    }
    const wanted = version === undefined ? rejected(NO_VERSION) : parseVersion(config.scheme ?? 'semver', version)
    if (!wanted.ok) return refuse(...wanted.problems)
    const { text } = wanted.value
    const branch = `ringmaster/${config.path === undefined ? '' : `${name}/`}v${text}`
    if (!isRefName(branch)) return refuse(unnameable(branch))
    const refusal = yield* accessProblem(product.repository)
    if (refusal) return refuse(refusal)
    const cuts = (yield* state<CutsState>(cutsKey(name)))?.cuts ?? []
    const isAsked = cuts.some((cut) => cut.versionFiles?.branch === branch && cut.outcome === null)
    if (isAsked) return done(answer('nothing-changed', `the pull request for ${text} is being made`))
    const { comment, index, issue } = context.request
    return done(
      answer('version-files-asked', name, text, product.repository.fullName),
      draft(
        'cut.asked',
        {
          id: `${comment.id}-${index}`,
          product: name,
          version: text,
          ...{ from: newest.version, sha: newest.sha, repository: product.repository, tag: null, branch: null },
          release: null,
          versionFiles: { branch, named: config.versionFiles ?? [], folder: config.path ?? null },
          issue: issue.number,
        },
        context.event('cut'),
      ),
    )
  },
}

const NO_VERSION: Problem = {
  code: 'argument-missing',
  message: 'expected a version to write, found none',
  hint: 'Such as /version-files api@1.3.0; /bump says which comes next.',
}

/** A line of releases: all of one MAJOR. */
const LINE = /^(?:0|[1-9]\d*)\.x$/

/** What is to be cut from, with all that is known of its product. */
interface Found {
  readonly source: CutSource
  /** As it was recorded, or asked to be tagged. */
  readonly from: string
  readonly repository: RepositoryRef
  readonly cuts: readonly CutState[]
}

function* sourceOf(
  command: Named<'rc' | 'cut'>,
  context: Context,
  line: string | null,
): Deciding<Checked<Found, string>> {
  const { products } = context.policy.configuration
  const config = products.find(({ name }) => name === command.product)
  const names = products.map(({ name }) => name)
  if (!config) return rejected(unknownProduct(command.product, names, 'a product of the configuration'))
  const product = yield* state<ProductState>(productKey(config.name))
  if (!product) return rejected(unknownProduct(config.name, names, 'a product with a recorded build'))
  const cuts = (yield* state<CutsState>(cutsKey(config.name)))?.cuts ?? []
  const wanted = line === null ? versionOf(command, context, config, product) : highestOf(product, config, line)
  if (!wanted.ok) return wanted
  const recorded = yield* state<VersionState>(versionKey(config.name, wanted.value))
  /** A candidate that was tagged here may be cut before anybody has built it. */
  const made = cuts.find((cut) => cut.version === wanted.value && cut.tag !== null && cut.outcome?.kind === 'made')
  const version = recorded ?? made
  if (!version) return rejected(unknownVersion(product, wanted.value))
  const unfit = recorded ? unfitProblem(recorded) : null
  if (unfit) return rejected(unfit)
  const source = cutSource(config, version)
  if (!source.ok) return source
  return accepted({ source: source.value, from: wanted.value, repository: version.repository, cuts })
}

/** The version that was named, else that of this release, else the highest where there is one. */
function versionOf(
  command: Named<'rc' | 'cut'>,
  { release }: Context,
  config: ProductConfig,
  product: ProductState,
): Checked<string, string> {
  const named = command.version ?? release?.items.find((item) => item.product === config.name)?.version
  if (named !== undefined) return accepted(named)
  const latest = latestVersion(product, config.scheme ?? 'semver')
  if (latest?.by === 'order') return accepted(latest.version)
  return rejected({
    code: 'version-no-order',
    message: `expected versions of ${quoted(config.name)} with an order, found none, so that none is the highest`,
    hint: `Name the version, such as /${command.name} ${config.name}@${latest?.version ?? '1.2.3'}.`,
  })
}

/** The highest release on a line, among the versions at hand. */
function highestOf(product: ProductState, config: ProductConfig, line: string): Checked<string, string> {
  const scheme = config.scheme === 'semver-build' ? 'semver-build' : 'semver'
  const onLine = product.versions.filter(({ version: text }) => {
    const version = parseVersion(scheme, text)
    return version.ok && isStable(version.value) && `${version.value.major}.x` === line
  })
  const latest = latestVersion({ ...product, versions: onLine }, scheme)
  if (latest !== null) return accepted(latest.version)
  return rejected({
    code: 'unknown-version',
    message: `expected a recorded release of ${quoted(config.name)} on the line ${line}, found none`,
    hint: 'Record its build with the Action first.',
  })
}

/** What is published must have been built, and be vouched for by the platform. */
function unfitProblem({ product, version, status, trust }: VersionState): Problem | null {
  const name = quoted(`${product}@${version}`)
  if (status !== 'completed') {
    return {
      code: 'build-not-completed',
      message: `expected a completed build of ${name}, found it ${status}`,
      hint: 'Wait for its build, or name another version.',
    }
  }
  if (trust !== 'claimed') return null
  return {
    code: 'version-claimed',
    message: `expected a version that a workflow of its repository recorded, found ${name} to be only claimed`,
    hint: 'Record its build with the Action.',
  }
}

/** A release whose own build is of another commit than what it would be cut from. */
function* boundElsewhere({ source, from }: Found): Deciding<Problem | null> {
  if (source.release === from) return null
  const release = yield* state<VersionState>(versionKey(source.config.name, source.release))
  if (!release || release.sha === source.sha) return null
  return {
    code: 'version-conflict',
    message: `expected ${quoted(`${source.config.name}@${source.release}`)} at commit ${source.sha}, found it recorded at ${release.sha}`,
    hint: `Cut that one by its name, or another version than ${from}.`,
  }
}

type Planner = (
  source: CutSource,
  tags: readonly TaggedCommit[],
  cuts: readonly CutState[],
) => Checked<CutPlan, CutCode>

function* tagged(found: Found, context: Context, plan: Planner): Deciding<Result> {
  const refusal = yield* accessProblem(found.repository)
  if (refusal) return refuse(refusal)
  const prefix = tagPrefixOf(found.source)
  const answered = yield* fact({ kind: 'tags', repository: found.repository.fullName, prefix })
  if (answered.tags === 'unreadable') return refuse(TAGS_UNREADABLE)
  return planned(found, context, plan(found.source, answered.tags, found.cuts))
}

function* branched(found: Found, context: Context, line: string): Deciding<Result> {
  const refusal = yield* accessProblem(found.repository)
  return refusal ? refuse(refusal) : planned(found, context, planLine(found.source, line, found.cuts))
}

/** Asks for what is planned, unless it is asked for or made already. */
function planned({ source, from, repository, cuts }: Found, context: Context, checked: Checked<CutPlan>): Result {
  if (!checked.ok) return refuse(...checked.problems)
  const { version, tag, branch, standing } = checked.value
  const what = tag ?? branch ?? version
  if (standing === 'asked') return done(answer('nothing-changed', `${what} is being made`))
  const isMade = cuts.some((cut) => cut.tag === tag && cut.branch === branch && cut.outcome?.kind === 'made')
  if (standing === 'tagged' && isMade)
    return done(answer('nothing-changed', `${what} is at ${source.sha.slice(0, 12)} already`))
  const { comment, index, issue } = context.request
  const read = parseVersion(source.version.scheme, version)
  const notes = notesOf(source.config, context)
  const release = {
    prerelease: !read.ok || !isStable(read.value),
    ...(notes === null ? { generatedNotes: isForGitHub(source.config) } : { generatedNotes: false, notes }),
  }
  return done(
    answer('cut-asked', source.config.name, from, source.sha, repository.fullName, tag ?? '', branch ?? ''),
    draft(
      'cut.asked',
      {
        id: `${comment.id}-${index}`,
        product: source.config.name,
        version,
        from,
        sha: source.sha,
        repository,
        tag,
        branch,
        release: tag === null ? null : release,
        issue: issue.number,
      },
      context.event('cut'),
    ),
  )
}

/** GitHub tells of the whole repository, whatever customers may read; what a team says of its commits is told by us. */
const isForGitHub = ({ path, notes }: ProductConfig): boolean => path === undefined && notes === undefined

function notesOf(config: ProductConfig, { policy }: Context): CommitSource | null {
  if (isForGitHub(config) && config.bump === undefined) return null
  const source = commitSourceOf(config, policy.configuration)
  const isOrdered = source.ok && source.value.scheme !== 'sha' && source.value.scheme !== 'text'
  return isOrdered ? source.value : null
}

const TAGS_UNREADABLE: Problem = {
  code: 'tags-unreadable',
  message: 'could not read the tags of the repository, so nothing is cut',
  hint: 'Try again; when it stays, ringmaster doctor says which permission is missing.',
}

/** What keeps the App from writing in a repository, or null. */
function* accessProblem({ fullName }: RepositoryRef): Deciding<Problem | null> {
  const { contents } = yield* fact({ kind: 'app-access', repository: fullName })
  switch (contents) {
    case 'write':
      return null
    case 'not-installed':
      return {
        code: 'app-not-installed',
        message: `expected the App to be installed in ${fullName}, found that it is not`,
        hint: 'An owner adds the repository in the settings of the installation; until then the Action makes tags there.',
      }
    case 'read':
    case 'none':
      return {
        code: 'app-not-permitted',
        message: `expected the App to have contents: write in ${fullName}, found ${contents}`,
        hint: 'Grant it in the settings of the App, then accept the request on the installation; until then the Action makes tags there.',
      }
    case 'unreadable':
      return {
        code: 'app-access-unreadable',
        message: `could not read what the App may do in ${fullName}, so nothing is cut`,
        hint: 'Try again.',
      }
  }
}
