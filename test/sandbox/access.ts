import type { Identity } from './identity.ts'
import { type Access, notFound, Refusal } from './router.ts'
import {
  atLeast,
  covers,
  type Level,
  type Permissions,
  type Repository,
  type Role,
  roleOf,
  type Store,
} from './store.ts'

const levels: readonly Level[] = ['read', 'write', 'admin']

/** Every App may read metadata. */
function grants(permissions: Permissions, names: readonly string[], level: Level): boolean {
  return names.some((name) => {
    const granted = name === 'metadata' ? (permissions.get(name) ?? 'read') : permissions.get(name)
    return granted !== undefined && levels.indexOf(granted) >= levels.indexOf(level)
  })
}

/** Whether the token reaches the repository at all, apart from what is public. */
export function reaches(identity: Identity, repository: Repository): boolean {
  switch (identity.kind) {
    case 'installation':
      return (
        covers(identity.installation, repository) &&
        (identity.repositories === null || identity.repositories.has(repository.id))
      )
    case 'actions':
      return identity.repository === repository
    default:
      return false
  }
}

export function canSee(store: Store, identity: Identity, repository: Repository): boolean {
  if (!repository.private) return true
  if (identity.kind === 'person') return atLeast(roleOf(store, repository, identity.account.id), 'read')
  if (identity.kind === 'app') {
    return [...store.installations.values()].some((one) => one.app === identity.app && covers(one, repository))
  }
  return reaches(identity, repository)
}

const roleFor: Readonly<Record<Level, Role>> = { read: 'read', write: 'write', admin: 'admin' }
const notByIntegration = () => new Refusal(403, 'Resource not accessible by integration')

/** Whether the identity has this on the repository, whatever route asks. */
export function may(
  store: Store,
  identity: Identity,
  repository: Repository,
  names: readonly string[],
  level: Level,
  person?: Role,
): boolean {
  if (identity.kind === 'person') {
    return atLeast(roleOf(store, repository, identity.account.id), person ?? roleFor[level])
  }
  if (identity.kind !== 'installation' && identity.kind !== 'actions') return level === 'read' && !repository.private
  if (!reaches(identity, repository)) return level === 'read' && !repository.private
  return grants(identity.permissions, names, level)
}

/** Refuses as GitHub does: 401 without a credential, 404 for what cannot be seen, 403 for what may not be done. */
export function checkAccess(
  store: Store,
  identity: Identity,
  access: Access,
  repository: Repository | undefined,
): void {
  if (access === 'anyone') return
  if (access === 'app') {
    if (identity.kind !== 'app') throw new Refusal(401, 'A JSON web token could not be decoded')
    return
  }
  if (identity.kind === 'app') throw new Refusal(403, 'Resource not accessible by integration')
  if (access === 'installation') {
    if (identity.kind !== 'installation') throw new Refusal(403, 'Resource not accessible by personal access token')
    return
  }
  const { permissions, level, person, only } = access
  if (identity.kind === 'anonymous' && level !== 'read') throw new Refusal(401, 'Requires authentication')
  if (only === 'apps' && identity.kind === 'person') throw new Refusal(403, 'You must authenticate via a GitHub App.')
  if (only === 'people' && identity.kind !== 'person') throw notByIntegration()
  if (!repository) {
    if (identity.kind === 'installation' || identity.kind === 'actions') {
      if (!grants(identity.permissions, permissions, level)) throw notByIntegration()
    }
    return
  }
  if (repository.archived && level !== 'read') throw new Refusal(403, 'Repository was archived so is read-only.')
  if (may(store, identity, repository, permissions, level, person)) return
  if (identity.kind === 'person') {
    if (person === 'admin' || level === 'admin') throw new Refusal(403, 'Must have admin rights to Repository.')
    throw new Refusal(403, 'Must have write access to the repository.')
  }
  throw identity.kind === 'anonymous' ? notFound() : notByIntegration()
}
