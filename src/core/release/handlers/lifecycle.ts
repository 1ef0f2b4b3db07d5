import { draft } from '../../catalogue.ts'
import { answer } from '../../command/answer.ts'
import { readPolicy } from '../../config/in-force.ts'
import type { Configuration } from '../../config/schema.ts'
import { type Deciding, states } from '../../decision.ts'
import { type BoardState, boardKey } from '../../deployment/schema.ts'
import type { EventDraft } from '../../event.ts'
import { type Problem, quoted } from '../../problem.ts'
import { isLive } from '../../process/checklist.ts'
import { compositionDigest } from '../composition.ts'
import {
  type Context,
  done,
  type HandlersOf,
  NO_RELEASE,
  openRelease,
  POLICY_UNREADABLE,
  refuse,
  releaseFor,
} from '../handling.ts'
import type { ReleaseState } from '../schema.ts'
import { isOpen } from '../transitions.ts'
import { alarmsEndingWith } from './gates.ts'

/** The moves of a release's life, and what is told of it. */
export const lifecycleHandlers: HandlersOf<'start' | 'reopen' | 'complete' | 'cancel' | 'rollback' | 'notes'> = {
  *start(_command, context) {
    const open = openRelease(context, 'release.started')
    if (!open.ok) return refuse(open.problem)
    const { release } = open
    if (release.items.length === 0) return refuse(EMPTY)
    return done(
      answer('release-started'),
      draft('release.started', { release: release.id, digest: compositionDigest(release) }, context.event('started')),
    )
  },
  *reopen({ reason }, context) {
    const open = openRelease(context, 'release.reopened')
    if (!open.ok) return refuse(open.problem)
    return done(
      answer('release-reopened', reason),
      draft('release.reopened', { release: open.release.id, reason }, context.event('reopened')),
    )
  },
  *complete(_command, context) {
    const open = openRelease(context, 'release.completed')
    if (!open.ok) return refuse(open.problem)
    const policy = yield* readPolicy(open.release.policyDigest)
    const problems = yield* incomplete(open.release)
    if (problems.length > 0) return refuse(...problems)
    return done(
      answer('release-completed'),
      draft('release.completed', { release: open.release.id }, context.event('completed')),
      ...(policy?.configuration.completion.notes ? [notesAsked(open.release, context)] : []),
      ...alarmsEndingWith(open.release, context),
    )
  },
  *cancel(command, context) {
    const open = openRelease(context, 'release.cancelled')
    if (!open.ok) return refuse(open.problem)
    return done(
      answer('release-cancelled'),
      draft('release.cancelled', { release: open.release.id, reason: command.reason }, context.event('cancelled')),
      ...alarmsEndingWith(open.release, context),
    )
  },
  *rollback({ reason }, context) {
    const open = releaseFor(context, 'release.rolled_back')
    if (!open.ok) return refuse(open.problem)
    const { release } = open
    return done(
      answer('release-rolled-back', reason),
      draft('release.rolled_back', { release: release.id, reason }, context.event('rolled-back')),
      /** Those of a completed release ended with its completion. */
      ...(isOpen(release.status) ? alarmsEndingWith(release, context) : []),
    )
  },
  *notes(_command, context) {
    const { release } = context
    if (!release) return refuse(NO_RELEASE)
    if (release.items.length === 0) return refuse(EMPTY)
    return done(answer('notes-asked'), notesAsked(release, context))
  },
}

const EMPTY: Problem = {
  code: 'empty-release',
  message: 'expected at least one product in the release, found none',
  hint: 'Say /add product@version first.',
}

const notesAsked = ({ id }: ReleaseState, context: Context): EventDraft =>
  draft('notes.asked', { release: id }, context.event('notes'))

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
      .filter((environment) => !isWaived(release, policy.configuration, environment))
      .map((environment) => ({
        code: 'not-live',
        message: `expected ${quoted(`${item.product}@${item.version}`)} live in ${quoted(environment)}, found that it is not`,
        hint: 'The matrix on the release issue shows where each version stands.',
      }))
  })
  return [...unsigned(release), ...openSteps(release, policy.configuration), ...absent]
}

/** A waived step that waits for the versions in an environment does without them there. */
const isWaived = ({ conduct }: ReleaseState, { checklist }: Configuration, environment: string): boolean =>
  checklist.some(
    (step) =>
      step.machine === 'deployed' &&
      step.environment === environment &&
      conduct.waivers.some((waiver) => waiver.step === step.id),
  )

/** The steps of people that are neither ticked nor waived. */
const openSteps = ({ steps, conduct }: ReleaseState, { checklist }: Configuration): Problem[] =>
  checklist
    .filter((step) => step.machine === undefined)
    .filter(
      (step) => ![...steps.map((entry) => entry.id), ...conduct.waivers.map((entry) => entry.step)].includes(step.id),
    )
    .map((step) => ({
      code: 'step-open',
      message: `expected every step to be done or waived, found ${quoted(step.id)} open`,
      hint: `Say /done ${step.id}, or /waive ${step.id} with a reason.`,
    }))

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
