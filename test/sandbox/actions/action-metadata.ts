import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'

const Scalar = z.union([z.string(), z.number(), z.boolean()])
/** A mapping of texts; its keys are outside text, so it becomes a Map. */
const TextMap = z
  .record(z.string(), Scalar.nullable())
  .transform((members) => new Map(Object.entries(members).map(([key, value]) => [key, String(value ?? '')])))

const common = {
  id: z.string().optional(),
  name: z.string().optional(),
  if: Scalar.transform(String).optional(),
  env: TextMap.optional(),
  'continue-on-error': z.union([z.boolean(), z.string()]).optional(),
  'timeout-minutes': z.number().positive().optional(),
}

/** One step of a job or a composite action, as its author writes it. */
export const Step = z.union([
  z.strictObject({
    ...common,
    run: z.string(),
    shell: z.string().optional(),
    'working-directory': z.string().optional(),
  }),
  z.strictObject({ ...common, uses: z.string(), with: TextMap.optional() }),
])
export type Step = z.infer<typeof Step>

const Named = <T extends z.ZodType>(member: T) =>
  z
    .record(z.string(), member.nullable())
    .transform((members) => new Map(Object.entries(members) as [string, z.infer<T> | null][]))

const Input = z.looseObject({ required: z.boolean().optional(), default: Scalar.optional() })
const Output = z.looseObject({ value: z.string().optional() })

/** `action.yml`: docs.github.com/actions/reference/workflows-and-actions/metadata-syntax */
export const ActionMetadata = z.strictObject({
  name: z.string(),
  description: z.string().optional(),
  author: z.string().optional(),
  branding: z.looseObject({}).optional(),
  inputs: Named(Input).default(new Map()),
  outputs: Named(Output).default(new Map()),
  runs: z.discriminatedUnion('using', [
    z.strictObject({ using: z.literal('composite'), steps: z.array(Step) }),
    z.strictObject({ using: z.literal('node20'), main: z.string() }),
    z.strictObject({ using: z.literal('node24'), main: z.string() }),
  ]),
})
export type ActionMetadata = z.infer<typeof ActionMetadata>

/** Reads the action of a directory. Throws when there is none or when GitHub would refuse to load it. */
export function readActionMetadata(directory: string): ActionMetadata {
  const file = ['action.yml', 'action.yaml'].map((name) => join(directory, name)).find((path) => existsSync(path))
  if (file === undefined) throw new Error(`Can't find 'action.yml' or 'action.yaml' under '${directory}'.`)
  const read = ActionMetadata.safeParse(parse(readFileSync(file, 'utf8')))
  if (!read.success) throw new Error(`${file} is not valid: ${z.prettifyError(read.error)}`)
  const { runs } = read.data
  const unshelled = runs.using === 'composite' ? runs.steps.findIndex((step) => 'run' in step && !step.shell) : -1
  if (unshelled >= 0) throw new Error(`${file}: step ${unshelled + 1}: Required property is missing: shell`)
  return read.data
}
