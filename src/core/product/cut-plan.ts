import type { ProductConfig } from '../config/schema.ts'
import type { TaggedCommit } from '../facts.ts'
import { accepted, type Checked, quoted, rejected } from '../problem.ts'
import { isRefName, type TagPattern, tagNameOf, versionOfTag } from '../version/tags.ts'
import { parseVersion, type Version } from '../version/version.ts'
import type { CutState } from './cut-schema.ts'
import type { VersionState } from './schema.ts'
import { tagPatternOf } from './tag-pattern.ts'

export type CutCode =
  | 'version-scheme'
  | 'version-no-order'
  | 'tag-pattern'
  | 'tag-order'
  | 'ref-name'
  | 'released-already'
  | 'tag-elsewhere'

/** A recorded version that something is to be cut from, read by the scheme and the tag pattern of its product. */
export interface CutSource {
  readonly config: ProductConfig
  readonly pattern: TagPattern
  readonly version: Version
  readonly sha: string
  /** The release that it is, or is on its way to: without pre-release and BUILD. */
  readonly release: string
  /** The same without build metadata: how candidates of it begin. */
  readonly base: string
}

/** What is to be made, and what of it is known to stand already. */
export interface CutPlan {
  readonly version: string
  readonly tag: string | null
  readonly branch: string | null
  readonly standing: 'nothing' | 'asked' | 'tagged'
}

type Plan = Checked<CutPlan, CutCode>
type SemVer = Extract<Version, { scheme: 'semver' | 'semver-build' }>

const CANDIDATE = 'rc'

const isSemVer = (version: Version): version is SemVer =>
  version.scheme === 'semver' || version.scheme === 'semver-build'

/** Reads a recorded version; a product without a scheme counts by SemVer here, as the Action does. */
export function cutSource(
  config: ProductConfig,
  { version: text, sha }: Pick<VersionState, 'version' | 'sha'>,
): Checked<CutSource, CutCode> {
  const scheme = config.scheme ?? 'semver'
  const pattern = tagPatternOf(config)
  const version = parseVersion(scheme, text)
  if (!version.ok) {
    return rejected<CutCode>({
      code: 'version-scheme',
      message: `expected a version of ${quoted(config.name)} by the scheme ${scheme}, found ${quoted(text)}: ${version.problems.map(({ message }) => message).join('; ')}`,
      hint: 'Name another version, or give the product its scheme in the configuration.',
    })
  }
  if (!pattern.ok) return pattern
  const read: Version = version.value
  const base = isSemVer(read) ? baseOf(read) : text
  const release = isSemVer(read) && read.prerelease.length > 0 ? base : text
  return accepted({ config, pattern: pattern.value, version: read, sha, release, base })
}

const baseOf = ({ major, minor, patch }: SemVer): string => `${major}.${minor}.${patch}`

/** How every tag begins that says something about the release of a source. */
export const tagPrefixOf = ({ pattern, base }: CutSource): string => `${pattern.prefix}${base}`

/**
 * The next candidate of the release that a version is on its way to: its own name where it is one, else one above all
 * that are tagged or asked for. A commit that is the last candidate already gets no other; a release gets none any more.
 */
export function planCandidate(
  source: CutSource,
  tags: readonly TaggedCommit[],
  cuts: readonly CutState[],
): Checked<CutPlan, CutCode> {
  const { config, pattern, version, base, sha } = source
  if (!isSemVer(version)) {
    return rejected<CutCode>({
      code: 'version-no-order',
      message: `expected a scheme with pre-releases, found that ${quoted(config.name)} counts by ${version.scheme}`,
      hint: 'Candidates are for semver and semver-build. Cut the version itself with /cut.',
    })
  }
  const final = tags.find(({ name }) => name === tagNameOf(pattern, base))
  if (final !== undefined) {
    return rejected<CutCode>({
      code: 'released-already',
      message: `expected a release that is still to come, found ${quoted(final.name)} at ${final.sha}`,
      hint: 'Record a build of a higher version first.',
    })
  }
  if (numberOf(version) !== null) return tagged(source, version.text, tags, cuts, null)
  const known = candidatesOf(source, tags, cuts)
  const last = known.reduce<Candidate | null>(
    (best, one) => (best === null || one.number > best.number ? one : best),
    null,
  )
  const next = last?.sha === sha ? last.number : (last?.number ?? 0) + 1
  return tagged(source, `${base}-${CANDIDATE}.${next}`, tags, cuts, null)
}

/** The release itself: its tag, and its branch `release/v1.2.0`. A tag at another commit is refused. */
export const planRelease = (source: CutSource, tags: readonly TaggedCommit[], cuts: readonly CutState[]): Plan =>
  tagged(source, source.release, tags, cuts, branchOf(source, source.release))

/** The branch of a line of releases, such as `release/v1.x`, where its highest version is. */
export function planLine(source: CutSource, line: string, cuts: readonly CutState[]): Plan {
  const branch = branchOf(source, line)
  if (!isRefName(branch)) return rejected<CutCode>(unnameable(branch))
  const known = cuts.find((cut) => cut.tag === null && cut.branch === branch && cut.outcome === null)
  return accepted({ version: source.version.text, tag: null, branch, standing: known ? 'asked' : 'nothing' })
}

const branchOf = ({ config }: CutSource, text: string): string =>
  `release/${config.path === undefined ? '' : `${config.name}/`}v${text}`

interface Candidate {
  readonly number: number
  readonly sha: string
}

function candidatesOf(source: CutSource, tags: readonly TaggedCommit[], cuts: readonly CutState[]): Candidate[] {
  const read = [
    ...tags.map(({ name, sha }) => ({ read: versionOfTag(source.pattern, name), sha })),
    ...cuts
      .filter(({ outcome, versionFiles }) => outcome?.kind !== 'refused' && versionFiles === undefined)
      .map(({ version, sha }) => ({ read: parseVersion(source.version.scheme, version), sha })),
  ]
  return read.flatMap(({ read: version, sha }) => {
    if (version?.ok !== true || !isSemVer(version.value) || baseOf(version.value) !== source.base) return []
    const number = numberOf(version.value)
    return number === null ? [] : [{ number, sha }]
  })
}

/** Which candidate a version is; null for what is none of ours. */
function numberOf({ prerelease: [label, number = '', ...more] }: SemVer): number | null {
  return label === CANDIDATE && more.length === 0 && /^\d+$/.test(number) ? Number(number) : null
}

function tagged(
  { pattern, sha }: CutSource,
  version: string,
  tags: readonly TaggedCommit[],
  cuts: readonly CutState[],
  branch: string | null,
): Plan {
  const tag = tagNameOf(pattern, version)
  if (!isRefName(tag)) return rejected<CutCode>(unnameable(tag))
  if (branch !== null && !isRefName(branch)) return rejected<CutCode>(unnameable(branch))
  const there = tags.find(({ name }) => name === tag)
  const asked = cuts.find((cut) => cut.tag === tag && cut.outcome === null)
  const elsewhere = [there, asked].find((one) => one !== undefined && one.sha !== sha)
  if (elsewhere !== undefined) return rejected<CutCode>(tagElsewhere(tag, sha, elsewhere.sha))
  const standing = asked ? 'asked' : there ? 'tagged' : 'nothing'
  return accepted({ version, tag, branch, standing })
}

/** What was published under a name never changes. */
export const tagElsewhere = (tag: string, sha: string, found: string) => ({
  code: 'tag-elsewhere' as const,
  message: `expected the tag ${quoted(tag)} at ${sha}, found it at ${found}`,
  hint: 'A version belongs to one commit: give this commit the next version.',
})

export const unnameable = (name: string) => ({
  code: 'ref-name' as const,
  message: `expected a name that git allows for a tag or branch, found ${quoted(name)}`,
  hint: 'Give the product a tagPattern, and a name and versions of plain characters.',
})
