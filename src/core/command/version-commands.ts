import { productAndVersion } from './arguments.ts'
import { ANYWHERE, entry } from './entry.ts'

/** What makes tags, release branches and GitHub Releases in the repositories of products. */
export const VERSION_COMMANDS = {
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
