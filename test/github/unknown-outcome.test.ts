import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { manifestPermissions } from '../../src/app/permissions.ts'
import { checkRunOutlet } from '../../src/github/checks.ts'
import { type GitHubApp, type GovernedApp, gitHubApp } from '../../src/github/client.ts'
import { commentOutlet, reactionOutlet } from '../../src/github/comments.ts'
import { cutOutlet } from '../../src/github/cuts.ts'
import { gateOutlet } from '../../src/github/gates.ts'
import { alarmOutlet, labelOutlet } from '../../src/github/issues.ts'
import { proposalEndOutlet, proposalOutlet } from '../../src/github/proposals.ts'
import { notesOutlet } from '../../src/github/release-notes.ts'
import { marker, type Output, type OutputKind, type OutputOf } from '../../src/render/output.ts'
import { startRun } from '../sandbox/actions.ts'
import { type Sandbox, startSandbox } from '../sandbox/sandbox.ts'

const at = { owner: 'acme', repo: 'releases' }
const clock = () => '2026-11-20T10:00:00Z'
let sandbox: Sandbox
let sha = ''
const started: GovernedApp[] = []

beforeAll(async () => {
  const files = { 'README.md': '#', 'package.json': '{ "version": "0.0.1" }\n' }
  sandbox = await startSandbox({
    seed: {
      people: ['ann'],
      organizations: [{ login: 'acme', owners: ['ann'], members: [] }],
      repositories: [{ name: 'acme/releases', commits: [{ message: 'Begin', files }] }],
      apps: [
        {
          slug: 'ringmaster',
          permissions: manifestPermissions(),
          events: ['deployment_protection_rule'],
          installations: [{ account: 'acme' }],
        },
      ],
    },
  })
  sha = (await sandbox.repository('acme/releases').head('main')) ?? ''
  const production = { ...at, environment_name: 'production' }
  await ann().repos.createOrUpdateEnvironment(production)
  await ann().repos.createDeploymentProtectionRule({ ...production, integration_id: sandbox.app('ringmaster').id })
}, 60_000)
afterAll(async () => {
  for (const app of started) app.close()
  await sandbox?.stop()
})

const ann = () => sandbox.as('ann').octokit.rest
const bot = () => sandbox.app('ringmaster').octokit('acme').rest

/** A process of the App that has just started: it knows nothing but what stands outside. */
function processOf(before: (route: string, query: string) => Promise<void> = async () => {}): GitHubApp {
  const { id, privateKey } = sandbox.app('ringmaster')
  const app = gitHubApp({ appId: id, privateKey, apiUrl: sandbox.origin })
  started.push(app)
  return {
    ...app,
    async forRepository(fullName) {
      const octokit = await app.forRepository(fullName)
      octokit.hook.before('request', ({ method, url, query }) => before(`${method} ${url}`, String(query ?? '')))
      return octokit
    },
  }
}

const outputOf = <K extends OutputKind>(kind: K, rest: object): OutputOf<K> => {
  const repository = { id: sandbox.repository('acme/releases').id, fullName: 'acme/releases' }
  return { kind, subject: 'release/r1', repository, ...rest } as Output as OutputOf<K>
}

/** One output to bring out, and what people see of it. */
interface Trial {
  readonly apply: (app: GitHubApp) => Promise<unknown>
  readonly outside: () => Promise<unknown>
}

let trials = 0
const fresh = (): number => {
  trials += 1
  return trials
}
const issue = async () => (await ann().issues.create({ ...at, title: 'A release' })).data.number

async function comment(body: string, before?: string): Promise<Trial> {
  const number = await issue()
  const board = outputOf('comment', { key: 'r1/board', issue: number, body })
  if (before !== undefined)
    await bot().issues.createComment({ ...at, issue_number: number, body: `${before}\n\n${marker('r1/board')}` })
  return {
    apply: (app) => commentOutlet(app, clock)(board, null),
    outside: async () =>
      (await ann().issues.listComments({ ...at, issue_number: number })).data.map((one) => one.body?.split('\n')[0]),
  }
}

async function notes(): Promise<Trial> {
  const number = await issue()
  const told = outputOf('notes', { key: 'r1/notes', issue: number, products: [], asked: 1 })
  return {
    apply: (app) => notesOutlet(app, clock)(told, null),
    outside: async () => (await ann().issues.listComments({ ...at, issue_number: number })).data.length,
  }
}

async function reaction(): Promise<Trial> {
  const { data } = await ann().issues.createComment({ ...at, issue_number: await issue(), body: '/status' })
  const given = outputOf('reaction', { key: `reaction/${data.id}`, comment: data.id, content: '+1' })
  return {
    apply: (app) => reactionOutlet(app)(given),
    outside: async () => (await ann().reactions.listForIssueComment({ ...at, comment_id: data.id })).data.length,
  }
}

async function label(): Promise<Trial> {
  const number = await issue()
  await ann().issues.addLabels({ ...at, issue_number: number, labels: ['release:draft', 'theirs'] })
  const wanted = outputOf('label', { key: 'r1/label', issue: number, label: 'release:signed' })
  return {
    apply: (app) => labelOutlet(app)(wanted),
    outside: async () =>
      (await ann().issues.listLabelsOnIssue({ ...at, issue_number: number })).data.map(({ name }) => name).sort(),
  }
}

async function alarm(wants: 'opened' | 'closed'): Promise<Trial> {
  const title = `Ringmaster alarm: ${fresh()}`
  const raised = outputOf('alarm', { key: title, title, body: 'It broke', isOpen: true })
  if (wants === 'closed') await alarmOutlet(processOf(), clock)(raised)
  return {
    apply: (app) => alarmOutlet(app, clock)({ ...raised, isOpen: wants === 'opened' }),
    outside: async () => {
      const all = await ann().issues.listForRepo({ ...at, state: 'all', labels: 'ringmaster-alarm', per_page: 100 })
      const ours = all.data.filter((one) => one.title === title)
      /** What was opened twice stays as a closed issue without the marker: GitHub lets no App delete it. */
      return ours.filter(({ body }) => body?.includes(marker(title))).map(({ state }) => state)
    },
  }
}

async function checkRun(wants: 'made' | 'updated'): Promise<Trial> {
  const name = `ringmaster/check-${fresh()}`
  const shown = { sha, name, title: 'Sign-off', summary: '', annotations: [] }
  const check = (conclusion: 'success' | null) =>
    outputOf('check-run', {
      ...{ ...shown, key: name, conclusion },
      status: conclusion === null ? 'in_progress' : 'completed',
    })
  if (wants === 'updated') await checkRunOutlet(processOf(), clock)(check(null), null)
  return {
    apply: (app) => checkRunOutlet(app, clock)(check('success'), null),
    outside: async () =>
      (await ann().checks.listForRef({ ...at, ref: sha, check_name: name, filter: 'latest' })).data.check_runs.map(
        ({ conclusion }) => conclusion,
      ),
  }
}

function proposalOf() {
  const id = `r${fresh()}`
  const place = { release: id, base: `releases-${id}`, branch: `ringmaster/proposal-${id}` }
  const wanted = outputOf('proposal', {
    ...{ ...place, key: `${id}/proposal`, path: `releases/${id}.yaml`, text: 'api: 1.0.0\n' },
    ...{ title: `Release ${id}`, body: 'Please sign' },
  })
  const pulls = async () =>
    (await ann().pulls.list({ ...at, head: `acme:${place.branch}`, state: 'all' })).data.map((pull) => ({
      state: pull.merged_at ? 'merged' : pull.state,
      title: pull.title,
    }))
  const commits = async (branch: string) =>
    (await ann().repos.listCommits({ ...at, sha: branch })).data.map((one) => one.commit.message.split('\n')[0])
  return { place, wanted, pulls, commits, id }
}

async function proposal(wants: 'opened' | 'reopened'): Promise<Trial> {
  const { place, wanted, pulls, commits } = proposalOf()
  const propose = (app: GitHubApp) => proposalOutlet(app, clock)(wanted)
  if (wants === 'reopened') {
    const { remote } = await propose(processOf())
    await ann().pulls.update({ ...at, pull_number: Number(remote), state: 'closed' })
  }
  return {
    apply: propose,
    outside: async () => [(await pulls()).map(({ state }) => state), (await commits(place.branch)).length],
  }
}

async function proposalEnd(end: 'merge' | 'close'): Promise<Trial> {
  const { place, wanted, pulls, commits, id } = proposalOf()
  await proposalOutlet(processOf(), clock)(wanted)
  const head = await sandbox.repository('acme/releases').head(place.branch)
  const ended = outputOf('proposal-end', { ...place, key: `${id}/proposal-end`, number: null, end, head })
  return {
    apply: (app) => proposalEndOutlet(app, clock)(ended),
    outside: async () => [(await pulls()).map(({ state }) => state), (await commits(place.base)).length],
  }
}

async function gate(state: 'approved' | null): Promise<Trial> {
  const run = await startRun(sandbox, {
    repository: 'acme/releases',
    actor: 'ann',
    jobs: [{ name: 'deploy', environment: 'production', steps: [{ run: 'true', shell: 'bash' }] }],
  })
  await run.atRest()
  const key = `gate/1/${run.id}/production/1/answer`
  const answer = outputOf('gate-answer', { key, runId: run.id, environment: 'production', state, comment: 'So it is.' })
  return {
    apply: (app) => gateOutlet(app)(answer),
    outside: async () =>
      (await ann().actions.getReviewsForRun({ ...at, run_id: run.id })).data.map((given) => given.state as string),
  }
}

async function cut(wants: 'release' | 'version-files'): Promise<Trial> {
  const n = fresh()
  const branch = wants === 'release' ? `release/v${n}` : `ringmaster/version-${n}`
  const made = outputOf('cut', {
    key: `cut/${n}`,
    cut: {
      ...{ id: `${n}-0`, product: 'api', version: `${n}.0.0`, from: null, sha, issue: 1 },
      repository: { id: sandbox.repository('acme/releases').id, fullName: 'acme/releases' },
      ...(wants === 'release'
        ? { tag: `v${n}.0.0`, branch, release: { prerelease: false, generatedNotes: false } }
        : { tag: null, branch: null, release: null, versionFiles: { branch, named: ['package.json'], folder: null } }),
    },
  })
  return {
    apply: (app) => cutOutlet(app, clock)(made),
    outside: async () => {
      const [tags, heads, releases, pulls] = await Promise.all([
        ann().git.listMatchingRefs({ ...at, ref: `tags/v${n}.` }),
        ann().git.listMatchingRefs({ ...at, ref: `heads/${branch}` }),
        ann().repos.listReleases({ ...at, per_page: 100 }),
        ann().pulls.list({ ...at, head: `acme:${branch}`, state: 'all' }),
      ])
      const published = releases.data.filter((one) => one.tag_name === `v${n}.0.0`)
      return [tags, heads, { data: published }, pulls].map(({ data }) => data.length)
    },
  }
}

interface Write {
  readonly write: string
  readonly begin: () => Promise<Trial>
  readonly route: string
  /** Which request to the route it is; all of them where left out. */
  readonly after?: number
  readonly outside: unknown
  /** What two processes leave that look at the same moment, where GitHub offers nothing that would make it one. */
  readonly byTwo?: unknown
}

const GRAPHQL = 'POST /graphql'
const repo = '/repos/{owner}/{repo}'
const RULE = `POST ${repo}/actions/runs/{run_id}/deployment_protection_rule`
const PROPOSED = [['open'], 2]
const CUT = [1, 1, 1, 0]
const FILES = [0, 1, 0, 1]

/** Every request by which an outlet changes what people see at GitHub; an object that no name leads to is none. */
const WRITES: readonly Write[] = [
  {
    write: 'a comment',
    begin: () => comment('New'),
    route: `POST ${repo}/issues/{issue_number}/comments`,
    outside: ['New'],
  },
  {
    write: 'an edit of a comment',
    begin: () => comment('New', 'Old'),
    route: `PATCH ${repo}/issues/comments/{comment_id}`,
    outside: ['New'],
  },
  { write: 'notes', begin: notes, route: `POST ${repo}/issues/{issue_number}/comments`, outside: 1 },
  {
    write: 'a reaction',
    begin: reaction,
    route: `POST ${repo}/issues/comments/{comment_id}/reactions`,
    outside: 1,
  },
  {
    write: 'a label',
    begin: label,
    route: `POST ${repo}/issues/{issue_number}/labels`,
    outside: ['release:signed', 'theirs'],
  },
  {
    write: 'the end of a label',
    begin: label,
    route: `DELETE ${repo}/issues/{issue_number}/labels/{name}`,
    outside: ['release:signed', 'theirs'],
  },
  { write: 'an alarm', begin: () => alarm('opened'), route: `POST ${repo}/issues`, outside: ['open'] },
  {
    write: 'the end of an alarm',
    begin: () => alarm('closed'),
    route: `PATCH ${repo}/issues/{issue_number}`,
    outside: ['closed'],
  },
  { write: 'a check run', begin: () => checkRun('made'), route: `POST ${repo}/check-runs`, outside: ['success'] },
  {
    write: 'an update of a check run',
    begin: () => checkRun('updated'),
    route: `PATCH ${repo}/check-runs/{check_run_id}`,
    outside: ['success'],
  },
  ...[
    { write: 'a base', route: `POST ${repo}/git/refs` },
    { write: 'the branch of a proposal', route: `POST ${repo}/git/refs`, after: 1 },
    { write: 'the commit of a proposal', route: GRAPHQL },
    { write: 'a proposal', route: `POST ${repo}/pulls` },
  ].map((row) => ({ ...row, begin: () => proposal('opened'), outside: PROPOSED })),
  {
    write: 'a proposal opened again',
    begin: () => proposal('reopened'),
    route: `PATCH ${repo}/pulls/{pull_number}`,
    outside: PROPOSED,
  },
  {
    write: 'the close of a proposal',
    begin: () => proposalEnd('close'),
    route: `PATCH ${repo}/pulls/{pull_number}`,
    outside: [['closed'], 1],
  },
  {
    write: 'the merge of a proposal',
    begin: () => proposalEnd('merge'),
    route: `PUT ${repo}/pulls/{pull_number}/merge`,
    outside: [['merged'], 3],
  },
  { write: 'the answer to a gate', begin: () => gate('approved'), route: RULE, outside: ['approved'] },
  {
    write: 'a status report of a gate',
    begin: () => gate(null),
    route: RULE,
    outside: ['pending'],
    byTwo: ['pending', 'pending'],
  },
  ...[
    { write: 'a tag', route: `POST ${repo}/git/refs` },
    { write: 'a release branch', route: `POST ${repo}/git/refs`, after: 1 },
    { write: 'a GitHub Release', route: `POST ${repo}/releases` },
  ].map((row) => ({ ...row, begin: () => cut('release'), outside: CUT })),
  ...[
    { write: 'the branch of version files', route: `POST ${repo}/git/refs` },
    { write: 'the commit of version files', route: GRAPHQL },
    { write: 'the pull request of version files', route: `POST ${repo}/pulls` },
  ].map((row) => ({ ...row, begin: () => cut('version-files'), outside: FILES })),
]

/** Both look, and neither writes before the other is about to, or has ended. */
async function together(route: string, apply: Trial['apply']): Promise<void> {
  let arrived = 0
  let open = () => {}
  const isOpen = new Promise<void>((resolve) => {
    open = resolve
  })
  const one = () =>
    apply(
      processOf(async (asked, query) => {
        if (asked !== route || (route === GRAPHQL && !query.startsWith('mutation'))) return
        arrived += 1
        if (arrived >= 2) open()
        await isOpen
      }),
    ).finally(open)
  await Promise.allSettled([one(), one()])
}

describe.each(WRITES)('$write', ({ begin, route, after = 0, outside, byTwo = outside }) => {
  it('stands once where its answer was lost and a process that has just started asks for it again', async () => {
    const trial = await begin()
    sandbox.faults.add({ kind: 'disconnect-after', route, after })
    await trial.apply(processOf()).catch(() => {})
    expect(sandbox.faults.take(['disconnect-after'], { route, text: '' })).toBeUndefined()
    await trial.apply(processOf())
    expect(await trial.outside()).toEqual(outside)
  })

  it('stands once where two processes write it together and the later one loses its answer', async () => {
    const trial = await begin()
    sandbox.faults.add({ kind: 'bad-gateway-after', route, after: 2 * after + 1 })
    await together(route, trial.apply)
    sandbox.faults.clear()
    for (const _ of ['first', 'second']) await trial.apply(processOf())
    expect(await trial.outside()).toEqual(byTwo)
  })
})

it('a comment stands once where its answer was lost and no list shows it for half a minute', async () => {
  const number = await issue()
  const board = outputOf('comment', { key: 'r1/board', issue: number, body: 'New' })
  const say = commentOutlet(processOf(), () => sandbox.clock.now())
  const comments = `${repo}/issues/{issue_number}/comments`
  sandbox.faults.add({ kind: 'bad-gateway-after', route: `POST ${comments}` })
  sandbox.faults.add({ kind: 'lag', route: `GET ${comments}`, times: 4 })
  let remote: string | null = null
  const again = async () => {
    remote = (await say(board, remote).catch(() => ({ remote }))).remote
  }
  for (const _ of ['first', 'second']) await again()
  sandbox.clock.advance(31_000)
  await again()
  sandbox.faults.clear()
  expect((await ann().issues.listComments({ ...at, issue_number: number })).data).toHaveLength(1)
})

it('GitHub is asked only for what its description accepts', () => {
  expect(sandbox.violations).toEqual([])
})
