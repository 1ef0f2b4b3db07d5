import { type CommitMessage, messageOf } from './commit-message.ts'
import type { BumpDecision } from './decide.ts'
import { parseHeader } from './header.ts'
import type { Level } from './level.ts'
import { findReferences, type Reference } from './references.ts'
import type { Commit } from './schema.ts'
import type { Reason, Verdict } from './verdict.ts'

export type Audience = 'internal' | 'external'

/** One change, as notes tell it. */
export interface NoteEntry {
  /** Null where the audience is not to be led to the commit. */
  readonly sha: string | null
  readonly scope: string | null
  /** Without the `(#12)` that GitHub adds to what it squashes. */
  readonly subject: string
  /** What breaks, in the author's words; null where nothing does. */
  readonly breaking: string | null
  readonly pullRequest: number | null
  readonly references: readonly Reference[]
}

/** The changes of one type, by scope: those without one first, then by name; newest first within. */
export interface NoteGroup {
  readonly type: string
  readonly title: string
  readonly scopes: readonly { readonly scope: string | null; readonly entries: readonly NoteEntry[] }[]
}

/** The notes of a range for one audience. Texts come from commits: whoever renders escapes them. */
export interface Notes {
  readonly audience: Audience
  /** Every breaking change; the groups hold it too, and who renders tells it once. */
  readonly breaking: readonly NoteEntry[]
  readonly groups: readonly NoteGroup[]
  /** As `authors` names them, sorted, each once. */
  readonly contributors: readonly string[]
}

export interface NotesOptions {
  readonly audience: Audience
  /** Types that customers read about; default: those that release. Breaking changes of any type are told as well. */
  readonly externalTypes?: readonly string[]
  /** Scopes that customers never read about, whatever the type; any case, also as one of several (`api,vault`). */
  readonly internalScopes?: readonly string[]
  /** Whether customers are shown commits, issues, pull requests and contributors: all of a repository that may be private. */
  readonly externalLinks?: boolean
  /** Who made a commit, by its full hash: logins or names. */
  readonly authors?: ReadonlyMap<string, readonly string[]>
}

/** Order and titles of the groups; a type that is absent comes last, under its own name. */
const titles: ReadonlyMap<string, string> = new Map([
  ['feat', 'Features'],
  ['fix', 'Bug fixes'],
  ['security', 'Security'],
  ['perf', 'Performance'],
  ['deps', 'Dependencies'],
  ['revert', 'Reverts'],
  ['docs', 'Documentation'],
  ['refactor', 'Refactoring'],
  ['test', 'Tests'],
  ['build', 'Build'],
  ['ci', 'Continuous integration'],
  ['style', 'Style'],
  ['chore', 'Chores'],
])

const releasing: readonly string[] = ['feat', 'fix', 'security', 'perf', 'deps', 'revert']
const otherType = 'other'

/** What is in no notes, because it changes nothing by itself or nothing is left of it. */
const untold: ReadonlySet<Reason['kind']> = new Set(['reverted', 'reverts', 'merge', 'autosquash', 'blank'])

/** Where labels decide; a change with none of them is judged as such. */
const labels: ReadonlySet<Reason['kind']> = new Set(['label', 'no-label'])

interface Told {
  readonly type: string
  /** Of the change that a revert takes back, where its title quotes it. */
  readonly reverted: Reverted | null
  /** What a label asks for in the place of the message; null where the message speaks for itself. */
  readonly labelled: Level | null
  readonly sha: string
  readonly entry: NoteEntry
}

/**
 * The notes of the commits that a decision was made from, read by the default grammar under every preset. What is
 * meant for customers holds no other type, no internal scope and, unless asked for, no way into the repository.
 */
export function collectNotes(decision: BumpDecision, commits: readonly Commit[], options: NotesOptions): Notes {
  const verdicts = new Map(decision.commits.map((verdict) => [verdict.sha, verdict]))
  const told = commits.flatMap((commit) => {
    const verdict = verdicts.get(commit.sha)
    const one = verdict === undefined ? null : tell(commit, verdict)
    return one !== null && isFor(one, options) ? [withLinks(one, options)] : []
  })
  return {
    audience: options.audience,
    breaking: told.flatMap(({ entry }) => (entry.breaking === null ? [] : [entry])),
    groups: groupsOf(told),
    contributors: contributorsOf(told, options),
  }
}

function tell(commit: Commit, verdict: Verdict): Told | null {
  const message = messageOf(commit)
  if (untold.has(verdict.reason.kind) || message.standing !== 'counts') return null
  const { text, pullRequest } = splitPullRequest(message.header?.subject ?? message.title, mergedBy(commit.message))
  const references = findReferences(commit.message).filter(
    ({ repository, number }) => repository !== null || number !== pullRequest,
  )
  const labelled = labels.has(verdict.reason.kind) ? verdict.level : null
  const isBreaking = message.header?.breaking === true || labelled === 'major'
  const breaking = message.breaking ?? (isBreaking ? text : null)
  const scope = message.header?.scope ?? null
  return {
    type: message.header === null && labelled !== null ? typeOfLabelled[labelled] : typeOf(message),
    reverted: revertedIn(message.title),
    labelled,
    sha: commit.sha,
    entry: { sha: commit.sha, scope, subject: text, breaking, pullRequest, references },
  }
}

/** Under which type a change is told whose title names none. */
const typeOfLabelled = { none: otherType, patch: 'fix', minor: 'feat', major: 'feat' } as const satisfies Record<
  Level,
  string
>

const typeOf = ({ header, revertTitle }: CommitMessage): string =>
  header === null ? (revertTitle ? 'revert' : otherType) : typeNamed(header.type)

function typeNamed(written: string): string {
  const type = written.toLowerCase()
  return type === 'feature' ? 'feat' : type
}

/** What the title of a revert says of the change that it takes back. */
interface Reverted {
  /** Of all headers, one inside the other. */
  readonly scopes: readonly (string | null)[]
  /** Null where a `revert:` is told in words of its own. */
  readonly type: string | null
  readonly breaking: boolean
}

const quotedTitle = /^(?:revert|reapply)\s+["'“]/i

/** One layer of a revert's title taken off: `Revert "x"` (without the mark at its end) and `revert(a): x` leave `x`. */
function layerOf(
  title: string,
): { readonly scope: string | null; readonly inner: string; readonly quotes: boolean } | null {
  const quote = quotedTitle.exec(title)?.[0]
  if (quote !== undefined) return { scope: null, inner: title.slice(quote.length), quotes: true }
  const header = parseHeader(title)
  if (header === null || !/^(?:revert|reapply)$/i.test(header.type)) return null
  return { scope: header.scope, inner: header.subject, quotes: false }
}

/** Null for the title of anything else. */
function revertedIn(title: string): Reverted | null {
  const layers = []
  for (let layer = layerOf(title); layer !== null; layer = layerOf(layer.inner)) layers.push(layer)
  const last = layers.at(-1)
  if (last === undefined) return null
  const header = parseHeader(last.inner)
  return {
    scopes: [...layers.map(({ scope }) => scope), header?.scope ?? null],
    type: header === null ? (last.quotes ? otherType : null) : typeNamed(header.type),
    breaking: header?.breaking ?? false,
  }
}

/** The pull request that GitHub merged, whose title stands below. */
function mergedBy(message: string): number | null {
  const number = /^\s{0,9}Merge pull request #([1-9]\d{0,9}) from \S/.exec(message)?.[1]
  return number === undefined ? null : Number(number)
}

const pullRequestAtEnd = /\(#([1-9]\d{0,9})\)$/

function splitPullRequest(subject: string, merged: number | null): { text: string; pullRequest: number | null } {
  const found = pullRequestAtEnd.exec(subject)
  if (found === null) return { text: subject, pullRequest: merged }
  return { text: subject.slice(0, found.index).trimEnd(), pullRequest: Number(found[1]) }
}

/** What customers did not read of when it came, they do not read of when it goes. */
function isFor({ type, reverted, labelled, entry }: Told, options: NotesOptions): boolean {
  if (options.audience === 'internal') return true
  const internal = new Set(options.internalScopes?.map((scope) => scope.toLowerCase()))
  if ([entry.scope, ...(reverted?.scopes ?? [])].some((scope) => namesIn(scope).some((name) => internal.has(name))))
    return false
  if (labelled === 'none') return false
  if (entry.breaking !== null || reverted?.breaking) return true
  if (labelled !== null && options.externalTypes === undefined) return true
  const types = options.externalTypes ?? releasing
  return types.includes(type) && types.includes(reverted?.type ?? type)
}

/** A scope and, where it names several (`api,vault`, `api/vault`), each of them; in lower case. */
function namesIn(scope: string | null): string[] {
  const whole = scope?.toLowerCase() ?? ''
  return [whole, ...whole.split(/[\s,/\\|&+]+/)]
}

function withLinks(told: Told, { audience, externalLinks = false }: NotesOptions): Told {
  if (audience === 'internal' || externalLinks) return told
  return { ...told, entry: { ...told.entry, sha: null, pullRequest: null, references: [] } }
}

function groupsOf(told: readonly Told[]): NoteGroup[] {
  const byType = groupBy(told, ({ type }) => type)
  const order = [...titles.keys()]
  const place = (type: string): number => (order.includes(type) ? order.indexOf(type) : order.length)
  return [...byType]
    .sort(([a], [b]) => place(a) - place(b) || compareText(a, b))
    .map(([type, all]) => ({
      type,
      title: titles.get(type) ?? (type === otherType ? 'Other' : type),
      scopes: scopesOf(all),
    }))
}

function scopesOf(told: readonly Told[]): NoteGroup['scopes'] {
  const byScope = groupBy(
    told.map(({ entry }) => entry),
    ({ scope }) => scope,
  )
  return [...byScope].sort(([a], [b]) => compareText(a ?? '', b ?? '')).map(([scope, entries]) => ({ scope, entries }))
}

function groupBy<Item, Key>(items: readonly Item[], keyOf: (item: Item) => Key): Map<Key, Item[]> {
  const groups = new Map<Key, Item[]>()
  for (const item of items) {
    const group = groups.get(keyOf(item))
    if (group === undefined) groups.set(keyOf(item), [item])
    else group.push(item)
  }
  return groups
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** Names of people are as private as the repository. */
function contributorsOf(told: readonly Told[], { audience, externalLinks, authors }: NotesOptions): string[] {
  if (audience === 'external' && externalLinks !== true) return []
  const people = told.flatMap(({ sha }) => authors?.get(sha) ?? [])
  return [...new Set(people)].sort(compareText)
}
