import { existsSync } from 'node:fs'
import { Octokit } from '@octokit/rest'
import { readAppSettings } from '../app/environment.ts'
import { DATA_BRANCH } from '../core/own-branches.ts'
import { quoted, RingmasterError } from '../core/problem.ts'
import { gitHubApp, splitName } from '../github/client.ts'
import { gitStore } from '../ledger/git.ts'
import { gitHubStore } from '../ledger/github.ts'
import type { LedgerStore } from '../ledger/store.ts'
import type { CommandIo } from './command.ts'

const REPOSITORY = /^[A-Za-z0-9_.-]+\/[A-Za-z0-9_.-]+$/

export interface StoreChoice {
  /** A directory, or `owner/name` on GitHub; a directory of that name wins. */
  readonly repo: string
  readonly branch: string | undefined
}

const isOnGitHub = (repo: string): boolean => REPOSITORY.test(repo) && !existsSync(repo)

const localStore = (
  { repo, branch }: StoreChoice,
  now: string,
  author: { name: string; email: string },
): LedgerStore => {
  if (!existsSync(repo)) {
    throw new RingmasterError('bad-input', {
      code: 'no-repository',
      message: `expected a directory or owner/name for --repo, found ${quoted(repo)}`,
      hint: 'Clone the release repository, or name it as owner/name and set GITHUB_TOKEN.',
    })
  }
  return gitStore({ directory: repo, branch: branch ?? DATA_BRANCH, author, clock: () => now })
}

/** The branch of a log to read: in a local repository, or on GitHub with GITHUB_TOKEN. */
export function storeToRead(choice: StoreChoice, io: Pick<CommandIo, 'env' | 'now'>): LedgerStore {
  const { repo, branch } = choice
  if (!isOnGitHub(repo)) return localStore(choice, io.now, { name: 'reader', email: 'reader@localhost' })
  const { owner, repo: name } = splitName(repo)
  return gitHubStore({ client: readerOf(repo, io) as never, owner, repo: name, branch: branch ?? DATA_BRANCH })
}

/** A client of GitHub with GITHUB_TOKEN, which says what is missing when there is none. */
export function readerOf(repo: string, io: Pick<CommandIo, 'env'>): Octokit {
  const token = io.env['GITHUB_TOKEN']?.trim()
  if (!token) {
    throw new RingmasterError('bad-input', {
      code: 'setting-missing',
      message: `expected GITHUB_TOKEN, a token that may read the contents of ${repo}, found nothing`,
      hint: 'Or give the directory of a clone for --repo.',
    })
  }
  const baseUrl = io.env['GITHUB_API_URL']?.trim() || 'https://api.github.com'
  return new Octokit({ auth: token, baseUrl, userAgent: 'ringmaster' })
}

/**
 * The branch of a log to write: on GitHub as the App itself (its id and key, as the server has them), so that the commit is
 * the App's; in a local repository under the author given, for a copy.
 */
export async function storeToWrite(
  choice: StoreChoice,
  author: string | undefined,
  io: Pick<CommandIo, 'env' | 'now'>,
): Promise<LedgerStore> {
  const { repo, branch } = choice
  if (!isOnGitHub(repo)) {
    const [, name = 'ringmaster', email = 'ringmaster@localhost'] = /^(.+) <([^<>]+)>$/.exec(author ?? '') ?? []
    return localStore(choice, io.now, { name, email })
  }
  const settings = readAppSettings(io.env)
  if (!settings.ok) throw new RingmasterError('bad-input', settings.problems)
  const { appId, privateKey, apiUrl } = settings.value
  const octokit = await gitHubApp({ appId, privateKey, apiUrl }).forRepository(repo)
  const { owner, repo: name } = splitName(repo)
  return gitHubStore({ client: octokit as never, owner, repo: name, branch: branch ?? DATA_BRANCH })
}
