import { accepted, type Checked, quoted, rejected } from '../core/problem.ts'
import type { Line } from '../core/version/line.ts'
import { type CountsFor, parseProductPlace } from '../core/version/paths.ts'
import { parseLabel } from '../core/version/prerelease.ts'
import type { Reread } from '../core/version/pull-requests.ts'
import type { BumpConfig } from '../core/version/schema.ts'
import { parseTagPattern, type TagPattern } from '../core/version/tags.ts'
import { insideFolder } from '../git/checkout-file.ts'
import { type ComputedVersion, computeVersion, type VersionQuestion } from '../git/compute-version.ts'
import type { GitCommit } from '../git/read-commits.ts'
import { workspaceOf } from './context.ts'
import type { Inputs } from './read-inputs.ts'
import type { Shell } from './shell.ts'
import { together } from './together.ts'

/** Computes the version that a step asks for, or what `instead` says. Throws `RingmasterError` for bad inputs and for git. */
export async function computeVersionFor(
  inputs: Inputs,
  shell: Shell,
  instead: Partial<Pick<VersionQuestion, 'at' | 'below'>> = {},
): Promise<ComputedVersion> {
  const [pattern, counts, directory, line] = together(
    patternOf(inputs),
    areaOf(inputs),
    directoryOf(inputs, shell),
    lineOf(inputs),
  )
  return computeVersion({
    directory,
    pattern,
    counts,
    path: inputs.path,
    config: configOf(inputs),
    line,
    firstParent: inputs.firstParent,
    ownRef: shell.environment['GITHUB_REF'] || null,
    below: null,
    ...(inputs.source === 'commits' ? {} : { reread: (commits) => reread(inputs, shell, commits) }),
    ...instead,
  })
}

/** Loaded late: only this way of deciding asks GitHub. */
async function reread(inputs: Inputs, shell: Shell, commits: readonly GitCommit[]): Promise<Reread> {
  const { rereadByPullRequests } = await import('./change-source.ts')
  return rereadByPullRequests(inputs, shell, commits)
}

/** A folder's product never takes the repository's plain tags: they may be another product's. */
export function patternOf(inputs: Inputs): Checked<TagPattern> {
  const scheme = inputs.scheme ?? 'semver'
  if (inputs.tagPattern !== null) return parseTagPattern(inputs.tagPattern, scheme)
  if (inputs.path === null) return parseTagPattern('v{version}', scheme)
  if (inputs.product !== null) return parseTagPattern(`${inputs.product}/v{version}`, scheme)
  return {
    ok: false,
    problems: [
      {
        code: 'product-missing',
        message: 'expected the input product or tag-pattern beside path, found neither',
        hint: 'name the product that lives in that folder',
        path: 'product',
      },
    ],
  }
}

/** Null where every commit counts. */
function areaOf(inputs: Inputs): Checked<CountsFor | null> {
  const { path, exclude, otherPaths } = inputs
  if (path === null && exclude.length === 0 && otherPaths.length === 0) return accepted(null)
  return parseProductPlace({ path: path ?? '.', exclude, otherPaths })
}

/** Where the checkout is, inside the workspace. */
export function directoryOf(inputs: Inputs, shell: Shell): Checked<string> {
  const directory = insideFolder(workspaceOf(shell.environment), inputs.workingDirectory)
  if (directory !== null) return accepted(directory)
  return {
    ok: false,
    problems: [
      {
        code: 'working-directory',
        message: `expected a folder of the workspace as input working-directory, found ${quoted(inputs.workingDirectory)}`,
        hint: 'paths begin at the workspace',
        path: 'working-directory',
      },
    ],
  }
}

function lineOf({ prerelease, graduate }: Inputs): Checked<Line> {
  if (prerelease !== null && graduate !== null) {
    return rejected<string>({
      code: 'line-twice',
      message: 'expected at most one of the inputs prerelease and graduate, found both',
      path: 'prerelease',
    })
  }
  const label = prerelease ?? graduate
  if (label === null) return accepted({ kind: 'release' })
  const read = parseLabel(label)
  if (!read.ok) return rejected<string>(...read.problems.map((problem) => ({ ...problem, path: 'prerelease' })))
  return accepted({ kind: prerelease === null ? 'graduation' : 'prerelease', label: read.value })
}

const configOf = (inputs: Inputs): BumpConfig => ({
  preset: inputs.preset,
  ...(inputs.rules.length === 0 ? {} : { rules: [...inputs.rules] }),
  ...(inputs.visibleTypes === null ? {} : { visibleTypes: [...inputs.visibleTypes] }),
  preMajor: {
    ...(inputs.preMajorBreaking === null ? {} : { breaking: inputs.preMajorBreaking }),
    ...(inputs.preMajorFeature === null ? {} : { feature: inputs.preMajorFeature }),
  },
})
