import { accepted } from '../problem.ts'
import { type Argument, nothing } from './arguments.ts'
import { ANYWHERE, entry, OF_A_RELEASE } from './entry.ts'

/** Questions that change nothing. */
export const GENERAL_COMMANDS = {
  status: entry({
    name: 'status',
    usage: '/status',
    help: 'say where the release stands',
    where: OF_A_RELEASE,
    permission: 'read',
    parse: nothing,
  }),
  help: entry({
    name: 'help',
    usage: '/help [command]',
    help: 'list the commands',
    where: ANYWHERE,
    permission: 'read',
    parse: (args): Argument<{ topic?: string }> => {
      const topic = args.trim().replace(/^\//, '').toLowerCase()
      return accepted(topic === '' ? {} : { topic })
    },
  }),
} as const
