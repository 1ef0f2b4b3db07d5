import type { CommitMessage } from './commit-message.ts'
import type { Commit } from './schema.ts'

/** How a commit takes part in reverts; hashes are whole. */
export interface Pairing {
  /** The commit that takes this one back; absent where none does. */
  readonly revertedBy?: string
  /** What this one takes back inside the range. */
  readonly reverts: readonly string[]
  /** What it takes back and is not in the range. */
  readonly outside: readonly string[]
  /** Prefixes that fit several commits of the range. */
  readonly ambiguous: readonly string[]
}

/**
 * Pairs reverts with what they revert, newest first: a revert that is itself reverted takes nothing back, so a revert
 * of a revert brings the change back. Only a commit older than the revert can be meant. By index of the commits.
 */
export function pairReverts(commits: readonly Commit[], messages: readonly CommitMessage[]): Map<number, Pairing> {
  const pairings = new Map<number, Pairing>()
  if (messages.every((message) => message.reverts.length === 0)) return pairings
  const find = finderOf(commits)
  const revertedBy = new Map<number, string>()
  for (const [index, message] of messages.entries()) {
    const by = revertedBy.get(index)
    if (by !== undefined) pairings.set(index, { revertedBy: by, reverts: [], outside: [], ambiguous: [] })
    else if (message.reverts.length > 0) {
      const found = message.reverts.map((hash) => ({ hash, targets: find(hash, index) }))
      const inside = found.flatMap(({ targets }) => (targets.length === 1 ? targets : []))
      for (const target of inside) revertedBy.set(target, commits[index]?.sha ?? '')
      pairings.set(index, {
        reverts: inside.map((target) => commits[target]?.sha ?? ''),
        outside: found.filter(({ targets }) => targets.length !== 1).map(({ hash }) => hash),
        ambiguous: found.filter(({ targets }) => targets.length > 1).map(({ hash }) => hash),
      })
    }
  }
  return pairings
}

/** A prefix that fits more commits than this is ambiguous without looking at each of them. */
const mostCandidates = 64

/** Finds the commits older than `index` whose hash begins with `hash`: at most two, which is one too many. */
type Finder = (hash: string, index: number) => readonly number[]

/** Full hashes are looked up; only prefixes, which are rare, need the commits in order of their hashes. */
function finderOf(commits: readonly Commit[]): Finder {
  const oldest = new Map(commits.map((commit, index) => [commit.sha.toLowerCase(), index] as const))
  let byPrefix: Finder | undefined
  return (hash, index) => {
    const whole = oldest.get(hash)
    if (whole !== undefined) return whole > index ? [whole] : []
    if (isFull(hash)) return []
    byPrefix ??= prefixFinderOf(commits)
    return byPrefix(hash, index)
  }
}

const isFull = (hash: string): boolean => hash.length === 40 || hash.length === 64

function prefixFinderOf(commits: readonly Commit[]): Finder {
  const sorted = commits
    .map((commit, index) => ({ sha: commit.sha.toLowerCase(), index }))
    .sort((a, b) => (a.sha < b.sha ? -1 : a.sha > b.sha ? 1 : b.index - a.index))
  return (hash, index) => {
    const found: number[] = []
    const start = lowerBound(sorted, hash)
    for (let at = start; sorted[at]?.sha.startsWith(hash) && at <= start + mostCandidates; at += 1) {
      const candidate = sorted[at]?.index ?? -1
      if (candidate > index) found.push(candidate)
    }
    return found.slice(0, 2)
  }
}

function lowerBound(sorted: readonly { readonly sha: string }[], hash: string): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle]?.sha ?? '') < hash) low = middle + 1
    else high = middle
  }
  return low
}
