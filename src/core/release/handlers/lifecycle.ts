import { draft } from '../../catalogue.ts'
import { answer } from '../../command/answer.ts'
import { readPolicy } from '../../config/in-force.ts'
import { type Deciding, states } from '../../decision.ts'
import { type BoardState, boardKey } from '../../deployment/schema.ts'
import { type Problem, quoted } from '../../problem.ts'
import { isLive } from '../../process/checklist.ts'
import { compositionDigest } from '../composition.ts'
import { done, type HandlersOf, openRelease, POLICY_UNREADABLE, refuse } from '../handling.ts'
import type { ReleaseState } from '../schema.ts'

/** The moves of a release's life. */
export const lifecycleHandlers: HandlersOf<'start' | 'complete' | 'cancel'> = {
  *start(_command, context) {
    const open = openRelease(context, 'release.started')
    if (!open.ok) return refuse(open.problem)
    const { release } = open
    if (release.items.length === 0) {
      return refuse({
        code: 'empty-release',
        message: 'expected at least one product in the release, found none',
        hint: 'Say /add product@version first.',
      })
    }
    return done(
      answer('release-started'),
      draft('release.started', { release: release.id, digest: compositionDigest(release) }, context.event('started')),
    )
  },
  *complete(_command, context) {
    const open = openRelease(context, 'release.completed')
    if (!open.ok) return refuse(open.problem)
    const problems = yield* incomplete(open.release)
    if (problems.length > 0) return refuse(...problems)
    return done(
      answer('release-completed'),
      draft('release.completed', { release: open.release.id }, context.event('completed')),
    )
  },
  *cancel(command, context) {
    const open = openRelease(context, 'release.cancelled')
    if (!open.ok) return refuse(open.problem)
    return done(
      answer('release-cancelled'),
      draft('release.cancelled', { release: open.release.id, reason: command.reason }, context.event('cancelled')),
    )
  },
}

/** What keeps a release from being complete: every version must be live in every environment that completion names. */
function* incomplete(release: ReleaseState): Deciding<Problem[]> {
  const policy = yield* readPolicy(release.policyDigest)
  if (!policy) return [POLICY_UNREADABLE]
  const boards = yield* states<BoardState>(release.items.map((item) => boardKey(item.product)))
  const { completion, products } = policy.configuration
  const absent = release.items.flatMap((item, index): Problem[] => {
    const own = products.find((product) => product.name === item.product)?.environments
    return completion.environments
      .filter((environment) => own === undefined || own.includes(environment))
      .filter((environment) => !isLive(boards[index], environment, item.version))
      .map((environment) => ({
        code: 'not-live',
        message: `expected ${quoted(`${item.product}@${item.version}`)} live in ${quoted(environment)}, found that it is not`,
        hint: 'The matrix on the release issue shows where each version stands.',
      }))
  })
  return [...unsigned(release), ...absent]
}

const unsigned = ({ signoff }: ReleaseState): Problem[] =>
  signoff?.status === 'approved'
    ? []
    : [
        {
          code: 'not-signed-off',
          message: `expected a signed-off release, found sign-off ${signoff?.status ?? 'pending'}`,
          hint: 'The check run on the proposal says who is missing.',
        },
      ]
