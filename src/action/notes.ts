import { writeFile } from 'node:fs/promises'
import { type Problem, quoted, RingmasterError, unwrap } from '../core/problem.ts'
import { checkChangelog, writeSection } from '../core/version/changelog.ts'
import { uncounted } from '../core/version/decide-next.ts'
import { collectNotes, type Notes } from '../core/version/notes.ts'
import { tagNameOf } from '../core/version/tags.ts'
import { parseVersion, type Version } from '../core/version/version.ts'
import type { ComputedVersion } from '../git/compute-version.ts'
import { readAuthors } from '../git/read-authors.ts'
import { notTagged, readTagCommit } from '../git/read-tags.ts'
import { changelogSectionOf } from '../render/changelog.ts'
import { renderNotes } from '../render/notes.ts'
import { codeSpan, escapeMarkdown, truncate } from '../render/text.ts'
import { audienceOf } from './audience.ts'
import { computeVersionFor, directoryOf, patternOf } from './compute-version.ts'
import { readContext } from './context.ts'
import type { Outcome } from './outcome.ts'
import { productNameOf } from './product-name.ts'
import type { Inputs } from './read-inputs.ts'
import type { Shell } from './shell.ts'
import { together } from './together.ts'
import { locateFile, readWorkspaceFile } from './workspace-file.ts'

/** A step hands outputs on through the environment of others, which takes about 128 KiB in all. */
const MOST_CHARACTERS = 60_000

/**
 * Tells what a version changes, for the team or for customers: the one to come, or one that is tagged. Writes its
 * section into a changelog of the checkout, or checks the one that is there; committing is another step's work.
 */
export async function notes(inputs: Inputs, shell: Shell): Promise<Outcome<'notes'>> {
  const context = unwrap(readContext(shell.environment))
  const [pattern, product, directory] = together(
    patternOf(inputs),
    productNameOf(inputs, context),
    directoryOf(inputs, shell),
  )
  refuseContradictions(inputs)
  const computed = await computedFor(inputs, shell, directory)
  const version = inputs.version ?? computed.version
  if (version === null) return nothingToTell(product, computed)
  const told = await notesOf(inputs, directory, computed)
  const repository =
    inputs.audience === 'internal' ? `${context.serverUrl}/${context.owner}/${context.repository}` : null
  const date = new Date(shell.clock.nowMs()).toISOString().slice(0, 10)
  const about = { version, previousVersion: computed.previousVersion, date }
  const markdown =
    inputs.template === null
      ? renderNotes(told, repository)
      : await templated(inputs.template, inputs, shell, { ...about, product, notes: told, repository })
  const problems = inputs.checkChangelog ? await changelogProblems(inputs, shell, version) : []
  const written =
    inputs.changelog === null || inputs.checkChangelog
      ? false
      : await writeChangelog(inputs.changelog, inputs, shell, (text) =>
          writeSection(text, changelogSectionOf(pattern, about, told, repository)),
        )
  return {
    outputs: {
      version,
      'previous-version': computed.previousVersion ?? '',
      notes: truncate(markdown, MOST_CHARACTERS),
      'changelog-file': written ? (inputs.changelog ?? '') : '',
    },
    summary: [
      `### ${escapeMarkdown(product)} ${codeSpan(version)}`,
      markdown || 'No changes to tell.',
      ...(written ? [`Written into ${codeSpan(inputs.changelog ?? '')}.`] : []),
    ].join('\n\n'),
    said: `Notes of ${product} ${version}${written ? `, written into ${inputs.changelog}` : ''}`,
    warnings: computed.warnings,
    ...(problems.length === 0 ? {} : { failures: problems }),
  }
}

const nothingToTell = (product: string, computed: ComputedVersion): Outcome<'notes'> => ({
  outputs: {
    version: '',
    'previous-version': computed.previousVersion ?? '',
    notes: '',
    'changelog-file': '',
  },
  summary: `### No new version of ${escapeMarkdown(product)}\n\nNothing since the last release makes one, so there is nothing to tell.`,
  said: `No new version of ${product}: nothing since the last release makes one, so there is nothing to tell`,
  warnings: computed.warnings,
})

function refuseContradictions({ checkChangelog, changelog, template }: Inputs): void {
  const problems: Problem[] = []
  if (checkChangelog && changelog === null) {
    const message = 'expected the input changelog beside check-changelog, found none'
    problems.push({ code: 'changelog-missing', message, hint: 'name the file to check', path: 'changelog' })
  }
  if (template !== null && changelog !== null) {
    const message = 'expected either the input template or changelog, found both'
    problems.push({ code: 'template-and-changelog', message, path: 'template' })
  }
  if (problems.length > 0) throw new RingmasterError('bad-input', problems)
}

/** What is tagged is told from the release before it; what is to come, also by its version, from the last release. */
async function computedFor(inputs: Inputs, shell: Shell, directory: string): Promise<ComputedVersion> {
  if (inputs.version !== null) {
    const version = unwrap(parseVersion(inputs.scheme ?? 'semver', inputs.version))
    const name = tagNameOf(unwrap(patternOf(inputs)), inputs.version)
    const at = await readTagCommit(directory, name)
    if (at !== null) return computeVersionFor(inputs, shell, { below: version, at })
    if (uncounted(version.scheme) !== null) return computeVersionFor(inputs, shell, { below: version })
    const next = await computeVersionFor(inputs, shell)
    if (next.tagName === name) return next
    throw notTagged(name, 'leave the input version out to tell what is to come')
  }
  const computed = await computeVersionFor(inputs, shell)
  if (computed.released || computed.version === null) return computed
  const below: Version = unwrap(parseVersion(inputs.scheme ?? 'semver', computed.version))
  return computeVersionFor(inputs, shell, { below })
}

async function notesOf(inputs: Inputs, directory: string, computed: ComputedVersion): Promise<Notes> {
  const range = { from: computed.tagSha, to: computed.sha }
  const authors = inputs.audience === 'internal' ? { authors: await readAuthors(directory, range) } : {}
  return collectNotes(computed.decision, computed.commits, { ...audienceOf(inputs), ...authors })
}

async function templated(
  path: string,
  inputs: Inputs,
  shell: Shell,
  data: Parameters<typeof import('../render/notes-template.ts').renderTemplate>[1],
): Promise<string> {
  const text = await readFileOf(path, 'template', inputs, shell)
  if (text === null) throw outside('template', path, 'nothing')
  const { renderTemplate } = await import('../render/notes-template.ts')
  return unwrap(renderTemplate(text, data))
}

async function changelogProblems(inputs: Inputs, shell: Shell, version: string): Promise<readonly Problem[]> {
  const path = inputs.changelog ?? ''
  const text = await readFileOf(path, 'changelog', inputs, shell)
  const checked = checkChangelog(text, version, path)
  return checked.ok ? [] : checked.problems
}

async function writeChangelog(
  path: string,
  inputs: Inputs,
  shell: Shell,
  change: (text: string | null) => { readonly text: string },
): Promise<boolean> {
  const before = await readFileOf(path, 'changelog', inputs, shell)
  const { text } = change(before)
  if (text === before) return false
  await writeFile(await placeOf(path, 'changelog', inputs, shell), text)
  return true
}

/** Null for a file that is not there. */
async function readFileOf(path: string, what: InputOfFile, inputs: Inputs, shell: Shell): Promise<string | null> {
  await placeOf(path, what, inputs, shell)
  const read = await readWorkspaceFile(path, inputs, shell)
  if ('bytes' in read) return read.bytes.toString('utf8')
  if (read.found === 'nothing') return null
  throw outside(what, path, read.found)
}

type InputOfFile = 'template' | 'changelog'

async function placeOf(path: string, what: InputOfFile, inputs: Inputs, shell: Shell): Promise<string> {
  const located = await locateFile(path, inputs, shell)
  if ('file' in located) return located.file
  throw outside(what, path, located.found)
}

const outside = (what: InputOfFile, path: string, found: string): RingmasterError =>
  new RingmasterError('bad-input', {
    code: 'file-unreadable',
    message: `expected a file of the workspace as input ${what}, found ${found} at ${quoted(path)}`,
    hint: 'paths begin at `working-directory`',
    path: what,
  })
