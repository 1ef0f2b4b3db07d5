import { model } from '../core/model.ts'
import { RingmasterError } from '../core/problem.ts'
import { redecide } from '../engine/redecide.ts'
import { gitStore } from '../ledger/git.ts'
import { type LogFilter, readLog } from '../ledger/read-log.ts'
import type { LedgerStore } from '../ledger/store.ts'
import { verifyLedger } from '../ledger/verify.ts'
import { type CliCommand, needed, readOptions, usageError } from './command.ts'

const BRANCH = 'ringmaster-data'

/** A local repository, bare or not, whose branch is only read. */
const storeIn = (directory: string, branch: string | undefined, now: string): LedgerStore =>
  gitStore({
    directory,
    branch: branch ?? BRANCH,
    author: { name: 'reader', email: 'reader@localhost' },
    clock: () => now,
  })

export const ledgerVerify: CliCommand = {
  name: 'ledger verify',
  usage: 'ringmaster ledger verify --repo DIR [--branch NAME] [--author EMAIL]',
  summary: 'Replay the whole log, compare the snapshots, and decide every recorded decision again.',
  async run(args, io) {
    const { values } = readOptions(ledgerVerify, args, {
      repo: { type: 'string' },
      branch: { type: 'string' },
      author: { type: 'string' },
    })
    const store = storeIn(needed(values.repo, 'repo', ledgerVerify), values.branch, io.now)
    const report = await verifyLedger(store, model, {
      redecide,
      ...(values.author === undefined ? {} : { author: { email: values.author } }),
    })
    if (io.json) io.out(JSON.stringify(report))
    else {
      const { counts, head } = report
      io.out(
        `${counts.events} events in ${counts.files} files, ${counts.shards} snapshot shards, ${counts.redecided} decisions decided again.`,
      )
      io.out(`Head: event ${head.seq}, ${head.digest}`)
      if (report.ok) io.out('The log holds: every line is chained, and the replay agrees with the snapshots.')
    }
    for (const problem of report.problems) io.err(`${problem.code}: ${problem.message}`)
    return report.ok ? 0 : 1
  },
}

const FILTERS = ['product', 'release', 'actor', 'type', 'since'] as const

export const ledgerLog: CliCommand = {
  name: 'ledger log',
  usage:
    'ringmaster ledger log --repo DIR [--branch NAME] [--product NAME] [--release ID] [--actor LOGIN] [--type TYPE] [--since TIME]',
  summary: 'Show the events that fulfil every condition, in order.',
  async run(args, io) {
    const { values } = readOptions(ledgerLog, args, {
      repo: { type: 'string' },
      branch: { type: 'string' },
      product: { type: 'string' },
      release: { type: 'string' },
      actor: { type: 'string' },
      type: { type: 'string' },
      since: { type: 'string' },
    })
    if (values.since !== undefined && Number.isNaN(Date.parse(values.since))) {
      throw usageError(
        `expected a time such as 2026-11-20T12:00:00Z for --since, found ${JSON.stringify(values.since)}`,
        ledgerLog,
      )
    }
    const filter: LogFilter = Object.fromEntries(
      FILTERS.flatMap((name) => (values[name] === undefined ? [] : [[name, values[name]]])),
    )
    const store = storeIn(needed(values.repo, 'repo', ledgerLog), values.branch, io.now)
    if ((await store.newest([])) === null) {
      throw new RingmasterError('bad-input', {
        code: 'no-ledger',
        message: `expected the branch ${values.branch ?? BRANCH} in ${values.repo ?? ''}, found none`,
        hint: 'Give the directory of the release repository.',
      })
    }
    for await (const { event } of readLog(store, filter)) {
      if (io.json) io.out(JSON.stringify(event))
      else
        io.out(
          `${String(event.seq).padStart(6)}  ${event.at}  ${event.type.padEnd(24)} ${event.actor?.login ?? '-'}  ${subjectOf(event.data)}`,
        )
    }
    return 0
  },
}

/** What an event is about, in a few words for a line. */
function subjectOf(data: unknown): string {
  const value = (data ?? {}) as Record<string, unknown>
  const item = (value['item'] ?? value) as Record<string, unknown>
  const parts = [
    value['release'],
    item['product'] && `${item['product']}${item['version'] ? `@${item['version']}` : ''}`,
    value['environment'],
    value['verdict'],
    value['gate'],
    value['output'],
  ]
  return JSON.stringify(parts.filter((part) => typeof part === 'string').join(' ')).slice(1, -1)
}

export const LEDGER_COMMANDS: readonly CliCommand[] = [ledgerVerify, ledgerLog]
