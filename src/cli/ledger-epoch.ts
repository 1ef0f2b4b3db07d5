import { ulid } from 'ulid'
import { checkActivity } from '../app/guard.ts'
import { checkEvent } from '../core/check-event.ts'
import { model } from '../core/model.ts'
import { branchOfEpoch, DATA_BRANCH } from '../core/own-branches.ts'
import { quoted, RingmasterError } from '../core/problem.ts'
import { redecide } from '../engine/redecide.ts'
import { type KeptArchive, keepArchive } from '../github/ledger-archive.ts'
import { type Archive, archiveName, archiveOf } from '../ledger/archive.ts'
import {
  type ClosedEpoch,
  checkFree,
  checkLastHead,
  checkReopened,
  closeEpoch,
  type EpochBranch,
  epochsOf,
  openEpoch,
} from '../ledger/epoch.ts'
import { readLog } from '../ledger/read-log.ts'
import type { Head } from '../ledger/schema.ts'
import type { LedgerStore } from '../ledger/store.ts'
import { checkWriter, type Writer } from '../ledger/writer.ts'
import { VERSION } from '../version.ts'
import { type CliCommand, type CommandIo, needed, optionsOf, usageError } from './command.ts'
import { writeOutput } from './files.ts'
import { NO_LEDGER_HINT, sayProblems, verified } from './ledger-remedies.ts'
import { appIn, appOn, isOnGitHub, type StoreOf, storesToRead, storesToWrite } from './ledger-store.ts'

/** Within this time a repetition finishes what was begun, and opens no further epoch. */
const ONE_A_DAY_MS = 24 * 3_600_000

type Readable = EpochBranch & { readonly head: Head }

export const ledgerEpoch: CliCommand = {
  name: 'ledger epoch',
  usage:
    'ringmaster ledger epoch --repo DIR|OWNER/NAME [--branch NAME] [--author "NAME <EMAIL>"] [--archive FILE] [--dry-run]   (--branch names the branch of the first epoch. OWNER/NAME commits as the App, with the variables of the server, and uploads the archive to a release there; --dry-run reads with GITHUB_TOKEN)',
  summary: 'Close the branch of the log, go on in a new one with the whole state, and archive the old one.',
  async run(args, io) {
    const values = optionsOf(ledgerEpoch, args, {
      repo: { type: 'string' },
      branch: { type: 'string' },
      author: { type: 'string' },
      archive: { type: 'string' },
      'dry-run': { type: 'boolean' },
    })
    const repo = needed(values.repo, 'repo', ledgerEpoch)
    const base = values.branch ?? DATA_BRANCH
    const isDry = values['dry-run'] === true
    const { storeOf, writer } = isDry
      ? { storeOf: storesToRead(repo, io), writer: { version: VERSION } }
      : await storesToWrite(repo, values.author, io)
    const epochs = await epochsToTurn(storeOf, base, repo)
    const old = await toClose(epochs, io.now)
    const { epoch, seq } = old.head
    const next = old.head.succeededBy ?? branchOfEpoch(epoch + 1, base)
    const known = old.head.succeededBy === undefined ? await holdsAt(old.store, writer.author, io) : undefined
    if (known === null) return 1
    const isOpen = epochs.some(({ branch }) => branch === next)
    if (old.head.succeededBy === undefined) {
      checkWriter(old.head, writer)
      await checkFree(storeOf(next), seq)
    }
    const already = `Epoch ${epoch + 1} is open in ${next} already, the one after it can be opened a day later.`
    if (isOpen && !io.json) io.out(isDry ? already : `${already} Only the archive is made anew.`)
    if (isDry) {
      if (io.json)
        io.out(JSON.stringify({ commit: null, epoch: epoch + 1, closes: old.branch, opens: next, seq, isOpen }))
      else if (!isOpen)
        io.out(
          `Would ${old.head.succeededBy === undefined ? `close ${old.branch} at event ${seq} and go on` : `go on from ${old.branch}, which was closed at event ${seq},`} in ${next}. Nothing was written: repeat without --dry-run.`,
        )
      return 0
    }
    if (old.head.succeededBy !== undefined && !isOpen) {
      if (isOnGitHub(repo)) await checkNeverOpened(repo, next, io)
      else io.err(`${old.branch} was closed before, and ${next} is begun here. Where it was lost, fetch it instead.`)
    }
    const making = { now: io.now, newId: () => ulid() }
    const closed = await closeEpoch(old.store, model, next, { ...making, writer, known })
    const commit = await openEpoch({ from: old.store, closed, branch: old.branch }, storeOf(next), model, making)
    const archive = await archiveOf(old.store, closed)
    if (values.archive !== undefined) await writeOutput(values.archive, archive.bytes)
    const kept = isOnGitHub(repo) ? await uploaded(repo, closed, archive, io) : null
    const told = toldOf(closed, archive, kept, values.archive)
    if (io.json) io.out(JSON.stringify({ commit, opens: next, closes: old.branch, ...told }))
    else {
      io.out(`Closed ${old.branch} at event ${closed.head.seq}, ${closed.head.tip}, in commit ${closed.commit}.`)
      io.out(`Epoch ${epoch + 1} is open in ${next}, with the state ${closed.head.snapshot?.index}.`)
      sayArchive(told, io)
      if (kept === null && values.archive === undefined)
        io.out(`No archive was written: ringmaster ledger archive --repo ${repo} --epoch ${epoch} --out FILE`)
    }
    return 0
  },
}

export const ledgerArchive: CliCommand = {
  name: 'ledger archive',
  usage:
    'ringmaster ledger archive --repo DIR|OWNER/NAME [--epoch N] [--branch NAME] [--out FILE]   (the newest closed epoch when --epoch is left out; --branch names the branch of the first one. Without --out it goes to a release of OWNER/NAME as the App, with the variables of the server, and takes the place of the one there)',
  summary: 'Make the archive of a closed epoch anew from its branch, for a file or for its release.',
  async run(args, io) {
    const values = optionsOf(ledgerArchive, args, {
      repo: { type: 'string' },
      branch: { type: 'string' },
      epoch: { type: 'string' },
      out: { type: 'string' },
    })
    const repo = needed(values.repo, 'repo', ledgerArchive)
    if (!isOnGitHub(repo)) needed(values.out, 'out', ledgerArchive)
    if (values.epoch !== undefined && !/^[1-9][0-9]{0,5}$/.test(values.epoch))
      throw usageError(`expected the number of an epoch for --epoch, found ${quoted(values.epoch)}`, ledgerArchive)
    const storeOf =
      values.out === undefined ? (await storesToWrite(repo, undefined, io)).storeOf : storesToRead(repo, io)
    const epochs = await epochsToTurn(storeOf, values.branch ?? DATA_BRANCH, repo)
    const closed = epochs.filter(({ head }) => head.succeededBy !== undefined)
    const wanted =
      values.epoch === undefined ? closed.at(-1) : closed.find(({ head }) => String(head.epoch) === values.epoch)
    if (!wanted)
      throw refused(
        `expected a closed epoch${values.epoch === undefined ? '' : ` ${quoted(values.epoch)}`}, found ${closed.length === 0 ? 'none' : `only ${closed.map(({ head }) => head.epoch).join(', ')}`}`,
        'ringmaster ledger epoch closes the one that is open.',
      )
    const end = await closedAt(wanted)
    const archive = await archiveOf(wanted.store, end)
    if (values.out !== undefined) await writeOutput(values.out, archive.bytes)
    const kept = values.out === undefined ? await uploaded(repo, end, archive, io) : null
    const told = toldOf(end, archive, kept, values.out)
    if (io.json) io.out(JSON.stringify(told))
    else sayArchive(told, io)
    return 0
  },
}

const refused = (message: string, hint: string) => new RingmasterError('bad-input', { code: 'no-epoch', message, hint })

/** All epochs of a log; throws when there is none, or when the head of one cannot be read. */
async function epochsToTurn(storeOf: StoreOf, base: string, repo: string): Promise<readonly Readable[]> {
  const epochs = await epochsOf(storeOf, base)
  if (epochs.length === 0) {
    throw new RingmasterError('bad-input', {
      code: 'no-ledger',
      message: `expected the branch ${base} in ${repo}, found none`,
      hint: NO_LEDGER_HINT,
    })
  }
  checkLastHead(epochs)
  await checkReopened(epochs, (epoch) => storeOf(branchOfEpoch(epoch, base)))
  return epochs.flatMap((epoch) => (epoch.head === null ? [] : [{ ...epoch, head: epoch.head }]))
}

/**
 * The epoch to close: one that was closed and not gone on from, the one before when the newest was opened within a day, and
 * else the newest.
 */
async function toClose(epochs: readonly Readable[], now: string): Promise<Readable> {
  const [newest, before] = [...epochs].reverse()
  if (!newest) throw new TypeError('expected an epoch')
  if (before === undefined || newest.head.succeededBy !== undefined) return newest
  for await (const { event } of readLog(newest.store, { type: 'epoch.opened' }))
    return Date.parse(now) - Date.parse(event.at) < ONE_A_DAY_MS ? before : newest
  return newest
}

/**
 * The commit at which a log verifies, null where it does not; what is wrong with it is told, and what to do about it. Nothing
 * that is damaged is carried into a new epoch.
 */
async function holdsAt(store: LedgerStore, author: Writer['author'], io: CommandIo): Promise<string | null> {
  const report = await verified(store, model, { checkEvent, redecide, ...(author && { author }) })
  sayProblems([['', report]], io)
  if (!report.ok) io.err('Nothing was closed: repeat when "ringmaster ledger verify" finds no problem any more.')
  return report.ok ? report.commit : null
}

/** Throws `ledger-missing` where the next branch was there and was deleted: to make it anew would lose what it held. */
const checkNeverOpened = (repo: string, next: string, io: CommandIo): Promise<void> =>
  checkActivity(appIn(io), repo, next, { info: () => {}, error: (_, said) => io.err(said) })

async function closedAt({ store, head }: Readable): Promise<ClosedEpoch> {
  const newest = await store.newest([])
  return { commit: newest?.info.commit ?? '', head }
}

const uploaded = async (repo: string, { commit, head }: ClosedEpoch, { bytes, digest }: Archive, io: CommandIo) =>
  keepArchive(await appOn(repo, io), repo, {
    name: archiveName(head.epoch),
    commit,
    text: [
      `Epoch ${head.epoch} of the log, up to event ${head.seq} (\`${head.tip}\`), as it stands in commit ${commit}.`,
      '',
      `Digest of the tar: \`${digest}\`. To replay it: \`ringmaster ledger verify --archive ${archiveName(head.epoch)}.tar.gz\``,
    ].join('\n'),
    bytes,
  })

const toldOf = (
  { commit, head }: ClosedEpoch,
  { digest, files }: Archive,
  kept: KeptArchive | null,
  path: string | undefined,
) => ({
  epoch: head.epoch,
  seq: head.seq,
  digest: head.tip,
  closed: commit,
  archive: { digest, files, path: path ?? null, url: kept?.url ?? null, outcome: kept?.outcome ?? null },
})

function sayArchive({ epoch, archive }: ReturnType<typeof toldOf>, io: CommandIo): void {
  const { digest, files, path, url, outcome } = archive
  io.out(`Archive of epoch ${epoch}: ${files} files, ${digest}.`)
  if (path !== null) io.out(`Wrote ${path}`)
  if (url !== null) io.out(`${url} (${outcome})`)
}
