import { accepted, quoted, rejected } from '../problem.ts'
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
  preview: entry({
    name: 'preview',
    usage: '/preview',
    help: 'say what is on its way: versions that are live in a ring and not yet where releases complete, and open releases',
    where: ANYWHERE,
    permission: 'see-previews',
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
  'dry-run': entry({
    name: 'dry-run',
    usage: '/dry-run command',
    help: 'say what a command would do, and change nothing',
    where: ANYWHERE,
    permission: 'read',
    parse: (args): Argument<{ command: { name: string; args: string } }> => {
      const found = /^\/?([A-Za-z0-9][A-Za-z0-9-]{0,31})(?=[ \t]|$)/.exec(args.trim())
      const name = found?.[1]?.toLowerCase()
      if (found && name && name !== 'dry-run')
        return accepted({ command: { name, args: args.trim().slice(found[0].length).trim() } })
      return rejected({
        code: args.trim() === '' ? 'argument-missing' : 'argument-invalid',
        message: `expected another command, found ${args.trim() === '' ? 'nothing' : quoted(args.trim())}`,
        hint: 'Such as /dry-run start.',
      })
    },
  }),
} as const
