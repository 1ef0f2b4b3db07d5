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
export const checklistHandlers: HandlersOf<'done' | 'undo'> = {
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
    const found = yield* stepOf(command.step, context)
    if (!found.ok) return refuse(found.problem)
    if (!found.release.steps.some((step) => step.id === command.step))
      return done(answer('nothing-changed', `step ${command.step} is open`))
    return done(
      answer('step-undone', command.step),
      draft('step.undone', { release: found.release.id, step: command.step }, context.event('undone')),
    )
  },
}

function* stepOf(step: string, context: Context): Deciding<Opened> {
  const open = openRelease(context)
  if (!open.ok) return open
  const policy = yield* readPolicy(open.release.policyDigest)
  if (!policy) return { ok: false, problem: POLICY_UNREADABLE }
  const steps = policy.configuration.checklist
  const found = steps.find((entry) => entry.id === step)
  if (found && found.machine === undefined) return open
  const ids = steps.filter((entry) => entry.machine === undefined).map((entry) => entry.id)
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
