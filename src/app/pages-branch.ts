import { PAGES_BRANCH } from '../core/own-branches.ts'
import { type GitHubApp, splitName } from '../github/client.ts'
import { inClass } from '../github/work-class.ts'
import { gitHubStore } from '../ledger/github.ts'
import type { LedgerStore } from '../ledger/store.ts'
import type { PublicationBranch } from '../publish/branch.ts'

/** Pages then serves the files as they are, and does not look for templates in them first. */
const NO_JEKYLL = { path: '.nojekyll', bytes: Buffer.from('\n') }

/** One request names at most so many files. */
const PATHS_AT_ONCE = 50

/**
 * The branch that GitHub Pages is built from, by the App's own commits. The App is asked for its access at the first
 * use: what is wrong with its key is told by those who use it first of all.
 */
export function pagesBranch(app: GitHubApp, repository: string): PublicationBranch {
  let opened: Promise<LedgerStore> | undefined
  const store = (): Promise<LedgerStore> => {
    opened ??= app.forRepository(repository).then((octokit) =>
      // Files are vouched for by their own signatures: those of the commits count for nothing here.
      gitHubStore({ client: octokit as never, ...splitName(repository), branch: PAGES_BRANCH, signatures: 'not-kept' }),
    )
    opened.catch(() => {
      opened = undefined
    })
    return opened
  }
  return {
    name: `${repository}@${PAGES_BRANCH}`,
    newest: (paths) =>
      inClass('append', async () => {
        const branch = await store()
        const newest = await branch.newest(paths.slice(0, PATHS_AT_ONCE))
        const others = paths.slice(PATHS_AT_ONCE)
        if (newest === null || others.length === 0) return newest
        const more = await branch.read(newest.info.commit, others)
        return { info: newest.info, files: new Map([...newest.files, ...more]) }
      }),
    commit: (request) =>
      inClass('append', async () => {
        const additions = request.expectedHead === null ? [...request.additions, NO_JEKYLL] : request.additions
        return (await store()).commit({ ...request, additions })
      }),
  }
}
