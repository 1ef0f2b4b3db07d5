import { perRepository, type Repository } from '../store.ts'
import type { World } from '../world.ts'
import { zeroOid } from './repository.ts'

/** Where each ref was before its last move: what a lagging read still sees. */
const formerOf = perRepository(() => new Map<string, string>())

export const rememberFormer = (repository: Repository, ref: string, before: string): void =>
  void formerOf(repository).set(ref, before)

/** Where a ref was before its last move (where it is when it never moved). */
export async function formerRef(world: World, repository: Repository, ref: string): Promise<string | undefined> {
  const former = formerOf(repository).get(ref)
  if (former === undefined) return world.gitOf(repository).readRef(ref)
  return former === zeroOid ? undefined : former
}

/** A ref as this request sees it: the `lag` fault shows the state before the last change. */
export async function visibleRef(
  { world, repository, route }: { world: World; repository: () => Repository; route?: string },
  ref: string,
): Promise<string | undefined> {
  const isLagging = world.faults.take(['lag'], { route: route ?? 'GET /repos/{owner}/{repo}/git/ref/{ref}', text: '' })
  return isLagging ? formerRef(world, repository(), ref) : world.gitOf(repository()).readRef(ref)
}
