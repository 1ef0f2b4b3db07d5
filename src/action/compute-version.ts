import { accepted, type Checked, type Problem, quoted, valueOf as valueIn } from '../core/problem.ts'
import { type BumpDecision, decideBump } from '../core/version/decide.ts'
import { type AreaMap, parseAreas } from '../core/version/paths.ts'
import type { BumpConfig } from '../core/version/schema.ts'
import { lastRelease, parseTagPattern, readTags, type TagPattern, type VersionTag } from '../core/version/tags.ts'
import type { GitCommit } from '../git/read-commits.ts'
import { readHistory } from '../git/read-history.ts'
import type { GitTag } from '../git/read-tags.ts'
import { insideWorkspace, workspaceOf } from './context.ts'
import type { Inputs } from './read-inputs.ts'
import type { Shell } from './shell.ts'
import { together } from './together.ts'

/** The version of the checked-out commit, and everything that gave it. */
export interface ComputedVersion {
  readonly sha: string
  /** Null when nothing since the last release makes a new one. */
  readonly version: string | null
  readonly previousVersion: string | null
  readonly bump: BumpDecision['bump']
  /** False for the commit that carries the tag of its release, and where there is none. */
  readonly released: boolean
  readonly tag: string | null
  readonly decision: BumpDecision
  /** The commits that counted, newest first. */
  readonly commits: readonly GitCommit[]
  /** How many commits changed nothing of the product. */
  readonly outsidePath: number
  /** Tags that fit the pattern and name no version. */
  readonly unreadTags: readonly string[]
  /** Whether more history had to be fetched. */
  readonly deepened: boolean
  readonly warnings: readonly Problem[]
}

/** Computes the version of the checked-out commit for a product. Throws `RingmasterError` for bad inputs and for git. */
export async function computeVersion(inputs: Inputs, shell: Shell): Promise<ComputedVersion> {
  const [pattern, counts, directory] = together(patternOf(inputs), areaOf(inputs), directoryOf(inputs, shell))
  const history = await readHistory(directory, {
    choose: (tags) => lastOf(pattern, tags),
    withFiles: counts !== null,
    firstParent: inputs.firstParent,
    ownRef: shell.environment['GITHUB_REF'] || null,
  })
  const last = lastOf(pattern, history.tags)
  const commits =
    counts === null ? history.commits : history.commits.filter((commit) => counts(commit.files ?? []).length > 0)
  const previousVersion = last?.version.text ?? null
  const decision = valueIn(decideBump(configOf(inputs), previousVersion, commits))
  const warnings = [
    ...(history.remoteTags === 'no-answer' ? [REMOTE_DID_NOT_ANSWER] : []),
    ...decision.warnings.map(({ code, message }) => ({ code, message })),
    ...odd(decision),
  ]
  return {
    sha: history.head,
    version: decision.to ?? (last?.sha === history.head ? previousVersion : null),
    previousVersion,
    bump: decision.bump,
    released: decision.to !== null,
    tag: last?.name ?? null,
    decision,
    commits,
    outsidePath: history.commits.length - commits.length,
    unreadTags: valueIn(readTags(pattern, history.tags)).unread.map(({ tag }) => tag.name),
    deepened: history.deepened,
    warnings,
  }
}

const REMOTE_DID_NOT_ANSWER: Problem = {
  code: 'remote-tags-unknown',
  message: 'expected a release among the tags of this checkout, found none, and the remote did not name its own',
  hint: 'if this is not the first release, run `git fetch --tags` before this step',
}

const lastOf = (pattern: TagPattern, tags: readonly GitTag[]): VersionTag | null =>
  lastRelease(valueIn(readTags(pattern, tags)))

/** A folder's product never takes the repository's plain tags: they may be another product's. */
function patternOf(inputs: Inputs): Checked<TagPattern> {
  if (inputs.tagPattern !== null) return parseTagPattern(inputs.tagPattern)
  if (inputs.path === null) return parseTagPattern('v{version}')
  if (inputs.product !== null) return parseTagPattern(`${inputs.product}/v{version}`)
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
function areaOf(inputs: Inputs): Checked<AreaMap | null> {
  if (inputs.path === null && inputs.exclude.length === 0) return accepted(null)
  return parseAreas([{ name: inputs.product ?? '', path: inputs.path ?? '.', exclude: inputs.exclude }])
}

function directoryOf(inputs: Inputs, shell: Shell): Checked<string> {
  const directory = insideWorkspace(workspaceOf(shell.environment), inputs.workingDirectory)
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

const configOf = (inputs: Inputs): BumpConfig => ({
  preset: inputs.preset,
  ...(inputs.rules.length === 0 ? {} : { rules: [...inputs.rules] }),
  ...(inputs.visibleTypes === null ? {} : { visibleTypes: [...inputs.visibleTypes] }),
  preMajor: {
    ...(inputs.preMajorBreaking === null ? {} : { breaking: inputs.preMajorBreaking }),
    ...(inputs.preMajorFeature === null ? {} : { feature: inputs.preMajorFeature }),
  },
})

const MOST_NAMED = 3

/** One annotation for all commits that may not count as they were meant; the table shows each. */
function odd({ commits }: BumpDecision): Problem[] {
  const warned = commits.filter(({ warnings }) => warnings.length > 0)
  if (warned.length === 0) return []
  const named = warned
    .slice(0, MOST_NAMED)
    .map(({ sha, warnings }) => `${sha.slice(0, 7)} (${warnings[0]?.message ?? ''})`)
  const more = warned.length > MOST_NAMED ? ` and ${warned.length - MOST_NAMED} more` : ''
  return [
    {
      code: 'commits-worth-a-look',
      message: `expected commits that say what they change, found ${named.join(', ')}${more}`,
      hint: 'the step summary shows what each of them counts for',
    },
  ]
}
