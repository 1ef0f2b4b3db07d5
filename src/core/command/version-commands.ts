import { accepted } from '../problem.ts'
import { type Argument, nameArgument, nothing, productAndVersion, unquoted } from './arguments.ts'
import { ANYWHERE, entry, OF_A_RELEASE } from './entry.ts'

/** What says which version comes next, and makes tags, release branches and GitHub Releases of products. */
export const VERSION_COMMANDS = {
  bump: entry({
    name: 'bump',
    usage: '/bump product',
    help: 'say which version comes next on the default branch of its repository, and which commits ask for it',
    where: ANYWHERE,
    permission: 'manage-release',
    parse: (args): Argument<{ product: string }> => {
      const product = nameArgument(unquoted(args.trim()))
      return product.ok ? accepted({ product: product.value }) : product
    },
  }),
  notes: entry({
    name: 'notes',
    usage: '/notes',
    help: 'tell on the release issue what its versions change, for the team and for customers; again, to read their commits anew',
    where: OF_A_RELEASE,
    permission: 'manage-release',
    parse: nothing,
  }),
  'version-files': entry({
    name: 'version-files',
    usage: '/version-files product@version',
    help: 'open a pull request that writes the version into the version files of the product',
    where: ANYWHERE,
    permission: 'cut-version',
    parse: productAndVersion,
  }),
  rc: entry({
    name: 'rc',
    usage: '/rc product@version',
    help: 'tag the next release candidate at the commit of a recorded version; without a version that of this release, or the highest',
    where: ANYWHERE,
    permission: 'cut-version',
    parse: productAndVersion,
  }),
  cut: entry({
    name: 'cut',
    usage: '/cut product@version or /cut product@1.x',
    help: 'tag the release that a recorded version is or leads to, with its release branch and GitHub Release; or begin the branch of a line',
    where: ANYWHERE,
    permission: 'cut-version',
    parse: productAndVersion,
  }),
} as const
