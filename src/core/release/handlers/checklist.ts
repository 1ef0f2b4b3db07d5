import { draft } from '../../catalogue.ts'
import { answer } from '../../command/answer.ts'
import { nearest } from '../../command/nearest.ts'
import { readPolicy } from '../../config/in-force.ts'
import type { Deciding } from '../../decision.ts'
import { quoted } from '../../problem.ts'
import {
  type Context,
  done,
  type HandlersOf,
  type Opened,
  openRelease,
  POLICY_UNREADABLE,
  refuse,
} from '../handling.ts'

/** The steps that people tick. */
export const checklistHandlers: HandlersOf<'done' | 'undo' | 'waive'> = {
  *done(command, context) {
    const found = yield* stepOf(command.step, context)
    if (!found.ok) return refuse(found.problem)
    return done(
      answer('step-done', command.step),
      draft(
        'step.done',
        { release: found.release.id, step: command.step, evidence: command.evidence ?? null },
        context.event('done'),
      ),
    )
  },
  *undo(command, context) {
    const found = yield* stepOf(command.step, context, 'waived')
    if (!found.ok) return refuse(found.problem)
    const { steps, conduct } = found.release
    const isOpen =
      !steps.some((step) => step.id === command.step) && !conduct.waivers.some((waiver) => waiver.step === command.step)
    if (isOpen) return done(answer('nothing-changed', `step ${command.step} is open`))
    return done(
      answer('step-undone', command.step),
      draft('step.undone', { release: found.release.id, step: command.step }, context.event('undone')),
    )
  },
  *waive({ step, reason }, context) {
    const found = yield* stepOf(step, context, 'any')
    if (!found.ok) return refuse(found.problem)
    const { id, conduct } = found.release
    if (conduct.waivers.some((waiver) => waiver.step === step && waiver.reason === reason))
      return done(answer('nothing-changed', `step ${step} is waived: ${reason}`))
    return done(
      answer('step-waived', step, reason),
      draft('step.waived', { release: id, step, reason }, context.event('waived')),
    )
  },
}

/** A step that people may tick; `any` are those that tick themselves too, `waived` those of them that are waived. */
function* stepOf(step: string, context: Context, which: 'ticked' | 'waived' | 'any' = 'ticked'): Deciding<Opened> {
  const open = openRelease(context)
  if (!open.ok) return open
  const policy = yield* readPolicy(open.release.policyDigest)
  if (!policy) return { ok: false, problem: POLICY_UNREADABLE }
  const steps = policy.configuration.checklist
  const found = steps.find((entry) => entry.id === step)
  const isWaived = open.release.conduct.waivers.some((waiver) => waiver.step === step)
  if (found && (found.machine === undefined || which === 'any' || (which === 'waived' && isWaived))) return open
  const ids = steps.filter((entry) => entry.machine === undefined || which === 'any').map((entry) => entry.id)
  const close = nearest(step, ids)
  return {
    ok: false,
    problem: {
      code: found ? 'machine-step' : 'unknown-step',
      message: found
        ? `step ${quoted(step)} ticks itself by its fact`
        : `expected a step of the checklist, found ${quoted(step)}`,
      hint:
        close.length > 0 && !found
          ? `Did you mean ${close.join(' or ')}?`
          : `Steps that people tick: ${ids.join(', ') || 'none'}.`,
    },
  }
}
