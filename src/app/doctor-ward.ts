import { CONFIG_PATH, type ParsedConfiguration, parseConfiguration } from '../core/config/parse.ts'
import type { Configuration } from '../core/config/schema.ts'
import type { Checked } from '../core/problem.ts'
import { branchHead, fileText } from '../github/branches.ts'
import { type GitHubApp, splitName } from '../github/client.ts'
import { outside } from '../github/trouble.ts'

/** One thing that was looked at. `hint` says what to do about it. */
export interface Finding {
  readonly state: 'pass' | 'warn' | 'fail'
  readonly what: string
  readonly hint?: string
}

/** What is examined: an installation, with what its server is told beside the App. */
export interface Installed {
  readonly app: GitHubApp
  readonly releaseRepository: string
  readonly nowMs: number
  /** The repository whose Pages show the manifests; null where they go elsewhere. */
  readonly pages: string | null
}

/** What several examinations look at, read once. */
export interface Ward extends Installed {
  repository(): Promise<RepositorySettings>
  /** The configuration of the default branch; null where there is no file. */
  configuration(): Promise<Checked<ParsedConfiguration> | null>
}

/** GitHub leaves the merge methods out for who may not see them. */
export interface RepositorySettings {
  readonly default_branch: string
  readonly allow_merge_commit?: boolean
  readonly allow_squash_merge?: boolean
  readonly allow_rebase_merge?: boolean
}

export type Examination = (ward: Ward) => Promise<readonly Finding[]>

const once = <T>(read: () => Promise<T>): (() => Promise<T>) => {
  let known: Promise<T> | undefined
  return () => {
    known ??= read()
    return known
  }
}

export function wardOf(installed: Installed): Ward {
  const { app, releaseRepository } = installed
  const repository = once(async () => {
    const octokit = await app.forRepository(releaseRepository)
    const { data } = await outside(`read ${releaseRepository}`, () =>
      octokit.request('GET /repos/{owner}/{repo}', splitName(releaseRepository)),
    )
    return data
  })
  return {
    ...installed,
    repository,
    configuration: once(async () => {
      const octokit = await app.forRepository(releaseRepository)
      const head = await branchHead(octokit, releaseRepository, (await repository()).default_branch)
      const text = head && (await fileText(octokit, releaseRepository, head, CONFIG_PATH))
      return text ? parseConfiguration(text) : null
    }),
  }
}

/** The configuration where it reads, or null: what is wrong with it is said once, where it is looked at itself. */
export async function readableConfiguration(ward: Ward): Promise<Configuration | null> {
  const parsed = await ward.configuration().catch(() => null)
  return parsed?.ok ? parsed.value.configuration : null
}
