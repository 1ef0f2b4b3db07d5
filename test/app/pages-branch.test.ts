import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { pagesBranch } from '../../src/app/pages-branch.ts'
import { manifestPermissions } from '../../src/app/permissions.ts'
import { PAGES_BRANCH } from '../../src/core/own-branches.ts'
import { unwrap } from '../../src/core/problem.ts'
import { directoryCache } from '../../src/device/cache.ts'
import { httpFetcher } from '../../src/device/fetch.ts'
import { type GovernedApp, gitHubApp } from '../../src/github/client.ts'
import { branchPublication } from '../../src/publish/branch.ts'
import type { Publication } from '../../src/publish/publication.ts'
import { expectedOf, verifyPublished } from '../../src/publish/verify-published.ts'
import { aBundle, aCohort, aRelease, Fleet, inShort } from '../device/fleet.ts'
import { type Sandbox, startSandbox } from '../sandbox/sandbox.ts'

const repo = { owner: 'acme', repo: 'releases' }
let sandbox: Sandbox
let fleet: Fleet
let site: string
const apps: GovernedApp[] = []
/** As a process of the App that has just started. */
let started: () => Publication

beforeAll(async () => {
  fleet = await Fleet.start(['eu'])
  sandbox = await startSandbox({
    seed: {
      people: ['ann'],
      organizations: [{ login: 'acme', owners: ['ann'], members: [] }],
      repositories: [{ name: 'acme/releases', commits: [{ message: 'Begin', files: { 'a.txt': 'a' } }] }],
      apps: [
        {
          slug: 'ringmaster',
          permissions: manifestPermissions(),
          events: [],
          installations: [{ account: 'acme' }],
        },
      ],
    },
  })
  const { id: appId, privateKey } = sandbox.app('ringmaster')
  started = () => {
    const app = gitHubApp({ appId, privateKey, apiUrl: sandbox.origin })
    apps.push(app)
    return branchPublication(pagesBranch(app, 'acme/releases'))
  }
})
afterAll(async () => {
  for (const app of apps) app.close()
  await sandbox.stop()
  await fleet.stop()
})

async function released(versions: readonly string[], publication = started()) {
  await fleet.signBundles([aBundle(versions.at(-1) ?? '')])
  const cohort = aCohort(
    'eu',
    versions.map((version) => aRelease(version)),
  )
  return unwrap(await fleet.publish([cohort], { publication })).files
}

const commits = async (): Promise<number> =>
  (await sandbox.as('ann').octokit.rest.repos.listCommits({ ...repo, sha: PAGES_BRANCH })).data.length

it('puts manifests on GitHub Pages by the pushes of the App, where a device takes them from', async () => {
  const first = await released(['1.0.0'])
  const { rest } = sandbox.as('ann').octokit
  const { data: pages } = await rest.repos.createPagesSite({ ...repo, source: { branch: PAGES_BRANCH, path: '/' } })
  site = String(pages.html_url)
  expect(await verifyPublished(site, expectedOf(first))).toMatchObject({ ok: true })

  const host = { fetcher: httpFetcher(site), cache: directoryCache(join(fleet.directory, 'device')) }
  expect(inShort(await fleet.check('a', { host }))).toBe('no_update')
  await released(['1.0.0', '2.0.0'])
  expect(inShort(await fleet.check('a', { host }))).toBe('update Gateway@2.0.0')

  expect(await commits()).toBe(2)
  const { data: tree } = await rest.git.getTree({ ...repo, tree_sha: PAGES_BRANCH })
  expect(tree.tree.map(({ path }) => path)).toEqual(['.nojekyll', 'metadata', 'targets'])
  expect(sandbox.violations).toEqual([])
})

it.each(['disconnect-after', 'bad-gateway-after', 'graphql-trouble-after', 'disconnect-before'] as const)(
  'a publication is one commit where its answer is lost (%s), and a device finds it',
  async (kind) => {
    const before = await commits()
    const field = 'createCommitOnBranch'
    sandbox.faults.add({ kind, field })
    const files = await released(['1.0.0', '2.0.0', '3.0.0'])
    expect(sandbox.faults.take([kind], { route: '', text: field })).toBeUndefined()
    expect(await commits()).toBe(before + 1)
    expect(await verifyPublished(site, expectedOf(files))).toMatchObject({ ok: true })
  },
)
