import { RELEASES_BRANCH } from './release/composition.ts'

/** The branches of the release repository that nobody but Ringmaster writes. */
export const OWN_BRANCHES: readonly string[] = ['ringmaster-data', RELEASES_BRANCH, 'ringmaster-pages']
