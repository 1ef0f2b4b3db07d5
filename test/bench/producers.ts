import { execFileSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runAction } from '../../src/action/run-action.ts'
import { type Given, recordingRunner, stage } from '../action/stage.ts'
import type { RequestRecord, Sandbox } from '../sandbox/sandbox.ts'
import { repositoryByName } from '../sandbox/store.ts'
import type { SimulatedTime } from './simulated-time.ts'

/** One step of the Action in a job, and what the job's own token spends on it. */
export interface ProducerStep {
  readonly name: string
  /** Whether it comes once a build, or once an attempt to deploy. */
  readonly once: 'build' | 'attempt'
  readonly requests: readonly RequestRecord[]
}

interface StepOfAJob extends Omit<ProducerStep, 'requests'> {
  readonly inputs: Given
}

/** In the order in which a workflow has them. Gates are the App's to answer: a job that waits at one spends nothing. */
const STEPS: readonly StepOfAJob[] = [
  { name: '`bump`, shown as a check run', once: 'build', inputs: { command: 'bump', check: 'true' } },
  { name: '`next-build`, until the App has answered', once: 'build', inputs: { command: 'next-build' } },
  { name: '`record-build`', once: 'build', inputs: { command: 'record-build', version: '1.0.0' } },
  {
    name: '`tag`, with a GitHub Release',
    once: 'build',
    inputs: { command: 'tag', version: '1.0.0', 'github-release': 'true' },
  },
  {
    name: '`record-deployment`, started',
    once: 'attempt',
    inputs: { command: 'record-deployment', version: '1.0.0', environment: 'production', status: 'started' },
  },
  {
    name: '`record-deployment`, completed',
    once: 'attempt',
    inputs: { command: 'record-deployment', version: '1.0.0', environment: 'production', status: 'success' },
  },
]

interface Place {
  readonly owner: string
  readonly repo: string
  readonly product: string
}

/** Runs every step as the jobs of one product would, while the App is at work: what they wait for is its answer. */
export function stepsOfJobs(sandbox: Sandbox, time: SimulatedTime, place: Place): Promise<readonly ProducerStep[]> {
  return time.working(async (sleep) => {
    const workspace = await mkdtemp(join(tmpdir(), 'ringmaster-workspace-'))
    try {
      const environment = await environmentOf(sandbox, place, workspace)
      const done: ProducerStep[] = []
      for (const { name, once, inputs } of STEPS) {
        const from = sandbox.requests.length
        await run({ ...inputs, product: place.product, ...schemeOf(inputs) }, environment, {
          nowMs: () => time.nowMs,
          sleep,
        })
        const requests = sandbox.requests.slice(from).filter(({ identity }) => identity === 'github-actions[bot]')
        done.push({ name, once, requests })
      }
      return done
    } finally {
      await rm(workspace, { recursive: true, force: true })
    }
  })
}

/** `record-deployment` reads none. */
const schemeOf = ({ command }: Given): Given => (command === 'record-deployment' ? {} : { scheme: 'semver-build' })

async function environmentOf(sandbox: Sandbox, { owner, repo }: Place, workspace: string) {
  const repository = repositoryByName(sandbox.world.store, owner, repo)
  const { gitDirectory, head } = sandbox.repository(`${owner}/${repo}`)
  const sha = await head()
  if (!repository || sha === undefined) throw new Error(`expected the repository ${owner}/${repo} with a commit`)
  execFileSync('git', ['clone', '--quiet', gitDirectory, workspace])
  const permissions = new Map([
    ['checks', 'write'],
    ['deployments', 'write'],
    ['contents', 'write'],
  ] as const)
  return {
    GITHUB_API_URL: sandbox.origin,
    GITHUB_SERVER_URL: sandbox.origin,
    GITHUB_REPOSITORY: `${owner}/${repo}`,
    GITHUB_SHA: sha,
    GITHUB_WORKSPACE: workspace,
    RINGMASTER_INPUT_GITHUB_TOKEN: sandbox.world.mintActionsToken(repository, permissions, 77),
  }
}

async function run(
  inputs: Given,
  environment: Readonly<Record<string, string>>,
  clock: ReturnType<typeof stage>['clock'],
): Promise<void> {
  const runner = recordingRunner()
  const exitCode = await runAction({ ...stage(inputs, environment), clock }, runner)
  const [annotation] = runner.annotations
  if (exitCode !== 0 || annotation !== undefined)
    throw new Error(`expected ${inputs.command} to pass, found ${annotation?.problem.message}`)
}
