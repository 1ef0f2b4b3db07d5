import { copyFile, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { RunHandle } from '../../sandbox/actions.ts'
import { startRun } from '../../sandbox/actions.ts'
import type { StepContext } from '../../sandbox/runner.ts'
import { RELEASE_REPOSITORY } from './seed.ts'
import { ACTION, command, type Stage } from './stage.ts'

type Inputs = Readonly<Record<string, string>>

const step = (id: string, inputs: Inputs) => ({ id, uses: ACTION, with: new Map(Object.entries(inputs)) })
const checkout = { uses: 'actions/checkout@v4', with: new Map([['fetch-depth', '0']]) }
const TOKEN = { contents: 'read', checks: 'write', deployments: 'write' } as const

export interface Product {
  readonly name: string
  readonly repository: string
  readonly path?: string
}

export const PRODUCTS = {
  user: { name: 'user-service', repository: 'acme/platform', path: 'services/user' },
  auth: { name: 'auth-service', repository: 'acme/platform', path: 'services/auth' },
  firmware: { name: 'edge-firmware', repository: 'acme/edge' },
} as const satisfies Record<string, Product>

const productInputs = ({ name, path }: Product): Inputs => ({ product: name, ...(path === undefined ? {} : { path }) })

/** Builds a product: the version is computed from its commits, and recorded; firmware has an artifact for devices. */
export function build(stage: Stage, product: Product): Promise<RunHandle> {
  const isFirmware = product.name === PRODUCTS.firmware.name
  const compile = { run: 'mkdir -p out && cp main.c out/firmware.bin', shell: 'bash' }
  const upload = async ({ workspace }: StepContext) => {
    await mkdir(join(stage.directory, 'public/artifacts'), { recursive: true })
    await copyFile(join(workspace, 'out/firmware.bin'), join(stage.directory, 'public/artifacts/firmware.bin'))
  }
  const artifacts = { artifacts: `firmware out/firmware.bin ${stage.host.url}artifacts/firmware.bin` }
  return startRun(stage.sandbox, {
    repository: product.repository,
    workflow: '.github/workflows/build.yml',
    actor: 'dora',
    permissions: TOKEN,
    jobs: [
      {
        name: 'build',
        outputs: { version: '${{ steps.record.outputs.version }}' },
        steps: [
          checkout,
          ...(isFirmware ? [compile, upload] : []),
          step('record', { command: 'record-build', ...productInputs(product), ...(isFirmware ? artifacts : {}) }),
        ],
      },
    ],
  })
}

/** Deploys a version into an environment of GitHub; the run tells what it is going to do before its gated job asks. */
export function deploy(
  stage: Stage,
  product: Product,
  version: string,
  environment: string,
  ending: 'completed' | 'failed' = 'completed',
): Promise<RunHandle> {
  const record = (id: string, status: string) =>
    step(id, {
      command: 'record-deployment',
      product: product.name,
      version,
      environment,
      status,
      'fail-on-failed-status': 'false',
    })
  return startRun(stage.sandbox, {
    repository: product.repository,
    workflow: '.github/workflows/deploy.yml',
    actor: 'dora',
    permissions: TOKEN,
    jobs: [
      { name: 'plan', steps: [checkout, record('intent', 'pending')] },
      {
        name: 'deploy',
        needs: ['plan'],
        environment,
        steps: [
          checkout,
          record('begin', 'started'),
          { run: ending === 'completed' ? 'echo deployed' : 'echo "the pods do not start"', shell: 'bash' },
          record('end', ending),
        ],
      },
    ],
  })
}

/** Deploys past every gate: no environment of GitHub stands in the job, so nobody was asked. */
export function deployPastTheGate(
  stage: Stage,
  product: Product,
  version: string,
  environment: string,
): Promise<RunHandle> {
  const inputs = { command: 'record-deployment', product: product.name, version, environment }
  return startRun(stage.sandbox, {
    repository: product.repository,
    workflow: '.github/workflows/by-hand.yml',
    actor: 'dora',
    permissions: TOKEN,
    jobs: [
      {
        name: 'deploy',
        steps: [
          checkout,
          step('begin', { ...inputs, status: 'started' }),
          step('end', { ...inputs, status: 'completed' }),
        ],
      },
    ],
  })
}

/** A run that has to succeed: its log is told when it does not. */
export async function succeeded(run: RunHandle, job: string): Promise<RunHandle> {
  const conclusion = await run.finished()
  if (conclusion !== 'success')
    throw new Error(`expected the run to succeed, found ${conclusion}:\n${run.job(job).log}`)
  return run
}

/** Hands signed bundles to the App from a workflow of the release repository, with that run's own token. */
export function handOver(stage: Stage, request: string): Promise<RunHandle> {
  const submit = async ({ token, log }: StepContext) => {
    const env = { GITHUB_TOKEN: token, GITHUB_API_URL: stage.sandbox.origin }
    const { code, out, err } = await command(['cohort', 'hand-over', request, '--repository', RELEASE_REPOSITORY], env)
    log(`${out}${err}`)
    if (code !== 0) throw new Error(err)
  }
  return startRun(stage.sandbox, {
    repository: RELEASE_REPOSITORY,
    workflow: '.github/workflows/bundles.yml',
    actor: 'ann',
    permissions: { contents: 'read', checks: 'write' },
    jobs: [{ name: 'hand-over', steps: [submit] }],
  })
}
