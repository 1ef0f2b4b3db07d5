import { accepted, type Checked, quoted, rejected } from '../problem.ts'
import {
  compareVersions,
  isHigher,
  parseVersion,
  type Version,
  type VersionProblem,
  type VersionScheme,
} from './version.ts'

/** A tag's name, and the commit it leads to. */
export interface Tag {
  readonly name: string
  readonly sha: string
}

/** How a product's tags are named: literal text around the version. */
export interface TagPattern {
  readonly prefix: string
  readonly suffix: string
  readonly scheme: VersionScheme
}

/** A tag that names a version of the product. */
export interface VersionTag extends Tag {
  readonly version: Version
}

export type TagCode = 'tag-pattern' | 'tag-order'

const slot = '{version}'

/** What git allows in no ref name (git-check-ref-format), so that a pattern cannot promise a tag that cannot be. */
const notInRefs = /[\x00-\x20\x7f~^:?*[\\]|\.\.|@\{|\/\/|^[/-]|\.lock$/

/**
 * Reads a pattern such as `v{version}`, `api/v{version}` or `api@{version}`: literal text with `{version}` once. The
 * tags of another product do not match it, because the rest of their name is no version.
 */
export function parseTagPattern(text: string, scheme: VersionScheme = 'semver'): Checked<TagPattern, TagCode> {
  const parts = text.split(slot)
  const [prefix = '', suffix = ''] = parts
  if (parts.length === 2 && !notInRefs.test(`${prefix}1${suffix}`)) return accepted({ prefix, suffix, scheme })
  return rejected({
    code: 'tag-pattern',
    message: `expected a tag name with ${slot} once, found ${quoted(text)}`,
    hint: `For example v${slot}, api/v${slot} or api@${slot}.`,
  })
}

/** Whether git takes it as the rest of a ref's name. */
export const isRefName = (name: string): boolean =>
  name.length <= mostRefCharacters && !notInRefs.test(name) && !/[/.]$|\/\.|^\.|^@$/.test(name)

/** A ref is a file for git, and no file system takes more. */
const mostRefCharacters = 255

/** The name of the tag for a version's text. */
export const tagNameOf = (pattern: TagPattern, version: string): string =>
  `${pattern.prefix}${version}${pattern.suffix}`

/** The version that a tag names; null where the name does not fit the pattern; problems where it fits and is no version. */
export function versionOfTag(pattern: TagPattern, name: string): Checked<Version> | null {
  const { prefix, suffix, scheme } = pattern
  const fits = name.startsWith(prefix) && name.endsWith(suffix) && name.length > prefix.length + suffix.length
  return fits ? parseVersion(scheme, name.slice(prefix.length, name.length - suffix.length)) : null
}

/** The tags of a product, highest version first, and those that fit its pattern and name no version. */
export interface TagReading {
  readonly versions: readonly VersionTag[]
  readonly unread: readonly { readonly tag: Tag; readonly problems: readonly VersionProblem[] }[]
}

/**
 * Reads all tags by a pattern. Two tags of one version stand side by side, by name. Refused for schemes without an
 * order, where "the highest" means nothing.
 */
export function readTags(pattern: TagPattern, tags: readonly Tag[]): Checked<TagReading, TagCode> {
  if (pattern.scheme === 'sha' || pattern.scheme === 'text') {
    const message = `expected a scheme with an order, found ${pattern.scheme}: its versions have no highest`
    return rejected({ code: 'tag-order', message, hint: 'Name the version to start from.' })
  }
  const versions: VersionTag[] = []
  const unread: { tag: Tag; problems: readonly VersionProblem[] }[] = []
  for (const tag of tags) {
    const version = versionOfTag(pattern, tag.name)
    if (version?.ok === true) versions.push({ ...tag, version: version.value })
    else if (version?.ok === false) unread.push({ tag, problems: version.problems as readonly VersionProblem[] })
  }
  return accepted({ versions: versions.sort(highestFirst), unread })
}

function highestFirst(a: VersionTag, b: VersionTag): number {
  const order = compareVersions(b.version, a.version)
  return order.ok && order.value !== 0 ? order.value : a.name < b.name ? -1 : a.name > b.name ? 1 : 0
}

/** Whether a version is a release and not on its way to one. */
export function isStable(version: Version): boolean {
  switch (version.scheme) {
    case 'semver':
    case 'semver-build':
      return version.prerelease.length === 0
    case 'calver':
      return version.modifier === ''
    case 'number':
    case 'sha':
    case 'text':
      return true
  }
}

/**
 * The release that a bump starts from: the highest stable version among tags that lead to ancestors (the caller's
 * promise), and lower than `below` where that is given, which pairs a release with its predecessor. Null where none is.
 */
export function lastRelease(reading: TagReading, below?: Version): VersionTag | null {
  const isLower = ({ version }: VersionTag): boolean => below === undefined || isHigher(below, version)
  return reading.versions.find((tag) => isStable(tag.version) && isLower(tag)) ?? null
}

/**
 * Tags of the same version as `tag` that lead to other commits, by name: which of them is the release, their names
 * cannot tell. Build metadata is of no matter to the order, so `v1.2.0+a` and `v1.2.0+b` are such.
 */
export const rivalsOf = ({ versions }: TagReading, tag: VersionTag): readonly VersionTag[] =>
  versions.filter(({ version, sha }) => {
    const order = sha === tag.sha ? null : compareVersions(version, tag.version)
    return order?.ok === true && order.value === 0
  })
