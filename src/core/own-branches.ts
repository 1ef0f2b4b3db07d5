import { RELEASES_BRANCH } from './release/composition.ts'

/** The branch of the log in its first epoch. */
export const DATA_BRANCH = 'ringmaster-data'
export const PAGES_BRANCH = 'ringmaster-pages'

/** The branch of the log in an epoch, counted from 1, where the first one is `base`. */
export const branchOfEpoch = (epoch: number, base: string = DATA_BRANCH): string =>
  epoch === 1 ? base : `${base}-${epoch}`

/**
 * The branches of the release repository that nobody but Ringmaster writes, as a ruleset names them: `*` stands for the
 * numbers of the epochs that come.
 */
export const OWN_BRANCHES: readonly string[] = [DATA_BRANCH, `${DATA_BRANCH}-*`, RELEASES_BRANCH, PAGES_BRANCH]

const LATER_EPOCH = new RegExp(`^${DATA_BRANCH}-[1-9][0-9]*$`)

/** Whether a branch of the release repository is one that nobody but Ringmaster writes. */
export const isOwnBranch = (branch: string): boolean => OWN_BRANCHES.includes(branch) || LATER_EPOCH.test(branch)
