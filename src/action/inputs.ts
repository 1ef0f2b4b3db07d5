import { accepted, type Checked, type Problem, quoted } from '../core/problem.ts'
import type { BumpRule, PresetName } from '../core/version/schema.ts'
import { COMMANDS, type CommandName } from './outputs.ts'

/** Spelled out here, because the schema would bring zod into the bump. */
const PRESETS = [
  'ringmaster',
  'angular',
  'conventionalcommits',
  'release-please',
] as const satisfies readonly PresetName[]

/** Which commands read an input. */
type UsedBy = 'all' | readonly CommandName[]

interface InputDefinition {
  readonly description: string
  /** As `action.yml` has it; an expression is filled in by the runner alone. */
  readonly default?: string | { readonly expression: string }
  readonly usedBy: UsedBy
  /** Commands that cannot do without it. The runner itself does not enforce `required`. */
  readonly neededBy?: readonly CommandName[]
}

const VERSIONED = ['bump', 'record-build'] as const
const RECORDS = ['record-build', 'record-deployment'] as const

/** Every input of the Action. `action.yml` declares exactly these, by test; none reaches the program but by `env:`. */
export const INPUTS = {
  command: { description: `What to do: ${COMMANDS.join(', ')}.`, usedBy: 'all', neededBy: COMMANDS },
  product: {
    description: 'The product’s name. The repository’s name unless given; needed where `path` is.',
    usedBy: ['bump', ...RECORDS],
  },
  path: {
    description: 'The product’s folder from the root of its repository; of `validate-config` the file to check.',
    usedBy: [...VERSIONED, 'validate-config'],
  },
  exclude: {
    description: 'Folders that do not count for the product, one a line: other products inside its folder.',
    usedBy: VERSIONED,
  },
  version: {
    description: 'The version that was built or gets deployed. `record-build` computes it where it is absent.',
    usedBy: RECORDS,
    neededBy: ['record-deployment'],
  },
  environment: {
    description: 'The environment it gets deployed to; a GitHub Environment of the same name where there is one.',
    usedBy: ['record-deployment'],
    neededBy: ['record-deployment'],
  },
  status: {
    description:
      'pending, started, completed, failed or aborted, or a word that means one of them; a job’s own `job.status` is understood.',
    default: 'completed',
    usedBy: RECORDS,
  },
  sha: {
    description:
      'The commit, 40 hexadecimal digits. The run’s own commit unless given; a computed version belongs to the checked-out one.',
    usedBy: RECORDS,
  },
  preset: {
    description: `How commits are read: ${PRESETS.join(', ')}.`,
    default: 'ringmaster',
    usedBy: VERSIONED,
  },
  rules: {
    description: 'Rules tried before the preset’s own, one a line: `docs(readme): patch`, `chore: none`.',
    usedBy: VERSIONED,
  },
  'visible-types': {
    description: 'Commit types that make a release, one a line or divided by commas.',
    usedBy: VERSIONED,
  },
  'pre-major-breaking': {
    description: 'What a breaking change asks for below 1.0.0: minor or major. The preset’s own unless given.',
    usedBy: VERSIONED,
  },
  'pre-major-feature': {
    description: 'What a feature asks for below 1.0.0: patch or minor. The preset’s own unless given.',
    usedBy: VERSIONED,
  },
  'tag-pattern': {
    description:
      'How release tags are written, with `{version}` in it. `v{version}` unless given; where `path` is given: `<product>/v{version}`.',
    usedBy: VERSIONED,
  },
  'first-parent': {
    description: 'Read only the first parents of merges, so that a merge counts by its own message alone.',
    default: 'false',
    usedBy: VERSIONED,
  },
  'working-directory': {
    description: 'Where the checkout is, from the workspace.',
    default: '.',
    usedBy: [...VERSIONED, 'validate-config'],
  },
  artifacts: {
    description:
      'What was built for devices: lines of `name path url [target]`, or a JSON array of {name, url, target?, path} or {name, url, target?, size, sha256}.',
    usedBy: ['record-build'],
  },
  'environment-url': { description: 'Where the deployed version can be seen.', usedBy: ['record-deployment'] },
  description: {
    description: 'A few words for people; at most 140 characters are kept.',
    usedBy: ['record-deployment'],
  },
  'fail-on-failed-status': {
    description: 'Fail the step after a failed status was recorded.',
    default: 'true',
    usedBy: RECORDS,
  },
  'dry-run': { description: 'Write nothing; say what would be done.', default: 'false', usedBy: RECORDS },
  'github-token': {
    description: 'Needs `checks: write` to record builds and `deployments: write` to record deployments.',
    default: { expression: 'github.token' },
    usedBy: RECORDS,
  },
} as const satisfies Record<string, InputDefinition>

export type InputName = keyof typeof INPUTS

/** The inputs, read once. Null where an input that has no default was left out or blank. */
export interface Inputs {
  readonly command: CommandName
  readonly product: string | null
  readonly path: string | null
  readonly exclude: readonly string[]
  readonly version: string | null
  readonly environment: string | null
  readonly status: string
  readonly sha: string | null
  readonly preset: PresetName
  readonly rules: readonly BumpRule[]
  readonly visibleTypes: readonly string[] | null
  readonly preMajorBreaking: 'minor' | 'major' | null
  readonly preMajorFeature: 'patch' | 'minor' | null
  readonly tagPattern: string | null
  readonly firstParent: boolean
  readonly workingDirectory: string
  readonly artifacts: string | null
  readonly environmentUrl: string | null
  readonly description: string | null
  readonly failOnFailedStatus: boolean
  readonly dryRun: boolean
  readonly githubToken: string | null
  /** Inputs that were given but mean nothing to this command. */
  readonly unused: readonly InputName[]
}

export type InputProblemCode = 'input-missing' | 'input-invalid'

/** `fail-on-failed-status` reaches the program as `RINGMASTER_INPUT_FAIL_ON_FAILED_STATUS`. */
export const environmentNameOf = (name: InputName): string =>
  `RINGMASTER_INPUT_${name.toUpperCase().replaceAll('-', '_')}`

const BUMP_RULE = /^([^\s():]+)(?:\(([^\s():]+)\))?:[ \t]*(none|patch|minor|major)$/

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
    const [, type, scope, bump] = BUMP_RULE.exec(line) ?? []
    if (type === undefined || bump === undefined) {
      invalid('rules', 'lines such as `docs(readme): patch` or `chore: none`', line)
      return []
    }
    return [{ type, ...(scope === undefined ? {} : { scope }), bump: bump as BumpRule['bump'] }]
  })
  const sha = text('sha')
  if (sha !== null && !/^[0-9a-f]{40}$/.test(sha)) invalid('sha', 'a commit of 40 lower-case hexadecimal digits', sha)
  if (command !== null || text('command') === null) problems.push(...missing(command, text))

  const inputs = {
    product: text('product'),
    path: text('path'),
    exclude: list('exclude', /\n/),
    version: text('version'),
    environment: text('environment'),
    status: text('status') ?? '',
    sha,
    preset: oneOf('preset', PRESETS) ?? 'ringmaster',
    rules,
    visibleTypes: text('visible-types') === null ? null : list('visible-types', /[\n,]/),
    preMajorBreaking: oneOf('pre-major-breaking', ['minor', 'major']),
    preMajorFeature: oneOf('pre-major-feature', ['patch', 'minor']),
    tagPattern: text('tag-pattern'),
    firstParent: flag('first-parent'),
    workingDirectory: text('working-directory') ?? '.',
    artifacts: text('artifacts'),
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
