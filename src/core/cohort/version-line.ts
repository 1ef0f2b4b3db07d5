import type { Comparison, Requirement } from './requirement.ts'
import { compareVersions, type SemanticVersion } from './semantic-version.ts'

/**
 * All versions cut into cells at the points that requirements mention: cell 2i + 1 is the i-th point itself, cell 2i
 * the open gap before it. Every version of one cell satisfies the same requirements, so a decision needs one binary
 * search instead of one comparison for each requirement.
 */
export interface VersionLine {
  readonly points: readonly SemanticVersion[]
}

/** Cells from `first` to `last`, both included. */
export interface Span {
  readonly first: number
  readonly last: number
}

export const cellCount = (line: VersionLine): number => line.points.length * 2 + 1

/** The line that has every version mentioned by the requirements, and the `others`, as a point. */
export function versionLine(
  requirements: readonly Requirement[],
  others: readonly SemanticVersion[] = [],
): VersionLine {
  const mentioned = requirements.flatMap(({ alternatives }) => alternatives.flatMap((clause) => clause.map(versionOf)))
  const sorted = [...mentioned, ...others].sort(compareVersions)
  const points = sorted.filter((version, at) => {
    const before = sorted[at - 1]
    return before === undefined || compareVersions(before, version) !== 0
  })
  return { points }
}

const versionOf = (comparison: Comparison): SemanticVersion => comparison.version

/** The cell that holds the version. */
export function cellOf(line: VersionLine, version: SemanticVersion): number {
  const { points } = line
  let low = 0
  let high = points.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const point = points[middle]
    if (point === undefined) break
    const order = compareVersions(version, point)
    if (order === 0) return middle * 2 + 1
    if (order < 0) high = middle
    else low = middle + 1
  }
  return low * 2
}

function clauseSpans(line: VersionLine, clause: readonly Comparison[]): Span[] {
  let first = 0
  let last = cellCount(line) - 1
  const excluded: number[] = []
  for (const { operator, version } of clause) {
    const cell = cellOf(line, version)
    if (operator === '!=') excluded.push(cell)
    if (operator === '==' || operator === '>=') first = Math.max(first, cell)
    if (operator === '>') first = Math.max(first, cell + 1)
    if (operator === '==' || operator === '<=') last = Math.min(last, cell)
    if (operator === '<') last = Math.min(last, cell - 1)
  }
  return without({ first, last }, excluded)
}

function without(span: Span, excluded: readonly number[]): Span[] {
  const spans: Span[] = []
  let { first } = span
  for (const cell of [...excluded].sort((a, b) => a - b)) {
    if (cell < first || cell > span.last) continue
    if (cell > first) spans.push({ first, last: cell - 1 })
    first = cell + 1
  }
  if (first <= span.last) spans.push({ first, last: span.last })
  return spans
}

/** The cells that satisfy the requirement, ascending, apart from each other. The line must have its points. */
export function spansOf(line: VersionLine, requirement: Requirement): readonly Span[] {
  const spans = requirement.alternatives
    .flatMap((clause) => clauseSpans(line, clause))
    .sort((a, b) => a.first - b.first)
  const merged: Span[] = []
  for (const span of spans) {
    const before = merged.at(-1)
    if (before !== undefined && span.first <= before.last + 1) {
      merged[merged.length - 1] = { first: before.first, last: Math.max(before.last, span.last) }
    } else merged.push(span)
  }
  return merged
}

/** Whether the cell is in one of the spans. */
export function covers(spans: readonly Span[], cell: number): boolean {
  for (const span of spans) if (cell >= span.first && cell <= span.last) return true
  return false
}

/**
 * For each cell the first candidate whose spans hold it, or -1. Candidates come in the order of preference; each cell
 * is painted once, whatever the number of candidates that overlap it.
 */
export function firstCovering(
  line: VersionLine,
  candidates: readonly { id: number; spans: readonly Span[] }[],
): Int32Array {
  const cells = cellCount(line)
  const painted = new Int32Array(cells).fill(-1)
  const nextFree = Int32Array.from({ length: cells + 1 }, (_, cell) => cell)
  const free = (from: number): number => {
    let cell = from
    while (nextFree[cell] !== cell) {
      nextFree[cell] = nextFree[nextFree[cell] ?? cells] ?? cells
      cell = nextFree[cell] ?? cells
    }
    return cell
  }
  for (const { id, spans } of candidates) {
    for (const { first, last } of spans) {
      for (let cell = free(first); cell <= last; cell = free(cell)) {
        painted[cell] = id
        nextFree[cell] = cell + 1
      }
    }
  }
  return painted
}
