import { nearest } from '../../command/nearest.ts'
import { readPolicy } from '../../config/in-force.ts'
import type { RingConfig } from '../../config/schema.ts'
import { type Deciding, state, states } from '../../decision.ts'
import { type Problem, quoted } from '../../problem.ts'
import { type ProductState, productKey, type VersionState, versionKey } from '../../product/schema.ts'
import { peopleAsked } from '../../ring/customers.ts'
import { findBlockers, findGate } from '../../ring/find-gate.ts'
import { FREEZES_KEY, type Freezes, freezesOf, nothingFrozen } from '../../ring/freezes.ts'
import type { Blocker, GateState } from '../../ring/schema.ts'
import { compositionDigest } from '../composition.ts'
import {
  type Context,
  done,
  type HandlersOf,
  lines,
  NO_RELEASE,
  openRelease,
  POLICY_UNREADABLE,
  type Result,
  refuse,
} from '../handling.ts'
import { nothingOpen, OPEN_KEY, type OpenIndex } from '../open.ts'
import { type Shown, SUPPOSED_REVIEW, signaturesOf } from '../review.ts'
import type { ReleaseState } from '../schema.ts'
import { hiddenLines, hiddenRings, isHidden, notTold } from '../visibility.ts'
import { unknownProduct } from './composition.ts'
import { unknownEnvironment } from './gates.ts'
import { pendingLines } from './signoff.ts'

/** Questions about gates: the answers are those that a waiting job gets. */
export const questionHandlers: HandlersOf<'requirements' | 'can-deploy' | 'why'> = {
  *requirements({ environment }, context) {
    const { policy } = context
    const problem =
      unknownEnvironment(environment, policy.configuration, 'one') ?? notTold(yield* hiddenRings(context), environment)
    if (problem) return refuse(problem)
    const { rings, products } = policy.configuration
    const ring = rings.find((entry) => entry.environments.includes(environment))
    const before = ring ? rings[rings.indexOf(ring) - 1] : undefined
    const freezes = freezesOf((yield* state<Freezes>(FREEZES_KEY)) ?? nothingFrozen, environment)
    const deploying = products
      .filter((product) => product.environments === undefined || product.environments.includes(environment))
      .map((product) => product.name)
    return done(
      lines([
        ...(ring ? requirementLines(ring, before) : []),
        `products that deploy there: ${deploying.join(', ') || 'none'}`,
        ...freezes.map((freeze) => `frozen since ${freeze.at}: ${freeze.reason}`),
      ]),
    )
  },
  *'can-deploy'(command, context) {
    const { policy, request } = context
    const { environment } = command
    const problem =
      unknownEnvironment(environment, policy.configuration, 'one') ?? notTold(yield* hiddenRings(context), environment)
    const found = yield* versionNamed(command, policy.configuration.products)
    const problems = [...(problem ? [problem] : []), ...('problem' in found ? [found.problem] : [])]
    if ('problem' in found || problem) return refuse(...problems)
    const { version } = found
    const item = { product: command.product, version: version.version }
    const target = { repository: version.repository, environment, sha: version.sha }
    const { blockers, overrides } = yield* findBlockers(target, [item], policy, request.at)
    const name = `${item.product}@${item.version}`
    if (blockers.length > 0)
      return done(lines([`no: ${name} may not enter ${environment} yet`, ...blockers.map(blockerLine)]))
    const by =
      overrides.length > 0 ? `, by an override against ${overrides.flatMap(({ codes }) => codes).join(', ')}` : ''
    return done(lines([`yes: ${name} may enter ${environment} now${by}`]))
  },
  *why({ environment, supposed }, context) {
    const { release, policy } = context
    if (!release) return refuse(NO_RELEASE)
    if (supposed !== undefined) return yield* whatIf(supposed, context)
    const unknown = environment === undefined ? null : unknownEnvironment(environment, policy.configuration, 'one')
    const hidden = yield* hiddenRings(context)
    const problem = unknown ?? notTold(hidden, environment)
    if (problem) return refuse(problem)
    const waiting = yield* waitingGates(release, environment)
    const gates = waiting.filter((gate) => !isHidden(hidden, gate.environment))
    const explained: string[] = []
    for (const gate of gates) {
      const { blockers, items } = yield* findGate(gate, policy, context.request.at)
      const names = items.map((item) => `${item.product}@${item.version}`).join(', ') || 'nothing known'
      explained.push(
        `${gate.environment}: ${names} waits since ${gate.requestedAt}`,
        ...(blockers.length > 0 ? blockers.map(blockerLine) : ['nothing stands against it: it is let in now']),
      )
    }
    const signoff = [
      `sign-off: ${release.signoff?.status ?? 'not decided'}`,
      ...pendingLines(release),
      ...ignoredLines(release),
    ]
    const none =
      gates.length === 0
        ? [`no job with a version of this release waits${environment === undefined ? '' : ` at ${environment}`}`]
        : []
    const left = environment === undefined ? hiddenLines(hidden) : []
    return done(lines([...(environment === undefined ? signoff : []), ...none, ...explained, ...left]))
  },
}

/** What the sign-off would be with one more approval of the content as it is; a draft is taken as if it were started. */
function* whatIf(login: string, context: Context): Deciding<Result> {
  const open = openRelease(context)
  if (!open.ok) return refuse(open.problem)
  const { release } = open
  const policy = yield* readPolicy(release.policyDigest)
  if (!policy) return refuse(POLICY_UNREADABLE)
  const { at } = context.request
  const shown = (release.status === 'draft' ? null : release.proposal) ?? notYetShown(release)
  const { record: now } = yield* signaturesOf(release, shown, policy, at)
  const { record: then } = yield* signaturesOf(release, shown, policy, at, login)
  const refusals = then.ignored.filter((entry) => entry.reviewId === SUPPOSED_REVIEW)
  const seats = then.evidence
    .filter((entry) => entry.login.toLowerCase() === login.toLowerCase())
    .map(({ party }) => party)
  return done(
    lines([
      ...(release.status === 'draft' ? ['the release is a draft: taken as if it were started as it is'] : []),
      `sign-off: ${now.status} now, ${then.status} if ${login} approves`,
      ...refusals.map(({ why }) => `the approval of ${login} would not count: ${why}`),
      ...seats.map((party) => `${login} would sign for ${party}`),
      ...pendingLines({ ...release, status: 'in_progress', signoff: then }).map((line) => `then waited for: ${line}`),
    ]),
  )
}

/** What a pull request would show that is opened now. */
function notYetShown(release: ReleaseState): Shown {
  const digest = compositionDigest(release)
  return { head: digest, headDigest: digest, contents: [{ commit: digest, digest }] }
}

const blockerLine = ({ code, message, hint }: Blocker): string => `${code}: ${message}. ${hint}`

const ignoredLines = ({ signoff }: ReleaseState): string[] =>
  (signoff?.ignored ?? [])
    .slice(0, 20)
    .map(({ login, why }) => `a review of ${login ?? 'a deleted account'} does not count: ${why}`)

function requirementLines(asked: RingConfig, before: RingConfig | undefined): string[] {
  const { ring, label, gate } = asked
  const people = peopleAsked(asked)
  const where = `ring ${ring} (${label})`
  if (!gate) return [`${where} is open: a recorded, finished build of the job's own commit is enough`]
  return [
    `${where} asks for a recorded, finished build of the job's own commit`,
    ...(gate.signoff ? ['a release in progress that holds the version and is signed off'] : []),
    ...(gate.signoff && people > 1 ? [`approvals of at least ${people} different people`] : []),
    ...(gate.previousRing && before
      ? [`the version is what completed last in the ring before: ${before.environments.join(', ')}`]
      : []),
    'no deployment of the product under way there; no freeze, hold or no-go; the window of the release, where it has one',
  ]
}

function* versionNamed(
  { product: name, version: wanted }: { readonly product: string; readonly version?: string },
  configured: readonly { readonly name: string }[],
): Deciding<{ readonly version: VersionState } | { readonly problem: Problem }> {
  const product = yield* state<ProductState>(productKey(name))
  if (!product) {
    const names = configured.map((entry) => entry.name)
    return { problem: unknownProduct(name, names, 'a product with a recorded build') }
  }
  const text = wanted ?? product.versions.at(-1)?.version ?? ''
  const version = yield* state<VersionState>(versionKey(name, text))
  if (version) return { version }
  const close = nearest(
    text,
    product.versions.map((entry) => entry.version),
  )
  return {
    problem: {
      code: 'unknown-version',
      message: `expected a recorded version of ${quoted(name)}, found ${quoted(text)}`,
      hint: close.length > 0 ? `Did you mean ${close.join(' or ')}?` : 'Record its build with the Action first.',
    },
  }
}

/** The gates that still wait with something of a release, in the order in which they were asked for. */
function* waitingGates(release: ReleaseState, environment: string | undefined): Deciding<GateState[]> {
  const open = (yield* state<OpenIndex>(OPEN_KEY)) ?? nothingOpen
  const gates = yield* states<GateState>(open.gates as `gate/${string}`[])
  return gates.filter(
    (gate): gate is GateState =>
      gate?.verdict === 'waiting' &&
      (environment === undefined || gate.environment === environment) &&
      gate.items.some((item) =>
        release.items.some((own) => own.product === item.product && own.version === item.version),
      ),
  )
}
