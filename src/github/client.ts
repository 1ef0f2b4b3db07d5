import { createAppAuth } from '@octokit/auth-app'
import { Octokit } from '@octokit/rest'
import { RingmasterError } from '../core/problem.ts'
import { type Answer, Governor, type GovernorOptions, type GovernorState, POINTS_PER_MINUTE } from './governor.ts'
import type { RequestOptions } from './request-cost.ts'
import type { SharedBudget } from './shared-budget.ts'
import { outside, statusOf } from './trouble.ts'

/** The App as GitHub knows it. `apiUrl` is GitHub's or an Enterprise Server's REST root. */
export interface AppIdentity {
  readonly appId: number
  readonly privateKey: string
  readonly apiUrl: string
}

export interface AppProfile {
  readonly id: number
  readonly slug: string
  /** The login under which the App writes comments and reviews on REST. */
  readonly botLogin: string
}

/** Clients of one App: as itself, and for each account that installed it. */
export interface GitHubApp {
  /** With the App's own token: deliveries, installations. */
  readonly asApp: Octokit
  profile(): Promise<AppProfile>
  /** With the installation token of the account that owns the repository (`owner/name`). */
  forRepository(fullName: string): Promise<Octokit>
}

/** An App whose requests are governed, with what the composition has to know of that. */
export interface GovernedApp extends GitHubApp {
  /** The governor of all requests to the account that owns the repository. */
  governorOf(fullName: string): Governor
  /** The e-mail that GitHub puts on the App's commits, asked with the access to a repository. */
  authorEmail(fullName: string): Promise<string>
  /** Whether this is an Enterprise Server, which need not sign what Apps commit. */
  readonly isEnterprise: boolean
  /** How the limits stand, by account; `(app)` for what the App asks as itself. */
  readonly limits: Readonly<Record<string, GovernorState>>
  /** Sends nothing more. */
  close(): void
}

/** GitHub recommends at most this many pushes a minute to one repository. */
export const PUSHES_PER_MINUTE = 6

const timer: GovernorOptions['timer'] = (milliseconds, run) => {
  const handle = setTimeout(run, milliseconds)
  return () => clearTimeout(handle)
}

const GOVERNING: GovernorOptions = {
  nowMs: Date.now,
  timer,
  processes: 1,
  pushesPerMinute: PUSHES_PER_MINUTE,
  pointsPerMinute: POINTS_PER_MINUTE,
}

/** Octokit's own lines tell of each answer, expected ones too; what matters is told where it is translated. */
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

const common = (apiUrl: string) => ({
  log: silent,
  baseUrl: apiUrl,
  userAgent: 'ringmaster',
  throttle: { enabled: false },
  retry: { enabled: false },
})

/** A client with a token of somebody's own, for a command that is run by hand: its requests take no turns. */
export const clientWith = (token: string, apiUrl: string): Octokit => new Octokit({ ...common(apiUrl), auth: token })

/** Every request of the client takes its turn, around whatever its authentication adds. */
function governed(octokit: Octokit, governor: Governor): Octokit {
  octokit.hook.wrap(
    'request',
    (send, options) =>
      governor.govern(options as unknown as RequestOptions, async () => (await send(options)) as Answer) as never,
  )
  return octokit
}

export interface Governing extends Partial<Omit<GovernorOptions, 'shared'>> {
  /** Where all processes of the App spend together. */
  readonly shared?: SharedBudget | null
}

/** Whether the root of a REST API is that of an Enterprise Server, which need not sign what Apps commit. */
export const isEnterpriseAt = (apiUrl: string): boolean => /\/api\/v3\/?$/.test(apiUrl)

export function gitHubApp(identity: AppIdentity, { shared = null, ...governing }: Governing = {}): GovernedApp {
  const { appId, privateKey, apiUrl } = identity
  const isEnterprise = isEnterpriseAt(apiUrl)
  const governors = new Map<string, Governor>()
  const governorOf = (account: string): Governor => {
    const known = governors.get(account)
    if (known) return known
    /** In braces: what is asked together has to be in one slot of a Redis cluster. */
    const scope = `ringmaster:{${appId}/${account}}:`
    const governor = new Governor({
      ...GOVERNING,
      ...governing,
      shared: shared ? { budget: shared, scope } : undefined,
    })
    governors.set(account, governor)
    return governor
  }
  const asApp = governed(
    new Octokit({ ...common(apiUrl), authStrategy: createAppAuth, auth: { appId, privateKey } }),
    governorOf(''),
  )
  const byOwner = new Map<string, Promise<Octokit>>()
  let known: Promise<AppProfile> | undefined

  const installed = async (owner: string, repo: string): Promise<Octokit> => {
    const { data } = await outside(`find the installation of ${owner}/${repo}`, () =>
      asApp.request('GET /repos/{owner}/{repo}/installation', { owner, repo }),
    )
    const client = new Octokit({
      ...common(apiUrl),
      authStrategy: createAppAuth,
      auth: { appId, privateKey, installationId: data.id },
    })
    return governed(client, governorOf(owner.toLowerCase()))
  }

  return {
    asApp,
    isEnterprise,
    async authorEmail(fullName) {
      const { botLogin } = await this.profile()
      const octokit = await this.forRepository(fullName)
      const { data } = await outside(`read ${botLogin}`, () =>
        octokit.request('GET /users/{username}', { username: botLogin }),
      )
      const host = isEnterprise ? new URL(apiUrl).hostname : 'github.com'
      return `${data.id}+${botLogin}@users.noreply.${host}`
    },
    governorOf: (fullName) => governorOf(splitName(fullName).owner.toLowerCase()),
    get limits() {
      return Object.fromEntries([...governors].map(([account, governor]) => [account || '(app)', governor.state]))
    },
    close() {
      for (const governor of governors.values()) governor.close()
      shared?.close()
    },
    profile() {
      known ??= readApp(asApp).then(({ data }) => {
        const slug = data?.slug ?? ''
        return { id: data?.id ?? appId, slug, botLogin: `${slug}[bot]` }
      })
      known.catch(() => {
        known = undefined
      })
      return known
    },
    forRepository(fullName) {
      const { owner, repo } = splitName(fullName)
      const cached = byOwner.get(owner.toLowerCase())
      if (cached) return cached
      const client = installed(owner, repo)
      byOwner.set(owner.toLowerCase(), client)
      client.catch(() => byOwner.delete(owner.toLowerCase()))
      return client
    },
  }
}

/** GitHub takes no token that was signed with another App's key (401), and knows no App of another id (404). */
async function readApp(asApp: Octokit) {
  try {
    return await outside('read the App', () => asApp.request('GET /app'))
  } catch (error) {
    const status = error instanceof RingmasterError ? statusOf(error.cause) : undefined
    if (status !== 401 && status !== 404) throw error
    throw new RingmasterError(
      'bad-input',
      {
        code: 'app-refused',
        message: `expected APP_ID and PRIVATE_KEY of one App, found that they do not belong together: ${(error as Error).message}`,
        hint: 'Take both from the settings of the same App, and see that the clock is right.',
      },
      { cause: error },
    )
  }
}

/** `owner/name` in its two parts. */
export function splitName(fullName: string): { owner: string; repo: string } {
  const [owner = '', repo = ''] = fullName.split('/')
  return { owner, repo }
}
