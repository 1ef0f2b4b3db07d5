import { toText, type Value } from './expression.ts'

/** What of the `github` context a step also sees as `GITHUB_…`; `token` is not among them, on purpose, as on GitHub. */
const exported = [
  'actor',
  'actor_id',
  'api_url',
  'base_ref',
  'event_name',
  'event_path',
  'graphql_url',
  'head_ref',
  'job',
  'ref',
  'ref_name',
  'ref_protected',
  'ref_type',
  'repository',
  'repository_id',
  'repository_owner',
  'repository_owner_id',
  'retention_days',
  'run_attempt',
  'run_id',
  'run_number',
  'server_url',
  'sha',
  'triggering_actor',
  'workflow',
  'workflow_ref',
  'workflow_sha',
  'workspace',
] as const

/** The `GITHUB_…` variables of a job, from its `github` context; absent members are empty, as on GitHub. */
export function githubVariables(github: ReadonlyMap<string, Value>): [string, string][] {
  return exported.map((name) => [`GITHUB_${name.toUpperCase()}`, toText(github.get(name) ?? null)])
}

/** The `runner` context of the sandbox. */
export const runnerContext = (temp: string): ReadonlyMap<string, Value> =>
  new Map<string, Value>([
    ['name', 'sandbox'],
    ['os', 'Linux'],
    ['arch', 'X64'],
    ['environment', 'self-hosted'],
    ['temp', temp],
    ['tool_cache', `${temp}/_tools`],
    ['debug', ''],
  ])

/** The `RUNNER_…` variables that go with `runnerContext`. */
export const runnerVariables = (temp: string): [string, string][] =>
  [...runnerContext(temp)]
    .filter(([, value]) => value !== '')
    .map(([name, value]) => [`RUNNER_${name.toUpperCase()}`, toText(value)])

/** Why the runner refuses that a step sets this variable through `GITHUB_ENV`, or undefined when it may. */
export function refusalOfVariable(name: string): string | undefined {
  if (/^(GITHUB|RUNNER)_/i.test(name)) return `Can't store ${name} output parameter: the name is reserved.`
  if (name.toUpperCase() === 'NODE_OPTIONS')
    return "Can't store NODE_OPTIONS output parameter using '$GITHUB_ENV' command."
  return undefined
}

/** The command line of a `shell:`; unnamed is what GitHub runs when a workflow says nothing. */
export function shellCommand(shell: string | undefined, script: string): { command: string; args: string[] } {
  const known = new Map([
    [undefined, 'bash -e {0}'],
    ['bash', 'bash --noprofile --norc -eo pipefail {0}'],
    ['sh', 'sh -e {0}'],
    ['python', 'python3 {0}'],
  ])
  const template = known.get(shell) ?? shell
  if (!template?.includes('{0}'))
    throw new Error(`Invalid shell option. Expected a known shell or a template with {0}, found '${shell}'.`)
  const [command = '', ...args] = template.split(' ').map((word) => word.replaceAll('{0}', script))
  return { command, args }
}
