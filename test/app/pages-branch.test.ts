import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { pagesBranch } from '../../src/app/pages-branch.ts'
import { manifestPermissions } from '../../src/app/permissions.ts'
import { PAGES_BRANCH } from '../../src/core/own-branches.ts'
import { unwrap } from '../../src/core/problem.ts'
import { directoryCache } from '../../src/device/cache.ts'
import { httpFetcher } from '../../src/device/fetch.ts'
import { gitHubApp } from '../../src/github/client.ts'
import { branchPublication } from '../../src/publish/branch.ts'
import type { Publication } from '../../src/publish/publication.ts'
import { expectedOf, verifyPublished } from '../../src/publish/verify-published.ts'
import { aBundle, aCohort, aRelease, Fleet, inShort } from '../device/fleet.ts'
import { type Sandbox, startSandbox } from '../sandbox/sandbox.ts'

const repo = { owner: 'acme', repo: 'releases' }
let sandbox: Sandbox
let fleet: Fleet
let publication: Publication

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
  const app = gitHubApp({ appId, privateKey, apiUrl: sandbox.origin })
  publication = branchPublication(pagesBranch(app, 'acme/releases'))
})
afterAll(async () => {
  await sandbox.stop()
  await fleet.stop()
})

async function released(versions: readonly string[]) {
  await fleet.signBundles([aBundle(versions.at(-1) ?? '')])
  const cohort = aCohort(
    'eu',
    versions.map((version) => aRelease(version)),
  )
  return unwrap(await fleet.publish([cohort], { publication })).files
}

it('puts manifests on GitHub Pages by the pushes of the App, where a device takes them from', async () => {
  const first = await released(['1.0.0'])
  const { rest } = sandbox.as('ann').octokit
  const { data: site } = await rest.repos.createPagesSite({ ...repo, source: { branch: PAGES_BRANCH, path: '/' } })
  const url = String(site.html_url)
  expect(await verifyPublished(url, expectedOf(first))).toMatchObject({ ok: true })

  const host = { fetcher: httpFetcher(url), cache: directoryCache(join(fleet.directory, 'device')) }
  expect(inShort(await fleet.check('a', { host }))).toBe('no_update')
  await released(['1.0.0', '2.0.0'])
  expect(inShort(await fleet.check('a', { host }))).toBe('update Gateway@2.0.0')

  const { data: commits } = await rest.repos.listCommits({ ...repo, sha: PAGES_BRANCH })
  expect(commits).toHaveLength(2)
  const { data: tree } = await rest.git.getTree({ ...repo, tree_sha: PAGES_BRANCH })
  expect(tree.tree.map(({ path }) => path)).toEqual(['.nojekyll', 'metadata', 'targets'])
  expect(sandbox.violations).toEqual([])
})
