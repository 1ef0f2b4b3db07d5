import { execFileSync } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { LEDGER_COMMANDS } from '../../src/cli/ledger.ts'
import type { LedgerEvent } from '../../src/core/event.ts'
import { RingmasterError, unwrap } from '../../src/core/problem.ts'
import type { Request } from '../../src/core/request.ts'
import { gitHubApp } from '../../src/github/client.ts'
import { gitStore } from '../../src/ledger/git.ts'
import { gitHubStore } from '../../src/ledger/github.ts'
import { openLine } from '../../src/ledger/sealed.ts'
import {
  ann,
  buildReported,
  gateRequested,
  PLATFORM,
  play,
  proposedHead,
  RELEASES,
  releaseReview,
  stage,
  started,
} from '../engine/stage.ts'
import { startSandbox } from '../sandbox/sandbox.ts'

const NOW = '2026-11-20T12:00:00Z'
/** When the release was signed; everything else happened an hour before. */
const SIGNED_AT = '2026-11-20T11:00:00Z'
const RUN_URL = 'https://github.example/acme/platform/actions/runs/601'
const PULL_URL = 'https://github.example/acme/releases/pull/900'
let directory: string
let repo: string
/** What the waiting job was told. */
let gateComment: string

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ringmaster-ledger-cli-'))
  repo = join(directory, 'releases.git')
  execFileSync('git', ['init', '-q', '--bare', repo])
  const on = stage({ store: storeOf(repo), ledger: { snapshotEvery: 5 } })
  await started(on)
  await play(on, buildReported('1.0.0', 'd'.repeat(40)))
  await play(on, gateRequested())
  gateComment = [...on.outside.standing.values()]
    .flatMap(({ output }) => (output.kind === 'gate-answer' ? [output.comment] : []))
    .join()
  await play(on, gateRequested(601), runEnded, reviewDismissed)
  on.outside.approve('eve', proposedHead(on.outside))
  await play(on, { ...releaseReview(), at: SIGNED_AT })
  await on.engine.idle()
  await on.engine.close()
}, 60_000)
afterAll(() => rm(directory, { recursive: true }))

const linked = (url: string) =>
  ({ at: '2026-11-20T10:00:00Z', actor: ann, source: { kind: 'webhook', delivery: 'd', url } }) as const

/** Somebody cancelled a run that waited at its gate. */
const runEnded: Request = {
  kind: 'run-ended',
  repository: PLATFORM,
  runId: 601,
  runAttempt: 1,
  ...linked(RUN_URL),
}

const reviewDismissed: Request = {
  kind: 'review-dismissed',
  repository: RELEASES,
  release: 'r12',
  reviewId: 41,
  by: 'ann',
  author: 'mallory',
  ...linked(`${PULL_URL}#pullrequestreview-41`),
}

const storeOf = (path: string, email = '7+ringmaster[bot]@users.noreply.github.com') =>
  gitStore({
    directory: path,
    branch: 'ringmaster-data',
    author: { name: 'ringmaster[bot]', email },
    clock: () => NOW,
  })

async function run(words: readonly string[], env: Record<string, string> = {}) {
  const name = words.slice(0, 2).join(' ')
  const command = LEDGER_COMMANDS.find((one) => one.name === name)
  if (!command) throw new Error(`no such command: ${name}`)
  const out: string[] = []
  const err: string[] = []
  const json = words.includes('--json')
  const io = {
    out: (text: string) => void out.push(text),
    err: (text: string) => void err.push(text),
    json,
    env,
    now: NOW,
  }
  const code = await command
    .run(
      words.slice(2).filter((word) => word !== '--json'),
      io,
    )
    .catch((error: unknown) => {
      if (!(error instanceof RingmasterError)) throw error
      err.push(...error.problems.map((problem) => `${problem.code}: ${problem.message}`))
      return error.fault === 'bad-input' ? 2 : error.fault === 'refused' ? 1 : 3
    })
  return { code, out: out.join('\n'), err }
}

/** A copy of the repository to do harm to. */
function copy(name: string): string {
  const path = join(directory, name)
  execFileSync('git', ['clone', '-q', '--bare', repo, path])
  return path
}

const BOT = 'ringmaster[bot] <7+ringmaster[bot]@users.noreply.github.com>'

/** Commits one changed file on the data branch, or takes it away (null), as anybody with git could. */
function commitFile(path: string, file: string, text: string | null, by = 'mallory <mallory@example.com>'): void {
  const git = (args: readonly string[], input?: string) =>
    execFileSync('git', [`--git-dir=${path}`, ...args], { input: input ?? '', encoding: 'utf8' }).trim()
  const change = text === null ? `D ${file}\n` : `M 100644 inline ${file}\ndata ${Buffer.byteLength(text)}\n${text}\n`
  const stream = `commit refs/heads/ringmaster-data\ncommitter ${by} 1795000000 +0000\ndata 4\nedit\nfrom refs/heads/ringmaster-data^0\n${change}`
  git(['fast-import', '--quiet', '--force'], stream)
}

const show = (path: string, file: string): string =>
  execFileSync('git', [`--git-dir=${path}`, 'show', `ringmaster-data:${file}`], { encoding: 'utf8' })

const headOf = async () => {
  const { out } = await run(['ledger', 'verify', '--repo', repo, '--json'])
  return (JSON.parse(out) as { head: { seq: number; digest: string } }).head
}

/** A proposal whose sign-off check says something, and how it is said. */
async function outsideOf(
  sandbox: Awaited<ReturnType<typeof startSandbox>>,
): Promise<(summary: string) => Promise<void>> {
  const at = { owner: 'acme', repo: 'releases' }
  const { rest } = sandbox.as('ann').octokit
  const { data: main } = await rest.git.getRef({ ...at, ref: 'heads/main' })
  for (const branch of ['ringmaster-releases', 'ringmaster-proposals/r12'])
    await rest.git.createRef({ ...at, ref: `refs/heads/${branch}`, sha: main.object.sha })
  const file = { message: 'Propose', content: 'cjEyCg==', branch: 'ringmaster-proposals/r12' }
  await rest.repos.createOrUpdateFileContents({ ...at, path: 'releases/r12.yaml', ...file })
  const { data: pull } = await rest.pulls.create({
    ...at,
    title: 'r12',
    base: 'ringmaster-releases',
    head: 'ringmaster-proposals/r12',
  })
  const { checks } = sandbox.app('ringmaster').octokit('acme').rest
  return async (summary) => {
    const said = { name: 'ringmaster/sign-off', head_sha: pull.head.sha, output: { title: 't', summary } }
    await checks.create({ ...at, ...said, status: 'completed', conclusion: 'success' })
  }
}

describe('ledger verify', () => {
  it('agrees with an anchor that was taken outside, and with the author of every commit', async () => {
    const { seq, digest } = await headOf()
    const author = '7+ringmaster[bot]@users.noreply.github.com'
    const args = ['--repo', repo, '--anchor', `${seq}:${digest}`, '--author', author]
    expect(await run(['ledger', 'verify', ...args])).toMatchObject({ code: 0, err: [] })
  })

  it('names an anchor that the log contradicts or does not reach', async () => {
    const { seq } = await headOf()
    const other = `sha256:${'0'.repeat(64)}`
    const both = ['--anchor', `2:${other}`, '--anchor', `${seq + 1}:${other}`]
    const { code, err } = await run(['ledger', 'verify', '--repo', repo, ...both])
    expect(code).toBe(1)
    expect(err.join('\n')).toMatch(/ledger-replaced: .*:\d+: expected event 2 to be .*as an anchor outside/)
    expect(err.join('\n')).toMatch(/ledger-rewound: expected event \d+, which an anchor/)
  })

  it('takes the log head of a gate answer as it stands there, and a digest alone as it stands in a manifest', async () => {
    const { digest } = await headOf()
    const [, named = ''] = /Log head `([^`]+)`/.exec(gateComment) ?? []
    const both = ['--anchor', named, '--anchor', digest]
    expect(await run(['ledger', 'verify', '--repo', repo, ...both])).toMatchObject({ code: 0, err: [] })
    const lost = `sha256:${'0'.repeat(64)}`
    const { code, err } = await run(['ledger', 'verify', '--repo', repo, ...both, '--anchor', lost])
    expect(code).toBe(1)
    expect(err).toEqual([
      expect.stringMatching(`^ledger-replaced: expected an event with the digest ${lost}, .*found none`),
    ])
  })

  it('takes no word beside its options for an anchor', async () => {
    const { seq, digest } = await headOf()
    const words = [
      'ledger',
      'verify',
      '--repo',
      repo,
      '--anchor',
      `${seq}:${digest}`,
      `${seq}:sha256:${'a'.repeat(64)}`,
    ]
    expect(await run(words)).toMatchObject({ code: 2, err: [expect.stringMatching(/^usage: expected only options/)] })
  })

  it('names every anchor of an event that it contradicts', async () => {
    const others = ['0', '1'].map((digit) => `2:sha256:${digit.repeat(64)}`)
    const { err } = await run(['ledger', 'verify', '--repo', repo, ...others.flatMap((anchor) => ['--anchor', anchor])])
    expect(err).toHaveLength(2)
    expect(err.map((text) => text.split('\n  ')[1])).toEqual([
      expect.stringMatching(/^Compare with the branch’s activity on GitHub, restore the last head .*\.$/),
      undefined,
    ])
  })

  it('says up to which event its anchors reach, for behind the newest one something may be cut off', async () => {
    const verified = (anchor: string) => run(['ledger', 'verify', '--repo', repo, '--anchor', anchor])
    const { seq, digest } = await headOf()
    const log = await run(['ledger', 'log', '--repo', repo, '--json'])
    const { events } = JSON.parse(log.out) as { events: { seq: number; prev: string }[] }
    const third = events[3]?.prev
    expect((await verified(`3:${third}`)).out).toContain('It has the one anchor that stands outside, up to event 3: ')
    expect((await verified(digest)).out).toContain(`, up to event ${seq}: that nothing was cut off behind that`)
  })

  it('prints a head to keep only of a log that holds', async () => {
    const path = copy('head.git')
    expect((await run(['ledger', 'verify', '--repo', path])).out).toMatch(/^Head: event \d+/m)
    const { digest } = await headOf()
    commitFile(path, 'head.json', show(path, 'head.json').replaceAll(digest, `sha256:${'0'.repeat(64)}`), BOT)
    const harmed = await run(['ledger', 'verify', '--repo', path])
    expect(harmed.out).not.toMatch(/^Head/m)
    expect(harmed.out).toMatch(/^Read up to: event \d+/m)
  })

  it('tells the first twenty problems with one code, and how many there are', async () => {
    const others = Array.from({ length: 23 }, (_, index) => `2:sha256:${String(index).padStart(64, '0')}`)
    const { err } = await run(['ledger', 'verify', '--repo', repo, ...others.flatMap((one) => ['--anchor', one])])
    expect(err).toHaveLength(21)
    expect(err[20]).toBe('ledger-replaced: 3 more, which "ringmaster ledger verify --json" tells')
  })

  it('names a commit of somebody else', async () => {
    const path = copy('foreign.git')
    commitFile(path, 'note.txt', 'hello\n')
    for (const author of [[], ['--author', '7+ringmaster[bot]@users.noreply.github.com']]) {
      const { code, err } = await run(['ledger', 'verify', '--repo', path, ...author])
      expect(code).toBe(1)
      expect(err.join('\n')).toMatch(/^foreign-author: .*found mallory@example.com$/m)
    }
  })

  /** Event files in the order of the log. */
  const eventFiles = (path: string): string[] =>
    execFileSync('git', [`--git-dir=${path}`, 'ls-tree', '-r', '--name-only', 'ringmaster-data', 'events/'], {
      encoding: 'utf8',
    })
      .trim()
      .split('\n')
      .sort((one, other) => firstSeqIn(one) - firstSeqIn(other))
  const firstSeqIn = (path: string): number => Number(/\/(\d+)-[^/]*$/.exec(path)?.[1])

  it.each<[string, 'to its end' | 'in part', (path: string) => string]>([
    [
      'an event file with a broken line',
      'in part',
      (path) => {
        const file = eventFiles(path)[2] ?? ''
        commitFile(path, file, `${show(path, file)}{"seq":\n`)
        const line = show(path, file).trimEnd().split('\n').length
        return `ledger-damaged: ${file}:${line}: expected .+, found `
      },
    ],
    [
      'a missing event file',
      'in part',
      (path) => {
        const [, file = '', next = ''] = eventFiles(path)
        commitFile(path, file, null)
        return `ledger-damaged: ${next}: expected .+: a file is missing`
      },
    ],
    [
      'a head of an unknown schema version',
      'to its end',
      (path) => {
        commitFile(path, 'head.json', '{"schemaVersion":9}\n')
        return 'unknown-schema-version: head.json: expected .+, found '
      },
    ],
    [
      'a snapshot that was edited by hand',
      'to its end',
      (path) => {
        commitFile(
          path,
          'snapshots/config/shard.json',
          show(path, 'snapshots/config/shard.json').replace('acme', 'evil'),
        )
        return 'ledger-damaged: snapshots/config/shard.json: expected .+, found '
      },
    ],
  ])('names %s with its path and line, having read the log %s, and writes nothing', async (name, read, harm) => {
    const path = copy(`${name.replaceAll(' ', '-')}.git`)
    const said = harm(path)
    const head = () => execFileSync('git', [`--git-dir=${path}`, 'rev-parse', 'ringmaster-data'], { encoding: 'utf8' })
    const before = head()
    const { code, out, err } = await run(['ledger', 'verify', '--repo', path, '--author', 'mallory@example.com'])
    expect(code).toBe(1)
    expect(err).toContainEqual(expect.stringMatching(new RegExp(`^${said}`)))
    expect(/^Not looked at: what stands behind event \d+, where reading ended\.$/m.test(out)).toBe(read === 'in part')
    expect(head()).toBe(before)
  })

  /** Changes the last event of a type, and everything that the writer could so that no digest gives it away. */
  async function forged(path: string, type: string, change: (line: string) => string) {
    const wanted = (line: string) => line.includes(`"type":"${type}"`)
    const files = eventFiles(path).map((file) => ({ file, lines: show(path, file).trimEnd().split('\n') }))
    const at = files.findLast(({ lines }) => lines.some(wanted))
    if (!at) throw new Error(`expected an event ${type}`)
    const line = at.lines.findLastIndex(wanted) + 1
    let tip: string | null = null
    for (const { file, lines } of files.slice(files.indexOf(at))) {
      for (const [index, old] of lines.entries()) {
        const isChanged = file === at.file && index === line - 1
        if (tip === null && !isChanged) continue
        const written: string = isChanged ? change(old) : old.replace(/(?<="prev":")sha256:[0-9a-f]{64}/, tip ?? '')
        expect(written).not.toBe(old)
        lines[index] = written
        tip = unwrap(openLine(JSON.parse(written), Buffer.from(written))).digest
      }
      commitFile(path, file, `${lines.join('\n')}\n`, BOT)
    }
    commitFile(path, 'head.json', JSON.stringify({ ...JSON.parse(show(path, 'head.json')), tip }), BOT)
    expect(await run(['ledger', 'rebuild', '--repo', path, '--author', BOT])).toMatchObject({ code: 0, err: [] })
    return { path: at.file, line }
  }

  it.each<[string, string, readonly [string, string], string, RegExp]>([
    [
      'the verdict of a gate',
      'gate.decided',
      ['"verdict":"approved"', '"verdict":"waiting"'],
      'decision-differs',
      /^events\S+:\d+: expected event \d+ \(gate\.decided\) .+ at "\/data\/verdict": "approved" comes out, "waiting" is recorded$/,
    ],
    [
      'who signed',
      'signoff.decided',
      ['"filledBy":["eve"]', '"filledBy":["mallory"]'],
      'decision-differs',
      /^events\S+:\d+: expected event \d+ \(signoff\.decided\) .+: "eve" comes out, "mallory" is recorded$/,
    ],
    [
      'what makes an event the same as another',
      'release.opened',
      ['"key":"', '"key":"un'],
      'ledger-damaged',
      /:1: expected a key in a slot of release\.opened, found "uncommand:/,
    ],
    [
      'a member of the data',
      'build.refused',
      ['"code":"version-conflict"', '"cause":"version-conflict"'],
      'ledger-damaged',
      /:1: expected the data of build\.refused, found something else: /,
    ],
  ])(
    'names an event by path and line in which its own writer changed %s',
    async (name, type, [was, is], code, said) => {
      const path = copy(`forged-${name.replace(/\W/g, '')}.git`)
      const place = await forged(path, type, (line) => line.replace(was, is))
      const verified = await run(['ledger', 'verify', '--repo', path, '--json'])
      expect(verified.code).toBe(1)
      const { problems } = JSON.parse(verified.out) as { problems: readonly object[] }
      expect(problems[0]).toMatchObject({ code, ...place, message: expect.stringMatching(said) })
    },
  )

  it('says whose commits it takes for the writer’s, in the directory that it is called in', async () => {
    const before = process.cwd()
    process.chdir(repo)
    const { code, out } = await run(['ledger', 'verify']).finally(() => process.chdir(before))
    expect(code).toBe(0)
    expect(out).toContain('Commits belong to "7+ringmaster[bot]@users.noreply.github.com", who made the first one.')
  })

  it.each([
    [['--repo', 'acme/releases'], 'setting-missing'],
    [['--repo', './nothing here'], 'no-repository'],
    [['--repo', '/'], 'no-repository'],
    [['--repo', '.', '--anchor', 'x'], 'usage'],
  ])('says what is missing: %s', async (args, code) => {
    const result = await run(['ledger', 'verify', ...args])
    expect(result.code).toBe(2)
    expect(result.err[0]).toMatch(new RegExp(`^${code}: expected `))
  })

  it('reads a repository on GitHub with a token, and sees that a commit is not the platform’s', async () => {
    const sandbox = await startSandbox({
      seed: {
        people: ['ann'],
        organizations: [{ login: 'acme', owners: ['ann'], members: [] }],
        repositories: [
          {
            name: 'acme/releases',
            private: true,
            commits: [{ message: 'Begin', files: { 'README.md': '#' }, author: 'ann' }],
          },
        ],
        apps: [
          {
            slug: 'ringmaster',
            permissions: { contents: 'write', checks: 'write' },
            events: [],
            installations: [{ account: 'acme' }],
          },
        ],
      },
    })
    try {
      const store = gitHubStore({
        client: sandbox.app('ringmaster').octokit('acme'),
        owner: 'acme',
        repo: 'releases',
        branch: 'ringmaster-data',
      })
      const on = stage({ store, ledger: { snapshotEvery: 5 } })
      await started(on)
      await on.engine.close()
      const env = { GITHUB_TOKEN: sandbox.as('ann').token, GITHUB_API_URL: sandbox.origin }
      const verified = await run(['ledger', 'verify', '--repo', 'acme/releases'], env)
      expect(verified).toMatchObject({ code: 0, err: [], out: expect.stringContaining('0 anchors on GitHub') })
      const { seq, digest } = JSON.parse(
        (await run(['ledger', 'verify', '--repo', 'acme/releases', '--json'], env)).out,
      ).head as { seq: number; digest: string }
      const named = await outsideOf(sandbox)
      await named(`Signed. Content, log head \`${seq}:${digest}\`.`)
      const agreeing = await run(['ledger', 'verify', '--repo', 'acme/releases'], env)
      expect(agreeing).toMatchObject({
        code: 0,
        out: expect.stringContaining('1 anchors on GitHub, in the checks of 1'),
      })
      await named(`Signed. Content, log head \`${seq + 9}:${digest}\`.`)
      const cut = await run(['ledger', 'verify', '--repo', 'acme/releases'], env)
      expect(cut.err).toEqual([
        expect.stringMatching(
          `^ledger-rewound: expected event ${seq + 9}, which an anchor outside the branch names \\(.+/runs/\\d+\\)`,
        ),
      ])
      const other = ['--author', '9+other[bot]@users.noreply.github.com', '--json']
      const theirs = await run(['ledger', 'verify', '--repo', 'acme/releases', ...other], env)
      expect(JSON.parse(theirs.out)).toMatchObject({ found: { anchors: [] } })
      commitFile(sandbox.repository('acme/releases').gitDirectory, 'note.txt', 'hello\n')
      const harmed = await run(['ledger', 'verify', '--repo', 'acme/releases'], env)
      expect(harmed.err.join('\n')).toMatch(/^foreign-author: .* signed by the platform/m)
      expect(sandbox.violations).toEqual([])
    } finally {
      await sandbox.stop()
    }
  }, 60_000)
})

describe('on an Enterprise Server that signs nothing', () => {
  it('commits without a signature are the App’s as the server takes them, and elsewhere a stranger’s', async () => {
    const sandbox = await startSandbox({
      seed: {
        people: ['ann'],
        organizations: [{ login: 'acme', owners: ['ann'], members: [] }],
        repositories: [
          { name: 'acme/releases', commits: [{ message: 'Begin', files: { 'README.md': '#' }, author: 'ann' }] },
        ],
        apps: [
          { slug: 'ringmaster', permissions: { contents: 'write' }, events: [], installations: [{ account: 'acme' }] },
        ],
      },
    })
    try {
      const app = sandbox.app('ringmaster')
      const identity = { appId: app.id, privateKey: app.privateKey, apiUrl: `${sandbox.origin}/api/v3` }
      const email = await gitHubApp(identity).authorEmail('acme/releases')
      const on = stage({ store: storeOf(sandbox.repository('acme/releases').gitDirectory, email) })
      await started(on)
      await on.engine.close()
      const env = {
        GITHUB_TOKEN: sandbox.as('ann').token,
        APP_ID: String(app.id),
        PRIVATE_KEY: app.privateKey,
        GITHUB_API_URL: `${sandbox.origin}/api/v3`,
      }
      const verify = ['ledger', 'verify', '--repo', 'acme/releases']
      expect(await run(verify, env)).toMatchObject({ code: 0, err: [] })
      const here = await run(verify, { ...env, GITHUB_API_URL: sandbox.origin })
      expect(here.err.join('\n')).toMatch(/^foreign-author: .* signed by the platform/m)
      const byHost = { ...env, GITHUB_API_URL: '', GHE_HOST: new URL(sandbox.origin).host, GHE_PROTOCOL: 'http' }
      const epoch = await run(['ledger', 'epoch', '--repo', 'acme/releases', '--json'], byHost)
      expect(epoch).toMatchObject({ code: 0, err: [] })
      expect(sandbox.violations).toEqual([])
    } finally {
      await sandbox.stop()
    }
  }, 60_000)
})

describe('ledger log', () => {
  it('prints one JSON document', async () => {
    const { out } = await run(['ledger', 'log', '--repo', repo, '--type', 'release', '--json'])
    const { events } = JSON.parse(out) as { events: { type: string }[] }
    expect(events.map((event) => event.type)).toEqual(expect.arrayContaining(['release.opened', 'release.started']))
    expect(JSON.parse((await run(['ledger', 'log', '--repo', repo, '--release', 'r99', '--json'])).out)).toEqual({
      events: [],
    })
  })
})

describe('what ledger log is asked for', () => {
  const events = async (...words: string[]) => {
    const { out } = await run(['ledger', 'log', '--repo', repo, '--json', ...words])
    return (JSON.parse(out) as { events: LedgerEvent[] }).events
  }
  const seqs = async (...words: string[]) => (await events(...words)).map(({ seq }) => seq)

  it.each(['2026-11-20T11:00', '2026-11-20 11:00:00', '2026-11-20t11:00:00.000', '2026-11-20T06:00-05:00'])(
    'may be the time %s, which is UTC where no zone is given, wherever the machine stands',
    async (since) => {
      expect(new Date(SIGNED_AT).getTimezoneOffset()).not.toBe(0)
      expect(await seqs('--since', since)).toEqual(await seqs('--since', SIGNED_AT))
    },
  )

  it('may be nothing that is there, which is said beside an empty answer', async () => {
    const told = await run(['ledger', 'log', '--repo', repo, '--release', 'r99'])
    expect(told).toEqual({ code: 0, out: '', err: [expect.stringMatching(/^No event fulfils every condition/)] })
  })

  it('may be somebody as people are mentioned', async () => {
    expect(await seqs('--actor', '@ann')).toEqual(await seqs('--actor', 'ann'))
    expect(await seqs('--actor', '@ann')).not.toEqual([])
  })

  it('may be a release by its number', async () => {
    expect(await seqs('--release', '12')).toEqual(await seqs('--release', 'r12'))
    expect(await seqs('--release', '12')).not.toEqual([])
  })

  it.each<[string, string[], (event: LedgerEvent) => boolean]>([
    [
      'a product',
      ['--product', 'user-service'],
      ({ data }) => JSON.stringify(data).includes('"product":"user-service"'),
    ],
    ['somebody, however the name is written', ['--actor', 'ANN'], ({ actor }) => actor?.login === 'ann'],
    ['a time, from which on', ['--since', SIGNED_AT], ({ at }) => at >= SIGNED_AT],
  ])('may be %s', async (_, words, isWanted) => {
    const all = await events()
    const wanted = all.filter(isWanted)
    expect(wanted.length).toBeGreaterThan(0)
    expect(wanted.length).toBeLessThan(all.length)
    expect(await events(...words)).toEqual(wanted)
  })

  it.each([
    ['a type that there is not', ['--type', 'bogus']],
    ['a noun cut short', ['--type', 'gat']],
    ['a date in words, which would be of the machine’s zone', ['--since', '20 Nov 2026']],
    ['a day that there is not', ['--since', '2026-13-20']],
    ['a word beside the options', ['r12']],
  ])('is refused: %s', async (_, words) => {
    const { code, err } = await run(['ledger', 'log', '--repo', repo, ...words])
    expect([code, err[0]?.split(':')[0]]).toEqual([2, 'usage'])
  })
})

describe('a line of ledger log', () => {
  it('says what was refused, what was expected and what was found', async () => {
    const { out } = await run(['ledger', 'log', '--repo', repo, '--type', 'build.refused'])
    expect(out.split('\n')).toEqual([
      expect.stringMatching(
        /build\.refused +ann {2}user-service@1\.0\.0 {2}version-conflict: expected .+ at commit c{40}, to which it is bound, found a build at d{40}$/,
      ),
    ])
  })
})

describe('ledger rebuild', () => {
  it('makes head and snapshots anew from the events, and leaves every event as it is', async () => {
    const path = copy('broken.git')
    const events = show(path, 'events/2026/11/20/10/')
    commitFile(path, 'snapshots/index.json', '{"schemaVersion":1,"seq":3,"pages":[],"keys":[]}\n', BOT)
    commitFile(path, 'head.json', 'not even JSON\n', BOT)
    expect((await run(['ledger', 'verify', '--repo', path])).code).toBe(1)
    const rebuilt = await run(['ledger', 'rebuild', '--repo', path, '--author', BOT, '--json'])
    expect(rebuilt).toMatchObject({ code: 0, err: [] })
    const verified = async () => JSON.parse((await run(['ledger', 'verify', '--repo', path, '--json'])).out)
    expect(await verified()).toMatchObject({ problems: [], head: await headOf() })
    expect(show(path, 'events/2026/11/20/10/')).toBe(events)
    const on = stage({ store: storeOf(path) })
    await play(on, gateRequested(777))
    await on.engine.close()
    expect(await verified()).toMatchObject({ problems: [] })
  }, 60_000)

  it('and redact and epoch commit nothing on top of what somebody else committed', async () => {
    const path = copy('laundered.git')
    commitFile(path, 'note.txt', 'hello\n')
    commitFile(path, 'note.txt', 'hello again\n', BOT)
    const head = () => execFileSync('git', [`--git-dir=${path}`, 'rev-parse', 'ringmaster-data'], { encoding: 'utf8' })
    const before = head()
    const parent = execFileSync('git', [`--git-dir=${path}`, 'rev-parse', 'ringmaster-data^'], { encoding: 'utf8' })
    const args = ['--repo', path, '--author', BOT]
    const answered = await run(['ledger', 'log', '--repo', path, '--type', 'command.answered', '--json'])
    const { events } = JSON.parse(answered.out) as { events: { seq: number }[] }
    for (const words of [
      ['rebuild', ...args],
      ['redact', ...args, '--event', String(events[0]?.seq), '--reason', 'x', '--by', 'ann', '--yes'],
      ['epoch', ...args],
    ]) {
      const { code, err } = await run(['ledger', ...words])
      expect(code).toBe(1)
      expect(err.join('\n')).toContain(`foreign-author: ${path}@ringmaster-data: expected commit ${parent.trim()} by`)
    }
    expect(head()).toBe(before)
  }, 60_000)

  it.each(['ringmaster[bot]', 'ringmaster <nowhere>', ''])('refuses an author who is none: %j', async (author) => {
    const { code, err } = await run(['ledger', 'rebuild', '--repo', repo, '--author', author])
    expect([code, err[0]?.split(':')[0]]).toEqual([2, 'usage'])
  })

  it('commits under an address alone', async () => {
    const path = copy('addressed.git')
    const email = '7+ringmaster[bot]@users.noreply.github.com'
    expect(await run(['ledger', 'rebuild', '--repo', path, '--author', email])).toMatchObject({ code: 0 })
    expect(await run(['ledger', 'verify', '--repo', path, '--author', email])).toMatchObject({ code: 0, err: [] })
  })

  it('says whose commit it is in a directory, and how it would be the log’s', async () => {
    const { code, err } = await run(['ledger', 'rebuild', '--repo', copy('own.git')])
    expect({ code, err }).toEqual({
      code: 0,
      err: [expect.stringMatching(/^Commits here are by ringmaster@localhost, .*--author/)],
    })
  })

  it('refuses a log whose lines are broken, with path and line', async () => {
    const path = copy('torn.git')
    const [file = ''] = show(path, 'events/2026/11/20/10/').split('\n').slice(2)
    const name = `events/2026/11/20/10/${file}`
    commitFile(path, name, show(path, name).replace('"seq"', '"sqe"'))
    const { code, err } = await run(['ledger', 'rebuild', '--repo', path])
    expect(code).toBe(1)
    expect(err.at(-1)).toContain(`${name}:1: `)
  })
})

describe('ledger redact', () => {
  const WORDS = ['--reason', 'names a customer', '--by', 'ann'] as const
  const answerOf = async (path: string) => {
    const { out } = await run(['ledger', 'log', '--repo', path, '--type', 'command.answered', '--json'])
    const { events } = JSON.parse(out) as { events: { seq: number; data: { answer: { values: string[] } } }[] }
    return { seq: String(events[0]?.seq), values: events[0]?.data.answer.values ?? [] }
  }

  it('says what it would do, does it when that is confirmed, and leaves a log that holds, with its digests', async () => {
    const path = copy('redacted.git')
    const { seq, values } = await answerOf(path)
    const args = ['ledger', 'redact', '--repo', path, '--event', seq, ...WORDS]
    const before = await run(args)
    expect(before).toMatchObject({ code: 0, out: expect.stringContaining(`Would take out /answer/values/0`) })
    expect(await answerOf(path)).toEqual({ seq, values })
    const author = 'ringmaster[bot] <7+ringmaster[bot]@users.noreply.github.com>'
    expect(await run([...args, '--yes', '--author', author])).toMatchObject({ code: 0, err: [] })
    expect(await answerOf(path)).toEqual({ seq, values: values.map(() => '[redacted]') })
    const { seq: last, digest } = await headOf()
    const verified = await run(['ledger', 'verify', '--repo', path, '--anchor', `${last}:${digest}`])
    expect(verified).toMatchObject({
      code: 0,
      err: [],
      out: expect.stringContaining(` ${values.length} texts redacted.`),
    })
    expect(await run([...args, '--yes'])).toMatchObject({
      code: 2,
      err: [expect.stringMatching(/^Commits here are by/), expect.stringMatching(/^nothing-to-redact: /)],
    })
  }, 60_000)

  it.each([
    [['--event', 'x', ...WORDS], 'usage'],
    [['--event', '1', '--by', 'ann'], 'usage'],
    [['--event', '1', '--reason', 'x', '--by', 'not a login!'], 'usage'],
    [['--event', '99999', ...WORDS], 'nothing-to-redact'],
  ])('refuses what nobody can mean: %j', async (args, code) => {
    const result = await run(['ledger', 'redact', '--repo', repo, ...args])
    expect(result).toMatchObject({ code: 2, err: [expect.stringMatching(new RegExp(`^${code}: expected `))] })
  })
})

it('a redaction that would be refused is refused when it is only asked what it would do', async () => {
  const path = copy('asked.git')
  commitFile(path, 'note.txt', 'hello\n')
  const log = await run(['ledger', 'log', '--repo', path, '--type', 'command.answered', '--json'])
  const { events } = JSON.parse(log.out) as { events: { seq: number }[] }
  const words = ['--event', String(events[0]?.seq), '--reason', 'x', '--by', 'ann']
  expect(await run(['ledger', 'redact', '--repo', path, ...words])).toMatchObject({
    code: 1,
    err: [expect.stringMatching(/^foreign-author: /)],
  })
})

describe('ledger export', () => {
  it('takes the number of a release', async () => {
    const [byNumber, byId] = await Promise.all(
      ['12', 'r12'].map((release) => run(['ledger', 'export', '--repo', repo, '--release', release])),
    )
    expect(byNumber).toEqual(byId)
    expect(byNumber?.code).toBe(0)
  })

  it('packs who approved what under which rules, for people and for programs, with digests that the log holds', async () => {
    const out = join(directory, 'pack')
    expect(await run(['ledger', 'export', '--repo', repo, '--release', 'r12', '--out', out])).toMatchObject({ code: 0 })
    const pack = JSON.parse(await readFile(join(out, 'evidence-r12.json'), 'utf8'))
    const page = await readFile(join(out, 'evidence-r12.md'), 'utf8')
    expect(pack).toMatchObject({
      release: { id: 'r12', status: 'in_progress', signoff: { status: 'approved' } },
      policy: { text: expect.stringContaining('schemaVersion: 1') },
      head: await headOf(),
    })
    expect(pack.signoffs.length).toBeGreaterThan(0)
    expect(pack.gates.map((line: { type: string }) => line.type)).toEqual(
      expect.arrayContaining(['gate.requested', 'gate.decided']),
    )
    expect(pack.builds.map((line: { type: string }) => line.type)).toContain('build.recorded')
    expect(pack.commands.map((line: { data: { command: string } }) => line.data.command)).toContain('start')
    expect(pack).toMatchObject({ protection: 'not-asked', gatePolicies: [] })
    const numbersOf = (lines: readonly { seq: number }[]): number[] => lines.map(({ seq }) => seq)
    const parts = [pack.signoffs, pack.gates, pack.deployments, pack.builds, pack.commands].flatMap(numbersOf)
    expect(numbersOf(pack.events)).toEqual(expect.arrayContaining(parts))
    expect(numbersOf(pack.events)).toEqual([...new Set(numbersOf(pack.events))].sort((a, b) => a - b))
    expect(page).toContain('| Engineering | eve | ')
    expect(page).toContain('This was made from a clone')
    expect(page).toContain(pack.digest)
    const anchor = pack.events[0]
    const verified = await run(['ledger', 'verify', '--repo', repo, '--anchor', `${anchor.seq}:${anchor.digest}`])
    expect(verified.code).toBe(0)
  })

  it('leads people and programs to the reviews, and to the run that waited at a gate', async () => {
    const words = ['ledger', 'export', '--repo', repo, '--release', 'r12']
    const { out: page } = await run(words)
    const pack = JSON.parse((await run([...words, '--json'])).out)
    expect(page).toContain(`| Engineering | eve | [review 1](${PULL_URL}#pullrequestreview-1) | `)
    const dismissed = pack.events.find(({ type }: LedgerEvent) => type === 'review.dismissed')
    const closed = pack.gates.find(({ type }: LedgerEvent) => type === 'gate.closed')
    expect([dismissed?.url, closed?.url]).toEqual([`${PULL_URL}#pullrequestreview-41`, RUN_URL])
    for (const { seq, url } of [dismissed, closed]) expect(page).toContain(`| [${seq}](${url}) | `)
  })

  it.each<[string, (path: string) => void, RegExp]>([
    [
      'the configuration is another',
      (path) => {
        const [file = ''] = show(path, 'configs/').split('\n').slice(2)
        commitFile(path, `configs/${file}`, show(path, `configs/${file}`).replace('eve', 'mal'), BOT)
      },
      /^ledger-damaged: .+ configs\/[0-9a-f]{64}\.yml: expected sha256:/,
    ],
    ['somebody else committed', (path) => commitFile(path, 'note.txt', 'hello\n'), /^foreign-author: /],
    [
      'its last events are gone, and the head with them',
      (path) => {
        const [file = ''] = show(path, 'events/2026/11/20/10/')
          .trim()
          .split('\n')
          .slice(2)
          .sort((one, other) => Number.parseInt(other, 10) - Number.parseInt(one, 10))
        commitFile(path, `events/2026/11/20/10/${file}`, null, BOT)
        commitFile(path, 'head.json', null, BOT)
      },
      /^ledger-damaged: .+ expected the log to end at event /,
    ],
  ])('makes no pack where %s', async (name, harm, said) => {
    const path = copy(`packed-${name.replace(/\W/g, '')}.git`)
    harm(path)
    const { code, out, err } = await run(['ledger', 'export', '--repo', path, '--release', 'r12'])
    expect([code, out]).toEqual([1, ''])
    expect(err[0]).toMatch(said)
  })

  it('names a release that the log does not know', async () => {
    const { code, err } = await run(['ledger', 'export', '--repo', repo, '--release', 'r99'])
    expect(code).toBe(2)
    expect(err[0]).toMatch(/^unknown-release: /)
  })
})
