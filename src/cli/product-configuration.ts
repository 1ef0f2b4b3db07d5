import { nearest } from '../core/command/nearest.ts'
import { parseConfiguration } from '../core/config/parse.ts'
import { type Problem, quoted, rejected, unwrap } from '../core/problem.ts'
import { commitSourceOf } from '../core/product/bump-options.ts'
import { type CliCommand, usageError } from './command.ts'
import { readInput } from './files.ts'
import type { VersionValues } from './version-options.ts'

/**
 * The options of a product as a configuration says them, in the form of the command line. Throws bad input for a file
 * that does not hold, and for a product that is not in it.
 */
export async function optionsOfProduct(
  file: string,
  name: string,
  command: Pick<CliCommand, 'usage'>,
): Promise<VersionValues> {
  const text = Buffer.from(await readInput(file, 'a configuration')).toString('utf8')
  const parsed = parseConfiguration(text, file)
  const { configuration } = unwrap(parsed.ok ? parsed : rejected(...parsed.problems.map(placedIn(file))))
  const product = configuration.products.find((entry) => entry.name === name)
  if (product === undefined) {
    const [meant] = nearest(
      name,
      configuration.products.map((entry) => entry.name),
    )
    throw usageError(
      `expected a product of ${file} as --product, found ${quoted(name)}${meant === undefined ? '' : `; did you mean ${meant}?`}`,
      command,
    )
  }
  const source = unwrap(commitSourceOf(product, configuration))
  const { visibleTypes, preMajor } = source.bump
  return {
    ...(source.path === null ? {} : { path: source.path }),
    exclude: source.exclude,
    'other-path': source.otherPaths,
    preset: source.bump.preset,
    rule: product.bump?.rules ?? [],
    'visible-types': visibleTypes?.join(','),
    'pre-major-breaking': preMajor?.breaking,
    'pre-major-feature': preMajor?.feature,
    'tag-pattern': source.tagPattern,
    scheme: source.scheme,
    source: source.pullRequests?.by,
    'label-level': source.pullRequests?.labelLevels,
    'external-type': source.notes?.externalTypes,
    'internal-scope': source.notes?.internalScopes,
  }
}

/** The problem with its line in the message: the command reads other things than the file, and prints no places. */
const placedIn =
  (file: string) =>
  (problem: Problem): Problem => ({
    ...problem,
    message: `${problem.path ?? file}${problem.line === undefined ? '' : `:${problem.line}`}: ${problem.message}`,
  })
