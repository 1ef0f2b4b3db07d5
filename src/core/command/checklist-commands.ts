import { accepted } from '../problem.ts'
import { type Argument, firstWord, stepAndEvidence, textArgument, together } from './arguments.ts'
import { entry, OF_A_RELEASE } from './entry.ts'

/** What people do with the steps of a release. */
export const CHECKLIST_COMMANDS = {
  done: entry({
    name: 'done',
    usage: '/done step [evidence]',
    help: 'tick a step of the checklist',
    where: OF_A_RELEASE,
    permission: 'tick-step',
    parse: stepAndEvidence,
  }),
  undo: entry({
    name: 'undo',
    usage: '/undo step',
    help: 'open a step of the checklist again',
    where: OF_A_RELEASE,
    permission: 'tick-step',
    parse: (args): Argument<{ step: string }> => {
      const step = textArgument(args, 'the id of a step')
      return step.ok ? accepted({ step: step.value }) : step
    },
  }),
  waive: entry({
    name: 'waive',
    usage: '/waive step reason',
    help: 'do without a step of the checklist, and say why',
    where: OF_A_RELEASE,
    permission: 'complete-release',
    parse: (args): Argument<{ step: string; reason: string }> => {
      const { word, rest } = firstWord(args)
      return together({ step: textArgument(word, 'the id of a step'), reason: textArgument(rest, 'a reason') })
    },
  }),
} as const
