import { accepted, type Checked, type Problem, quoted, rejected } from '../problem.ts'
import { isHigher, parseVersion, type Version } from './version.ts'

/** The groups of a section, in their order (https://keepachangelog.com/en/1.1.0/). */
export const changeKinds = ['Added', 'Changed', 'Deprecated', 'Removed', 'Fixed', 'Security'] as const
export type ChangeKind = (typeof changeKinds)[number]

/** Finished Markdown lines under one heading. */
export interface ChangeGroup {
  readonly kind: ChangeKind
  readonly lines: readonly string[]
}

/** What a released version adds to a changelog. */
export interface ChangelogSection {
  readonly version: string
  /** YYYY-MM-DD. */
  readonly date: string
  readonly groups: readonly ChangeGroup[]
  /** Where the changes since the release before can be compared; null: no link. */
  readonly compareUrl: string | null
  /** Where what is not released yet can be compared; null: the link stays as it is. */
  readonly unreleasedUrl: string | null
}

export type ChangelogCode =
  | 'changelog-file-missing'
  | 'changelog-section-missing'
  | 'changelog-section-twice'
  | 'changelog-section-empty'
  | 'changelog-date'
  | 'changelog-group'
  | 'changelog-order'
  | 'changelog-unreleased'

interface Section {
  readonly name: string
  readonly date: string | null
  /** Of its heading, from 0; `end` is the line after its last. */
  readonly start: number
  readonly end: number
}

interface Changelog {
  readonly lines: readonly string[]
  readonly lineBreak: string
  readonly sections: readonly Section[]
  /** Lines inside a fence, which are no headings. */
  readonly fenced: ReadonlySet<number>
}

const preamble = [
  '# Changelog',
  '',
  'The format is that of [Keep a Changelog](https://keepachangelog.com/en/1.1.0/); versions follow [Semantic Versioning](https://semver.org/).',
  '',
  '## [Unreleased]',
]

/**
 * Writes a section below [Unreleased], whose own entries move into it; one of an older line goes above the first version
 * that is lower, and takes nothing with it. All other text stays as it is. A section that is there already is left alone,
 * because people may have edited it. Null as text: a changelog begins.
 */
export function writeSection(
  text: string | null,
  section: ChangelogSection,
): { readonly kind: 'written' | 'kept'; readonly text: string } {
  const changelog = readChangelog(text === null || text.trim() === '' ? `${preamble.join('\n')}\n` : text)
  if (text !== null && changelog.sections.some(({ name }) => name === section.version)) return { kind: 'kept', text }
  const place = placeOnOlderLine(changelog, section.version) ?? placeOnTop(changelog)
  const written = sectionLines(section, place.moved)
  const all = [...trimmed(place.before), '', ...written, '', ...trimmed(place.after, 'start')]
  const linked = place.kind === 'top' ? withTopLink(all, section) : withOlderLink(all, section, place.below)
  return { kind: 'written', text: `${trimmed(linked).join(changelog.lineBreak)}${changelog.lineBreak}` }
}

/** Where a section goes: between which lines, with the entries that move into it. */
type SectionPlace = {
  readonly before: readonly string[]
  readonly moved: readonly { readonly name: string; readonly lines: readonly string[] }[]
  readonly after: readonly string[]
} & ({ readonly kind: 'top' } | { readonly kind: 'older-line'; readonly below: string | null })

function placeOnTop(changelog: Changelog): SectionPlace {
  const { lines, sections } = changelog
  const unreleased = sections.find(isUnreleased)
  const at = unreleased?.end ?? sections[0]?.start ?? beforeLinks(lines, lines.length)
  return {
    kind: 'top',
    before: lines.slice(0, unreleased === undefined ? at : unreleased.start + 1),
    moved: unreleased === undefined ? [] : groupsIn(changelog, unreleased),
    after: lines.slice(at),
  }
}

/** The place of a version that is lower than one in the changelog, above the next lower one; null for the highest of all. */
function placeOnOlderLine({ lines, sections }: Changelog, version: string): SectionPlace | null {
  const own = parseVersion('semver', version)
  if (!own.ok) return null
  const others = sections.flatMap((section) => {
    const other = parseVersion('semver', section.name)
    return other.ok ? [{ section, version: other.value }] : []
  })
  if (!others.some((other) => isHigher(other.version, own.value))) return null
  const lower = others.find((other) => isHigher(own.value, other.version))?.section
  const at = lower?.start ?? beforeLinks(lines, lines.length)
  return {
    kind: 'older-line',
    before: lines.slice(0, at),
    moved: [],
    after: lines.slice(at),
    below: lower?.name ?? null,
  }
}

/**
 * Checks that a version has its section, and that it and its neighbours keep the format: every problem with its line.
 * Null as text: there is no such file.
 */
export function checkChangelog(text: string | null, version: string, path: string): Checked<null, ChangelogCode> {
  if (text === null) {
    const message = `expected a changelog with a section of ${version}, found no file ${quoted(path)}`
    return rejected({ code: 'changelog-file-missing', message, path, hint: 'Write it, or name it by its path.' })
  }
  const changelog = readChangelog(text)
  const found = changelog.sections.filter(({ name }) => name === version)
  const [section] = found
  const problem = (code: ChangelogCode, message: string, start: number): Problem<ChangelogCode> => ({
    ...{ code, message, path, line: start + 1 },
  })
  if (section === undefined) {
    const message = `expected a section ${quoted(`## [${version}] - YYYY-MM-DD`)}, found none`
    return rejected({ code: 'changelog-section-missing', message, path, hint: 'Write it, or run `ringmaster notes`.' })
  }
  const groups = groupsIn(changelog, section)
  const problems = [
    ...found
      .slice(1)
      .map(({ start }) =>
        problem('changelog-section-twice', `expected one section of ${version}, found another`, start),
      ),
    ...(isDate(section.date)
      ? []
      : [
          problem(
            'changelog-date',
            `expected a date YYYY-MM-DD after the version, found ${quoted(section.date ?? '')}`,
            section.start,
          ),
        ]),
    ...(groups.some(({ lines }) => lines.length > 0)
      ? []
      : [problem('changelog-section-empty', `expected entries for ${version}, found none`, section.start)]),
    ...headingsIn(changelog, section)
      .filter(({ name }) => kindNamed(name) === null)
      .map(({ name, line }) =>
        problem('changelog-group', `expected one of ${changeKinds.join(', ')}, found ${quoted(name)}`, line),
      ),
    ...orderProblems(changelog.sections).map(({ start, name }) =>
      problem('changelog-order', `expected the newest version first, found ${quoted(name)} below an older one`, start),
    ),
    ...changelog.sections
      .slice(1)
      .filter(isUnreleased)
      .map(({ start }) =>
        problem('changelog-unreleased', 'expected [Unreleased] above all versions, found it below one', start),
      ),
  ]
  return problems.length > 0 ? rejected(...problems) : accepted(null)
}

const isUnreleased = ({ name }: Section): boolean => name.toLowerCase() === 'unreleased'

const sectionHeading = /^## {1,3}\[?v?([^\]\s]+)\]?(?:\([^()\s]*\))?(?: {1,3}[-–—] {1,3}(\S+))?/
const fence = /^ {0,3}(`{3}|~{3})/
const link = /^\[([^\]\s]+)\]: {0,9}\S/

function readChangelog(text: string): Changelog {
  const lineBreak = text.includes('\r\n') ? '\r\n' : '\n'
  const lines = text.split(/\r?\n/)
  const fenced = new Set<number>()
  const heads: Section[] = []
  let open: string | null = null
  for (const [at, line] of lines.entries()) {
    const mark = fence.exec(line)?.[1] ?? null
    if (open !== null || mark !== null) fenced.add(at)
    if (open === null) open = mark
    else if (mark === open) open = null
    const [, name, date] = fenced.has(at) ? [] : (sectionHeading.exec(line) ?? [])
    if (name !== undefined) heads.push({ name, date: date ?? null, start: at, end: at })
  }
  const sections = heads.map((head, index) => ({
    ...head,
    end: heads[index + 1]?.start ?? beforeLinks(lines, lines.length),
  }))
  return { lines, lineBreak, sections, fenced }
}

/** The links at the end belong to no section. */
function beforeLinks(lines: readonly string[], end: number): number {
  let at = end
  while (at > 0 && (lines[at - 1]?.trim() === '' || link.test(lines[at - 1] ?? ''))) at -= 1
  return at
}

const kindNamed = (name: string): ChangeKind | null =>
  changeKinds.find((kind) => kind.toLowerCase() === name.toLowerCase()) ?? null

function headingsIn({ lines, fenced }: Changelog, { start, end }: Section): { name: string; line: number }[] {
  return lines.slice(start, end).flatMap((text, offset) => {
    const name = fenced.has(start + offset) ? undefined : /^### {1,3}(\S.*)$/.exec(text)?.[1]
    return name === undefined ? [] : [{ name: name.trim(), line: start + offset }]
  })
}

/** The entries of a section under their headings; those above the first heading are changes like any other. */
function groupsIn(changelog: Changelog, section: Section): { name: string; lines: string[] }[] {
  const headings = headingsIn(changelog, section)
  const bounds = [{ name: 'Changed', line: section.start }, ...headings]
  return bounds
    .map(({ name, line }, index) => ({
      name: kindNamed(name) ?? name,
      lines: trimmed(trimmed(changelog.lines.slice(line + 1, bounds[index + 1]?.line ?? section.end)), 'start'),
    }))
    .filter(({ lines }) => lines.length > 0)
}

function sectionLines(section: ChangelogSection, own: readonly { name: string; lines: readonly string[] }[]): string[] {
  const names = [...new Set<string>([...changeKinds, ...own.map(({ name }) => name)])]
  const groups = names.flatMap((name) => {
    const written = own.filter((group) => group.name === name).flatMap(({ lines }) => lines)
    const known = new Set(written)
    const added = section.groups.filter(({ kind }) => kind === name).flatMap(({ lines }) => lines)
    const lines = [...written, ...added.filter((line) => !known.has(line))]
    return lines.length === 0 ? [] : ['', `### ${name}`, '', ...lines]
  })
  return [`## [${section.version}] - ${section.date}`, ...groups]
}

/** The link of the version comes first among the links, that of what is not released yet before it. */
function withTopLink(lines: readonly string[], section: ChangelogSection): string[] {
  if (section.compareUrl === null) return [...lines]
  const start = beforeLinks(lines, lines.length)
  const isOwn = (line: string): boolean => link.exec(line)?.[1]?.toLowerCase() === 'unreleased'
  const links = lines.slice(start).filter((line) => line.trim() !== '')
  const kept = section.unreleasedUrl === null ? links : links.filter((line) => !isOwn(line))
  const ahead = section.unreleasedUrl === null ? kept.filter(isOwn) : [`[Unreleased]: ${section.unreleasedUrl}`]
  const rest = kept.filter((line) => !isOwn(line))
  return [...lines.slice(0, start), '', ...ahead, `[${section.version}]: ${section.compareUrl}`, ...rest]
}

/** The link of a version of an older line, above that of the version below it. */
function withOlderLink(
  lines: readonly string[],
  { version, compareUrl }: ChangelogSection,
  below: string | null,
): string[] {
  if (compareUrl === null) return [...lines]
  const at = lines.findIndex((line) => below !== null && link.exec(line)?.[1] === below)
  const end = trimmed(lines).length
  const hasLinks = link.test(lines[end - 1] ?? '')
  const place = at >= 0 ? at : end
  const apart = at >= 0 || hasLinks ? [] : ['']
  return [...lines.slice(0, place), ...apart, `[${version}]: ${compareUrl}`, ...lines.slice(place)]
}

function trimmed(lines: readonly string[], side: 'start' | 'end' = 'end'): string[] {
  const isText = (line: string): boolean => line.trim() !== ''
  if (side === 'end') return lines.slice(0, lines.findLastIndex(isText) + 1)
  const first = lines.findIndex(isText)
  return first === -1 ? [] : lines.slice(first)
}

/** Dates as the calendar has them. */
function isDate(text: string | null): boolean {
  const [, year, month, day] = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text ?? '') ?? []
  if (year === undefined) return false
  return new Date(Date.UTC(Number(year), Number(month) - 1, Number(day))).toISOString().slice(0, 10) === text
}

/** The sections of a version above the one before it. */
function orderProblems(sections: readonly Section[]): Section[] {
  const misplaced: Section[] = []
  let before: Version | null = null
  for (const section of sections) {
    const version = parseVersion('semver', section.name)
    if (!version.ok) continue
    if (before !== null && isHigher(version.value, before)) misplaced.push(section)
    before = version.value
  }
  return misplaced
}
