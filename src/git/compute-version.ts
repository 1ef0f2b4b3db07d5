import { type Problem, quoted, RingmasterError, unwrap } from '../core/problem.ts'
import type { BumpDecision } from '../core/version/decide.ts'
import { decideNext, uncounted } from '../core/version/decide-next.ts'
import { type Line, versionOnLine } from '../core/version/line.ts'
import { judgeOutsidePath } from '../core/version/outside-path.ts'
import { type CountsFor, normalPath } from '../core/version/paths.ts'
import { latestOnLine } from '../core/version/prerelease.ts'
import { presets } from '../core/version/presets.ts'
import type { Reread } from '../core/version/pull-requests.ts'
import type { BumpConfig, Commit } from '../core/version/schema.ts'
import {
  isStable,
  lastRelease,
  readTags,
  rivalsOf,
  type TagPattern,
  type TagReading,
  tagNameOf,
  type VersionTag,
} from '../core/version/tags.ts'
import type { Verdict } from '../core/version/verdict.ts'
import { isHigher, parseVersion, type Version } from '../core/version/version.ts'
import { readAncestry } from './deepen.ts'
import type { GitCommit } from './read-commits.ts'
import { hasPath } from './read-head.ts'
import { readHistory } from './read-history.ts'
import type { GitTag } from './read-tags.ts'

/** Whose next version is asked for, and by which rule. */
export interface VersionQuestion {
  /** Of the checkout. */
  readonly directory: string
  readonly pattern: TagPattern
  /** Null where every commit counts. */
  readonly counts: CountsFor | null
  /** The product's folder or file from the root of the repository; null where it is the whole repository. */
  readonly path: string | null
  readonly config: BumpConfig
  readonly line: Line
  readonly firstParent: boolean
  /** The full name of the ref that the checkout came from, when known. */
  readonly ownRef: string | null
  /** Counts from the last release below this version, as it was before that one; null: from the last release. */
  readonly below: Version | null
  /** A commit's full hash in the place of what is checked out. */
  readonly at?: string
  /** What is judged in the commits' place, such as the pull requests that brought them. */
  readonly reread?: (commits: readonly GitCommit[]) => Promise<Reread>
}

/** The version of the checked-out commit, and everything that gave it. */
export interface ComputedVersion {
  readonly sha: string
  /** Null when nothing since the last release makes a new one. */
  readonly version: string | null
  /** The name of the tag for `version`. */
  readonly tagName: string | null
  /** Of the last release; null before the first. */
  readonly previousVersion: string | null
  readonly bump: BumpDecision['bump']
  /** False for the commit that carries the tag of its version, and where there is none. */
  readonly released: boolean
  /** The tag of the last release. */
  readonly tag: string | null
  /** The commit that it leads to. */
  readonly tagSha: string | null
  /** The highest pre-release of the line so far, where the question is about one. */
  readonly latestOnLine: string | null
  readonly decision: BumpDecision
  /** The commits that counted, newest first. */
  readonly commits: readonly Commit[]
  /** How many commits changed nothing of the product. */
  readonly outsidePath: number
  /** The verdicts of the newest of them, newest first. */
  readonly outside: readonly Verdict[]
  /** Tags that fit the pattern and name no version. */
  readonly unreadTags: readonly string[]
  /** Whether more history had to be fetched. */
  readonly deepened: boolean
  readonly warnings: readonly Problem[]
}

/** Computes the version of the checked-out commit for a product. Throws `RingmasterError` for bad rules and for git. */
export async function computeVersion(question: VersionQuestion): Promise<ComputedVersion> {
  refuseLine(question)
  const read = readerOf(question.pattern)
  const lastOf = (tags: readonly GitTag[]): VersionTag | null => lastRelease(read(tags), question.below ?? undefined)
  const latestOf = (tags: readonly GitTag[]): VersionTag | null =>
    highestOnLine(question.line, read(tags), lastOf(tags))
  const rivals = (chosen: GitTag, tags: readonly GitTag[]): readonly VersionTag[] => {
    const last = read(tags).versions.find(({ name }) => name === chosen.name)
    return last === undefined ? [] : rivalsOf(read(tags), last)
  }
  /** Names that fit and are no version, and pre-releases above the last release, are told of where they lead here. */
  const isDoubtful = (names: readonly string[]): boolean => {
    const reading = read(names.map((name) => ({ name, sha: name })))
    const [highest] = reading.versions
    return reading.unread.length > 0 || (highest !== undefined && !isStable(highest.version))
  }
  const { prepare } = presets[question.config.preset]
  const history = await readHistory(question.directory, {
    choose: lastOf,
    rivals,
    ...(question.line.kind === 'release' ? { isDoubtful } : {}),
    beside: latestOf,
    withFiles: question.counts !== null,
    firstParent: question.firstParent,
    ownRef: question.ownRef,
    ...(prepare === undefined ? {} : { onCommit: prepare }),
    ...(question.at === undefined ? {} : { at: question.at }),
  })
  const last = read(history.tags).versions.find(({ name }) => name === history.last?.name) ?? null
  const latest = latestOf(history.tags)
  const [counted, outside] = divided(question.counts, history.commits)
  if (counted.length === 0) refuseMissingPath(question, history.head)
  const reread: Reread = question.reread === undefined ? { commits: counted } : await question.reread(counted)
  const decide = (commits: readonly Commit[]): BumpDecision =>
    unwrap(decideNext(question.pattern.scheme, question.config, last?.version.text ?? null, commits, reread.judge))
  const decision = decide(reread.commits)
  const since = latest === null ? [] : await commitsSince(question.directory, history.head, latest, reread.commits)
  const next = unwrap(
    versionOnLine(withLatestBuild(question.line, read(history.tags)), {
      target: decision.to,
      lastRelease: last?.version.text ?? null,
      latest: latest?.version.text ?? null,
      changed: latest !== null && decide(since).to !== null,
    }),
  )
  // A graduation is due also on the very commit of its last candidate; that of a candidate is what it is already.
  const carried = [question.line.kind === 'graduation' ? null : latest, last].find((tag) => tag?.sha === history.head)
  const version = next ?? carried?.version.text ?? null
  const { versions, unread } = read(history.tags)
  const unreadTags = unread.map(({ tag }) => tag.name)
  return {
    sha: history.head,
    version,
    tagName: version === null ? null : tagNameOf(question.pattern, version),
    previousVersion: last?.version.text ?? null,
    bump: decision.bump,
    released: next !== null,
    tag: last?.name ?? null,
    tagSha: last?.sha ?? null,
    latestOnLine: latest?.version.text ?? null,
    decision,
    commits: reread.commits,
    outsidePath: outside.length,
    outside: outsideOf(question, outside.slice(0, MOST_OUTSIDE)),
    unreadTags,
    deepened: history.deepened,
    warnings: [
      ...(versions.length === 0 ? noneRead(unreadTags) : []),
      ...(history.remoteTags === 'no-answer' ? [remoteDidNotAnswer] : []),
      ...(question.line.kind === 'graduation' && latest === null ? [nothingGraduates(question.line.label, last)] : []),
      ...(last === null ? [] : taggedTwice(last, rivals(last, history.tags))),
      ...(question.line.kind === 'release' && question.below === null ? passedOver(decision.to, versions) : []),
      ...decision.warnings.map(({ code, message }) => ({ code, message })),
      ...oddCommits(decision),
    ],
  }
}

/** Reads the tags of a pattern; the same list is asked for again and again, and may be long. */
function readerOf(pattern: TagPattern): (tags: readonly GitTag[]) => TagReading {
  const known = new WeakMap<readonly GitTag[], TagReading>()
  return (tags) => {
    const reading = known.get(tags) ?? unwrap(readTags(pattern, tags))
    known.set(tags, reading)
    return reading
  }
}

function highestOnLine(line: Line, reading: TagReading, last: VersionTag | null): VersionTag | null {
  switch (line.kind) {
    case 'release':
    case 'build':
      return null
    case 'prerelease':
    case 'graduation':
      return latestOnLine(reading, line.label, last)
  }
}

/** Where the ledger does not say which build was the latest, the tags do. */
function withLatestBuild(line: Line, { versions }: TagReading): Line {
  if (line.kind !== 'build' || line.latest !== null) return line
  const tag = versions.find(({ version }) => version.scheme === 'semver-build' && version.build !== null)
  return { ...line, latest: tag?.version.text ?? null }
}

/** Nobody reads more of what does not count. */
const MOST_OUTSIDE = 200

/** Where something else than messages decides, what a message would ask for is of no matter. */
function outsideOf({ config, reread }: VersionQuestion, commits: readonly Commit[]): readonly Verdict[] {
  const verdicts = unwrap(judgeOutsidePath(config, commits))
  return reread === undefined ? verdicts : verdicts.map((verdict) => ({ ...verdict, warnings: [] }))
}

/** Without `below` somebody asks what comes next; with it, what a version changes that has its number already. */
function refuseLine({ pattern, line, below }: VersionQuestion): void {
  const refusal = below === null ? uncounted(pattern.scheme) : null
  if (refusal !== null) throw new RingmasterError('bad-input', refusal)
  if (line.kind === 'release' || pattern.scheme === 'semver' || pattern.scheme === 'semver-build') return
  throw new RingmasterError('bad-input', {
    code: 'line-scheme',
    message: `expected a scheme with pre-releases for another line than that of releases, found ${pattern.scheme}`,
    hint: 'pre-releases and BUILD are for semver and semver-build',
  })
}

/** A path with a slip in it would answer for ever that nothing is to be released. */
function refuseMissingPath({ directory, path }: VersionQuestion, head: string): void {
  if (path === null || normalPath(path) === '.' || hasPath(directory, head, normalPath(path))) return
  throw new RingmasterError('bad-input', {
    code: 'path-not-found',
    message: `expected a folder or a file of the commit ${head.slice(0, 7)} as the product's path, found nothing at ${quoted(path)}`,
    hint: 'paths begin at the root of the repository, and upper and lower case differ',
  })
}

/** What counts for the product, and what does not, each in its order. */
function divided(
  counts: CountsFor | null,
  commits: readonly GitCommit[],
): [counted: readonly GitCommit[], outside: readonly GitCommit[]] {
  if (counts === null) return [commits, []]
  const counted: GitCommit[] = []
  const outside: GitCommit[] = []
  for (const commit of commits) (counts(commit.files ?? []) ? counted : outside).push(commit)
  return [counted, outside]
}

async function commitsSince(
  directory: string,
  head: string,
  tag: VersionTag,
  commits: readonly Commit[],
): Promise<readonly Commit[]> {
  const since = await readAncestry(directory, head, tag.sha)
  return commits.filter(({ sha }) => since.has(sha))
}

const nothingGraduates = (label: string, last: VersionTag | null): Problem => ({
  code: 'nothing-to-graduate',
  message: `expected a pre-release of the line ${quoted(label)}${last === null ? '' : ` above ${last.version.text}`} to graduate, found none; what the commits ask for is released without one`,
  hint: 'look at the label, and whether the tags of the line are in this checkout',
})

const remoteDidNotAnswer: Problem = {
  code: 'remote-tags-unknown',
  message: 'expected a release among the tags of this checkout, found none, and the remote did not name its own',
  hint: 'if this is not the first release, run `git fetch --tags` before this step',
}

/** A product that numbers itself in another way looks like one that was never released. */
function noneRead(unread: readonly string[]): Problem[] {
  if (unread.length === 0) return []
  const more = unread.length > mostNamed ? ` and ${unread.length - mostNamed} more` : ''
  return [
    {
      code: 'tags-unread',
      message: `expected a version in a tag that fits the pattern, found none in ${unread.slice(0, mostNamed).map(quoted).join(', ')}${more}; counted as a first release`,
      hint: 'look whether the pattern is that of the product; only SemVer tags are counted from',
    },
  ]
}

function taggedTwice(last: VersionTag, rivals: readonly VersionTag[]): Problem[] {
  if (rivals.length === 0) return []
  const others = rivals.slice(0, mostNamed).map(({ name }) => name)
  const more = rivals.length > mostNamed ? ` and ${rivals.length - mostNamed} more` : ''
  return [
    {
      code: 'version-tagged-twice',
      message: `expected one commit with a tag of version ${last.version.text}, found ${others.join(', ')}${more} at another than ${last.name}; counted from ${last.name}`,
      hint: 'delete the tag that is no release',
    },
  ]
}

/** A release that sorts below a pre-release before it: the line led further than the commits since the last release ask for. */
function passedOver(next: string | null, [highest]: readonly VersionTag[]): Problem[] {
  if (next === null || highest === undefined || isStable(highest.version)) return []
  const version = parseVersion(highest.version.scheme, next)
  if (!version.ok || !isHigher(highest.version, version.value)) return []
  return [
    {
      code: 'prerelease-above',
      message: `expected a release above the pre-releases before it, found ${next}, which sorts below ${highest.name}`,
      hint: 'graduate its line (--graduate, input graduate), or ask for the version by a Release-As footer',
    },
  ]
}

const mostNamed = 3

/** One annotation for all commits that may not count as they were meant; the table shows each. */
function oddCommits({ commits }: BumpDecision): Problem[] {
  const warned = commits.filter(({ warnings }) => warnings.length > 0)
  if (warned.length === 0) return []
  const named = warned
    .slice(0, mostNamed)
    .map(({ sha, warnings }) => `${sha.slice(0, 7)} (${warnings[0]?.message ?? ''})`)
  const more = warned.length > mostNamed ? ` and ${warned.length - mostNamed} more` : ''
  return [
    {
      code: 'commits-worth-a-look',
      message: `expected commits that say what they change, found ${named.join(', ')}${more}`,
      hint: 'the explanation shows what each of them counts for',
    },
  ]
}
