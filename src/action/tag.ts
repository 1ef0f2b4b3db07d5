import { type Problem, RingmasterError, unwrap } from '../core/problem.ts'
import { collectNotes } from '../core/version/notes.ts'
import { isStable, tagNameOf } from '../core/version/tags.ts'
import { parseVersion, type Version } from '../core/version/version.ts'
import type { ComputedVersion } from '../git/compute-version.ts'
import { readAuthors } from '../git/read-authors.ts'
import { renderNotes } from '../render/notes.ts'
import { codeSpan, escapeMarkdown, truncate } from '../render/text.ts'
import { audienceOf } from './audience.ts'
import { computeVersionFor, directoryOf, patternOf } from './compute-version.ts'
import { type RunContext, readContext } from './context.ts'
import type { Outcome } from './outcome.ts'
import { productNameOf } from './product-name.ts'
import type { Inputs } from './read-inputs.ts'
import { connectWith, type Shell } from './shell.ts'
import { together } from './together.ts'
import { isTagged, type Tagging, writeBranch, writeRelease, writeTag } from './write-tag.ts'

/** What is to be tagged, and what it came from. */
interface Target {
  readonly version: Version
  readonly sha: string
  /** Null where the version was given and no notes are asked for. */
  readonly computed: ComputedVersion | null
}

/**
 * Tags the version of a commit, given or computed: an annotated tag, and if asked for a release branch and a GitHub
 * Release with notes. All of it happens once, however often the step is repeated; a tag at another commit is refused.
 */
export async function tag(inputs: Inputs, shell: Shell): Promise<Outcome<'tag'>> {
  const context = unwrap(readContext(shell.environment))
  const [pattern, product] = together(patternOf(inputs), productNameOf(inputs, context))
  const target = await targetOf(inputs, context, shell)
  if (target === null) return nothingToTag(product)
  const name = tagNameOf(pattern, target.version.text)
  const branchName = branchNameOf(inputs, target.version)
  const client = await connectWith(inputs, context, shell.clock)
  const tagging: Tagging = { client, context, sha: target.sha, tag: name, message: `${product} ${target.version.text}` }
  // Before anything is written: a refusal must leave nothing behind.
  const there = await isTagged(tagging)
  const created = !there && !inputs.dryRun && (await writeTag(tagging))
  const branch = await branchOf(inputs, tagging, branchName)
  const release = await releaseOf(inputs, shell, tagging, target)
  const did = there ? 'Already tagged' : inputs.dryRun ? 'Dry run: would tag' : created ? 'Tagged' : 'Already tagged'
  return {
    outputs: {
      version: target.version.text,
      tag: name,
      created: String(created),
      branch: branch.name,
      'release-url': release.url,
    },
    summary: [`### ${did} ${escapeMarkdown(product)} ${codeSpan(name)}`, ...branch.told, ...release.told].join('\n\n'),
    said: `${did} ${name} at ${target.sha}`,
    warnings: [...(target.computed?.warnings ?? []), ...branch.warnings],
  }
}

const nothingToTag = (product: string): Outcome<'tag'> => ({
  outputs: { version: '', tag: '', created: 'false', branch: '', 'release-url': '' },
  summary: `### No new version of ${escapeMarkdown(product)}\n\nNothing since the last release makes one, so nothing was tagged.`,
  said: `No new version of ${product}: nothing since the last release makes one, so nothing was tagged`,
  warnings: [],
})

async function targetOf(inputs: Inputs, context: RunContext, shell: Shell): Promise<Target | null> {
  const scheme = inputs.scheme ?? 'semver'
  const needsNotes = inputs.githubRelease && inputs.notes === 'commits'
  if (inputs.version !== null) {
    const version = unwrap(parseVersion(scheme, inputs.version))
    const sha = inputs.sha ?? context.sha
    return {
      version,
      sha,
      computed: needsNotes ? await computeVersionFor(inputs, shell, { below: version, at: sha }) : null,
    }
  }
  const at = inputs.sha === null ? {} : { at: inputs.sha }
  const computed = await computeVersionFor(inputs, shell, at)
  if (computed.version === null) return null
  const version = unwrap(parseVersion(scheme, computed.version))
  // On the tagged commit nothing has come since; its notes are those of the release itself.
  const told =
    computed.released || !needsNotes ? computed : await computeVersionFor(inputs, shell, { ...at, below: version })
  return { version, sha: computed.sha, computed: told }
}

interface Told {
  readonly told: readonly string[]
}

function branchNameOf({ releaseBranch, product, path }: Inputs, version: Version): string | null {
  if (releaseBranch === null) return null
  const folder = product === null || path === null ? '' : `${product}/`
  return `release/${folder}v${releaseBranch === 'line' ? lineOf(version) : numberOf(version)}`
}

async function branchOf(
  inputs: Inputs,
  tagging: Tagging,
  name: string | null,
): Promise<Told & { readonly name: string; readonly warnings: readonly Problem[] }> {
  if (name === null) return { name: '', told: [], warnings: [] }
  const { head, created } = await writeBranch(tagging, name, inputs.dryRun)
  const did = created ? 'Cut' : inputs.dryRun ? 'Would cut, unless it is there,' : 'Left as it is:'
  const moved: Problem = {
    code: 'branch-elsewhere',
    message: `expected the branch ${name} to begin at ${tagging.sha}, found it at ${head}; it was left as it is`,
    hint: 'look whether it went on from this version',
  }
  return { name, told: [`${did} the branch ${codeSpan(name)}.`], warnings: head === tagging.sha ? [] : [moved] }
}

const isSemVer = (version: Version) => version.scheme === 'semver' || version.scheme === 'semver-build'

const numberOf = (version: Version): string =>
  isSemVer(version) ? `${version.major}.${version.minor}.${version.patch}` : version.text

function lineOf(version: Version): string {
  if (isSemVer(version)) return `${version.major}.x`
  throw new RingmasterError('bad-input', {
    code: 'line-scheme',
    message: `expected a scheme with lines of releases for release-branch: line, found ${version.scheme}`,
    hint: 'take release-branch: version',
    path: 'release-branch',
  })
}

/** GitHub refuses longer ones (https://docs.github.com/rest/releases/releases). */
const MOST_BODY_CHARACTERS = 120_000

async function releaseOf(
  inputs: Inputs,
  shell: Shell,
  tagging: Tagging,
  { version, computed }: Target,
): Promise<Told & { readonly url: string }> {
  if (!inputs.githubRelease) return { url: '', told: [] }
  const body = inputs.notes === 'commits' && computed !== null ? await notesOf(inputs, shell, tagging, computed) : ''
  if (inputs.dryRun) return { url: '', told: ['Would publish a release, unless it is there:', body] }
  const { url, created } = await writeRelease(tagging, {
    body: truncate(body, MOST_BODY_CHARACTERS),
    generated: inputs.notes === 'github',
    prerelease: !isStable(version),
  })
  return { url, told: [`${created ? 'Published' : 'Left as it is:'} [the release](${url}).`] }
}

/** A release is read by whoever reads the repository, so links and names show nothing that they may not see. */
async function notesOf(inputs: Inputs, shell: Shell, { context }: Tagging, computed: ComputedVersion): Promise<string> {
  const directory = unwrap(directoryOf(inputs, shell))
  const authors = await readAuthors(directory, { from: computed.tagSha, to: computed.sha })
  const notes = collectNotes(computed.decision, computed.commits, {
    ...{ ...audienceOf(inputs), externalLinks: true, authors },
  })
  return renderNotes(notes, `${context.serverUrl}/${context.owner}/${context.repository}`)
}
