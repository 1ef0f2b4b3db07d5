import { ulid } from 'ulid'
import { RingmasterError } from '../core/problem.ts'
import type { Publication } from './publication.ts'

type Files = ReadonlyMap<string, Uint8Array | null>

/** What a branch has to offer for a publication: a part of the ledger's store port, in its words. */
export interface PublicationBranch {
  readonly name: string
  newest(
    paths: readonly string[],
  ): Promise<{ readonly info: { readonly commit: string }; readonly files: Files } | null>
  commit(request: {
    readonly expectedHead: string | null
    readonly operation: string
    readonly message: string
    readonly additions: readonly { readonly path: string; readonly bytes: Uint8Array }[]
    readonly deletions: readonly string[]
  }): Promise<{ readonly kind: 'committed'; readonly commit: string } | { readonly kind: 'stale' }>
}

const MAX_TRIES = 5

/**
 * The pages branch: a publication is one commit, so that no reader of the branch ever sees half of one. A push by the
 * App's own token builds Pages; one by a workflow's GITHUB_TOKEN does not.
 */
export function branchPublication(branch: PublicationBranch): Publication {
  return {
    name: `the branch ${branch.name}`,
    async get(paths) {
      const newest = await branch.newest(paths)
      return newest?.files ?? new Map(paths.map((path) => [path, null] as const))
    },
    async put(files) {
      for (let tries = 0; tries < MAX_TRIES; tries++) {
        const newest = await branch.newest(files.map((file) => file.path))
        const stored = (path: string) => newest?.files.get(path) ?? null
        const changed = files.filter((file) => !same(stored(file.path), file.bytes))
        const conflicts = changed.filter((file) => file.immutable && stored(file.path) !== null)
        if (conflicts.length > 0) return { kind: 'conflict', paths: conflicts.map((file) => file.path) }
        if (changed.length === 0) return { kind: 'stored' }
        const operation = ulid()
        const outcome = await branch.commit({
          expectedHead: newest?.info.commit ?? null,
          operation,
          message: `Publish ${changed.length} file(s)\n\n\nOperation: ${operation}\nskip-checks: true\n`,
          additions: changed.map(({ path, bytes }) => ({ path, bytes })),
          deletions: [],
        })
        if (outcome.kind === 'committed') return { kind: 'stored' }
      }
      throw new RingmasterError('outside', {
        code: 'publication-race',
        message: `expected to commit to the branch ${branch.name}, found it moved ${MAX_TRIES} times meanwhile`,
        hint: 'Only one writer should publish there; look for a second App or workflow.',
      })
    },
  }
}

const same = (a: Uint8Array | null, b: Uint8Array): boolean => a !== null && Buffer.compare(a, b) === 0
