import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { effectLines } from '../core/cohort/telling.ts'
import { parseDocument } from '../core/manifest/issues.ts'
import { ChannelSource } from '../core/manifest/source.ts'
import { accepted, type Checked, type Problem, quoted, RingmasterError, rejected, unwrap } from '../core/problem.ts'
import { insideFolder } from '../git/checkout-file.ts'
import { isBucketAddress, type Place, publicationAt, readPlace } from '../publish/place.ts'
import { type CohortEffect, publishSources } from '../publish/publish-sources.ts'
import { requestOf } from '../publish/publisher.ts'
import { readRosterPlace, rosterAt } from '../publish/roster-place.ts'
import { type FileSigner, signerOf } from '../publish/signer.ts'
import { expectedOf, verifyPublished } from '../publish/verify-published.ts'
import { codeSpan, escapeMarkdown, markdownTable } from '../render/text.ts'
import { workspaceOf } from './context.ts'
import type { Outcome } from './outcome.ts'
import type { Inputs } from './read-inputs.ts'
import type { Shell } from './shell.ts'
import { readWorkspaceFile } from './workspace-file.ts'

const PEM = /-----BEGIN [A-Z ]+-----[\s\S]*?-----END [A-Z ]+-----/g
const LONGEST_HOURS = 8_760
/** Ten minutes: as long as Pages may take to build. */
const PATIENCE = { attempts: 61, waitMs: 10_000 }

/** Publishes channels and signed requests of the checkout with keys that are secrets; with neither, renews the freshness. */
export async function publish(inputs: Inputs, shell: Shell): Promise<Outcome<'publish'>> {
  const read = (path: string, what: string) => readHere(inputs, shell, path, what)
  const place = unwrap(placeOf('publish-to', inputs.publishTo ?? '', inputs, shell))
  const roster = inputs.roster === null ? null : await rosterPlaceOf(inputs.roster, place, inputs, shell)
  const signers = unwrap(signersOf(inputs.onlineKeys ?? ''))
  const validHours = unwrap(hoursOf(inputs.validHours))
  const pinnedRoot = await read(inputs.root ?? '', 'a root file')
  const sources: ChannelSource[] = []
  for (const path of inputs.channels)
    sources.push(unwrap(parseDocument(ChannelSource, await read(path, 'a channel source'), 'file-invalid', path)))
  const requests = []
  for (const path of inputs.requests)
    requests.push(requestOf(Buffer.from(await read(path, 'a signing request')).toString('utf8'), path))
  const { files, timestampVersion, closed, effects } = await publishSources({
    publication: publicationAt(place, clockOf(shell)),
    pinnedRoot,
    sources,
    requests,
    skipPublished: true,
    signers,
    roster: roster && rosterAt(roster, clockOf(shell)),
    acceptRisk: inputs.acceptRisk,
    validHours,
    views: inputs.views,
    now: clockOf(shell)(),
  })
  if (inputs.publicUrl !== null) unwrap(await verifyPublished(inputs.publicUrl, expectedOf(files), PATIENCE), 'outside')
  const paths = files.map(({ path }) => path)
  return {
    outputs: { 'published-files': paths.join('\n'), 'timestamp-version': String(timestampVersion) },
    summary: `### Published ${paths.length} files\n\n${tableOf(sources)}\n\n${told(effects)}The pointer ${codeSpan('metadata/timestamp.json')} is at version ${timestampVersion}.`,
    said: `published ${paths.length} files; timestamp.json is at version ${timestampVersion}`,
    warnings: [
      ...effects.flatMap(({ cohort, effect }) =>
        effect.findings.map(({ code, message }) => ({ code, message: `${message} (cohort ${quoted(cohort)})` })),
      ),
      ...closed.map(({ path, problems }) => ({
        code: 'view-closed',
        message: `${path} offers nothing: ${problems.map(({ message }) => message).join('; ')}`,
      })),
    ],
  }
}

/** Who moves where, cohort by cohort. */
const told = (effects: readonly CohortEffect[]): string =>
  effects
    .map(({ cohort, effect }) => {
      const lines = effectLines(effect).map((line) => `- ${escapeMarkdown(line)}\n`)
      return `${escapeMarkdown(cohort)}:\n\n${lines.join('')}\n`
    })
    .join('')

const clockOf =
  ({ clock }: Shell) =>
  (): string =>
    new Date(clock.nowMs()).toISOString()

const tableOf = (sources: readonly ChannelSource[]): string =>
  sources.length === 0
    ? 'No channel was given: what is published was signed anew.'
    : markdownTable(
        ['Cohort', 'Releases', 'Latest'],
        sources.map(({ channel: { cohort, releases } }) => [
          escapeMarkdown(cohort),
          String(releases.length),
          escapeMarkdown(releases.find(({ next }) => next === null)?.bundle ?? ''),
        ]),
      )

/** A directory has to lie in the workspace: another one is gone with the job. */
function placeOf(
  input: 'publish-to' | 'roster',
  text: string,
  { workingDirectory }: Inputs,
  { environment }: Shell,
): Checked<Place> {
  if (isBucketAddress(text)) return readPlace(text, environment)
  const root = workspaceOf(environment)
  const directory = insideFolder(root, resolve(root, workingDirectory, text))
  if (directory !== null) return accepted({ kind: 'directory', directory })
  return rejected({
    code: 'input-invalid',
    message: `expected a directory of the workspace or s3://BUCKET/PREFIX as input ${input}, found ${quoted(text)}`,
    path: input,
  })
}

/** A roster that is not there is refused: it would count for nobody, and a wrong path is likelier. */
async function rosterPlaceOf(text: string, published: Place, inputs: Inputs, shell: Shell): Promise<Place> {
  const given = unwrap(placeOf('roster', text, inputs, shell))
  const address = given.kind === 'directory' ? given.directory : text
  const place = unwrap(readRosterPlace(address, shell.environment, published))
  const isThere = place.kind === 's3' || (await stat(place.directory).catch(() => null))?.isDirectory()
  if (isThere) return place
  throw new RingmasterError('bad-input', {
    code: 'input-invalid',
    message: `expected a directory that is there as input roster, found none at ${quoted(text)}`,
    hint: 'A roster is no file of a repository: fetch it in a step before this one, or give s3://BUCKET/PREFIX.',
    path: 'roster',
  })
}

/** The keys, one after the other; what stands between them is no matter. */
function signersOf(text: string): Checked<readonly FileSigner[]> {
  const pems = text.replaceAll('\\n', '\n').match(PEM) ?? []
  if (pems.length > 0) return accepted(pems.map((pem, at) => signerOf(pem, `key ${at + 1} of the input online-keys`)))
  return rejected({
    code: 'input-invalid',
    message: 'expected private keys in PEM as input online-keys, found something else',
    hint: 'Make a secret of the key files under `online/`, one after the other: cat keys/online/*.pem',
    path: 'online-keys',
  })
}

function hoursOf(text: string): Checked<number> {
  const hours = /^\d{1,4}$/.test(text) ? Number(text) : 0
  if (hours >= 1 && hours <= LONGEST_HOURS) return accepted(hours)
  const message = `expected whole hours from 1 to ${LONGEST_HOURS} as input valid-hours, found ${quoted(text)}`
  return rejected<string>({ code: 'input-invalid', message, path: 'valid-hours' } satisfies Problem)
}

async function readHere(inputs: Inputs, shell: Shell, path: string, what: string): Promise<Uint8Array> {
  const read = await readWorkspaceFile(path, inputs, shell)
  if ('bytes' in read) return read.bytes
  throw unreadable(what, path, read.found)
}

const unreadable = (what: string, path: string, found: string): RingmasterError =>
  new RingmasterError('bad-input', {
    code: 'file-unreadable',
    message: `expected ${what} at ${quoted(path)} in the workspace, found ${found}`,
    hint: 'add a step `uses: actions/checkout` before this one, or mend the path',
    path,
  })
