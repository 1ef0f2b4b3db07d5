import { CommitGraph } from './commit-graph.ts'
import { decideBump } from './decide.ts'
import type { Level } from './level.ts'
import type { CountsFor } from './paths.ts'
import type { Reread } from './pull-requests.ts'
import type { BumpConfig, Commit } from './schema.ts'
import { stepBetween } from './step.ts'
import { isStable, type TagReading, type VersionTag } from './tags.ts'
import { isHigher, parseVersion, type Version } from './version.ts'

/** A commit of the whole history, as git lists it: a child before its parents. */
export interface PastCommit extends Commit {
  readonly parents: readonly string[]
  /** Where paths matter. */
  readonly files?: readonly string[]
}

/** A release that was tagged, the one it came after, and what lies between. */
export interface Transition {
  readonly tag: VersionTag
  /** Null for a release that no lower one leads to. */
  readonly previous: VersionTag | null
  /** Newest first; those that change nothing of the product are left out. */
  readonly commits: readonly PastCommit[]
}

export interface PairedHistory {
  /** Lowest version first, which interleaves maintenance lines with the main one. */
  readonly transitions: readonly Transition[]
  /** What came after the last release that leads to the head; no release at all: everything. */
  readonly unreleased: { readonly previous: VersionTag | null; readonly commits: readonly PastCommit[] }
  /** Stable tags whose commit is not in the history that was given. */
  readonly outside: readonly VersionTag[]
}

export interface PairingQuestion {
  readonly tags: TagReading
  readonly commits: readonly PastCommit[]
  readonly head: string
  /** Null where every commit counts. */
  readonly counts: CountsFor | null
  readonly firstParent: boolean
}

/**
 * Pairs every stable tag of a product with the highest lower one that leads to it. Ancestry decides, not time, so a
 * maintenance release is paired with its own line; of two tags on one commit the higher comes after the lower, with
 * nothing between.
 */
export function pairReleases({ tags, commits, head, counts, firstParent }: PairingQuestion): PairedHistory {
  const graph = new CommitGraph(commits)
  const stable = tags.versions.filter(({ version }) => isStable(version))
  const placed = stable.flatMap((tag) => {
    const place = graph.placeOf(tag.sha)
    return place === undefined ? [] : [{ tag, place }]
  })
  const range = (from: number | null, to: number): PastCommit[] =>
    graph
      .between(from, to, firstParent)
      .flatMap((place) => commits[place] ?? [])
      .filter(({ files }) => counts === null || counts(files ?? []))
  const before = (place: number, candidates: readonly Placed[], below: Version | null): Placed | null => {
    const leadsHere = graph.ancestorsOf(place)
    const at = candidates.findIndex((one) => isBelow(one.tag.version, below) && leadsHere(one.place))
    let newest = candidates[at] ?? null
    // Of two commits with tags of one version, which stand side by side, the later one is the release.
    for (let next = at + 1; newest !== null; next += 1) {
      const rival = candidates[next]
      if (rival === undefined || isBelow(rival.tag.version, newest.tag.version)) break
      if (leadsHere(rival.place) && graph.ancestorsOf(rival.place)(newest.place)) newest = rival
    }
    return newest
  }
  const transitions = placed.map(({ tag, place }, at): Transition => {
    const previous = before(place, placed.slice(at + 1), tag.version)
    return { tag, previous: previous?.tag ?? null, commits: range(previous?.place ?? null, place) }
  })
  const top = graph.placeOf(head)
  const last = top === undefined ? null : before(top, placed, null)
  return {
    transitions: transitions.reverse(),
    unreleased: {
      previous: last?.tag ?? null,
      commits: top === undefined ? [] : range(last?.place ?? null, top),
    },
    outside: stable.filter(({ sha }) => graph.placeOf(sha) === undefined),
  }
}

interface Placed {
  readonly tag: VersionTag
  readonly place: number
}

const isBelow = (version: Version, limit: Version | null): boolean => limit === null || isHigher(limit, version)

/** A way of deciding that is tried on the past. */
export interface Contender {
  readonly name: string
  readonly config: BumpConfig
  /** What is judged in the commits' place, where it is something else. */
  readonly told?: {
    /** Of everything that it decides by. */
    readonly digest: string
    readonly reread: (commits: readonly Commit[]) => Reread
  }
}

/**
 * How a decision stands to what was tagged: the same version; another version by a step of the same size; a higher or a
 * lower one; nothing; no decision at all; or the first release, which leaves nothing to compare.
 */
export type Agreement = 'same' | 'step' | 'higher' | 'lower' | 'nothing' | 'refused' | 'first'

/** What one contender would have chosen. */
export interface Choice {
  readonly name: string
  readonly bump: Level | 'exact'
  readonly to: string | null
  readonly agreement: Agreement
  /** How many commits ask for a release by themselves: as many there would have been without waiting. */
  readonly asking: number
}

/** A transition, replayed. */
export interface Replayed {
  readonly tag: string
  readonly sha: string
  readonly version: string
  readonly previous: string | null
  /** Null for a release without a predecessor. */
  readonly step: Level | null
  readonly commits: number
  readonly choices: readonly Choice[]
}

/** Replays one release: what each contender would have chosen against what was tagged. */
export function replay({ tag, previous, commits }: Transition, contenders: readonly Contender[]): Replayed {
  return {
    tag: tag.name,
    sha: tag.sha,
    version: tag.version.text,
    previous: previous?.name ?? null,
    step: previous === null ? null : stepOf(previous.version.text, tag.version.text),
    commits: commits.length,
    choices: contenders.map((one) => chosenBy(one, previous?.version.text ?? null, commits, tag.version.text)),
  }
}

/** What each contender would release now, where nothing was tagged. */
export const replayUnreleased = (
  { previous, commits }: PairedHistory['unreleased'],
  contenders: readonly Contender[],
): Choice[] => contenders.map((one) => chosenBy(one, previous?.version.text ?? null, commits, null))

function chosenBy(
  { name, config, told }: Contender,
  from: string | null,
  commits: readonly Commit[],
  tagged: string | null,
): Choice {
  const { commits: changes, judge } = told?.reread(commits) ?? { commits }
  const decided = decideBump(config, from, changes, judge)
  if (!decided.ok) return { name, bump: 'none', to: null, agreement: 'refused', asking: 0 }
  const { bump, to, commits: verdicts } = decided.value
  const asking = verdicts.filter(({ level, releaseAs }) => level !== 'none' || releaseAs !== null).length
  return { name, bump, to, agreement: agreementOf(from, to, tagged), asking }
}

function agreementOf(from: string | null, to: string | null, tagged: string | null): Agreement {
  if (from === null || tagged === null) return 'first'
  if (to === null) return 'nothing'
  if (to === tagged) return 'same'
  if (stepOf(from, to) === stepOf(from, tagged)) return 'step'
  const [a, b] = [parseVersion('semver', to), parseVersion('semver', tagged)]
  return a.ok && b.ok && isHigher(a.value, b.value) ? 'higher' : 'lower'
}

/** Null where one of the two is no SemVer. */
function stepOf(from: string, to: string): Level | null {
  const [a, b] = [parseVersion('semver', from), parseVersion('semver', to)]
  return a.ok && b.ok ? stepBetween(a.value, b.value) : null
}

/** How often a contender agreed with what was tagged. */
export interface Score {
  readonly name: string
  readonly compared: number
  readonly counts: Readonly<Record<Exclude<Agreement, 'first'>, number>>
}

/** Counts the agreements of each contender over all releases that have a predecessor. */
export function scoresOf(replayed: readonly Replayed[]): Score[] {
  const names = replayed[0]?.choices.map(({ name }) => name) ?? []
  return names.map((name, at) => {
    const counts = { same: 0, step: 0, higher: 0, lower: 0, nothing: 0, refused: 0 }
    let compared = 0
    for (const { choices } of replayed) {
      const agreement = choices[at]?.agreement ?? 'first'
      if (agreement === 'first') continue
      compared += 1
      counts[agreement] += 1
    }
    return { name, compared, counts }
  })
}
