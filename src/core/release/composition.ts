import { stringify } from 'yaml'
import { sha256 } from '../json.ts'
import type { Conduct } from './conduct.ts'
import type { ReleaseItem, ReleaseState } from './schema.ts'

/** The folder of the proposals' branch that holds one file per release. */
export const releasePath = (id: string): string => `releases/${id}.yaml`
export const RELEASES_BRANCH = 'ringmaster-releases'
export const proposalBranch = (id: string): string => `ringmaster/proposal-${id}`

/** Products in a fixed order, so that the order of commands does not change what is signed. */
export const sortedItems = (items: readonly ReleaseItem[]): ReleaseItem[] =>
  [...items].sort((a, b) => (a.product < b.product ? -1 : a.product > b.product ? 1 : 0))

/**
 * The exact text that a proposal signs: the release, its title and every product with version and commit. Equal
 * compositions have equal bytes.
 */
export function compositionText(
  release: Pick<ReleaseState, 'id' | 'title' | 'issue' | 'items' | 'policyDigest'> & {
    readonly conduct?: Pick<Conduct, 'profile'>
  },
): string {
  const profile = release.conduct?.profile ?? null
  return stringify(
    {
      schema: 'ringmaster/release/1',
      release: release.id,
      title: release.title,
      issue: release.issue,
      policy: release.policyDigest,
      ...(profile === null ? {} : { profile }),
      products: sortedItems(release.items).map(({ product, version, sha }) => ({ product, version, sha })),
    },
    { lineWidth: 0, defaultStringType: 'QUOTE_DOUBLE', defaultKeyType: 'PLAIN' },
  )
}

/** The content that signatures are bound to. */
export const compositionDigest = (release: Parameters<typeof compositionText>[0]): `sha256:${string}` =>
  sha256(compositionText(release))
