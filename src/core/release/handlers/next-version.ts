import { type Deciding, fact } from '../../decision.ts'
import type { NextVersionFact } from '../../facts.ts'
import type { Problem } from '../../problem.ts'
import { type CommitSource, commitSourceOf } from '../../product/bump-options.ts'
import { uncounted } from '../../version/decide-next.ts'
import { commitsText } from '../../version/explain.ts'
import { done, type HandlersOf, lines, refuse } from '../handling.ts'
import { unknownProduct } from './composition.ts'

/** Which version comes next: read from GitHub by the options of the product, and recorded nowhere. */
export const nextVersionHandlers: HandlersOf<'bump'> = {
  *bump({ product: name }, { policy: { configuration } }) {
    const product = configuration.products.find((entry) => entry.name === name)
    const names = configuration.products.map((entry) => entry.name)
    if (!product) return refuse(unknownProduct(name, names, 'a product of the configuration'))
    const source = commitSourceOf(product, configuration)
    if (!source.ok) return refuse(...source.problems)
    const refusal = uncounted(source.value.scheme)
    if (refusal !== null) return refuse(refusal)
    const next = yield* nextOf(product.repository, source.value)
    return 'code' in next ? refuse(next) : done(lines(told(name, next)))
  },
}

function* nextOf(repository: string, source: CommitSource): Deciding<NextVersionFact | Problem> {
  const { next } = yield* fact({ kind: 'next-version', repository, source })
  switch (next) {
    case 'unreadable':
      return {
        code: 'commits-unreadable',
        message: `could not read the commits of ${repository}`,
        hint: 'Look whether the App is installed there; ringmaster doctor says which permission is missing.',
      }
    case 'too-many':
      return {
        code: 'commits-too-many',
        message: `expected few enough commits since the last release, and releases beside it, to look at each of them here, found more in ${repository}`,
        hint: 'Ask in a checkout: ringmaster bump --configuration, or the command bump of the Action.',
      }
    default:
      return next
  }
}

/** Nobody reads more of them in a reply. */
const MOST_SHOWN = 20

function told(product: string, { branch, head, from, to, bump, policy, commits, outside }: NextVersionFact): string[] {
  const since = from === null ? 'nothing released before' : `since ${from}`
  const at = `${commitsText(commits.length)} on ${branch} (${head.slice(0, 12)}), ${since}`
  const asking = commits.filter(({ level, warnings }) => level !== 'none' || warnings.length > 0)
  const rows = asking
    .slice(0, MOST_SHOWN)
    .map(({ sha, level, rule, warnings }) => `${sha.slice(0, 12)}: ${level}, ${rule}${warningsOf(warnings)}`)
  return [
    to === null ? `${product}: nothing to release in ${at}` : `${product}: ${to} (${bump}${POLICY[policy]}) by ${at}`,
    ...rows,
    ...(asking.length > rows.length ? [`and ${commitsText(asking.length - rows.length, 'older')}`] : []),
    ...(outside > 0 ? [`${commitsText(outside)} outside its path`] : []),
  ]
}

const warningsOf = (codes: readonly string[]): string => (codes.length === 0 ? '' : ` [${codes.join(', ')}]`)

const POLICY = {
  'as-asked': '',
  'below-one': ', below 1.0.0',
  'first-release': ', the first release',
  'release-as': ', by request',
} as const satisfies Record<NextVersionFact['policy'], string>
