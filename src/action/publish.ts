import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { parseDocument } from '../core/manifest/issues.ts'
import { ChannelSource } from '../core/manifest/source.ts'
import { accepted, type Checked, type Problem, quoted, RingmasterError, rejected, unwrap } from '../core/problem.ts'
import { isBucketAddress, type Place, publicationAt, readPlace } from '../publish/place.ts'
import { publishSources } from '../publish/publish-sources.ts'
import { requestOf } from '../publish/publisher.ts'
import { type FileSigner, signerOf } from '../publish/signer.ts'
import { expectedOf, verifyPublished } from '../publish/verify-published.ts'
import { codeSpan, escapeMarkdown, markdownTable } from '../render/text.ts'
import { insideWorkspace, workspaceOf } from './context.ts'
import type { Outcome } from './outcome.ts'
import type { Inputs } from './read-inputs.ts'
import type { Shell } from './shell.ts'

const PEM = /-----BEGIN [A-Z ]+-----[\s\S]*?-----END [A-Z ]+-----/g
const LONGEST_HOURS = 8_760
/** Ten minutes: as long as Pages may take to build. */
const PATIENCE = { attempts: 61, waitMs: 10_000 }

/** Publishes channels and signed requests of the checkout with keys that are secrets; with neither, renews the freshness. */
export async function publish(inputs: Inputs, shell: Shell): Promise<Outcome<'publish'>> {
  const read = (path: string, what: string) => readHere(inputs, shell, path, what)
  const place = unwrap(placeOf(inputs, shell))
  const signers = unwrap(signersOf(inputs.onlineKeys ?? ''))
  const validHours = unwrap(hoursOf(inputs.validHours))
  const pinnedRoot = await read(inputs.root ?? '', 'a root file')
  const sources: ChannelSource[] = []
  for (const path of inputs.channels)
    sources.push(unwrap(parseDocument(ChannelSource, await read(path, 'a channel source'), 'file-invalid', path)))
  const requests = []
  for (const path of inputs.requests)
    requests.push(requestOf(Buffer.from(await read(path, 'a signing request')).toString('utf8'), path))
  const { files, timestampVersion, closed } = await publishSources({
    publication: publicationAt(place, () => new Date(shell.clock.nowMs()).toISOString()),
    pinnedRoot,
    sources,
    requests,
    skipPublished: true,
    signers,
    roster: null,
    validHours,
    views: inputs.views,
    now: new Date(shell.clock.nowMs()).toISOString(),
  })
  if (inputs.publicUrl !== null) unwrap(await verifyPublished(inputs.publicUrl, expectedOf(files), PATIENCE), 'outside')
  const paths = files.map(({ path }) => path)
  return {
    outputs: { 'published-files': paths.join('\n'), 'timestamp-version': String(timestampVersion) },
    summary: `### Published ${paths.length} files\n\n${tableOf(sources)}\n\nThe pointer ${codeSpan('metadata/timestamp.json')} is at version ${timestampVersion}.`,
    said: `published ${paths.length} files; timestamp.json is at version ${timestampVersion}`,
    warnings: closed.map(({ path, problems }) => ({
      code: 'view-closed',
      message: `${path} offers nothing: ${problems.map(({ message }) => message).join('; ')}`,
    })),
  }
}

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
function placeOf({ publishTo, workingDirectory }: Inputs, { environment }: Shell): Checked<Place> {
  const text = publishTo ?? ''
  if (isBucketAddress(text)) return readPlace(text, environment)
  const root = workspaceOf(environment)
  const directory = insideWorkspace(root, resolve(root, workingDirectory, text))
  if (directory !== null) return accepted({ kind: 'directory', directory })
  return rejected({
    code: 'input-invalid',
    message: `expected a directory of the workspace or s3://BUCKET/PREFIX as input publish-to, found ${quoted(text)}`,
    path: 'publish-to',
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
  const root = workspaceOf(shell.environment)
  const file = insideWorkspace(root, resolve(root, inputs.workingDirectory, path))
  const bytes = file === null ? null : await readFile(file).catch(() => null)
  if (bytes !== null) return bytes
  throw new RingmasterError('bad-input', {
    code: 'file-unreadable',
    message: `expected ${what} at ${quoted(path)} in the workspace, found none that can be read`,
    hint: 'add a step `uses: actions/checkout` before this one, or mend the path',
    path,
  })
}
