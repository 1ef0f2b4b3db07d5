import type { ParseArgsConfig } from 'node:util'
import { accepted, type Checked, rejected, unwrap } from '../core/problem.ts'
import type { Line } from '../core/version/line.ts'
import { type CountsFor, parseProductPlace } from '../core/version/paths.ts'
import { parseLabel } from '../core/version/prerelease.ts'
import { presets } from '../core/version/presets.ts'
import { parseRuleLine } from '../core/version/rules.ts'
import type { BumpConfig, PresetName } from '../core/version/schema.ts'
import { parseTagPattern, type TagPattern } from '../core/version/tags.ts'
import { type VersionScheme, versionSchemes } from '../core/version/version.ts'
import { type CliCommand, usageError } from './command.ts'

/** Options of every command that reads versions from a checkout. They mean what the Action's inputs mean. */
export const VERSION_OPTIONS = {
  directory: { type: 'string', short: 'C' },
  product: { type: 'string' },
  configuration: { type: 'string' },
  path: { type: 'string' },
  exclude: { type: 'string', multiple: true },
  'other-path': { type: 'string', multiple: true },
  preset: { type: 'string' },
  rule: { type: 'string', multiple: true },
  'visible-types': { type: 'string' },
  'pre-major-breaking': { type: 'string' },
  'pre-major-feature': { type: 'string' },
  'tag-pattern': { type: 'string' },
  scheme: { type: 'string' },
  'first-parent': { type: 'boolean' },
} as const satisfies ParseArgsConfig['options']

export const VERSION_USAGE =
  '[--directory DIR] [--product NAME] [--configuration FILE] [--path DIR] [--exclude DIR]… [--other-path DIR]… [--preset NAME] [--rule "TYPE: LEVEL"]… [--visible-types A,B] [--pre-major-breaking LEVEL] [--pre-major-feature LEVEL] [--tag-pattern PATTERN] [--scheme SCHEME] [--first-parent]'

export interface VersionValues {
  readonly directory?: string | undefined
  readonly product?: string | undefined
  readonly configuration?: string | undefined
  readonly path?: string | undefined
  readonly exclude?: readonly string[] | undefined
  readonly 'other-path'?: readonly string[] | undefined
  readonly preset?: string | undefined
  readonly rule?: readonly string[] | undefined
  readonly 'visible-types'?: string | undefined
  readonly 'pre-major-breaking'?: string | undefined
  readonly 'pre-major-feature'?: string | undefined
  readonly 'tag-pattern'?: string | undefined
  readonly scheme?: string | undefined
  readonly 'first-parent'?: boolean | undefined
  readonly source?: string | undefined
  readonly 'label-level'?: readonly string[] | undefined
  readonly 'external-type'?: readonly string[] | undefined
  readonly 'internal-scope'?: readonly string[] | undefined
}

/** A product of a checkout, and how its commits become versions. */
export interface ProductChoice {
  readonly directory: string
  readonly pattern: TagPattern
  readonly counts: CountsFor | null
  readonly path: string | null
  readonly config: BumpConfig
  readonly firstParent: boolean
}

type Command = Pick<CliCommand, 'usage'>

const presetNames = Object.keys(presets) as readonly PresetName[]

/** What a command was given, and where it was not, what a configuration says of the product; loaded late for its schema. */
export async function withConfiguration<Values extends VersionValues>(
  values: Values,
  command: Command,
): Promise<Values> {
  if (values.configuration === undefined) return values
  if (values.product === undefined) throw usageError('expected --product beside --configuration, found none', command)
  const { optionsOfProduct } = await import('./product-configuration.ts')
  return { ...(await optionsOfProduct(values.configuration, values.product, command)), ...values }
}

/** Reads the options; throws bad input with every problem that a pattern, a path or a rule has. */
export function readProductChoice(values: VersionValues, line: Line, command: Command): ProductChoice {
  const rules = (values.rule ?? []).map((line) => parseRuleLine(line))
  const scheme = readScheme(values, line, command)
  const pattern = parseTagPattern(patternText(values, command), scheme)
  const area = readArea(values)
  unwrap(allOf([...rules, pattern, area]))
  return {
    directory: values.directory ?? '.',
    pattern: unwrap(pattern),
    counts: unwrap(area),
    path: values.path ?? null,
    config: {
      preset: oneOf(values.preset, 'preset', presetNames, command) ?? 'ringmaster',
      ...(rules.length === 0 ? {} : { rules: rules.map((rule) => unwrap(rule)) }),
      ...(values['visible-types'] === undefined ? {} : { visibleTypes: listOf(values['visible-types']) }),
      preMajor: preMajorOf(values, command),
    },
    firstParent: values['first-parent'] ?? false,
  }
}

/** A line of BUILD numbers says its scheme. */
function readScheme({ scheme }: VersionValues, line: Line, command: Command): VersionScheme {
  const given = oneOf(scheme, 'scheme', versionSchemes, command)
  if (line.kind !== 'build') return given ?? 'semver'
  if (given === null || given === 'semver-build') return 'semver-build'
  throw usageError(`expected the scheme semver-build beside --build, found ${given}`, command)
}

const allOf = (checks: readonly Checked<unknown>[]): Checked<null> => {
  const problems = checks.flatMap((check) => (check.ok ? [] : check.problems))
  return problems.length > 0 ? rejected<string>(...problems) : accepted(null)
}

const listOf = (text: string): string[] =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')

/** A folder's product never takes the repository's plain tags: they may be another product's. */
function patternText(values: VersionValues, command: Command): string {
  if (values['tag-pattern'] !== undefined) return values['tag-pattern']
  if (values.path === undefined) return 'v{version}'
  if (values.product !== undefined) return `${values.product}/v{version}`
  throw usageError('expected --product or --tag-pattern beside --path, found neither', command)
}

function readArea({ path, exclude = [], 'other-path': otherPaths = [] }: VersionValues): Checked<CountsFor | null> {
  if (path === undefined && exclude.length === 0 && otherPaths.length === 0) return accepted(null)
  return parseProductPlace({ path: path ?? '.', exclude, otherPaths })
}

function preMajorOf(values: VersionValues, command: Command): BumpConfig['preMajor'] {
  const breaking = oneOf(values['pre-major-breaking'], 'pre-major-breaking', ['minor', 'major'], command)
  const feature = oneOf(values['pre-major-feature'], 'pre-major-feature', ['patch', 'minor'], command)
  return { ...(breaking === null ? {} : { breaking }), ...(feature === null ? {} : { feature }) }
}

/** One of a few words; null where the option is absent. */
export function oneOf<Choice extends string>(
  given: string | undefined,
  option: string,
  choices: readonly Choice[],
  command: Command,
): Choice | null {
  if (given === undefined) return null
  const choice = choices.find((candidate) => candidate === given)
  if (choice !== undefined) return choice
  throw usageError(`expected one of ${choices.join(', ')} for --${option}, found ${JSON.stringify(given)}`, command)
}

/** Options that say what kind of version is to come. */
export const LINE_OPTIONS = {
  prerelease: { type: 'string' },
  graduate: { type: 'string' },
  build: { type: 'boolean' },
  'latest-build': { type: 'string' },
} as const satisfies ParseArgsConfig['options']

export interface LineValues {
  readonly prerelease?: string | undefined
  readonly graduate?: string | undefined
  readonly build?: boolean | undefined
  readonly 'latest-build'?: string | undefined
}

/** The line that is asked for; at most one of them. */
export function readLine(values: LineValues, command: Command): Line {
  const given = (['prerelease', 'graduate', 'build'] as const).filter((name) => Boolean(values[name]))
  if (given.length > 1) {
    throw usageError(`expected at most one of --prerelease, --graduate and --build, found ${given.join(', ')}`, command)
  }
  if (values['latest-build'] !== undefined && !values.build) {
    throw usageError('expected --build beside --latest-build, found none', command)
  }
  if (values.prerelease !== undefined) return { kind: 'prerelease', label: unwrap(parseLabel(values.prerelease)) }
  if (values.graduate !== undefined) return { kind: 'graduation', label: unwrap(parseLabel(values.graduate)) }
  return values.build ? { kind: 'build', latest: values['latest-build'] ?? null } : { kind: 'release' }
}
