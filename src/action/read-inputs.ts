import { accepted, type Checked, type Problem, quoted } from '../core/problem.ts'
import { type ChangeSource, changeSources } from '../core/version/pull-requests.ts'
import { parseRuleLine } from '../core/version/rules.ts'
import type { BumpRule, PresetName } from '../core/version/schema.ts'
import { type VersionScheme, versionSchemes } from '../core/version/version.ts'
import { environmentNameOf, INPUTS, type InputDefinition, type InputName, PRESETS } from './inputs.ts'
import { COMMANDS, type CommandName } from './outputs.ts'

/** The inputs, read once. Null where an input that has no default was left out or blank. */
export interface Inputs {
  readonly command: CommandName
  readonly product: string | null
  readonly path: string | null
  readonly exclude: readonly string[]
  readonly otherPaths: readonly string[]
  readonly version: string | null
  readonly environment: string | null
  readonly status: string
  readonly sha: string | null
  readonly source: ChangeSource
  readonly labelLevels: readonly string[]
  readonly preset: PresetName
  readonly rules: readonly BumpRule[]
  readonly visibleTypes: readonly string[] | null
  readonly preMajorBreaking: 'minor' | 'major' | null
  readonly preMajorFeature: 'patch' | 'minor' | null
  readonly tagPattern: string | null
  readonly scheme: VersionScheme | null
  readonly firstParent: boolean
  readonly prerelease: string | null
  readonly graduate: string | null
  readonly releaseBranch: 'version' | 'line' | null
  readonly githubRelease: boolean
  readonly notes: 'commits' | 'github' | 'none'
  readonly audience: 'internal' | 'external'
  /** Null for those that release. */
  readonly externalTypes: readonly string[] | null
  readonly internalScopes: readonly string[]
  readonly template: string | null
  readonly changelog: string | null
  readonly checkChangelog: boolean
  readonly check: boolean
  readonly writeVersionFiles: boolean
  readonly versionFiles: readonly string[]
  readonly workingDirectory: string
  readonly publishTo: string | null
  readonly roster: string | null
  readonly root: string | null
  readonly onlineKeys: string | null
  readonly channels: readonly string[]
  readonly requests: readonly string[]
  readonly acceptRisk: boolean
  readonly validHours: string
  readonly views: boolean
  readonly publicUrl: string | null
  readonly artifacts: string | null
  readonly customerAction: string | null
  readonly environmentUrl: string | null
  readonly description: string | null
  readonly failOnFailedStatus: boolean
  readonly dryRun: boolean
  readonly githubToken: string | null
  /** Inputs that were given but mean nothing to this command. */
  readonly unused: readonly InputName[]
}

export type InputProblemCode = 'input-missing' | 'input-invalid'

/** Reads the inputs from the environment. All problems at once; nothing of another input is guessed. */
export function readInputs(environment: Readonly<NodeJS.ProcessEnv>): Checked<Inputs, InputProblemCode> {
  const problems: Problem<InputProblemCode>[] = []
  const text = (name: InputName): string | null => {
    const given = environment[environmentNameOf(name)]?.trim()
    if (given) return given
    const definition: InputDefinition = INPUTS[name]
    return typeof definition.default === 'string' ? definition.default : null
  }
  const invalid = (name: InputName, expected: string, found: string): void => {
    problems.push({
      code: 'input-invalid',
      message: `expected ${expected} as input ${name}, found ${quoted(found)}`,
      path: name,
    })
  }
  const oneOf = <Choice extends string>(name: InputName, choices: readonly Choice[]): Choice | null => {
    const given = text(name)
    const choice = choices.find((candidate) => candidate === given)
    if (given !== null && choice === undefined) invalid(name, `one of ${choices.join(', ')}`, given)
    return choice ?? null
  }
  const flag = (name: InputName): boolean => {
    const given = text(name)?.toLowerCase() ?? 'false'
    if (given !== 'true' && given !== 'false') invalid(name, 'true or false', given)
    return given === 'true'
  }
  const list = (name: InputName, divider: RegExp): string[] =>
    (text(name) ?? '')
      .split(divider)
      .map((item) => item.trim())
      .filter((item) => item !== '')

  const command = oneOf('command', COMMANDS)
  const rules = list('rules', /\n/).flatMap((line): BumpRule[] => {
    const rule = parseRuleLine(line)
    if (rule.ok) return [rule.value]
    invalid('rules', 'lines such as `docs(readme): patch` or `chore: none`', line)
    return []
  })
  const sha = text('sha')
  if (sha !== null && !/^[0-9a-f]{40}$/.test(sha)) invalid('sha', 'a commit of 40 lower-case hexadecimal digits', sha)
  if (command !== null || text('command') === null) problems.push(...missing(command, text))

  const inputs = {
    product: text('product'),
    path: text('path'),
    exclude: list('exclude', /\n/),
    otherPaths: list('other-paths', /\n/),
    version: text('version'),
    environment: text('environment'),
    status: text('status') ?? '',
    sha,
    source: oneOf('source', changeSources) ?? 'commits',
    labelLevels: list('label-levels', /\n/),
    preset: oneOf('preset', PRESETS) ?? 'ringmaster',
    rules,
    visibleTypes: text('visible-types') === null ? null : list('visible-types', /[\n,]/),
    preMajorBreaking: oneOf('pre-major-breaking', ['minor', 'major']),
    preMajorFeature: oneOf('pre-major-feature', ['patch', 'minor']),
    tagPattern: text('tag-pattern'),
    scheme: oneOf('scheme', versionSchemes),
    firstParent: flag('first-parent'),
    prerelease: text('prerelease'),
    graduate: text('graduate'),
    releaseBranch: oneOf('release-branch', ['version', 'line']),
    githubRelease: flag('github-release'),
    notes: oneOf('notes', ['commits', 'github', 'none']) ?? 'commits',
    audience: oneOf('audience', ['internal', 'external']) ?? 'external',
    externalTypes: text('external-types') === null ? null : list('external-types', /[\n,]/),
    internalScopes: list('internal-scopes', /[\n,]/),
    template: text('template'),
    changelog: text('changelog'),
    checkChangelog: flag('check-changelog'),
    check: flag('check'),
    writeVersionFiles: flag('write-version-files'),
    versionFiles: list('version-files', /\n/),
    workingDirectory: text('working-directory') ?? '.',
    publishTo: text('publish-to'),
    roster: text('roster'),
    root: text('root'),
    onlineKeys: text('online-keys'),
    channels: list('channels', /\n/),
    requests: list('requests', /\n/),
    acceptRisk: flag('accept-risk'),
    validHours: text('valid-hours') ?? '',
    views: flag('views'),
    publicUrl: text('public-url'),
    artifacts: text('artifacts'),
    customerAction: text('customer-action'),
    environmentUrl: text('environment-url'),
    description: text('description'),
    failOnFailedStatus: flag('fail-on-failed-status'),
    dryRun: flag('dry-run'),
    githubToken: text('github-token'),
  }
  if (problems.length > 0 || command === null) return { ok: false, problems }
  return accepted({ command, ...inputs, unused: unusedBy(command, environment) })
}

const names = Object.keys(INPUTS) as readonly InputName[]

const missing = (command: CommandName | null, text: (name: InputName) => string | null): Problem<InputProblemCode>[] =>
  names
    .filter((name) => {
      const { neededBy = [] }: InputDefinition = INPUTS[name]
      return text(name) === null && (command === null ? name === 'command' : neededBy.includes(command))
    })
    .map((name) => ({
      code: 'input-missing',
      message: `expected the input ${name}${command === null ? '' : ` for ${command}`}, found none`,
      hint: name === 'command' ? `give one of ${COMMANDS.join(', ')}` : INPUTS[name].description,
      path: name,
    }))

/** A default counts as given to the runner, so only what differs from it tells of a misunderstanding. */
const unusedBy = (command: CommandName, environment: Readonly<NodeJS.ProcessEnv>): InputName[] =>
  names.filter((name) => {
    const definition: InputDefinition = INPUTS[name]
    if (definition.usedBy === 'all' || definition.usedBy.includes(command)) return false
    const given = environment[environmentNameOf(name)]?.trim()
    return Boolean(given) && typeof definition.default !== 'object' && given !== definition.default
  })
