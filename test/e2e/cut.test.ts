import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { manifestPermissions } from '../../src/app/permissions.ts'
import type { RunningServer } from '../../src/app/server.ts'
import { EVENTS } from '../../src/webhooks/index.ts'
import type { Fault } from '../sandbox/faults.ts'
import { type Sandbox, startSandbox } from '../sandbox/sandbox.ts'
import { startApp } from './story/app-server.ts'
import { eventually } from './story/stage.ts'

const CONFIGURATION = `schemaVersion: 1
products:
  - { name: api, repository: acme/platform, scheme: semver }
  - { name: tool, repository: other/tool }
  - { name: cart, repository: acme/shop, path: cart, exclude: [cart/docs], bump: { rules: ["perf: minor"] } }
  - { name: till, repository: acme/shop, path: cart/till, versionFiles: [cart/till/package.json, cart/till/version.ts] }
  - { name: shelf, repository: acme/shop, scheme: calver }
rings:
  - { ring: "0", label: integration, environments: [integration] }
signoff:
  parties:
    - { name: Engineering, users: [eve] }
completion: { environments: [integration] }
roles:
  - { role: release_manager, users: [ann] }
`
const PACKAGE = '{\r\n\t"name": "till",\r\n\t"version" : "0.0.1"\r\n}'
const MARKED = "export const VERSION = '0.0.1' // ringmaster:version\n"
const releases = { owner: 'acme', repo: 'releases' }
const platform = { owner: 'acme', repo: 'platform' }
const BOT = 'ringmaster[bot]'

let sandbox: Sandbox
let server: RunningServer
let commits: readonly string[] = []
let issue = 0

beforeAll(async () => {
  const seed = (message: string) => ({ message, files: { 'a.txt': message } })
  sandbox = await startSandbox({
    seed: {
      people: ['olga', 'ann'],
      organizations: [
        { login: 'acme', owners: ['olga'], members: ['ann'] },
        { login: 'other', owners: ['olga'] },
      ],
      repositories: [
        {
          name: 'acme/releases',
          private: true,
          collaborators: { ann: 'write' },
          commits: [{ message: 'Configure', files: { '.github/ringmaster.yml': CONFIGURATION } }],
        },
        { name: 'acme/platform', commits: [seed('feat: a'), seed('fix: b'), seed('feat: c')] },
        {
          name: 'acme/shop',
          commits: [
            { message: 'feat: the cart', files: { 'cart/a': '1' } },
            { message: 'perf: counts as minor by the rule', files: { 'cart/a': '2' } },
            {
              message: 'feat!: of the till',
              files: { 'cart/till/package.json': PACKAGE, 'cart/till/version.ts': MARKED },
            },
            { message: 'fix!: excluded', files: { 'cart/docs/a': '1' } },
            { message: 'fixes: looks like one', files: { 'cart/b': '1' } },
          ],
        },
        { name: 'other/tool', commits: [seed('feat: a')] },
      ],
      apps: [
        {
          slug: 'ringmaster',
          events: [...EVENTS],
          permissions: manifestPermissions(),
          installations: [{ account: 'acme' }],
        },
      ],
    },
  })
  const { data } = await as('olga').rest.repos.listCommits(platform)
  commits = data.map(({ sha }) => sha).reverse()
  server = await startApp(sandbox)
  for (const [index, version] of ['1.0.0', '1.1.0-rc.1', '1.2.0'].entries()) await built('api', version, commits[index])
  await built('till', '0.0.1', (await sandbox.repository('acme/shop').head()) ?? '')
  await built('tool', '1.0.0', (await sandbox.repository('other/tool').head()) ?? '')
  issue = (await as('ann').rest.issues.create({ ...releases, title: 'Spring' })).data.number
}, 60_000)

const clock = () => new Date(sandbox.clock.epochMs()).toISOString()

beforeEach(() => sandbox.faults.clear())
afterAll(async () => {
  await server?.stop()
  await sandbox?.stop()
})

const as = (login: string) => sandbox.as(login).octokit

const built = (product: string, version: string, sha = '') => {
  const fullName = { api: 'acme/platform', tool: 'other/tool' }[product] ?? 'acme/shop'
  return server.ringmaster.engine.submit({
    kind: 'build-reported',
    repository: { id: sandbox.repository(fullName).id, fullName },
    sha,
    checkRunId: 1,
    url: '',
    trust: 'platform',
    at: clock(),
    actor: null,
    source: { kind: 'operator' },
    record: {
      schema: 'ringmaster/build/1',
      product,
      version,
      previousVersion: null,
      bump: 'minor',
      status: 'completed',
      run: { id: 1, attempt: 1, job: version },
      artifacts: [],
    },
  })
}

const said = async (fits: (body: string) => boolean, what: string): Promise<string> =>
  eventually(what, async () => {
    const { data } = await as('olga').rest.issues.listComments({ ...releases, issue_number: issue, per_page: 100 })
    return data.find(({ user, body = '' }) => user?.login === BOT && fits(body))?.body
  })

/** Says a command, and returns its reply with the id that its cut would have. */
async function say(body: string): Promise<{ readonly reply: string; readonly outcome: () => Promise<string> }> {
  const { data } = await as('ann').rest.issues.createComment({ ...releases, issue_number: issue, body })
  const reply = await said((text) => text.includes(`reply%2F${data.id}`), `a reply to ${body}`)
  const outcome = () => said((text) => text.includes(`cut%2F${data.id}%2D0%2Foutcome`), `what came of ${body}`)
  return { reply, outcome }
}

/** The commit behind an annotated tag; fails for any other. */
async function taggedAt(tag: string): Promise<{ readonly sha: string; readonly message: string }> {
  const { data } = await as('olga').rest.git.getRef({ ...platform, ref: `tags/${tag}` })
  expect(data.object.type).toBe('tag')
  const found = await as('olga').rest.git.getTag({ ...platform, tag_sha: data.object.sha })
  return { sha: found.data.object.sha, message: found.data.message.trim() }
}
const headOf = async (branch: string) =>
  (await as('olga').rest.git.getRef({ ...platform, ref: `heads/${branch}` })).data.object.sha
const releasesOf = async () => (await as('olga').rest.repos.listReleases(platform)).data

describe('tags, branches and GitHub Releases by comments', () => {
  it('a candidate is an annotated tag and a pre-release, once', async () => {
    const first = await say('/rc api@1.2.0')
    expect(first.reply).toContain('v1.2.0-rc.1')
    expect(await first.outcome()).toContain('@ann ✅ `api@1.2.0-rc.1` is cut in acme/platform')
    expect(await taggedAt('v1.2.0-rc.1')).toEqual({ sha: commits[2], message: 'api 1.2.0-rc.1' })
    expect(await releasesOf()).toMatchObject([{ tag_name: 'v1.2.0-rc.1', prerelease: true, draft: false }])
    expect((await say('/rc api@1.2.0')).reply).toMatch(/Nothing changed: v1\.2\.0-rc\.1 is at/)
  }, 60_000)

  it('a release is tag, branch and GitHub Release, made once although the App died between each of them', async () => {
    sandbox.faults.add({ kind: 'disconnect-after', route: 'POST /repos/{owner}/{repo}/git/refs' })
    const { reply, outcome } = await say('/cut api@1.2.0')
    expect(reply).toContain('`release/v1.2.0`')
    await eventually('the tag', () => taggedAt('v1.2.0').catch(() => undefined))
    await restart({ kind: 'disconnect-after', route: 'POST /repos/{owner}/{repo}/releases' })
    await eventually('the release', async () => (await releasesOf()).find(({ tag_name }) => tag_name === 'v1.2.0'))
    await restart()
    expect(await outcome()).toContain('- branch `release/v1.2.0`')
    expect((await taggedAt('v1.2.0')).sha).toBe(commits[2])
    expect(await headOf('release/v1.2.0')).toBe(commits[2])
    const own = (await releasesOf()).filter(({ tag_name }) => tag_name === 'v1.2.0')
    expect(own).toMatchObject([{ prerelease: false }])
    const made = (route: string) =>
      sandbox.requests.filter((one) => one.route === route && one.status < 300 && one.identity === BOT).length
    expect(made('POST /repos/{owner}/{repo}/releases')).toBe(2)
    expect((await say('/cut api@1.2.0')).reply).toContain('Nothing changed')
  }, 60_000)

  it('a line is a branch at its highest release, and left as it is from then on', async () => {
    expect(await (await say('/cut api@1.x')).outcome()).toContain('`release/v1.x`')
    expect(await headOf('release/v1.x')).toBe(commits[2])
    await as('olga').rest.git.updateRef({ ...platform, ref: 'heads/release/v1.x', sha: commits[0] ?? '', force: true })
    expect(await (await say('/cut api@1.x')).outcome()).toContain('it was there before')
    expect(await headOf('release/v1.x')).toBe(commits[0])
  }, 60_000)

  it('a tag at another commit is refused, whether it was there before or came meanwhile', async () => {
    await as('olga').rest.git.createRef({ ...platform, ref: 'refs/tags/v1.1.0', sha: commits[0] ?? '' })
    expect((await say('/cut api@1.1.0-rc.1')).reply).toMatch(/found it at [0-9a-f]{40}.*next version/)
    await as('olga').rest.git.deleteRef({ ...platform, ref: 'tags/v1.1.0' })
    sandbox.faults.add({ kind: 'bad-gateway-before', route: 'POST /repos/{owner}/{repo}/git/tags' })
    const { reply, outcome } = await say('/cut api@1.1.0-rc.1')
    expect(reply).toContain('Asked for')
    await as('olga').rest.git.createRef({ ...platform, ref: 'refs/tags/v1.1.0', sha: commits[0] ?? '' })
    expect(await outcome()).toMatch(/@ann ❌ `api@1\.1\.0` was not cut: .+ found it at/)
    expect((await releasesOf()).map(({ tag_name }) => tag_name)).not.toContain('v1.1.0')
    await expect(headOf('release/v1.1.0')).rejects.toMatchObject({ status: 404 })
  }, 60_000)

  it('what comes next is said by the options of the product, with what asks for it', async () => {
    const of = async (product: string) => (await say(`/bump ${product}`)).reply
    expect(await of('cart')).toMatch(/cart: 0\.1\.0 \(minor, the first release\) by 3 commits on main/)
    const shop = { owner: 'acme', repo: 'shop' }
    const { data } = await as('olga').rest.repos.listCommits(shop)
    const [, , , second = '', first = ''] = data.map(({ sha }) => sha)
    const object = { ...shop, tag: 'cart/v1.4.0', message: 'x', object: first, type: 'commit' } as const
    const made = await as('olga').rest.git.createTag(object)
    await as('olga').rest.git.createRef({ ...shop, ref: 'refs/tags/cart/v1.4.0', sha: made.data.sha })
    const { data: aside } = await as('olga').rest.git.getCommit({ ...shop, commit_sha: first })
    const other = { ...shop, message: 'fix: of an older line', tree: aside.tree.sha, parents: [first] }
    const { data: elsewhere } = await as('olga').rest.git.createCommit(other)
    await as('olga').rest.git.createRef({ ...shop, ref: 'refs/tags/cart/v9.0.0', sha: elsewhere.sha })
    const reply = await of('cart')
    expect(reply).toMatch(/cart: 1\.5\.0 \(minor\) by 2 commits on main \([0-9a-f]{12}\), since 1\.4\.0/)
    expect(reply).toContain(`${second.slice(0, 12)}: minor, the team's rule for perf`)
    expect(reply).toMatch(/none, no rule \\\[looks-conventional/)
    expect(reply).toContain('2 commits outside its path')
    expect(reply).not.toContain('looks like one')
    expect(await of('shelf')).toContain('expected a scheme whose next version commits can say')
    expect(await of('tool')).toContain('could not read the commits of other/tool')
  }, 60_000)

  it('the release of a product in a folder tells what its own commits changed', async () => {
    const shop = { owner: 'acme', repo: 'shop' }
    await built('cart', '1.5.0', (await sandbox.repository('acme/shop').head()) ?? '')
    await (await say('/cut cart@1.5.0')).outcome()
    const { data } = await as('olga').rest.repos.getReleaseByTag({ ...shop, tag: 'cart/v1.5.0' })
    expect(data.body).toMatch(
      /^### Performance\n\n- counts as minor by the rule \(\[`[0-9a-f]{7}`\]\(.+\/acme\/shop\/commit\//,
    )
    expect(data.body).not.toMatch(/till|excluded/)
  }, 60_000)

  it('the notes of a release are told on its issue, for the team and for customers', async () => {
    await say('/release "Spring"')
    await say('/add cart@1.5.0')
    expect((await say('/notes')).reply).toContain('in a comment of their own')
    const body = await said((text) => text.includes(`r${issue}%2Fnotes`), 'the notes')
    expect(body).toMatch(
      /^# Release notes\n\n## cart `1\.5\.0`\n\n### Performance\n\n- counts as minor by the rule \(\[/,
    )
    expect(body).toMatch(/<details><summary>For customers[\s\S]+- counts as minor by the rule\n/)
  }, 60_000)

  it('the version is written into its files by one pull request, although the App died on the way', async () => {
    const shop = { owner: 'acme', repo: 'shop' }
    const pulls = async () => (await as('olga').rest.pulls.list({ ...shop, state: 'all' })).data
    const fileOf = async (path: string, ref: string) => {
      const { data } = await as('olga').rest.repos.getContent({ ...shop, path, ref })
      return 'content' in data ? Buffer.from(data.content, 'base64').toString() : ''
    }
    sandbox.faults.add({ kind: 'disconnect-after', route: 'POST /repos/{owner}/{repo}/git/refs' })
    const { reply, outcome } = await say('/version-files till@0.2.0')
    expect(reply).toContain('a pull request that writes `0.2.0` into the version files of `till`')
    await restart({ kind: 'disconnect-after', route: 'POST /repos/{owner}/{repo}/pulls' })
    await eventually('the pull request', async () => (await pulls())[0])
    await restart()
    const [pull, ...more] = await pulls()
    expect([more, pull?.title, pull?.head.ref, pull?.base.ref]).toEqual([
      [],
      'chore: set the version of till to 0.2.0',
      'ringmaster/till/v0.2.0',
      'main',
    ])
    expect(await outcome()).toContain(
      `@ann ✅ A pull request writes \`till@0.2.0\` into its files in acme/shop: <${pull?.html_url}>`,
    )
    expect(await fileOf('cart/till/package.json', 'ringmaster/till/v0.2.0')).toBe(PACKAGE.replace('0.0.1', '0.2.0'))
    expect(await fileOf('cart/till/version.ts', 'ringmaster/till/v0.2.0')).toBe(MARKED.replace('0.0.1', '0.2.0'))
    const { data } = await as('olga').rest.pulls.listCommits({ ...shop, pull_number: pull?.number ?? 0 })
    expect(data).toHaveLength(1)
    expect(await (await say('/version-files till@0.2.0')).outcome()).toContain(`<${pull?.html_url}>`)
    await as('olga').rest.pulls.merge({ ...shop, pull_number: pull?.number ?? 0 })
    expect(await (await say('/version-files till@0.2.0')).outcome()).toContain('hold it already')
    expect(await pulls()).toHaveLength(1)
  }, 60_000)

  it('a repository without the App is refused with the remedy', async () => {
    expect((await say('/cut tool@1.0.0')).reply).toMatch(
      /App to be installed in other\/tool.*settings of the installation/,
    )
  }, 60_000)

  it('asks GitHub for nothing that it does not take', () => {
    expect(sandbox.violations).toEqual([])
  })
})

/** Stops in the middle of the work and starts from the log alone. */
async function restart(fault?: Fault): Promise<void> {
  await server.stop()
  sandbox.faults.clear()
  if (fault) sandbox.faults.add(fault)
  server = await startApp(sandbox)
}
