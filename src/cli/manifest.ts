import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { effectLines } from '../core/cohort/telling.ts'
import { remindersOf } from '../core/manifest/reminders.ts'
import { ChannelSource } from '../core/manifest/source.ts'
import { RingmasterError, unwrap } from '../core/problem.ts'
import { dryPublication } from '../publish/dry-run.ts'
import { publicationAt, readPlace } from '../publish/place.ts'
import { publishSources } from '../publish/publish-sources.ts'
import { readRepository } from '../publish/read-back.ts'
import { keyFileSigner } from '../publish/signer.ts'
import { expectedOf, verifyPublished } from '../publish/verify-published.ts'
import { rosterOf } from './cohort-roster.ts'
import { type CliCommand, type CommandIo, needed, optionsOf, usageError } from './command.ts'
import { readDocument, readInput } from './files.ts'
import { readRequest } from './request-files.ts'

function wholeNumber(text: string | undefined, option: string, otherwise: number, command: CliCommand): number {
  if (text === undefined) return otherwise
  if (!/^\d{1,6}$/.test(text))
    throw usageError(`expected a whole number for --${option}, found "${text.slice(0, 40)}"`, command)
  return Number(text)
}

export const manifestPublish: CliCommand = {
  name: 'manifest publish',
  usage:
    'ringmaster manifest publish --to DIR|s3://BUCKET/PREFIX --root FILE --online DIR [--channel FILE]… [--request FILE]… [--valid-hours N] [--ledger-head DIGEST] [--roster DIR|s3://BUCKET/PREFIX] [--accept-risk] [--views] [--dry-run | --base-url URL [--attempts N]]',
  summary:
    'Publish channels and signed requests to a directory or bucket; with neither, renew the freshness. With --dry-run only say what would go out.',
  async run(args, io) {
    const values = optionsOf(manifestPublish, args, {
      to: { type: 'string' },
      root: { type: 'string' },
      online: { type: 'string' },
      channel: { type: 'string', multiple: true },
      request: { type: 'string', multiple: true },
      'valid-hours': { type: 'string' },
      'ledger-head': { type: 'string' },
      roster: { type: 'string' },
      'accept-risk': { type: 'boolean', default: false },
      views: { type: 'boolean', default: false },
      'dry-run': { type: 'boolean', default: false },
      'base-url': { type: 'string' },
      attempts: { type: 'string' },
    })
    const to = needed(values.to, 'to', manifestPublish)
    const hours = wholeNumber(values['valid-hours'], 'valid-hours', 168, manifestPublish)
    const dryRun = values['dry-run']
    const baseUrl = values['base-url']
    if (dryRun && baseUrl !== undefined)
      throw usageError(
        'expected --dry-run or --base-url, found both: what is not published does not arrive',
        manifestPublish,
      )
    const place = publicationOf(to, io)
    const { files, timestampVersion, closed, effects } = await publishSources({
      publication: dryRun ? dryPublication(place) : place,
      pinnedRoot: await readInput(needed(values.root, 'root', manifestPublish), 'a root file'),
      sources: await Promise.all(
        (values.channel ?? []).map((path) => readDocument(path, ChannelSource, 'a channel source')),
      ),
      requests: await Promise.all((values.request ?? []).map(readRequest)),
      signers: await signersIn(needed(values.online, 'online', manifestPublish)),
      roster: values.roster === undefined ? null : rosterOf(values.roster, unwrap(readPlace(to, io.env)), io),
      acceptRisk: values['accept-risk'],
      validHours: hours,
      ledgerHead: values['ledger-head'],
      views: values.views,
      now: io.now,
    })
    const paths = files.map(({ path }) => path)
    if (io.json)
      io.out(
        JSON.stringify({ ...(dryRun && { dryRun }), timestampVersion, files: paths, closedViews: closed, effects }),
      )
    else {
      for (const { cohort, effect } of effects)
        for (const line of effectLines(effect)) io.out(`${JSON.stringify(cohort)}: ${line}`)
      if (dryRun) for (const { path, bytes } of files) io.out(`would publish ${path} (${bytes.byteLength} bytes)`)
      io.out(
        dryRun
          ? `Nothing is published: ${files.length} file(s) would go to ${to}, with timestamp.json at version ${timestampVersion}.`
          : `Published ${files.length} file(s) to ${to}; timestamp.json is at version ${timestampVersion}.`,
      )
      for (const { path, problems } of closed)
        io.out(`${path} offers nothing: ${problems.map(({ message }) => message).join('; ')}`)
    }
    if (baseUrl === undefined) return 0
    const attempts = wholeNumber(values.attempts, 'attempts', 1, manifestPublish)
    const arrived = unwrap(await verifyPublished(baseUrl, expectedOf(files), { attempts }), 'outside')
    if (!io.json) io.out(`All ${arrived.files} file(s) have arrived at ${baseUrl}.`)
    return 0
  },
}

/** The clock of the store's signatures is the system's own: a long publication must not sign by the time it began. */
const publicationOf = (to: string, { env }: CommandIo) =>
  publicationAt(unwrap(readPlace(to, env)), () => new Date().toISOString())

/** Every key file of a directory; the publication takes those that its roles name. */
async function signersIn(directory: string) {
  try {
    const names = await readdir(directory)
    return await Promise.all(
      names
        .filter((name) => name.endsWith('.pem'))
        .sort()
        .map((name) => keyFileSigner(join(directory, name))),
    )
  } catch (error) {
    if (error instanceof RingmasterError) throw error
    throw new RingmasterError(
      'bad-input',
      {
        code: 'file-unreadable',
        message: `expected a directory of key files at ${directory}, found none that can be read`,
      },
      { cause: error },
    )
  }
}

export const manifestStatus: CliCommand = {
  name: 'manifest status',
  usage: 'ringmaster manifest status --to DIR|s3://BUCKET/PREFIX --root FILE',
  summary: 'Tell which published roles expire when, and which want their holders now.',
  async run(args, io) {
    const values = optionsOf(manifestStatus, args, { to: { type: 'string' }, root: { type: 'string' } })
    const publication = publicationOf(needed(values.to, 'to', manifestStatus), io)
    const root = await readInput(needed(values.root, 'root', manifestStatus), 'a root file')
    const reminders = remindersOf(unwrap(await readRepository(publication, root), 'refused'), io.now)
    if (io.json) io.out(JSON.stringify({ roles: reminders }))
    else
      for (const { role, version, expiresAt, daysLeft, urgency } of reminders)
        io.out(
          `${role} ${version}: expires at ${expiresAt}, ${daysLeft} day(s) left${urgency === 'none' ? '' : ` (${urgency})`}`,
        )
    return reminders.some(({ urgency }) => urgency === 'expired') ? 1 : 0
  },
}

export const MANIFEST_COMMANDS: readonly CliCommand[] = [manifestPublish, manifestStatus]
