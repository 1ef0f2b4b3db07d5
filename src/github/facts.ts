import type { Octokit } from '@octokit/rest'
import type { GitHubAnswer, GitHubQuery, ReviewFact } from '../core/facts.ts'
import type { Log } from '../engine/ports.ts'
import { fileText } from './branches.ts'
import { type GitHubApp, splitName } from './client.ts'
import { nextVersion } from './next-version.ts'
import { tagsBeginning } from './tags.ts'
import { isFinal, statusOf, translated } from './trouble.ts'

type Query<K extends GitHubQuery['kind']> = Extract<GitHubQuery, { kind: K }>
type Answer<K extends GitHubQuery['kind']> = Extract<GitHubAnswer, { kind: K }>
type Lookups = { readonly [K in GitHubQuery['kind']]: (query: Query<K>) => Promise<Answer<K>> }

/** How long memberships may be held; a person who was removed loses their say after this at the latest. */
const MEMBERSHIP_MS = 30_000
const MEMBERSHIPS_AT_HAND = 5_000

const isUnreadable = (answer: GitHubAnswer): boolean =>
  answer.kind === 'person'
    ? answer.permission === 'unreadable' || answer.teams.some((entry) => entry.membership === 'unreadable')
    : answer.kind === 'team-members' && answer.members === 'unreadable'

type Readable = <T>(what: string, work: () => Promise<T>) => Promise<T | 'unreadable'>

/**
 * Facts from GitHub. Whatever cannot be read is said to be unreadable: nothing is granted on an error. Where `isPatient`,
 * trouble that passes is thrown as `RingmasterError` instead.
 */
export function gitHubFacts(
  app: GitHubApp,
  options: { readonly releaseRepository: string; readonly nowMs: () => number; readonly log: Log },
): (query: GitHubQuery, isPatient: boolean) => Promise<GitHubAnswer> {
  const { releaseRepository, nowMs, log } = options
  const memberships = new Map<string, { readonly until: number; readonly answer: Promise<GitHubAnswer> }>()

  const readableBy =
    (isPatient: boolean): Readable =>
    async (what, work) => {
      try {
        return await work()
      } catch (error) {
        const trouble = translated(`read ${what}`, error)
        if (isPatient && !isFinal(trouble)) throw trouble
        log.error({ what, error: String(error) }, 'a fact could not be read; what rests on it stays closed')
        return 'unreadable'
      }
    }
  const octokitOf = (repository: string): Promise<Octokit> => app.forRepository(repository)

  const lookupsWith = (readable: Readable): Lookups => ({
    person: async (query) => {
      const found = await readable(`the permission of ${query.login}`, () => standingOf(octokitOf, query))
      /**
       * Teams are asked by login too: where it is somebody else's now, or nobody can say, nothing they hold counts.
       * That is not to be no member either: what is shown to all but a team would be shown to them.
       */
      if (found === 'unreadable' || !found.isSame) {
        const teams = query.teams.map((team) => ({ team, membership: 'unreadable' }) as const)
        return { kind: 'person', permission: found === 'unreadable' ? 'unreadable' : 'none', teams }
      }
      const teams = await Promise.all(
        query.teams.map(async (team) => {
          const membership = await readable(`the membership of ${query.login} in ${team}`, () =>
            membershipOf(octokitOf, releaseRepository, team, query.login),
          )
          return { team, membership }
        }),
      )
      return { kind: 'person', permission: found.permission, teams }
    },
    account: async ({ login }) => ({
      kind: 'account',
      account: await readable(`the account ${login}`, () => accountOf(octokitOf, releaseRepository, login)),
    }),
    'team-members': async ({ team }) => ({
      kind: 'team-members',
      members: await readable(`the members of ${team}`, () => membersOf(octokitOf, releaseRepository, team)),
    }),
    reviews: async ({ repository, number }) => ({
      kind: 'reviews',
      reviews: await readable(`the reviews of #${number}`, () => reviewsOf(octokitOf, repository, number)),
    }),
    file: async ({ repository, commit, path }) => ({
      kind: 'file',
      text: await readable(path, async () => fileText(await octokitOf(repository), repository, commit, path)),
    }),
    'app-access': async ({ repository }) => {
      const contents = await readable(`what the App may do in ${repository}`, () => accessOf(app, repository))
      return { kind: 'app-access', contents }
    },
    visibility: async ({ repository }) => ({
      kind: 'visibility',
      visibility: await readable(`who can read ${repository}`, () => visibilityOf(octokitOf, repository)),
    }),
    tags: async ({ repository, prefix }) => ({
      kind: 'tags',
      tags: await readable(`the tags of ${repository}`, async () =>
        tagsBeginning(await octokitOf(repository), splitName(repository), prefix),
      ),
    }),
    'next-version': async ({ repository, source }) => ({
      kind: 'next-version',
      next: await readable(`the commits of ${repository}`, async () =>
        nextVersion(await octokitOf(repository), repository, source),
      ),
    }),
    'merged-pulls': async ({ repository, commit, path }) => ({
      kind: 'merged-pulls',
      pulls: await readable(`the pull requests of ${commit}`, () =>
        mergedPulls(octokitOf, { repository, commit, path }),
      ),
    }),
  })
  const [atOnce, patiently] = [lookupsWith(readableBy(false)), lookupsWith(readableBy(true))]

  const look = (query: GitHubQuery, isPatient: boolean): Promise<GitHubAnswer> => {
    const lookups = isPatient ? patiently : atOnce
    const lookup = lookups[query.kind] as (query: GitHubQuery) => Promise<GitHubAnswer>
    return lookup(query)
  }

  return (query, isPatient) => {
    if (query.kind !== 'person' && query.kind !== 'team-members') return look(query, isPatient)
    const key = JSON.stringify([query, isPatient])
    const known = memberships.get(key)
    if (known && known.until > nowMs()) return known.answer
    const answer = look(query, isPatient)
    memberships.set(key, { until: nowMs() + MEMBERSHIP_MS, answer })
    if (memberships.size > MEMBERSHIPS_AT_HAND) memberships.delete(memberships.keys().next().value ?? '')
    /** What could not be read is asked again at once: nobody has to wait for GitHub's trouble to expire here. */
    const forget = () => memberships.delete(key)
    answer.then((found) => isUnreadable(found) && forget(), forget)
    return answer
  }
}

/** An installation that is suspended is as good as none. */
async function accessOf(
  app: GitHubApp,
  repository: string,
): Promise<Exclude<Answer<'app-access'>['contents'], 'unreadable'>> {
  try {
    const { data } = await app.asApp.request('GET /repos/{owner}/{repo}/installation', splitName(repository))
    return data.suspended_at ? 'not-installed' : (data.permissions.contents ?? 'none')
  } catch (error) {
    if (statusOf(error) === 404) return 'not-installed'
    throw error
  }
}

type Clients = (repository: string) => Promise<Octokit>

async function visibilityOf(clients: Clients, repository: string): Promise<string> {
  const octokit = await clients(repository)
  const { data } = await octokit.request('GET /repos/{owner}/{repo}', splitName(repository))
  return data.visibility ?? (data.private ? 'private' : 'public')
}

const PERMISSIONS = ['admin', 'maintain', 'write', 'triage', 'read', 'none'] as const

interface Standing {
  /** Whether the login is still the account that the event named: it may have changed hands since. */
  readonly isSame: boolean
  readonly permission: Exclude<Answer<'person'>['permission'], 'unreadable'>
}

async function standingOf(clients: Clients, query: Query<'person'>): Promise<Standing> {
  const octokit = await clients(query.repository)
  const { data } = await octokit.request('GET /repos/{owner}/{repo}/collaborators/{username}/permission', {
    ...splitName(query.repository),
    username: query.login,
  })
  const known = (role: string | undefined) => PERMISSIONS.find((permission) => permission === role)
  return { isSame: data.user?.id === query.id, permission: known(data.role_name) ?? known(data.permission) ?? 'none' }
}

async function accountOf(clients: Clients, repository: string, username: string) {
  const octokit = await clients(repository)
  try {
    const { data } = await octokit.request('GET /users/{username}', { username })
    return { login: data.login, id: Number(data.id), type: data.type }
  } catch (error) {
    if (statusOf(error) === 404) return null
    throw error
  }
}

const teamAddress = (team: string): { org: string; team_slug: string } => {
  const [org = '', slug = ''] = team.split('/')
  return { org, team_slug: slug }
}

async function membershipOf(
  clients: Clients,
  repository: string,
  team: string,
  username: string,
): Promise<'member' | 'not-member'> {
  const octokit = await clients(repository)
  const address = teamAddress(team)
  try {
    const { data } = await octokit.request('GET /orgs/{org}/teams/{team_slug}/memberships/{username}', {
      ...address,
      username,
    })
    return data.state === 'active' ? 'member' : 'not-member'
  } catch (error) {
    if (statusOf(error) !== 404) throw error
    /** GitHub says the same of a team that cannot be seen. Only one that can be is known to be without them. */
    await octokit.request('GET /orgs/{org}/teams/{team_slug}', address)
    return 'not-member'
  }
}

async function membersOf(clients: Clients, repository: string, team: string): Promise<{ login: string; id: number }[]> {
  const octokit = await clients(repository)
  const members = await octokit.paginate('GET /orgs/{org}/teams/{team_slug}/members', {
    ...teamAddress(team),
    per_page: 100,
  })
  return members.map(({ login, id }) => ({ login, id }))
}

async function reviewsOf(clients: Clients, repository: string, number: number): Promise<ReviewFact[]> {
  const octokit = await clients(repository)
  const reviews = await octokit.paginate('GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews', {
    ...splitName(repository),
    pull_number: number,
    per_page: 100,
  })
  return newestOfEach(
    reviews.map((review) => ({
      id: review.id,
      user: review.user ? { login: review.user.login, id: review.user.id, type: review.user.type } : null,
      state: review.state.toUpperCase(),
      commit: review.commit_id,
      at: review.submitted_at ?? null,
    })),
  )
}

/** Anybody who may read a pull request may review it, as often as they like. */
const MOST_OF_ONE = 20

/** The newest reviews of each person that say the same. What was dismissed said something that is not known: all of those. */
function newestOfEach(reviews: readonly ReviewFact[]): ReviewFact[] {
  const seen = new Map<string, number>()
  return reviews
    .toReversed()
    .flatMap((review) => {
      const said = `${review.user?.id}/${review.state}`
      const count = (seen.get(said) ?? 0) + 1
      seen.set(said, count)
      return count > MOST_OF_ONE && review.state !== 'DISMISSED' ? [] : [review]
    })
    .toReversed()
}

const OPINIONS: ReadonlySet<string> = new Set(['APPROVED', 'CHANGES_REQUESTED', 'DISMISSED'])

async function mergedPulls(clients: Clients, query: Omit<Query<'merged-pulls'>, 'kind'>) {
  const { repository, commit, path } = query
  const octokit = await clients(repository)
  const at = splitName(repository)
  /** What came on top of the change says nothing about it: the last commit that touched the file does. */
  const { data: touching } = await octokit.request('GET /repos/{owner}/{repo}/commits', {
    ...at,
    sha: commit,
    path,
    per_page: 1,
  })
  const { data } = await octokit.request('GET /repos/{owner}/{repo}/commits/{commit_sha}/pulls', {
    ...at,
    commit_sha: touching[0]?.sha ?? commit,
  })
  /** A pull request into another branch says nothing about what came into this one. */
  const merged = data.filter((pull) => pull.merged_at && pull.base.ref === pull.base.repo.default_branch)
  return Promise.all(
    merged.map(async (pull) => {
      const latest = new Map<number, ReviewFact>()
      for (const review of await reviewsOf(clients, repository, pull.number)) {
        if (review.user && OPINIONS.has(review.state)) latest.set(review.user.id, review)
      }
      const approvers = [...latest.values()].flatMap((review) =>
        review.user &&
        review.state === 'APPROVED' &&
        review.user.id !== pull.user?.id &&
        review.commit === pull.head.sha
          ? [{ login: review.user.login, id: review.user.id }]
          : [],
      )
      return { number: pull.number, head: pull.head.sha, approvers }
    }),
  )
}
