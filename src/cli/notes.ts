import { unwrap } from '../core/problem.ts'
import { uncounted } from '../core/version/decide-next.ts'
import { collectNotes, type Notes, type NotesOptions } from '../core/version/notes.ts'
import { tagNameOf } from '../core/version/tags.ts'
import { parseVersion, type Version } from '../core/version/version.ts'
import { type ComputedVersion, computeVersion } from '../git/compute-version.ts'
import { readAuthors } from '../git/read-authors.ts'
import { notTagged, readTagCommit } from '../git/read-tags.ts'
import { changelogSectionOf } from '../render/changelog.ts'
import { renderNotes } from '../render/notes.ts'
import { checkChangelogFile, writeChangelog } from './changelog-file.ts'
import { type CliCommand, type CommandIo, type ExitCode, readOptions, usageError } from './command.ts'
import { readDocument, readInput } from './files.ts'
import { sayWarnings } from './problem-text.ts'
import {
  type PullRequestSource,
  readPullRequestSource,
  rereadingBy,
  SOURCE_OPTIONS,
  SOURCE_USAGE,
} from './pull-request-source.ts'
import {
  LINE_OPTIONS,
  oneOf,
  type ProductChoice,
  readLine,
  readProductChoice,
  VERSION_OPTIONS,
  VERSION_USAGE,
  withConfiguration,
} from './version-options.ts'

const OPTIONS = {
  ...VERSION_OPTIONS,
  ...SOURCE_OPTIONS,
  prerelease: LINE_OPTIONS.prerelease,
  graduate: LINE_OPTIONS.graduate,
  release: { type: 'string' },
  audience: { type: 'string' },
  'external-type': { type: 'string', multiple: true },
  'internal-scope': { type: 'string', multiple: true },
  links: { type: 'boolean' },
  'repository-url': { type: 'string' },
  template: { type: 'string' },
  'github-notes': { type: 'string' },
  changelog: { type: 'string' },
  check: { type: 'boolean' },
  date: { type: 'string' },
  combine: { type: 'boolean' },
} as const

/** The notes of the version to come, or of one that is tagged. */
export const notesCommand: CliCommand = {
  name: 'notes',
  usage: `ringmaster notes ${VERSION_USAGE} ${SOURCE_USAGE} [--release VERSION | --prerelease LABEL | --graduate LABEL] [--audience internal|external] [--external-type TYPE]… [--internal-scope SCOPE]… [--links] [--repository-url URL] [--template FILE | --changelog FILE [--check] | --github-notes FILE] [--date YYYY-MM-DD] [--json]
       ringmaster notes --combine FILE… [--json]`,
  summary: 'Tell what a version changes, for the team or for customers; write or check a changelog.',
  async run(args, io) {
    const { values, positionals } = readOptions(notesCommand, args, OPTIONS)
    if (values.combine) {
      if (positionals.length === 0) throw usageError('expected files behind --combine, found none', notesCommand)
      const { tellRelease } = await import('./release-notes.ts')
      return tellRelease(positionals, io)
    }
    if (positionals.length > 0) throw usageError(`expected only options, found "${positionals[0]}"`, notesCommand)
    const given = (['template', 'changelog', 'github-notes'] as const).filter((name) => values[name] !== undefined)
    if (given.length > 1)
      throw usageError(
        `expected one of --template, --changelog and --github-notes, found ${given.join(', ')}`,
        notesCommand,
      )
    if (values.check && values.changelog === undefined)
      throw usageError('expected --changelog beside --check, found none', notesCommand)
    const options = await withConfiguration(values, notesCommand)
    const choice = readProductChoice(options, readLine(values, notesCommand), notesCommand)
    const audience = oneOf(values.audience, 'audience', ['internal', 'external'], notesCommand) ?? 'internal'
    if (values['github-notes'] !== undefined && audience === 'external' && !values.links)
      throw usageError(
        'expected --links beside --github-notes for customers: they name people and lead into the repository',
        notesCommand,
      )
    const repository = repositoryUrl(values['repository-url'])
    const source = await readPullRequestSource(values, options, notesCommand)
    const computed = await computeFor(choice, values, source)
    sayWarnings(computed.warnings, io)
    const version = values.release ?? computed.version
    if (version === null) return nothingToTell(io)
    const notes = await notesOf(choice.directory, computed, {
      audience,
      ...(options['external-type'] === undefined ? {} : { externalTypes: options['external-type'] }),
      internalScopes: options['internal-scope'] ?? [],
      externalLinks: values.links ?? false,
    })
    const shown = audience === 'internal' || values.links ? repository : null
    const about = { version, previousVersion: computed.previousVersion, date: dateOf(values.date, io.now) }
    if (values.changelog !== undefined) {
      if (values.check) return checkChangelogFile(values.changelog, version, io)
      return writeChangelog(values.changelog, changelogSectionOf(choice.pattern, about, notes, shown), io)
    }
    const markdown = await markdownOf(values, { ...about, product: values.product ?? '', notes, repository: shown })
    const document = { product: values.product ?? '', ...about, repository: shown, notes, markdown }
    io.out(io.json ? JSON.stringify(document) : markdown)
    return 0
  },
}

interface About {
  readonly version: string
  readonly previousVersion: string | null
  readonly date: string
}

interface Values {
  readonly release?: string | undefined
  readonly prerelease?: string | undefined
  readonly graduate?: string | undefined
  readonly template?: string | undefined
  readonly 'github-notes'?: string | undefined
}

/** What is tagged is told from the release before it; what is to come, from the last release. */
async function computeFor(
  choice: ProductChoice,
  values: Values,
  source: PullRequestSource | null,
): Promise<ComputedVersion> {
  const line = readLine(values, notesCommand)
  if (values.release !== undefined && line.kind !== 'release')
    throw usageError('expected at most one of --release, --prerelease and --graduate', notesCommand)
  const ask = (below: Version | null, at: string | null): Promise<ComputedVersion> =>
    computeVersion({ ...choice, line, ownRef: null, below, ...(at === null ? {} : { at }), ...rereadingBy(source) })
  if (values.release !== undefined) {
    const version = unwrap(parseVersion(choice.pattern.scheme, values.release))
    const name = tagNameOf(choice.pattern, values.release)
    const tag = await readTagCommit(choice.directory, name)
    if (tag === null && uncounted(version.scheme) === null)
      throw notTagged(name, 'leave --release out to tell what is to come')
    return ask(version, tag)
  }
  const computed = await ask(null, null)
  if (computed.released || computed.version === null) return computed
  return ask(unwrap(parseVersion(choice.pattern.scheme, computed.version)), null)
}

async function notesOf(directory: string, computed: ComputedVersion, options: NotesOptions): Promise<Notes> {
  const people = options.audience === 'internal' || options.externalLinks === true
  const range = { from: computed.tagSha, to: computed.sha }
  const authors = people ? { authors: await readAuthors(directory, range) } : {}
  return collectNotes(computed.decision, computed.commits, { ...options, ...authors })
}

function nothingToTell(io: CommandIo): ExitCode {
  if (io.json) io.out(JSON.stringify({ version: null }))
  else io.err('No new version: nothing since the last release makes one.')
  return 0
}

/** Only http addresses become links, without a slash at the end. */
function repositoryUrl(text: string | undefined): string | null {
  if (text === undefined) return null
  const url = URL.canParse(text) ? new URL(text) : null
  if (url !== null && /^https?:$/.test(url.protocol) && !/[()\s<>]/.test(text)) return text.replace(/\/$/, '')
  throw usageError('expected an http or https address for --repository-url, found something else', notesCommand)
}

function dateOf(given: string | undefined, now: string): string {
  const date = given ?? now.slice(0, 10)
  if (/^\d{4}-\d{2}-\d{2}$/.test(date) && !Number.isNaN(Date.parse(`${date}T00:00:00Z`))) return date
  throw usageError('expected a date such as 2026-03-04 for --date, found something else', notesCommand)
}

interface Told extends About {
  readonly product: string
  readonly notes: Notes
  readonly repository: string | null
}

/** By GitHub, by a team's template, or by us. */
async function markdownOf(values: Values, told: Told): Promise<string> {
  if (values['github-notes'] !== undefined) return readGitHubNotes(values['github-notes'])
  return values.template === undefined ? renderNotes(told.notes, told.repository) : templated(values.template, told)
}

/** What GitHub answers to `generate-notes`: Markdown of its own, which is passed on as it is. */
async function readGitHubNotes(path: string): Promise<string> {
  const { z } = await import('zod')
  const { body } = await readDocument(path, z.object({ body: z.string() }), 'notes that GitHub generated, as JSON')
  return body.trim()
}

async function templated(path: string, data: Told): Promise<string> {
  const { renderTemplate } = await import('../render/notes-template.ts')
  const template = Buffer.from(await readInput(path, 'a template')).toString('utf8')
  return unwrap(renderTemplate(template, data))
}
