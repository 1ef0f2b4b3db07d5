/** One thing that Ringmaster does and the permission it needs for it. */
export interface PermissionUse {
  readonly feature: string
  readonly permission: string
  readonly access: 'read' | 'write'
  /** Where it is used: the release repository, the repositories of products, or the organization. */
  readonly where: 'release' | 'products' | 'organization'
}

/** Feature → permission → place. `app.yml` asks for exactly these, by test; `docs/install.md` shows them. */
export const PERMISSIONS: readonly PermissionUse[] = [
  {
    feature: 'find repositories and what people may do in them',
    permission: 'metadata',
    access: 'read',
    where: 'products',
  },
  {
    feature: 'keep the log, merge proposals, publish manifests',
    permission: 'contents',
    access: 'write',
    where: 'release',
  },
  {
    feature: 'make tags, release branches and GitHub Releases, when somebody says /rc or /cut',
    permission: 'contents',
    access: 'write',
    where: 'products',
  },
  {
    feature: 'open pull requests that write version files, when somebody says /version-files',
    permission: 'pull_requests',
    access: 'write',
    where: 'products',
  },
  {
    feature: 'open proposals, read their reviews, merge them',
    permission: 'pull_requests',
    access: 'write',
    where: 'release',
  },
  {
    feature: 'answer commands, keep the release issue, open alarms',
    permission: 'issues',
    access: 'write',
    where: 'release',
  },
  {
    feature: 'show sign-off and what was refused, read builds',
    permission: 'checks',
    access: 'write',
    where: 'products',
  },
  {
    feature: 'find commit statuses that others set under the names of its check runs',
    permission: 'statuses',
    access: 'read',
    where: 'release',
  },
  {
    feature: 'read deployments, answer protection rules',
    permission: 'deployments',
    access: 'write',
    where: 'products',
  },
  { feature: 'list the runs that wait for a gate', permission: 'actions', access: 'read', where: 'products' },
  { feature: 'ask who belongs to a team', permission: 'members', access: 'read', where: 'organization' },
]

/** The permissions of the App's manifest: for each the strongest access that a feature needs. */
export function manifestPermissions(): Record<string, 'read' | 'write'> {
  const strongest = new Map<string, 'read' | 'write'>()
  for (const { permission, access } of PERMISSIONS) {
    if (access === 'write' || !strongest.has(permission)) strongest.set(permission, access)
  }
  return Object.fromEntries([...strongest].sort(([a], [b]) => (a < b ? -1 : 1)))
}
