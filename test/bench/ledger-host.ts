import { execFileSync } from 'node:child_process'
import { gitStore } from '../../src/ledger/git.ts'
import { gitHubStore } from '../../src/ledger/github.ts'
import type { Author, LedgerStore } from '../../src/ledger/store.ts'
import { type Sandbox, startSandbox } from '../sandbox/sandbox.ts'
import { markVerified } from '../sandbox/shapes/git.ts'
import { repositoryByName } from '../sandbox/store.ts'
import { BRANCH } from './ledger-history.ts'

/** What a piece of work asks of GitHub: HTTP requests, and the bytes of their bodies and of the answers'. */
export interface Cost {
  readonly requests: number
  readonly bytes: number
}

/** Repositories on the local GitHub, each with a branch of its own for a log. */
export interface Host {
  /** Whoever commits as the App: the only author that is expected. */
  readonly author: Author
  directoryOf(name: string): string
  /** The branch as the App reaches it. */
  storeOf(name: string): LedgerStore
  /** The same branch by git, without any HTTP. */
  localStoreOf(name: string, now: () => string): LedgerStore
  /** Puts the branch back to a commit, or away, and takes that commit for one that GitHub signed. */
  rewind(name: string, commit: string | null): void
  costOf(work: () => Promise<unknown>): Promise<Cost>
  stop(): Promise<void>
}

const OWNER = 'acme'
const APP = 'ringmaster'

export async function startHost(names: readonly string[]): Promise<Host> {
  const sandbox = await startSandbox({
    seed: {
      people: ['ann'],
      organizations: [{ login: OWNER, owners: ['ann'], members: [] }],
      repositories: names.map((name) => ({
        name: `${OWNER}/${name}`,
        private: true,
        commits: [{ message: 'Begin', files: { 'README.md': `# ${name}\n` }, author: 'ann' }],
      })),
      apps: [{ slug: APP, permissions: { contents: 'write' }, events: [], installations: [{ account: OWNER }] }],
    },
  })
  const author = authorOf(sandbox)
  const octokit = sandbox.app(APP).octokit(OWNER)
  const directoryOf = (name: string) => sandbox.repository(`${OWNER}/${name}`).gitDirectory
  const git = (name: string, ...args: readonly string[]) =>
    execFileSync('git', [`--git-dir=${directoryOf(name)}`, ...args], { encoding: 'utf8' }).trim()
  return {
    author,
    directoryOf,
    storeOf: (repo) => gitHubStore({ client: octokit as never, owner: OWNER, repo, branch: BRANCH }),
    localStoreOf: (name, now) => gitStore({ directory: directoryOf(name), branch: BRANCH, author, clock: now }),
    rewind(name, commit) {
      const ref = `refs/heads/${BRANCH}`
      if (commit === null) return void git(name, 'update-ref', '-d', ref)
      const repository = repositoryByName(sandbox.world.store, OWNER, name)
      if (!repository) throw new Error(`expected the repository ${OWNER}/${name}`)
      markVerified(sandbox.world, repository, commit)
      git(name, 'update-ref', ref, commit)
    },
    async costOf(work) {
      const from = sandbox.requests.length
      await work()
      const made = sandbox.requests.slice(from)
      const bytes = made.reduce((sum, { requestBytes, answerBytes }) => sum + requestBytes + answerBytes, 0)
      return { requests: made.length, bytes }
    },
    stop: () => sandbox.stop(),
  }
}

function authorOf({ world }: Sandbox): Author {
  const name = `${APP}[bot]`
  const account = [...world.store.accounts.values()].find(({ login }) => login === name)
  if (!account) throw new Error(`expected the account ${name}`)
  return { name, email: `${account.id}+${name}@users.noreply.github.com` }
}
