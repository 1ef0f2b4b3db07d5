import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { ActionSource, Step, StepContext } from '../runner.ts'
import { fullName, type Repository } from '../store.ts'
import type { World } from '../world.ts'

const versions = ['v3', 'v4', 'v5', 'v6']

/** Stand-ins for the actions that every workflow begins with; Node is there already. */
export const standInActions = (world: World, repository: Repository): [string, ActionSource][] => [
  ...versions.map((version): [string, ActionSource] => [
    `actions/checkout@${version}`,
    { run: (context) => checkOut(world, repository, context) },
  ]),
  ...versions.map((version): [string, ActionSource] => [`actions/setup-node@${version}`, { run: () => {} }]),
]

/** What actions/checkout does with `repository`, `ref`, `token`, `path`, `fetch-depth` and `fetch-tags`. */
async function checkOut(world: World, repository: Repository, context: StepContext): Promise<void> {
  const input = (name: string, fallback: string): string => {
    const given = context.inputs.get(name)
    return given === undefined || given === '' ? fallback : given
  }
  const name = input('repository', fullName(repository))
  const isOwn = name === fullName(repository)
  const target = join(context.workspace, input('path', '.'))
  const depth = Number(input('fetch-depth', '1'))
  const secret = Buffer.from(`x-access-token:${input('token', context.token)}`).toString('base64')
  const ref = input('ref', isOwn ? String(context.github['sha']) : 'HEAD')
  mkdirSync(target, { recursive: true })
  const env = new Map([
    ['TARGET', target],
    ['URL', `${world.origin}/${name}.git`],
    ['HEADER', `AUTHORIZATION: basic ${secret}`],
    ['REF', ref],
    ['BRANCH', String(context.github['ref_name'])],
  ])
  const tags = depth === 0 || input('fetch-tags', 'false') === 'true' ? '--tags' : '--no-tags'
  const limit = depth === 0 ? '' : `--depth=${depth}`
  const everything = depth === 0 ? "'+refs/heads/*:refs/remotes/origin/*'" : ''
  const lines = [
    'cd "$TARGET"',
    'git init --quiet .',
    `git config "http.$GITHUB_SERVER_URL/.extraheader" "$HEADER"`,
    'git remote add origin "$URL" 2>/dev/null || git remote set-url origin "$URL"',
    `git fetch --quiet ${tags} ${limit} origin "$REF" ${everything}`,
    isOwn && ref === context.github['sha'] && context.github['ref_type'] === 'branch'
      ? 'git checkout --quiet --force -B "$BRANCH" FETCH_HEAD'
      : 'git checkout --quiet --force --detach FETCH_HEAD',
  ]
  const step: Step = { run: lines.join('\n'), shell: 'bash', env, name: `Check out ${name}` }
  await context.step(step)
}
