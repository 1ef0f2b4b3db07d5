import type { FaultedRequest } from '../faults.ts'
import { perRepository, type Repository } from '../store.ts'
import type { World } from '../world.ts'
import { zeroOid } from './repository.ts'

/** How far a lagging read is behind: GitHub's replicas were seen to be up to half a minute late. */
const LAG_MS = 30_000

interface Move {
  readonly atMs: number
  readonly before: string
}

/** The moves of each ref that a lagging read may not have seen yet, oldest first. */
const movesOf = perRepository(() => new Map<string, Move[]>())

/** Notes that a ref has moved away from `before`. */
export function rememberFormer({ clock }: World, repository: Repository, ref: string, before: string): void {
  const moves = movesOf(repository)
  const atMs = clock.epochMs()
  const recent = (moves.get(ref) ?? []).filter((move) => move.atMs > atMs - LAG_MS)
  moves.set(ref, [...recent, { atMs, before }])
}

/** Where a ref was half a minute ago. */
export async function formerRef(world: World, repository: Repository, ref: string): Promise<string | undefined> {
  const seenMs = world.clock.epochMs() - LAG_MS
  const unseen = movesOf(repository)
    .get(ref)
    ?.find(({ atMs }) => atMs > seenMs)
  if (unseen === undefined) return world.gitOf(repository).readRef(ref)
  return unseen.before === zeroOid ? undefined : unseen.before
}

/** A ref as this request sees it: the `lag` fault shows where it was half a minute ago. */
export async function visibleRef(
  { world, repository, route }: { world: World; repository: () => Repository; route?: string },
  ref: string,
): Promise<string | undefined> {
  const isLagging = world.faults.take(['lag'], { route: route ?? 'GET /repos/{owner}/{repo}/git/ref/{ref}', text: '' })
  return isLagging ? formerRef(world, repository(), ref) : world.gitOf(repository()).readRef(ref)
}

/** What was made after this instant, a list does not show to this request: the `lag` fault leaves out the last half minute. */
export const listedUntilMs = ({ clock, faults }: World, asked: FaultedRequest): number =>
  faults.take(['lag'], asked) ? clock.epochMs() - LAG_MS : Number.POSITIVE_INFINITY
