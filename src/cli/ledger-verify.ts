import { basename } from 'node:path'
import { checkEvent } from '../core/check-event.ts'
import { model } from '../core/model.ts'
import { branchOfEpoch, DATA_BRANCH } from '../core/own-branches.ts'
import { type Problem, quoted, RingmasterError } from '../core/problem.ts'
import { redecide } from '../engine/redecide.ts'
import type { FoundAnchors } from '../github/anchors.ts'
import { openArchive } from '../ledger/archive.ts'
import { epochsOf } from '../ledger/epoch.ts'
import { readLog } from '../ledger/read-log.ts'
import type { LedgerStore } from '../ledger/store.ts'
import { isIntegrityError } from '../ledger/trouble.ts'
import type { VerifyReport } from '../ledger/verify.ts'
import type { Anchor } from '../ledger/verify-anchors.ts'
import { type CliCommand, type CommandIo, type ExitCode, optionsOf, usageError } from './command.ts'
import { readInput } from './files.ts'
import { anchorsOnGitHub } from './ledger-anchors.ts'
import { sayProblems, verified, withRemedy } from './ledger-remedies.ts'
import { storesToRead } from './ledger-store.ts'

/** `SEQ:sha256:…`, as check runs and gate answers name it, or the digest alone, as manifests do. */
function anchorOf(text: string): Anchor {
  const [, seq, digest] = /^(?:([1-9][0-9]{0,14}):)?(sha256:[0-9a-f]{64})$/.exec(text) ?? []
  if (digest === undefined)
    throw usageError(`expected an anchor such as 4711:sha256:… or sha256:…, found ${quoted(text)}`, ledgerVerify)
  return { seq: seq === undefined ? null : Number(seq), digest }
}

const checks = { checkEvent, redecide } as const

export const ledgerVerify: CliCommand = {
  name: 'ledger verify',
  usage:
    'ringmaster ledger verify [--repo DIR|OWNER/NAME] [--archive FILE] [--branch NAME] [--author EMAIL] [--anchor [SEQ:]DIGEST]… [--json]   (OWNER/NAME reads with GITHUB_TOKEN, and looks for anchors there by itself; the current directory when both are left out. --archive alone replays the archive of an epoch, with --repo also the epoch that goes on from it)',
  summary: 'Replay the whole log, compare the snapshots, and decide every recorded decision again.',
  async run(args, io) {
    const values = optionsOf(ledgerVerify, args, {
      repo: { type: 'string' },
      branch: { type: 'string' },
      author: { type: 'string' },
      anchor: { type: 'string', multiple: true },
      archive: { type: 'string' },
    })
    const anchors = (values.anchor ?? []).map(anchorOf)
    const archive = values.archive === undefined ? null : await archiveAt(values.archive)
    if (archive !== null && values.repo === undefined)
      return tell(await verified(archive.store, model, { ...checks, anchors }), archive.digest, io)
    const repo = values.repo ?? '.'
    const storeOf = storesToRead(repo, io)
    const epochs = await epochsOf(storeOf, DATA_BRANCH)
    const branch = values.branch ?? epochs.at(-1)?.branch ?? DATA_BRANCH
    const store = storeOf(branch)
    const at = epochs.findIndex((epoch) => epoch.branch === branch)
    const leading = epochs.slice(0, Math.max(0, at)).map((epoch) => epoch.store)
    const found = await anchorsOnGitHub(store, { repo, author: values.author }, io)
    const all = [...anchors, ...(found?.anchors ?? [])]
    const before = archive === null ? leading : [archive.store]
    const earlier = await anchorsBefore(before, all)
    const report = await verified(store, model, {
      ...checks,
      anchors: all.filter((anchor) => !earlier.found.has(anchor)),
      before: leading,
      predecessor: archive?.store ?? leading.at(-1) ?? storeOf,
      ...(values.branch === undefined
        ? { successor: storeOf, epochBranch: (epoch: number) => storeOf(branchOfEpoch(epoch)) }
        : {}),
      ...(values.author === undefined ? {} : { author: { email: values.author } }),
    })
    if (archive !== null && report.ok && report.carried === null)
      throw new RingmasterError('bad-input', {
        code: 'no-epoch',
        message: `expected an epoch in ${repo} that goes on from the archive, found the first one of a log`,
        hint: 'Leave out --archive, or --repo to replay the archive alone.',
      })
    const problems = [...earlier.problems, ...report.problems]
    const archived = archive && (await verified(archive.store, model, checks))
    const whole = { ...report, ok: problems.length === 0, problems }
    if (io.json) io.out(JSON.stringify({ ...whole, ...(found && { found }), ...(archived && { archive: archived }) }))
    else {
      say(whole, io)
      if (report.author !== null) io.out(ownerOf(report.author, values.author === undefined))
      if (found !== null) sayFound(found, io)
      if (archived !== null) io.out(`The archive: ${counted(archived)}`)
      else if (report.carried !== null) sayTrusted(report.carried, io)
      const held = all.filter((anchor) => !isBefore(anchor, report) || earlier.found.has(anchor))
      const unseen = all.length - held.length
      if (unseen > 0) io.out(`Not looked at: ${unseen} anchors of epochs before, whose branches are not there.`)
      if (whole.ok) io.out(`${HOLDS} ${anchoredBy(held.length, report.anchored)}`)
    }
    sayProblems([['', whole], ...(archived ? [['in the archive: ', archived] as const] : [])], io)
    return whole.ok && archived?.ok !== false ? 0 : 1
  },
}

const HOLDS = 'The log holds: every line is chained, and the replay agrees with the snapshots.'

function anchoredBy(held: number, newest: number | null): string {
  if (held === 0) return 'Nothing outside it was compared: that nothing was cut off its end, only an anchor shows.'
  const them = held === 1 ? 'the one anchor that stands' : `the ${held} anchors that stand`
  const place = newest === null ? 'the end of the epoch before' : `event ${newest}`
  return `It has ${them} outside, up to ${place}: that nothing was cut off behind that, only a later one shows.`
}

const isBefore = ({ seq }: Anchor, { carried }: VerifyReport): boolean => seq !== null && seq <= (carried?.seq ?? 0)

interface AnchorsBefore {
  readonly found: ReadonlySet<Anchor>
  readonly problems: readonly Problem[]
}

/** Holds the branches of earlier epochs against the anchors that name an event of theirs, or a line by its digest alone. */
async function anchorsBefore(stores: readonly LedgerStore[], anchors: readonly Anchor[]): Promise<AnchorsBefore> {
  const found = new Set<Anchor>()
  const problems: Problem[] = []
  if (anchors.length === 0) return { found, problems }
  const hold = async (store: LedgerStore): Promise<void> => {
    for await (const { event, digest, path, line } of readLog(store)) {
      for (const anchor of anchors) {
        if (anchor.seq === null ? anchor.digest !== digest : anchor.seq !== event.seq) continue
        found.add(anchor)
        if (anchor.digest === digest) continue
        const where = anchor.where === undefined ? '' : ` (${anchor.where})`
        const message = `${store.name}: ${path}:${line}: expected event ${event.seq} to be ${anchor.digest}, as an anchor outside the branch names it${where}, found ${digest}`
        problems.push({ code: 'ledger-replaced', message, path, line })
      }
    }
  }
  for (const store of stores) {
    try {
      await hold(store)
    } catch (error) {
      if (!isIntegrityError(error)) throw error
      problems.push(...error.problems)
    }
  }
  return { found, problems: problems.map(withRemedy) }
}

async function archiveAt(path: string) {
  return openArchive(basename(path), await readInput(path, 'the archive of an epoch'))
}

const counted = ({ counts }: VerifyReport): string =>
  `${counts.events} events in ${counts.files} files, ${counts.commits} commits, ${counts.shards} snapshot shards, ${counts.redecided} decisions decided again, ${counts.redacted} texts redacted.`

function say(report: VerifyReport, io: CommandIo): void {
  const { head, isWhole, commit, carried, succeededBy } = report
  io.out(counted(report))
  if (carried !== null)
    io.out(`It goes on from event ${carried.seq}, ${carried.digest}, the end of ${quoted(carried.branch)}`)
  /** Only the end of a log that holds is one to keep as an anchor. */
  if (report.ok || head.seq > 0) io.out(`${report.ok ? 'Head' : 'Read up to'}: event ${head.seq}, ${head.digest}`)
  if (commit !== null && !isWhole) io.out(`Not looked at: what stands behind event ${head.seq}, where reading ended.`)
  if (succeededBy !== null) io.out(`It was closed there: the log goes on in ${quoted(succeededBy)}.`)
}

const ownerOf = (author: string, isAssumed: boolean): string =>
  `Commits belong to ${quoted(author)}${isAssumed ? ', who made the first one' : ''}.`

function sayFound({ anchors, lookedAt, unread }: FoundAnchors, io: CommandIo): void {
  io.out(
    `${anchors.length} anchors on GitHub, in the checks of ${lookedAt.commits} proposals and the answers to ${lookedAt.runs} runs.`,
  )
  for (const what of unread) io.out(`Not looked at: ${what}`)
}

/** What a verification of one epoch does not show of the ones before. */
function sayTrusted(carried: NonNullable<VerifyReport['carried']>, io: CommandIo): void {
  const branch = quoted(carried.branch)
  const compared =
    carried.comparedWith === null
      ? `${branch}, which is not there to compare`
      : `the closed snapshot of ${branch}, and is the same`
  io.out(
    `Taken on trust: the state at event ${carried.seq}, ${carried.state}. It was taken over from ${compared}; --archive FILE or --branch ${carried.branch} replays what led to it.`,
  )
}

function tell(report: VerifyReport, digest: string, io: CommandIo): ExitCode {
  if (io.json) io.out(JSON.stringify({ ...report, digest }))
  else {
    say(report, io)
    io.out(`Digest of the archive: ${digest}`)
    if (report.ok)
      io.out(
        'The archive holds: every line is chained, and the replay agrees with the snapshots. Who made its commits, it does not tell.',
      )
  }
  sayProblems([['', report]], io)
  return report.ok ? 0 : 1
}
