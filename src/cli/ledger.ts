import { join } from 'node:path'
import { ulid } from 'ulid'
import { CATALOGUE } from '../core/catalogue.ts'
import { model } from '../core/model.ts'
import { branchOfEpoch, DATA_BRANCH } from '../core/own-branches.ts'
import { quoted, quotedWithin, RingmasterError } from '../core/problem.ts'
import { branchProtection } from '../github/rulesets.ts'
import { type LogFilter, readEpochs } from '../ledger/read-log.ts'
import { rebuildSnapshots } from '../ledger/rebuild.ts'
import { renderEvidence } from '../render/evidence.ts'
import { type CliCommand, type CommandIo, needed, optionsOf, usageError } from './command.ts'
import { evidenceOf, type Protection } from './evidence.ts'
import { writeOutput } from './files.ts'
import { ledgerArchive, ledgerEpoch } from './ledger-epoch.ts'
import { NO_LEDGER_HINT } from './ledger-remedies.ts'
import { epochsToRead, isOnGitHub, lastOf, readerOf, storesToWrite } from './ledger-store.ts'
import { ledgerVerify } from './ledger-verify.ts'
import { ledgerNextBuild } from './next-build.ts'
import { ledgerRedact } from './redact.ts'

const TYPES = Object.keys(CATALOGUE)
const FILTERS = ['product', 'release', 'actor', 'type', 'since'] as const

export const ledgerLog: CliCommand = {
  name: 'ledger log',
  usage:
    'ringmaster ledger log --repo DIR|OWNER/NAME [--branch NAME] [--product NAME] [--release ID] [--actor LOGIN] [--type TYPE] [--since TIME] [--json]   (--json prints one JSON document with the array "events")',
  summary: 'Show the events that fulfil every condition, in order.',
  async run(args, io) {
    const values = optionsOf(ledgerLog, args, {
      repo: { type: 'string' },
      branch: { type: 'string' },
      product: { type: 'string' },
      release: { type: 'string' },
      actor: { type: 'string' },
      type: { type: 'string' },
      since: { type: 'string' },
    })
    const wanted = {
      ...values,
      release: values.release === undefined ? undefined : releaseIdOf(values.release),
      actor: values.actor?.replace(/^@/, ''),
      since: values.since === undefined ? undefined : instantOf(values.since),
    }
    if (wanted.type !== undefined && !TYPES.some((type) => type === wanted.type || type.startsWith(`${wanted.type}.`)))
      throw usageError(`expected a type of event or its noun for --type, found ${quoted(wanted.type)}`, ledgerLog)
    const filter: LogFilter = Object.fromEntries(
      FILTERS.flatMap((name) => (wanted[name] === undefined ? [] : [[name, wanted[name]]])),
    )
    const epochs = await epochsToRead({ repo: needed(values.repo, 'repo', ledgerLog), branch: values.branch }, io)
    if (epochs.length === 0) {
      throw new RingmasterError('bad-input', {
        code: 'no-ledger',
        message: `expected the branch ${values.branch ?? DATA_BRANCH} in ${values.repo ?? ''}, found none`,
        hint: NO_LEDGER_HINT,
      })
    }
    let found = 0
    /** One document, written as it is read: a log does not fit into memory for ever. */
    let before = '{"events":['
    for await (const { event } of readEpochs(epochs, filter)) {
      found += 1
      if (io.json) {
        io.out(`${before}${JSON.stringify(event)}`)
        before = ','
      } else {
        io.out(
          `${String(event.seq).padStart(6)}  ${event.at}  ${event.type.padEnd(24)} ${event.actor?.login ?? '-'}  ${subjectOf(event.data)}`,
        )
      }
    }
    if (io.json) io.out(`${before === ',' ? '' : before}]}`)
    if (found === 0 && Object.keys(filter).length > 0)
      io.err('No event fulfils every condition. Names are taken exactly, and times are UTC.')
    return 0
  },
}

/** As the log names it: an issue's number alone will do. */
const releaseIdOf = (release: string): string => release.replace(/^(?=\d+$)/, 'r')

const ISO_8601 = /^(\d{4}-\d{2}-\d{2})(?:[Tt ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)([Zz]|[+-]\d{2}:\d{2})?)?$/

/** An instant as ISO 8601 UTC, which is also meant where no zone is given: it must not depend on the machine. */
function instantOf(text: string): string {
  const [, date, time, zone = 'Z'] = ISO_8601.exec(text) ?? []
  const atMs = Date.parse(time === undefined ? `${date}` : `${date}T${time}${zone}`)
  if (date === undefined || Number.isNaN(atMs))
    throw usageError(`expected a time such as 2026-11-20T12:00:00Z for --since, found ${quoted(text)}`, ledgerLog)
  return new Date(atMs).toISOString()
}

/** What an event is about, in a few words for a line, and what it says went wrong. */
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
    typeof value['seq'] === 'number' ? `event ${value['seq']}` : undefined,
    typeof value['by'] === 'string' ? `by ${value['by']}` : undefined,
  ]
  const { code, message, reason } = value
  const told = typeof code === 'string' && typeof message === 'string' ? `${code}: ${message}` : reason
  const said = typeof told === 'string' && told !== '' ? `  ${plain(told, 2_000)}` : ''
  return `${plain(parts.filter((part) => typeof part === 'string').join(' '))}${said}`
}

const plain = (text: string, maxLength = 80): string => quotedWithin(maxLength, text).slice(1, -1)

export const ledgerRebuild: CliCommand = {
  name: 'ledger rebuild',
  usage:
    'ringmaster ledger rebuild --repo DIR|OWNER/NAME [--branch NAME] [--author "NAME <EMAIL>"]   (OWNER/NAME commits as the App, with the variables of the server)',
  summary: 'Make head and snapshots anew from the events alone, as one commit; the events stay as they are.',
  async run(args, io) {
    const values = optionsOf(ledgerRebuild, args, {
      repo: { type: 'string' },
      branch: { type: 'string' },
      author: { type: 'string' },
    })
    const repo = needed(values.repo, 'repo', ledgerRebuild)
    const { storeOf, writer } = await storesToWrite(repo, values.author, io)
    const rebuilt = await rebuildSnapshots(await lastOf(storeOf, values.branch), model, {
      now: io.now,
      newId: () => ulid(),
      writer,
      successor: (epoch) => storeOf(branchOfEpoch(epoch)),
    })
    if (io.json) io.out(JSON.stringify(rebuilt))
    else
      io.out(
        `Commit ${rebuilt.commit}: the state of ${rebuilt.aggregates} aggregates at event ${rebuilt.seq}, in ${rebuilt.files} files.`,
      )
    return 0
  },
}

export const ledgerExport: CliCommand = {
  name: 'ledger export',
  usage: 'ringmaster ledger export --repo DIR|OWNER/NAME --release ID [--branch NAME] [--out DIR] [--json]',
  summary: 'The evidence of a release: who approved what under which rules, with links and digests.',
  async run(args, io) {
    const values = optionsOf(ledgerExport, args, {
      repo: { type: 'string' },
      branch: { type: 'string' },
      release: { type: 'string' },
      out: { type: 'string' },
    })
    const repo = needed(values.repo, 'repo', ledgerExport)
    const epochs = await epochsToRead({ repo, branch: values.branch }, io)
    const protection = await protectionOf(repo, epochs.at(-1)?.branch, io)
    const release = releaseIdOf(needed(values.release, 'release', ledgerExport))
    const pack = await evidenceOf(epochs, release, { now: io.now, protection })
    const json = JSON.stringify(pack, null, 2)
    if (values.out === undefined) io.out(io.json ? json : renderEvidence(pack))
    else {
      const base = join(values.out, `evidence-${pack.release.id}`)
      await writeOutput(`${base}.json`, `${json}\n`)
      await writeOutput(`${base}.md`, `${renderEvidence(pack)}\n`)
      io.out(io.json ? JSON.stringify({ files: [`${base}.json`, `${base}.md`] }) : `Wrote ${base}.json and ${base}.md`)
    }
    return 0
  },
}

async function protectionOf(repo: string, branch: string | undefined, io: CommandIo): Promise<Protection> {
  if (branch === undefined || !isOnGitHub(repo)) return 'not-asked'
  return (await branchProtection(readerOf(repo, io), repo, branch)) ? 'protected' : 'unprotected'
}

export const LEDGER_COMMANDS: readonly CliCommand[] = [
  ledgerVerify,
  ledgerLog,
  ledgerRebuild,
  ledgerRedact,
  ledgerEpoch,
  ledgerArchive,
  ledgerExport,
  ledgerNextBuild,
]
