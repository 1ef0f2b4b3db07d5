import { accepted } from '../problem.ts'
import { type Argument, nameArgument, nothing, productAndVersion, textArgument, unquoted } from './arguments.ts'
import { ANYWHERE, entry, OF_A_RELEASE } from './entry.ts'

const reasonArgument = (args: string): Argument<{ reason: string }> => {
  const reason = textArgument(args, 'a reason')
  return reason.ok ? accepted({ reason: reason.value }) : reason
}

/** What a release is made of, and the moves of its life. */
export const RELEASE_COMMANDS = {
  release: entry({
    name: 'release',
    usage: '/release ["title"]',
    help: 'make this issue a release issue',
    where: ANYWHERE,
    permission: 'manage-release',
    parse: (args): Argument<{ title?: string }> => {
      if (args.trim() === '') return accepted({})
      const title = textArgument(args, 'a title')
      return title.ok ? accepted({ title: title.value }) : title
    },
  }),
  add: entry({
    name: 'add',
    usage: '/add product@version',
    help: 'put a recorded version into the release; without a version the newest one',
    where: OF_A_RELEASE,
    permission: 'manage-release',
    parse: productAndVersion,
  }),
  remove: entry({
    name: 'remove',
    usage: '/remove product',
    help: 'take a product out of the release',
    where: OF_A_RELEASE,
    permission: 'manage-release',
    parse: (args): Argument<{ product: string }> => {
      const product = nameArgument(unquoted(args.trim()))
      return product.ok ? accepted({ product: product.value }) : product
    },
  }),
  start: entry({
    name: 'start',
    usage: '/start',
    help: 'open the proposal that the parties approve',
    where: OF_A_RELEASE,
    permission: 'complete-release',
    parse: nothing,
  }),
  complete: entry({
    name: 'complete',
    usage: '/complete',
    help: 'end the release when every version is live',
    where: OF_A_RELEASE,
    permission: 'complete-release',
    parse: nothing,
  }),
  cancel: entry({
    name: 'cancel',
    usage: '/cancel reason',
    help: 'end the release undone',
    where: OF_A_RELEASE,
    permission: 'complete-release',
    parse: reasonArgument,
  }),
} as const
