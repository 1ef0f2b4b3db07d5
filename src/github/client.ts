import { createAppAuth } from '@octokit/auth-app'
import { Octokit } from '@octokit/rest'
import { outside } from './trouble.ts'

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

/** Octokit's own lines tell of each answer, expected ones too; what matters is told where it is translated. */
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

const common = (apiUrl: string) => ({
  log: silent,
  baseUrl: apiUrl,
  userAgent: 'ringmaster',
  throttle: { enabled: false },
  retry: { enabled: false },
})

export function gitHubApp(identity: AppIdentity): GitHubApp {
  const { appId, privateKey, apiUrl } = identity
  const asApp = new Octokit({ ...common(apiUrl), authStrategy: createAppAuth, auth: { appId, privateKey } })
  const byOwner = new Map<string, Promise<Octokit>>()
  let known: Promise<AppProfile> | undefined

  const installed = async (owner: string, repo: string): Promise<Octokit> => {
    const { data } = await outside(`find the installation of ${owner}/${repo}`, () =>
      asApp.request('GET /repos/{owner}/{repo}/installation', { owner, repo }),
    )
    return new Octokit({
      ...common(apiUrl),
      authStrategy: createAppAuth,
      auth: { appId, privateKey, installationId: data.id },
    })
  }

  return {
    asApp,
    profile() {
      known ??= outside('read the App', () => asApp.request('GET /app')).then(({ data }) => {
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

/** `owner/name` in its two parts. */
export function splitName(fullName: string): { owner: string; repo: string } {
  const [owner = '', repo = ''] = fullName.split('/')
  return { owner, repo }
}
