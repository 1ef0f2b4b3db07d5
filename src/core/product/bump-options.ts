import { z } from 'zod'
import type { Configuration, ProductConfig } from '../config/schema.ts'
import { accepted, type Checked, type Problem, rejected } from '../problem.ts'
import { judgeOptionsOf } from '../version/decide.ts'
import { type CountsFor, parseProductPlace } from '../version/paths.ts'
import { type PullRequest, parseLabelRule, type Reread, rereadBy } from '../version/pull-requests.ts'
import { parseRuleLine } from '../version/rules.ts'
import { BumpConfig, type Commit } from '../version/schema.ts'
import { versionSchemes } from '../version/version.ts'
import { tagPatternText } from './tag-pattern.ts'

/** How the commits of a product become versions, by the configuration. Refuses rules that cannot be read. */
export function bumpConfigOf({ bump }: Pick<ProductConfig, 'bump'>): Checked<BumpConfig> {
  const lines = (bump?.rules ?? []).map((line) => parseRuleLine(line))
  const problems: Problem[] = lines.flatMap((line) => (line.ok ? [] : line.problems))
  if (problems.length > 0) return rejected(...problems)
  const rules = lines.flatMap((line) => (line.ok ? [line.value] : []))
  const config: BumpConfig = {
    preset: bump?.preset ?? 'ringmaster',
    ...(rules.length === 0 ? {} : { rules }),
    ...(bump?.visibleTypes === undefined ? {} : { visibleTypes: bump.visibleTypes }),
    ...(bump?.preMajor === undefined ? {} : { preMajor: bump.preMajor }),
  }
  const judged = judgeOptionsOf(config)
  return judged.ok ? accepted(config) : judged
}

/** What pull requests are judged by in the place of the commits that they brought. */
export const PullRequestRule = z.strictObject({
  by: z.enum(['titles', 'labels']),
  /** Lines such as `feature: minor`; the usual labels where there are none. */
  labelLevels: z.array(z.string().max(200)).max(200),
})
export type PullRequestRule = z.infer<typeof PullRequestRule>

/** What pull requests of a product are judged by; null where its commits speak for themselves. */
export function pullRequestRuleOf({
  bump,
}: Pick<ProductConfig, 'bump'>): Checked<PullRequestRule | null, 'label-level'> {
  const { source = 'commits', labelLevels = [] } = bump ?? {}
  if (source === 'commits') return accepted(null)
  if (source === 'titles') return accepted({ by: source, labelLevels: [] })
  const read = parseLabelRule(labelLevels)
  return read.ok ? accepted({ by: source, labelLevels }) : read
}

/** What comes in the place of commits, and what judges it, once it is known which pull requests brought them. */
export function rereadByRule(
  { by, labelLevels }: PullRequestRule,
  commits: readonly Commit[],
  of: ReadonlyMap<string, PullRequest>,
): Checked<Reread> {
  if (by === 'titles') return accepted(rereadBy(null, commits, of))
  const rule = parseLabelRule(labelLevels)
  return rule.ok ? accepted(rereadBy(rule.value, commits, of)) : rule
}

/** Where a product's commits and tags are in its repository, and how they are read. */
export const CommitSource = z.strictObject({
  tagPattern: z.string().max(200),
  scheme: z.enum(versionSchemes),
  bump: BumpConfig,
  /** Absent where commits speak for themselves. */
  pullRequests: PullRequestRule.optional(),
  path: z.string().max(500).nullable(),
  exclude: z.array(z.string().max(500)).max(100),
  /** Folders of the other products of the repository: what lies in a longer one is not the product's. */
  otherPaths: z.array(z.string().max(500)).max(1_000),
  /** What customers read of them; absent where nothing is said of it. */
  notes: z
    .strictObject({
      internalScopes: z.array(z.string().max(200)).max(200).optional(),
      externalTypes: z.array(z.string().max(200)).max(200).optional(),
    })
    .optional(),
})
export type CommitSource = z.infer<typeof CommitSource>

/** How the versions of a product come from the commits of its repository, by the configuration. */
export function commitSourceOf(
  product: ProductConfig,
  { products }: Pick<Configuration, 'products'>,
): Checked<CommitSource> {
  const bump = bumpConfigOf(product)
  if (!bump.ok) return bump
  const pullRequests = pullRequestRuleOf(product)
  if (!pullRequests.ok) return pullRequests
  const { repository, path = null, scheme = 'semver', exclude = [] } = product
  const otherPaths = products.flatMap((other) =>
    other.repository === repository && other.path !== undefined ? [other.path] : [],
  )
  const source = {
    ...{ tagPattern: tagPatternText(product), scheme, bump: bump.value, path, exclude, otherPaths },
    ...(pullRequests.value === null ? {} : { pullRequests: pullRequests.value }),
    ...(product.notes === undefined ? {} : { notes: product.notes }),
  }
  const counts = countsFor(source)
  return counts.ok ? accepted(source) : counts
}

/** What counts for the product; null where every commit does. */
export function countsFor({ path, exclude, otherPaths }: CommitSource): Checked<CountsFor | null> {
  const isWhole = path === null && exclude.length === 0 && otherPaths.length === 0
  return isWhole ? accepted(null) : parseProductPlace({ path: path ?? '.', exclude, otherPaths })
}
