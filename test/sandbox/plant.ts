import { announceInstallation, createAppRecord } from './create-world.ts'
import { announcePush, changeRefs, signatureOf } from './git/ref-update.ts'
import { isSafePath, type TreeChange, zeroOid } from './git/repository.ts'
import type { AppSeed, CommitSeed, FileChanges, OrganizationSeed, RepositorySeed, Seed } from './seed.ts'
import {
  type Account,
  accountByLogin,
  type Installation,
  type Repository,
  repositoryByName,
  roleOf,
  teamBySlug,
} from './store.ts'
import type { World } from './world.ts'

const toMap = <T>(record: Readonly<Record<string, T>> | undefined): Map<string, T> =>
  new Map(Object.entries(record ?? {}))

/** Puts the seed into an empty world; throws on a name that the seed does not define. */
export async function plant(world: World, seed: Seed): Promise<void> {
  for (const person of seed.people ?? []) addPerson(world, typeof person === 'string' ? { login: person } : person)
  for (const organization of seed.organizations ?? []) addOrganization(world, organization)
  for (const repository of seed.repositories ?? []) await addRepository(world, repository)
  for (const app of seed.apps ?? []) addApp(world, app)
}

export function accountNamed(world: World, login: string): Account {
  const account = accountByLogin(world.store, login)
  if (!account) throw new Error(`expected a login of the seed, found ${JSON.stringify(login)}`)
  return account
}

function addPerson(world: World, { login, name, id }: { login: string; name?: string; id?: number }): void {
  if (accountByLogin(world.store, login)) throw new Error(`the login ${JSON.stringify(login)} is there already`)
  const account: Account = { id: id ?? world.nextId(), login, type: 'User', name: name ?? null, email: null }
  world.store.accounts.set(account.id, account)
}

function addOrganization(world: World, seed: OrganizationSeed): void {
  const { store } = world
  const organization: Account = { id: world.nextId(), login: seed.login, type: 'Organization', name: null, email: null }
  store.accounts.set(organization.id, organization)
  const members = new Map<number, 'admin' | 'member'>()
  for (const login of seed.members ?? []) members.set(accountNamed(world, login).id, 'member')
  for (const login of seed.owners ?? []) members.set(accountNamed(world, login).id, 'admin')
  store.organizationMembers.set(organization.id, members)
  for (const team of seed.teams ?? []) {
    const id = world.nextId()
    const parent = team.parent === undefined ? undefined : teamBySlug(store, seed.login, team.parent)
    if (team.parent !== undefined && !parent) throw new Error(`expected team ${team.parent} before ${team.slug}`)
    const teamMembers = (team.members ?? []).map((login) => accountNamed(world, login).id)
    for (const member of teamMembers) if (!members.has(member)) members.set(member, 'member')
    store.teams.set(id, {
      id,
      organization,
      slug: team.slug,
      name: team.name ?? team.slug,
      parent: parent ?? null,
      members: new Map(teamMembers.map((member) => [member, { role: 'member', state: 'active' }])),
    })
  }
}

async function addRepository(world: World, seed: RepositorySeed): Promise<void> {
  const [ownerLogin = '', name = ''] = seed.name.split('/')
  const owner = accountNamed(world, ownerLogin)
  const now = world.clock.now()
  const teams = [...toMap(seed.teams)].map(([slug, role]) => {
    const team = teamBySlug(world.store, owner.login, slug)
    if (!team) throw new Error(`expected a team of ${owner.login}, found ${JSON.stringify(slug)}`)
    return [team.id, role] as const
  })
  const repository: Repository = {
    id: world.nextId(),
    owner,
    name,
    description: seed.description ?? null,
    private: seed.private ?? false,
    defaultBranch: seed.defaultBranch ?? 'main',
    archived: false,
    hasIssues: true,
    allowMergeCommit: seed.allowMergeCommit ?? true,
    allowSquashMerge: seed.allowSquashMerge ?? true,
    allowRebaseMerge: seed.allowRebaseMerge ?? true,
    deleteBranchOnMerge: false,
    createdAt: now,
    pushedAt: now,
    updatedAt: now,
    collaborators: new Map(
      [...toMap(seed.collaborators)].map(([login, role]) => [accountNamed(world, login).id, role]),
    ),
    teams: new Map(teams),
  }
  await world.addRepository(repository)
  for (const commit of seed.commits ?? []) await plantCommit(world, repository, commit)
}

function addApp(world: World, seed: AppSeed): void {
  const { store } = world
  const now = world.clock.now()
  const ownerLogin = seed.owner ?? seed.installations?.[0]?.account
  const owner = ownerLogin === undefined ? [...store.accounts.values()][0] : accountNamed(world, ownerLogin)
  if (!owner) throw new Error(`the App ${seed.slug} has no owner`)
  const app = createAppRecord({
    slug: seed.slug,
    name: seed.name ?? seed.slug,
    owner,
    permissions: toMap(seed.permissions),
    events: seed.events,
    webhookUrl: seed.webhookUrl ?? null,
    ...(seed.webhookSecret === undefined ? {} : { webhookSecret: seed.webhookSecret }),
    now,
    nextId: world.nextId,
  })
  store.apps.set(app.id, app)
  store.accounts.set(app.bot.id, app.bot)
  for (const { account: login, repositories } of seed.installations ?? []) {
    const account = accountNamed(world, login)
    const ids = repositories?.map((name) => {
      const repository = repositoryByName(store, account.login, name.replace(/^.*\//, ''))
      if (!repository) throw new Error(`expected a repository of ${login}, found ${JSON.stringify(name)}`)
      return repository.id
    })
    const installation: Installation = {
      id: world.nextId(),
      app,
      account,
      repositories: ids ? new Set(ids) : null,
      permissions: app.permissions,
      events: app.events,
      suspendedAt: null,
      createdAt: now,
    }
    store.installations.set(installation.id, installation)
    announceInstallation(world, installation)
  }
}

const entriesOf = (files: FileChanges | undefined) =>
  files === undefined
    ? []
    : Array.isArray(files)
      ? (files as ReadonlyArray<readonly [string, string | Uint8Array | null]>)
      : Object.entries(files)

/** The commit's author: as named, else the first person who may administer the repository. */
function authorOf(world: World, repository: Repository, login: string | undefined): Account {
  if (login !== undefined) return accountNamed(world, login)
  const people = [...world.store.accounts.values()].filter((account) => account.type === 'User')
  return (
    people.find((account) => roleOf(world.store, repository, account.id) === 'admin') ?? people[0] ?? repository.owner
  )
}

/** Makes one commit as a push by its author would; returns its oid. Rulesets judge it, webhooks follow. */
export async function plantCommit(world: World, repository: Repository, seed: CommitSeed): Promise<string> {
  const git = world.gitOf(repository)
  const author = authorOf(world, repository, seed.author)
  const ref = `refs/heads/${seed.branch ?? repository.defaultBranch}`
  const own = await git.readRef(ref)
  const parent = own ?? (await git.readRef(`refs/heads/${repository.defaultBranch}`))
  const entries = entriesOf(seed.files)
  const unsafe = entries.find(([path]) => !isSafePath(path))
  if (unsafe) throw new Error(`expected a path within the repository, found ${JSON.stringify(unsafe[0])}`)
  const written = entries.filter((entry): entry is [string, string | Uint8Array] => entry[1] !== null)
  const oids = await git.writeBlobs(written.map(([, content]) => Buffer.from(content as string)))
  const changes: TreeChange[] = [
    ...written.map(([path], i) => ({ path, mode: '100644', oid: oids[i] ?? null })),
    ...entries.filter(([, content]) => content === null).map(([path]) => ({ path, mode: '100644', oid: null })),
  ]
  const base = parent === undefined ? undefined : (await git.readCommit(parent))?.tree
  const date = seed.at ?? world.clock.now()
  const signature = signatureOf(author, date)
  const oid = await git.writeCommit({
    tree: await git.writeTree(base, changes),
    parents: parent === undefined ? [] : [parent],
    author: signature,
    committer: signature,
    message: seed.message,
  })
  const identity = { kind: 'person', account: author } as const
  const outcome = await changeRefs(world, repository, identity, [{ ref, after: oid, before: own ?? zeroOid }])
  if (outcome.kind !== 'done') throw new Error(`the commit to ${ref} was refused: ${JSON.stringify(outcome)}`)
  if (seed.tag !== undefined) {
    const tag = `refs/tags/${seed.tag}`
    await git.updateRefs([{ name: tag, after: oid, before: (await git.readRef(tag)) ?? zeroOid }])
    await announcePush(world, { repository, ref: tag, before: zeroOid, after: oid, forced: false, by: author })
  }
  return oid
}
