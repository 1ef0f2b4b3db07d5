import { quoted } from '../problem.ts'
import { compileRequirement, type Requirement, type RequirementDialect } from './requirement.ts'
import { compareVersions, formatVersion, type SemanticVersion, successor } from './semantic-version.ts'
import { cellCount, covers, spansOf, type VersionLine, versionLine } from './version-line.ts'

/** A stable version that the two dialects decide differently. */
export interface DialectWarning {
  readonly code: 'dialects-differ'
  readonly message: string
  readonly example: string
}

const OTHER = { elixir: 'npm', npm: 'elixir' } as const satisfies Record<RequirementDialect, RequirementDialect>

const isStable = (version: SemanticVersion): boolean => version.pre.length === 0

/** The lowest stable version above `point`: a pre-release's own release, else the next patch. */
const stableAfter = (point: SemanticVersion): SemanticVersion =>
  isStable(point) ? { ...point, patch: successor(point.patch) } : { ...point, pre: [] }

/** A stable version of the cell, or undefined where only pre-releases lie in it. */
function stableIn(line: VersionLine, cell: number): SemanticVersion | undefined {
  if (cell % 2 === 1) return line.points.slice((cell - 1) / 2, (cell + 1) / 2).find(isStable)
  const before = line.points[cell / 2 - 1]
  const after = line.points[cell / 2]
  const lowest = before === undefined ? { major: 0, minor: 0, patch: 0, pre: [] } : stableAfter(before)
  return after === undefined || compareVersions(lowest, after) < 0 ? lowest : undefined
}

function firstDifference(a: Requirement, b: Requirement): SemanticVersion | undefined {
  const line = versionLine([a, b])
  const ours = spansOf(line, a)
  const theirs = spansOf(line, b)
  for (let cell = 0; cell < cellCount(line); cell += 1) {
    if (covers(ours, cell) === covers(theirs, cell)) continue
    const example = stableIn(line, cell)
    if (example !== undefined) return example
  }
  return undefined
}

/**
 * Warns where the same text is valid in the other dialect too and decides at least one stable version differently
 * (`~> 1.2` reaches to 2.0.0 for Elixir and to 1.3.0 for npm). The search is over all versions, not over samples.
 */
export function dialectWarning(requirement: Requirement): DialectWarning | undefined {
  const other = compileRequirement(requirement.text, OTHER[requirement.dialect])
  if (!other.ok) return undefined
  const example = firstDifference(requirement, other.value)
  if (example === undefined) return undefined
  const version = formatVersion(example)
  return {
    code: 'dialects-differ',
    example: version,
    message: `${quoted(requirement.text)} decides ${version} differently as ${requirement.dialect} (used here) and as ${other.value.dialect}`,
  }
}
