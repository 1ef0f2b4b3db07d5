import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { RunHandle } from '../../sandbox/actions.ts'
import { BOT, board, commentsOf, openIssue, person, proposals, review, say, signoffCheck } from './github.ts'
import { COHORT, RELEASE_REPOSITORY } from './seed.ts'
import { type CommandResult, eventually, type Stage } from './stage.ts'
import { build, deploy, deployPastTheGate, handOver, PRODUCTS, succeeded } from './workflows.ts'

/** What the scenes have learned so far: nothing of it is known beforehand. */
export interface Plot {
  versions: Record<keyof typeof PRODUCTS, string>
  issue: number
  proposal: number
  waiting: RunHandle[]
}

/** One scene of the story; it says what happened, in lines for people. */
export interface Scene {
  readonly title: string
  play(stage: Stage, plot: Plot): Promise<readonly string[]>
}

export const newPlot = (): Plot => ({
  versions: { user: '', auth: '', firmware: '' },
  issue: 0,
  proposal: 0,
  waiting: [],
})

const nameOf = (product: keyof typeof PRODUCTS, plot: Plot): string =>
  `${PRODUCTS[product].name}@${plot.versions[product]}`
const KEYS = Object.keys(PRODUCTS) as (keyof typeof PRODUCTS)[]

export function expectDone(result: CommandResult): CommandResult {
  if (result.code !== 0) throw new Error(`expected exit code 0, found ${result.code}: ${result.err || result.out}`)
  return result
}

/** Reads the log as an auditor would, with the command line on the repository itself. */
const log = async (stage: Stage, ...filter: string[]): Promise<string> =>
  expectDone(
    await stage.ringmaster(
      'ledger',
      'log',
      '--repo',
      stage.sandbox.repository(RELEASE_REPOSITORY).gitDirectory,
      ...filter,
    ),
  ).out

export const logged = (
  stage: Stage,
  what: string,
  filter: readonly string[],
  has: (text: string) => boolean,
): Promise<string> =>
  eventually(what, async () => {
    const result = await stage.ringmaster(
      'ledger',
      'log',
      '--repo',
      stage.sandbox.repository(RELEASE_REPOSITORY).gitDirectory,
      ...filter,
    )
    return result.code === 0 && has(result.out) ? result.out : undefined
  })

/** What an admin does once: the ruleset that the command line prints. */
async function guardBranches(stage: Stage): Promise<void> {
  const body = JSON.parse(
    expectDone(await stage.ringmaster('ruleset', '--app-id', String(stage.sandbox.app('ringmaster').id))).out,
  )
  await person(stage, 'olga').request('POST /repos/{owner}/{repo}/rulesets', {
    owner: 'acme',
    repo: 'releases',
    ...body,
  })
}

async function guardProduction(stage: Stage, repo: string): Promise<void> {
  const at = { owner: 'acme', repo, environment_name: 'production' }
  const { rest } = person(stage, 'olga')
  await rest.repos.createOrUpdateEnvironment(at)
  await rest.repos.createDeploymentProtectionRule({ ...at, integration_id: stage.sandbox.app('ringmaster').id })
}

/** What the holder of the bundles key does: signs what waits, beside what was signed before, and hands it over. */
export async function signBundles(stage: Stage, previous?: string): Promise<void> {
  const git = stage.sandbox.repository(RELEASE_REPOSITORY).gitDirectory
  const work = join(stage.directory, 'signing')
  await mkdir(work, { recursive: true })
  const listed = expectDone(await stage.ringmaster('cohort', 'bundles', '--repo', git, '--out', work, '--json'))
  const bundles = (JSON.parse(listed.out) as { bundles: { path: string }[] }).bundles
  const request = join(work, 'bundles.request.json')
  const made = await stage.ringmaster(
    'keys',
    'bundles',
    '--targets',
    join(stage.keys, 'targets.request.json'),
    ...(previous === undefined ? [] : ['--previous', previous]),
    ...bundles.flatMap(({ path }) => ['--bundle', path]),
    '--out',
    request,
  )
  expectDone(made)
  const holder = join(stage.directory, 'bundles-holder', 'bundles-main.pem')
  expectDone(await stage.ringmaster('keys', 'sign', request, '--key', holder))
  await succeeded(await handOver(stage, request), 'hand-over')
}

export const SCENES: readonly Scene[] = [
  {
    title: 'The App starts: it reads its configuration and opens its ledger on a protected branch',
    async play(stage) {
      await guardBranches(stage)
      for (const repo of ['platform', 'edge']) await guardProduction(stage, repo)
      await stage.app.start()
      await logged(stage, 'an accepted configuration', ['--type', 'config'], (text) => text.includes('config.accepted'))
      const refused = await person(stage, 'olga')
        .rest.git.updateRef({
          owner: 'acme',
          repo: 'releases',
          ref: 'heads/ringmaster-data',
          sha: (await stage.sandbox.repository(RELEASE_REPOSITORY).head('main')) ?? '',
          force: true,
        })
        .then(
          () => 'was allowed',
          (error: Error) => error.message.split('\n')[0] ?? '',
        )
      if (refused === 'was allowed') throw new Error('an owner could rewrite the data branch')
      return ['The configuration is in force.', `An owner who tries to rewrite the data branch is refused: ${refused}`]
    },
  },
  {
    title: 'Three products in two repositories are built; the Action computes each version from its commits',
    async play(stage, plot) {
      for (const key of KEYS) {
        const run = await succeeded(await build(stage, PRODUCTS[key]), 'build')
        plot.versions[key] = run.job('build').outputs.get('version') ?? ''
      }
      await logged(stage, 'three recorded builds', ['--type', 'build.recorded'], (text) =>
        KEYS.every((key) => text.includes(nameOf(key, plot))),
      )
      return KEYS.map((key) => `${nameOf(key, plot)} is recorded at its commit.`)
    },
  },
  {
    title: 'They are deployed to integration and beta; one deployment fails and is repeated',
    async play(stage, plot) {
      for (const environment of ['integration', 'beta']) {
        for (const key of KEYS) {
          if (key === 'auth' && environment === 'beta') {
            await succeeded(await deploy(stage, PRODUCTS.auth, plot.versions.auth, environment, 'failed'), 'deploy')
          }
          await succeeded(await deploy(stage, PRODUCTS[key], plot.versions[key], environment), 'deploy')
        }
      }
      await logged(
        stage,
        'six completed deployments',
        ['--type', 'deployment.completed'],
        (text) => text.trim().split('\n').length === 6,
      )
      const failed = (await log(stage, '--type', 'deployment.failed')).trim().split('\n')
      const jobs = (await log(stage, '--type', 'job-deployment')).trim().split('\n').length
      if (failed.length !== 1) throw new Error(`expected one failed deployment, found ${failed.length}`)
      return [
        '6 deployments completed, 1 failed.',
        `GitHub's own job deployments were heard ${jobs} times and counted not once more.`,
      ]
    },
  },
  {
    title: 'A release manager makes an issue the release issue and puts the versions in',
    async play(stage, plot) {
      plot.issue = await openIssue(stage, 'ann', 'Ship the platform')
      await say(stage, 'ann', plot.issue, '/release "User Platform v2.0"')
      const typo = await say(stage, 'ann', plot.issue, '/add user-servce')
      if (!typo.includes('Did you mean')) throw new Error(`expected a suggestion, found ${typo}`)
      const stranger = await say(stage, 'mallory', plot.issue, '/add user-service')
      if (!stranger.includes('may not do this')) throw new Error(`expected a refusal, found ${stranger}`)
      await say(stage, 'ann', plot.issue, KEYS.map((key) => `/add ${nameOf(key, plot)}`).join('\n'))
      const body = await board(
        stage,
        plot.issue,
        'a matrix with three products',
        (text) => KEYS.every((key) => text.includes(PRODUCTS[key].name)) && text.includes('✅ live'),
      )
      await say(stage, 'ann', plot.issue, '/done rollback-plan "redeploy the versions before"')
      return [
        `Issue #${plot.issue} shows the matrix in one comment:`,
        ...body.split('\n').filter((line) => line.startsWith('|')),
      ]
    },
  },
  {
    title: 'The proposal: Engineering and QA sign exactly this composition',
    async play(stage, plot) {
      await say(stage, 'ann', plot.issue, '/start')
      plot.proposal = await eventually('a proposal', async () => (await proposals(stage))[0]?.number)
      await signoffCheck(
        stage,
        plot.proposal,
        'both parties missing',
        (title) => title.includes('Engineering') && title.includes('QA'),
      )
      await review(stage, 'eve', plot.proposal, 'APPROVE')
      await signoffCheck(stage, plot.proposal, 'QA missing', (title) => title === 'Missing: QA')
      await say(stage, 'ann', plot.issue, '/remove auth-service')
      await say(stage, 'ann', plot.issue, `/add ${nameOf('auth', plot)}\n/remove user-service`)
      await signoffCheck(stage, plot.proposal, 'the approval of an older composition to be void', (title) =>
        title.includes('Engineering'),
      )
      await say(stage, 'ann', plot.issue, `/add ${nameOf('user', plot)}`)
      const title = await signoffCheck(
        stage,
        plot.proposal,
        'the approval to count again with its composition',
        (text) => text === 'Missing: QA',
      )
      return [
        `Proposal #${plot.proposal}: an approval of another composition did not count; it counts for its own.`,
        `The check run says: ${title.output.title}`,
      ]
    },
  },
  {
    title: 'A job waits at production and is told why; a deployment past the gate is seen',
    async play(stage, plot) {
      plot.waiting = await Promise.all(
        KEYS.map((key) => deploy(stage, PRODUCTS[key], plot.versions[key], 'production')),
      )
      const told = await eventually('a status report at the gate', async () => {
        const octokit = person(stage, 'olga')
        const run = plot.waiting[0]
        if (!run) return undefined
        const { data } = await octokit.request('GET /repos/{owner}/{repo}/actions/runs/{run_id}/approvals', {
          owner: 'acme',
          repo: 'platform',
          run_id: run.id,
        })
        return data.find((approval) => approval.comment.includes('signoff-pending'))?.comment
      })
      await deployPastTheGate(stage, PRODUCTS.user, plot.versions.user, 'production').then((run) => run.finished())
      await board(stage, plot.issue, 'an unauthorised deployment on the board', (text) =>
        text.includes('⚠️ unauthorised'),
      )
      return [
        'The App answers that the job still waits:',
        ...told.split('\n').filter((line) => line.startsWith('- ')),
        'A deployment that no gate allowed is shown as unauthorised.',
      ]
    },
  },
  {
    title: 'The last party signs, a late veto takes it back, its author restores it, and the gates open',
    async play(stage, plot) {
      await review(stage, 'quinn', plot.proposal, 'REQUEST_CHANGES', 'The load test is still running.')
      await signoffCheck(
        stage,
        plot.proposal,
        'a veto',
        (title, conclusion) => title === 'Vetoed by quinn' && conclusion === 'failure',
      )
      await review(stage, 'quinn', plot.proposal, 'APPROVE')
      await signoffCheck(stage, plot.proposal, 'the sign-off', (_title, conclusion) => conclusion === 'success')
      const conclusions = await Promise.all(plot.waiting.map((run) => run.finished()))
      if (conclusions.some((conclusion) => conclusion !== 'success'))
        throw new Error(`expected three successful runs, found ${conclusions.join(', ')}`)
      await board(
        stage,
        plot.issue,
        'everything live in production',
        (text) => (text.match(/✅ live/g) ?? []).length >= 9,
      )
      const pull = (await proposals(stage))[0]
      return [
        'quinn objected: vetoed; quinn approved: signed off.',
        `The three waiting jobs were let in and deployed; the proposal stays ${pull?.state ?? 'gone'}.`,
      ]
    },
  },
  {
    title: 'The version reached a ring that serves a cohort: its bundle is signed, its manifest is published',
    async play(stage, plot) {
      await logged(stage, 'a channel release', ['--type', 'channel'], (text) => text.includes('channel.released'))
      await signBundles(stage)
      const published = await logged(stage, 'a published manifest', ['--type', 'manifest'], (text) =>
        text.includes('manifest.published'),
      )
      return [
        `Offered: ${nameOf('firmware', plot)}, signed by a key that the App does not hold.`,
        published.trim().split('\n').at(-1)?.trim() ?? '',
      ]
    },
  },
  {
    title: 'A device on an older version fetches, verifies and resolves the manifest',
    async play(stage, plot) {
      const answer = expectDone(
        await stage.ringmaster(
          'resolve',
          '--base-url',
          stage.host.url,
          '--cohort',
          COHORT,
          '--state',
          join(stage.directory, 'device'),
          '--root',
          join(stage.keys, '1.root.json'),
          '--release-version',
          '2.9.0',
        ),
      )
      if (!answer.out.includes(plot.versions.firmware))
        throw new Error(`expected the device to be offered ${plot.versions.firmware}, found:\n${answer.out}`)
      return answer.out.trim().split('\n')
    },
  },
  {
    title: 'The release completes, the proposal is merged, and the whole log is replayed',
    async play(stage, plot) {
      await say(stage, 'ann', plot.issue, '/complete')
      await eventually('a merged proposal', async () => ((await proposals(stage))[0]?.merged_at ? true : undefined))
      await logged(stage, 'the merge in the log', ['--type', 'release'], (text) => text.includes('release.completed'))
      const verified = expectDone(
        await stage.ringmaster('ledger', 'verify', '--repo', stage.sandbox.repository(RELEASE_REPOSITORY).gitDirectory),
      )
      const own = (await commentsOf(stage, plot.issue)).filter((comment) => comment.user?.login === BOT).length
      return [
        `Proposal #${plot.proposal} is merged; the issue has ${own} comments of Ringmaster.`,
        ...verified.out.trim().split('\n'),
      ]
    },
  },
]
