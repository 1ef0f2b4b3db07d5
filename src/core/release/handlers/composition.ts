import { draft } from '../../catalogue.ts'
import { answer } from '../../command/answer.ts'
import { nearest } from '../../command/nearest.ts'
import { type Deciding, state } from '../../decision.ts'
import { type Problem, quoted } from '../../problem.ts'
import { latestVersion } from '../../product/latest.ts'
import { type ProductState, productKey, type VersionState, versionKey } from '../../product/schema.ts'
import { type Context, done, type HandlersOf, type Named, openRelease, type Result, refuse } from '../handling.ts'
import { type ReleaseState, releaseIdOf } from '../schema.ts'

/** What a release is made of. */
export const compositionHandlers: HandlersOf<'release' | 'add' | 'remove'> = {
  *release(command, { request, person, release, policy, event }) {
    if (request.issue.isPull)
      return refuse({
        code: 'not-an-issue',
        message: 'expected an issue, found a pull request',
        hint: 'Say /release on an issue.',
      })
    if (release) return done(answer('nothing-changed', `this is already the release issue of ${release.title}`))
    const id = releaseIdOf(request.issue.number)
    const title = command.title ?? request.issue.title
    const { repository, issue } = request
    return done(
      answer('release-opened', title),
      draft(
        'release.opened',
        {
          release: id,
          title,
          repository,
          issue: issue.number,
          manager: { login: person.login, id: person.id },
          policyDigest: policy.digest,
        },
        event('opened'),
      ),
    )
  },
  *add(command, context) {
    const open = openRelease(context)
    if (!open.ok) return refuse(open.problem)
    return yield* addVersion(open.release, command, context)
  },
  *remove(command, context) {
    const open = openRelease(context)
    if (!open.ok) return refuse(open.problem)
    const { release } = open
    if (!release.items.some((item) => item.product === command.product)) {
      return refuse(
        unknownProduct(
          command.product,
          release.items.map((item) => item.product),
          'a product of this release',
        ),
      )
    }
    if (release.status === 'in_progress' && release.items.length === 1) {
      return refuse({
        code: 'empty-release',
        message: 'expected at least one product in a started release, found this to be the last',
        hint: 'Say /cancel with a reason, or add another product first.',
      })
    }
    return done(
      answer('version-removed', command.product, signersToAskAgain(release).join(', ')),
      draft('release.version_removed', { release: release.id, product: command.product }, context.event('removed')),
    )
  },
}

/** Whose approvals of the composition before are void with the change. */
const signersToAskAgain = ({ signoff }: ReleaseState): string[] =>
  [...new Set((signoff?.evidence ?? []).map((seat) => seat.login))].slice(0, 10)

function* addVersion(release: ReleaseState, command: Named<'add'>, context: Context): Deciding<Result> {
  const { products } = context.policy.configuration
  const known = products.map(({ name }) => name)
  const product = yield* state<ProductState>(productKey(command.product))
  if (!product) return refuse(unknownProduct(command.product, known, 'a product with a recorded build'))
  const scheme = products.find(({ name }) => name === command.product)?.scheme
  const latest = command.version === undefined ? latestVersion(product, scheme) : null
  const wanted = command.version ?? latest?.version ?? ''
  const how = latest?.by === 'record' ? ['last-recorded'] : []
  const version = yield* state<VersionState>(versionKey(command.product, wanted))
  if (!version) return refuse(unknownVersion(product, wanted))
  const before = release.items.find((item) => item.product === command.product)
  if (before?.version === wanted)
    return done(answer('nothing-changed', `${command.product}@${wanted} is in the release`))
  const item = { product: command.product, version: wanted, sha: version.sha }
  const said = before
    ? answer('version-replaced', item.product, wanted, before.version, ...how)
    : answer('version-added', item.product, wanted, item.sha, ...how)
  return done(said, draft('release.version_added', { release: release.id, item }, context.event('added')))
}

export function unknownVersion(product: ProductState, wanted: string): Problem {
  const close = nearest(
    wanted,
    product.versions.map((entry) => entry.version),
  )
  return {
    code: 'unknown-version',
    message: `expected a recorded version of ${quoted(product.name)}, found ${quoted(wanted)}`,
    hint: close.length > 0 ? `Did you mean ${close.join(' or ')}?` : 'Record its build with the Action first.',
  }
}

export function unknownProduct(name: string, known: readonly string[], what: string): Problem {
  const close = nearest(name, known)
  return {
    code: 'unknown-product',
    message: `expected ${what}, found ${quoted(name)}`,
    hint:
      close.length > 0
        ? `Did you mean ${close.map(quoted).join(' or ')}?`
        : `Known: ${known.slice(0, 20).map(quoted).join(', ') || 'none yet'}.`,
  }
}
