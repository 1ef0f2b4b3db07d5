import { parse } from 'yaml'
import { z } from 'zod'
import type { Level, Permissions } from '../store.ts'
import { Step } from './action-metadata.ts'
import type { Concurrency } from './concurrency.ts'
import { defaultPermissions, type JobDefinition } from './run-definition.ts'

const Scalar = z.union([z.string(), z.number(), z.boolean()])
const TextMap = z
  .record(z.string(), Scalar.nullable())
  .transform((members) => new Map(Object.entries(members).map(([key, value]) => [key, String(value ?? '')])))
const Names = z
  .union([z.string(), z.array(z.string())])
  .transform((names) => (typeof names === 'string' ? [names] : names))
const GrantedPermissions = z.union([
  z.enum(['read-all', 'write-all']),
  z.record(z.string(), z.enum(['read', 'write', 'none'])),
])

const Environment = z.union([
  z.string().transform((name) => ({ name, url: undefined, deployment: true })),
  z
    .strictObject({ name: z.string(), url: z.string().optional(), deployment: z.boolean().default(true) })
    .transform(({ name, url, deployment }) => ({ name, url, deployment })),
])

const ConcurrencyGroup = z.union([
  z.string().transform((group) => ({ group, cancelInProgress: false })),
  z
    .strictObject({ group: z.string(), 'cancel-in-progress': z.union([z.boolean(), z.string()]).default(false) })
    .transform((given) => ({ group: given.group, cancelInProgress: given['cancel-in-progress'] })),
])

/** What the sandbox runs of a job. `uses`, `strategy`, `services` and `container` are refused rather than ignored. */
const Job = z.strictObject({
  name: z.string().optional(),
  'runs-on': z.union([z.string(), z.array(z.string()), z.looseObject({})]),
  needs: Names.default([]),
  if: Scalar.transform(String).optional(),
  environment: Environment.optional(),
  permissions: GrantedPermissions.optional(),
  env: TextMap.default(new Map()),
  outputs: TextMap.default(new Map()),
  concurrency: ConcurrencyGroup.optional(),
  /** Taken and not kept: steps have limits of their own here. */
  'timeout-minutes': z.unknown().optional(),
  steps: z.array(Step).min(1),
})

export const DispatchInput = z.looseObject({
  required: z.boolean().default(false),
  default: Scalar.optional(),
  type: z.enum(['string', 'boolean', 'number', 'choice', 'environment']).default('string'),
  options: z.array(z.string()).optional(),
})
export type DispatchInput = z.infer<typeof DispatchInput>

const EventFilter = z.looseObject({ types: Names.optional(), branches: Names.optional() }).nullish()
const BranchFilter = z.looseObject({ branches: Names.optional(), tags: Names.optional() })
const Triggers = z.looseObject({
  push: BranchFilter.nullish(),
  workflow_dispatch: z.looseObject({ inputs: z.record(z.string(), DispatchInput.nullable()).optional() }).nullish(),
  repository_dispatch: EventFilter,
  issues: EventFilter,
  issue_comment: EventFilter,
  pull_request: EventFilter,
  pull_request_review: EventFilter,
})

const WorkflowDocument = z.strictObject({
  name: z.string().optional(),
  'run-name': z.string().optional(),
  on: z.union([
    Names.transform((names) => Triggers.parse(Object.fromEntries(names.map((name) => [name, null])))),
    Triggers,
  ]),
  permissions: GrantedPermissions.optional(),
  env: TextMap.default(new Map()),
  concurrency: ConcurrencyGroup.optional(),
  defaults: z.undefined().optional(),
  jobs: z.record(z.string().regex(/^[A-Za-z_][\w-]*$/), Job),
})

export interface WorkflowFile {
  readonly name: string
  readonly runName: string | undefined
  readonly on: z.infer<typeof Triggers>
  readonly env: ReadonlyMap<string, string>
  readonly concurrency: Concurrency | undefined
  readonly jobs: readonly JobDefinition[]
}

const everyPermission = [
  'actions',
  'checks',
  'contents',
  'deployments',
  'discussions',
  'id_token',
  'issues',
  'metadata',
  'packages',
  'pages',
  'pull_requests',
  'statuses',
] // prettier-ignore

/** Naming any permission takes away all others, except reading metadata. */
function permissionsOf(given: z.infer<typeof GrantedPermissions> | undefined, fallback: Permissions): Permissions {
  if (given === undefined) return fallback
  if (given === 'read-all' || given === 'write-all') {
    const level: Level = given === 'read-all' ? 'read' : 'write'
    return new Map(everyPermission.map((name) => [name, level]))
  }
  const granted = Object.entries(given).filter((entry): entry is [string, 'read' | 'write'] => entry[1] !== 'none')
  return new Map<string, Level>([
    ['metadata', 'read'],
    ...granted.map(([name, level]) => [name.replaceAll('-', '_'), level] as const),
  ])
}

/** Reads a workflow. Throws with one message that names every mistake, also for what the sandbox does not run. */
export function readWorkflowFile(path: string, text: string): WorkflowFile {
  const read = WorkflowDocument.safeParse(parse(text))
  if (!read.success) throw new Error(`Invalid workflow file ${path}: ${z.prettifyError(read.error)}`)
  const { name = path, 'run-name': runName, on, env, permissions, concurrency, jobs } = read.data
  const ofWorkflow = permissionsOf(permissions, defaultPermissions)
  const definitions = Object.entries(jobs).map(
    ([key, job]): JobDefinition => ({
      key,
      name: job.name ?? key,
      needs: job.needs,
      if: job.if,
      environment: job.environment,
      concurrency: job.concurrency,
      env: job.env,
      outputs: job.outputs,
      permissions: permissionsOf(job.permissions, ofWorkflow),
      steps: job.steps,
    }),
  )
  refuseBrokenNeeds(path, definitions)
  return { name, runName, on, env, concurrency, jobs: definitions }
}

/** A job that needs an unknown job, or itself by whatever way, could never start. */
export function refuseBrokenNeeds(path: string, jobs: readonly JobDefinition[]): void {
  const settled = new Set<string>()
  let waiting = jobs
  while (waiting.length > 0) {
    const ready = waiting.filter((job) => job.needs.every((need) => settled.has(need)))
    if (ready.length === 0)
      throw new Error(
        `Invalid workflow file ${path}: jobs need each other or an unknown job: ${waiting.map((job) => job.key).join(', ')}`,
      )
    for (const job of ready) settled.add(job.key)
    waiting = waiting.filter((job) => !settled.has(job.key))
  }
}
