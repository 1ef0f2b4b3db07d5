import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Octokit } from '@octokit/rest'
import { apiUrlIn, readAppSettings } from '../app/environment.ts'
import { branchOfEpoch, DATA_BRANCH } from '../core/own-branches.ts'
import { quoted, RingmasterError } from '../core/problem.ts'
import { clientWith, type GovernedApp, gitHubApp, isEnterpriseAt, splitName } from '../github/client.ts'
import { checkLastEpoch, checkLastHead, checkReopened, type EpochBranch, epochsOf } from '../ledger/epoch.ts'
import { gitStore } from '../ledger/git.ts'
import { gitHubStore } from '../ledger/github.ts'
import type { LedgerStore } from '../ledger/store.ts'
import type { Writer } from '../ledger/writer.ts'
import { VERSION } from '../version.ts'
import type { CommandIo } from './command.ts'

const REPOSITORY = /^[A-Za-z0-9_.-]+\/[A-Za-z0-9_.-]+$/

export interface StoreChoice {
  /** A directory, or `owner/name` on GitHub; a directory of that name wins. */
  readonly repo: string
  /** That branch alone; when left out, the epochs of the log from its first branch on. */
  readonly branch: string | undefined
}

/** The store of a branch of one repository. */
export type StoreOf = (branch: string) => LedgerStore

/** The branches of a log to write, and whose commits are gone on from: the App's alone, or those of a copy's first author. */
export interface Writing {
  readonly storeOf: StoreOf
  readonly writer: Writer
}

const CLONE = 'Clone the release repository, or name it as owner/name and set GITHUB_TOKEN.'

/** Whether git would take a folder for a repository: its own, with a work tree, or one that is linked to another. */
const isRepository = (repo: string): boolean =>
  existsSync(join(repo, '.git')) || (existsSync(join(repo, 'HEAD')) && existsSync(join(repo, 'objects')))

export const isOnGitHub = (repo: string): boolean => REPOSITORY.test(repo) && !existsSync(repo)

const localStores = (repo: string, now: string, author: { name: string; email: string }): StoreOf => {
  if (!existsSync(repo)) {
    throw new RingmasterError('bad-input', {
      code: 'no-repository',
      message: `expected a directory or owner/name for --repo, found ${quoted(repo)}`,
      hint: CLONE,
    })
  }
  if (!isRepository(repo)) {
    throw new RingmasterError('bad-input', {
      code: 'no-repository',
      message: `expected a git repository for --repo, found another folder at ${quoted(repo)}`,
      hint: CLONE,
    })
  }
  return (branch) => gitStore({ directory: repo, branch, author, clock: () => now })
}

/** As the server has it. */
const signaturesAt = (isEnterprise: boolean) => (isEnterprise ? 'not-kept' : 'required')

/** The branches of a log to read: in a local repository, or on GitHub with GITHUB_TOKEN. */
export function storesToRead(repo: string, io: Pick<CommandIo, 'env' | 'now'>): StoreOf {
  if (!isOnGitHub(repo)) return localStores(repo, io.now, { name: 'reader', email: 'reader@localhost' })
  const { owner, repo: name } = splitName(repo)
  const client = readerOf(repo, io) as never
  const signatures = signaturesAt(isEnterpriseAt(apiUrlIn(io.env)))
  return (branch) => gitHubStore({ client, owner, repo: name, branch, signatures })
}

/**
 * The branches of a log from its first one on; throws `ledger-missing` where the one on which it goes on is not there, and
 * `ledger-rewound` or `ledger-forked` where one that was closed is open again.
 */
async function wholeLog(storeOf: StoreOf): Promise<readonly EpochBranch[]> {
  const epochs = await epochsOf(storeOf, DATA_BRANCH)
  checkLastEpoch(epochs)
  await checkReopened(epochs, (epoch) => storeOf(branchOfEpoch(epoch)))
  return epochs
}

/** The stores of all epochs of a log to read, oldest first; none when there is no such branch. Throws `ledger-missing`. */
export async function epochsToRead(
  { repo, branch }: StoreChoice,
  io: Pick<CommandIo, 'env' | 'now'>,
): Promise<readonly EpochBranch[]> {
  const storeOf = storesToRead(repo, io)
  return branch === undefined ? wholeLog(storeOf) : (await epochsOf(storeOf, branch)).slice(0, 1)
}

/**
 * The branch of the newest epoch, the one that is written; or the branch that is named. Throws `ledger-missing`, and what is
 * wrong with a head that cannot tell whether its epoch is the newest.
 */
export async function newestOf(storeOf: StoreOf, branch: string | undefined): Promise<LedgerStore> {
  if (branch !== undefined) return storeOf(branch)
  const epochs = await wholeLog(storeOf)
  checkLastHead(epochs)
  return epochs.at(-1)?.store ?? storeOf(DATA_BRANCH)
}

/** As far as heads lead, for who makes the last one anew where it cannot be read. Throws `ledger-missing`. */
export async function lastOf(storeOf: StoreOf, branch: string | undefined): Promise<LedgerStore> {
  if (branch !== undefined) return storeOf(branch)
  return (await wholeLog(storeOf)).at(-1)?.store ?? storeOf(DATA_BRANCH)
}

/** The branch of a log to read: its newest epoch. */
export const storeToRead = ({ repo, branch }: StoreChoice, io: Pick<CommandIo, 'env' | 'now'>): Promise<LedgerStore> =>
  newestOf(storesToRead(repo, io), branch)

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
  return clientWith(token, apiUrlIn(io.env))
}

/**
 * The branches of a log to write: on GitHub as the App itself (its id and key, as the server has them), so that the commit
 * is the App's; in a local repository under the author given, for a copy.
 */
export async function storesToWrite(
  repo: string,
  author: string | undefined,
  io: Pick<CommandIo, 'env' | 'now' | 'err'>,
): Promise<Writing> {
  if (!isOnGitHub(repo)) {
    if (author === undefined)
      io.err(
        `Commits here are by ${OWN_EMAIL}, a stranger to "ringmaster ledger verify" unless the log is all by it; --author gives them the author of the others.`,
      )
    return { storeOf: localStores(repo, io.now, authorOf(author)), writer: { version: VERSION } }
  }
  const app = appIn(io)
  const client = (await app.forRepository(repo)) as never
  const { owner, repo: name } = splitName(repo)
  const signatures = signaturesAt(app.isEnterprise)
  const writer = { version: VERSION, author: { email: await app.authorEmail(repo) } }
  return { storeOf: (branch) => gitHubStore({ client, owner, repo: name, branch, signatures }), writer }
}

const OWN_EMAIL = 'ringmaster@localhost'

/** `NAME <EMAIL>`, or the address alone. */
function authorOf(text: string | undefined): { readonly name: string; readonly email: string } {
  if (text === undefined) return { name: 'ringmaster', email: OWN_EMAIL }
  const [, name, email] = /^(?:([^<>]+) )?<?([^<> ]+@[^<> ]+)>?$/.exec(text) ?? []
  if (email !== undefined) return { name: name ?? 'ringmaster', email }
  throw new RingmasterError('bad-input', {
    code: 'usage',
    message: `expected "NAME <EMAIL>" or an address for --author, found ${quoted(text)}`,
    hint: 'Give the one of the commits before, as `git log` shows it.',
  })
}

/** The branch of a log to write: its newest epoch. */
export const storeToWrite = async (
  { repo, branch }: StoreChoice,
  author: string | undefined,
  io: Pick<CommandIo, 'env' | 'now' | 'err'>,
): Promise<{ readonly store: LedgerStore; readonly writer: Writer }> => {
  const { storeOf, writer } = await storesToWrite(repo, author, io)
  return { store: await newestOf(storeOf, branch), writer }
}

/** The App's own client of a repository, with the variables of the server. */
export const appOn = (repo: string, io: Pick<CommandIo, 'env'>): Promise<Octokit> => appIn(io).forRepository(repo)

/** The App itself, with the variables of the server. */
export function appIn(io: Pick<CommandIo, 'env'>): GovernedApp {
  const settings = readAppSettings(io.env)
  if (!settings.ok) throw new RingmasterError('bad-input', settings.problems)
  const { appId, privateKey, apiUrl } = settings.value
  return gitHubApp({ appId, privateKey, apiUrl })
}
