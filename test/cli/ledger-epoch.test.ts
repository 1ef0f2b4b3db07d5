import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { CliCommand } from '../../src/cli/command.ts'
import { LEDGER_COMMANDS } from '../../src/cli/ledger.ts'
import { ledgerArchive, ledgerEpoch } from '../../src/cli/ledger-epoch.ts'
import { ledgerVerify } from '../../src/cli/ledger-verify.ts'
import { simulateSignoff } from '../../src/cli/release.ts'
import { model } from '../../src/core/model.ts'
import type { Request } from '../../src/core/request.ts'
import { closeEpoch } from '../../src/ledger/epoch.ts'
import { gitStore } from '../../src/ledger/git.ts'
import { gitHubStore } from '../../src/ledger/github.ts'
import {
  buildReported,
  command,
  gateRequested,
  play,
  proposedHead,
  releaseReview,
  SHA,
  type Stage,
  stage,
  started,
} from '../engine/stage.ts'
import { nextId } from '../ledger/opened.ts'
import { startSandbox } from '../sandbox/sandbox.ts'
import { runCommand } from './stage.ts'

const AUTHOR = 'ringmaster[bot] <7+ringmaster[bot]@users.noreply.github.com>'
const [NAME, EMAIL] = ['ringmaster[bot]', '7+ringmaster[bot]@users.noreply.github.com']
let directory: string
let repo: string
let on: Stage
let archive: string

const storeOf = (branch: string) =>
  gitStore({ directory: repo, branch, author: { name: NAME, email: EMAIL }, clock: () => '2026-11-20T12:00:00Z' })
const branches = () =>
  execFileSync('git', [`--git-dir=${repo}`, 'for-each-ref', '--format=%(refname:short)'], { encoding: 'utf8' }).split(
    '\n',
  )
const epoch = (...args: readonly string[]) => runCommand(ledgerEpoch, ['--repo', repo, '--author', AUTHOR, ...args])
const verify = (...args: readonly string[]) => runCommand(ledgerVerify, args)
const named = (name: string): CliCommand => {
  const found = LEDGER_COMMANDS.find((one) => one.name === name)
  if (!found) throw new Error(`no such command: ${name}`)
  return found
}

const deployed: Request = {
  kind: 'deployment-reported',
  environment: 'production',
  sha: SHA,
  repository: { id: 78, fullName: 'acme/platform' },
  deploymentId: 1,
  status: 'completed',
  statusId: 1,
  record: null,
  run: { id: 600, attempt: 1 },
  byActions: false,
  url: '',
  trust: 'platform',
  at: '2026-11-20T10:00:00Z',
  actor: null,
  source: { kind: 'webhook' },
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ringmaster-epoch-cli-'))
  repo = join(directory, 'releases.git')
  archive = join(directory, 'ringmaster-ledger-1.tar.gz')
  execFileSync('git', ['init', '-q', '--bare', repo])
  on = stage({ store: storeOf('ringmaster-data'), ledger: { snapshotEvery: 20, successor: storeOf } })
  await started(on)
}, 60_000)
afterAll(async () => {
  await on.engine.close()
  await rm(directory, { recursive: true })
})

describe('ledger epoch', () => {
  it('says what it would do, and does nothing', async () => {
    const told = await epoch('--dry-run')
    expect(told).toMatchObject({
      code: 0,
      out: [expect.stringMatching(/^Would close ringmaster-data at event \d+ and go on in ringmaster-data-2/)],
    })
    expect(branches().join()).not.toContain('ringmaster-data-2')
  })

  it('closes nothing where somebody made a branch in the place of the next one', async () => {
    const git = (...words: string[]) =>
      execFileSync('git', [`--git-dir=${repo}`, ...words], { encoding: 'utf8' }).trim()
    const before = git('rev-parse', 'ringmaster-data')
    git('branch', 'ringmaster-data-2', `${before}^`)
    for (const words of [[], ['--dry-run']]) expect((await epoch(...words)).problems).toEqual(['epoch-taken'])
    expect(git('rev-parse', 'ringmaster-data')).toBe(before)
    git('branch', '-D', 'ringmaster-data-2')
  })

  it('finishes what was interrupted, archives the old branch, and opens no further epoch on the same day', async () => {
    const before = join(directory, 'before.git')
    await cp(repo, before, { recursive: true })
    await closeEpoch(storeOf('ringmaster-data'), model, 'ringmaster-data-2', {
      now: '2026-03-04T05:06:07Z',
      newId: nextId,
      writer: { version: '0.1.0' },
    })
    const resumed = await epoch('--dry-run')
    expect(resumed.out.join()).toMatch(
      /^Would go on from ringmaster-data, which was closed at event \d+, in ringmaster-data-2\./,
    )
    const told = await epoch('--archive', archive)
    expect(told).toMatchObject({ code: 0, err: [expect.stringContaining('Where it was lost, fetch it instead.')] })
    expect(told.out).toEqual([
      expect.stringMatching(/^Closed ringmaster-data at event \d+, sha256:[0-9a-f]{64}, in commit [0-9a-f]{40}\.$/),
      expect.stringMatching(/^Epoch 2 is open in ringmaster-data-2, with the state sha256:[0-9a-f]{64}\.$/),
      expect.stringMatching(/^Archive of epoch 1: \d+ files, sha256:[0-9a-f]{64}\.$/),
      `Wrote ${archive}`,
    ])
    const again = await epoch()
    const compared = await verify('--repo', before, '--archive', archive)
    expect(compared.problems).toEqual(['no-epoch'])
    const [already, ...same] = again.out
    expect(already).toBe(
      'Epoch 2 is open in ringmaster-data-2 already, the one after it can be opened a day later. Only the archive is made anew.',
    )
    expect((await epoch('--dry-run')).out).toEqual([already?.replace(' Only the archive is made anew.', '')])
    expect(same.slice(0, 3)).toEqual(told.out.slice(0, 3))
    expect(same[3]).toBe(`No archive was written: ringmaster ledger archive --repo ${repo} --epoch 1 --out FILE`)
    expect(branches().join()).not.toContain('ringmaster-data-3')
    const other = join(directory, 'again.tar.gz')
    await runCommand(ledgerArchive, ['--repo', repo, '--out', other])
    expect(Buffer.compare(await readFile(other), await readFile(archive))).toBe(0)
  }, 60_000)

  it('that was put back to before it was closed is not taken for the whole log, and what to do is said', async () => {
    const back = join(directory, 'back.git')
    await cp(repo, back, { recursive: true })
    const git = (...words: string[]) =>
      execFileSync('git', [`--git-dir=${back}`, ...words], { encoding: 'utf8' }).trim()
    const closing = git('rev-parse', 'ringmaster-data')
    git('update-ref', 'refs/heads/ringmaster-data', `${closing}^`)
    const [log, rebuild, redact] = ['log', 'rebuild', 'redact'].map((name) => named(`ledger ${name}`))
    const asked = [
      [log, []],
      [rebuild, []],
      [redact, ['--event', '1', '--reason', 'x', '--by', 'ann']],
      [ledgerEpoch, ['--author', AUTHOR]],
    ] as const
    for (const [command, words] of asked) {
      const told = await runCommand(command as CliCommand, ['--repo', back, ...words])
      expect(told.problems).toEqual(['ledger-rewound'])
    }
    const verified = await verify('--repo', back)
    expect(verified.code).toBe(1)
    expect(verified.err[0]).toMatch(
      new RegExp(
        `^ledger-rewound: .*expected it to be closed at event \\d+, in commit ${closing}, where .*ringmaster-data-2 goes on`,
      ),
    )
    expect(await verify('--repo', back, '--branch', 'ringmaster-data')).toMatchObject({ code: 0 })
    git('update-ref', 'refs/heads/ringmaster-data', closing)
    expect(await verify('--repo', back)).toMatchObject({ code: 0, err: [] })
  }, 60_000)

  it('carries an open release over, whose signatures and evidence go on, and holds versions to their commits', async () => {
    expect((await on.ledger.view()).head.seq).toBeGreaterThan(0)
    on.outside.approve('eve', proposedHead(on.outside))
    await play(on, releaseReview())
    expect(on.ledger.epoch).toBe(2)
    await play(on, buildReported('1.0.0', 'd'.repeat(40)))
    await play(on, gateRequested(600), deployed, command('complete'))
    await on.engine.idle()
    const log = await runCommand(named('ledger log'), ['--repo', repo], true)
    const events = (log.json()['events'] as { seq: number; type: string; data: Record<string, unknown> }[]) ?? []
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1))
    const at = events.findIndex(({ type }) => type === 'epoch.opened')
    const later = events.slice(at)
    expect(later.find(({ type }) => type === 'build.refused')?.data).toMatchObject({ code: 'version-conflict' })
    expect(later.find(({ type }) => type === 'signoff.completed')?.data).toMatchObject({ release: 'r12' })
    expect(events.slice(0, at).map(({ type }) => type)).toContain('release.started')
    const pack = (await runCommand(named('ledger export'), ['--repo', repo, '--release', 'r12'], true)).json()
    expect(pack['release']).toMatchObject({ status: 'completed', items: [{ product: 'user-service' }] })
    expect((pack['events'] as { type: string }[]).map(({ type }) => type)).toEqual(
      expect.arrayContaining(['release.opened', 'signoff.completed', 'release.completed']),
    )
    const simulated = await runCommand(simulateSignoff, ['--repo', repo, '--release', 'r12'])
    expect(simulated.problems).toEqual(['not-started'])
  }, 60_000)

  it('leaves logs of which each is replayed by itself, and the new one against the old or its archive', async () => {
    const alone = await verify('--repo', repo)
    expect(alone).toMatchObject({ code: 0, err: [] })
    expect(alone.out.join('\n')).toMatch(
      /^Taken on trust: the state at event \d+, sha256:.+ from the closed snapshot of "ringmaster-data", and is the same;/m,
    )
    const first = await verify('--repo', repo, '--branch', 'ringmaster-data')
    expect(first).toMatchObject({ code: 0, err: [] })
    expect(first.out).toContain('It was closed there: the log goes on in "ringmaster-data-2".')
    const both = await verify('--repo', repo, '--archive', archive)
    expect(both).toMatchObject({ code: 0, err: [] })
    expect(both.out.join('\n')).not.toContain('on trust')
    const lines = await runCommand(named('ledger export'), ['--repo', repo, '--release', 'r12'], true)
    const [line] = lines.json()['events'] as { seq: number; digest: string }[]
    const wrong = `sha256:${'a'.repeat(64)}`
    for (const where of [[], ['--archive', archive]]) {
      for (const anchor of [`${line?.seq}:${line?.digest}`, `${line?.digest}`]) {
        const held = await verify('--repo', repo, ...where, '--anchor', anchor)
        expect(held).toMatchObject({ code: 0, err: [] })
        expect(held.out.join('\n')).toContain('It has the one anchor that stands')
      }
      const denied = await verify('--repo', repo, ...where, '--anchor', `${line?.seq}:${wrong}`)
      expect(denied).toMatchObject({
        code: 1,
        err: [expect.stringMatching(/^ledger-replaced: .+:\d+: expected event \d+/)],
      })
    }
    const replayed = await verify('--archive', archive)
    expect(replayed).toMatchObject({ code: 0, err: [] })
    expect(replayed.out.join('\n')).toContain('The archive holds')
  }, 60_000)

  it('are not read without the newest branch, unless one of the others is named', async () => {
    const path = join(directory, 'beheaded.git')
    execFileSync('git', ['clone', '-q', '--bare', repo, path])
    execFileSync('git', [`--git-dir=${path}`, 'update-ref', '-d', 'refs/heads/ringmaster-data-2'])
    const told = await verify('--repo', path)
    expect(told).toMatchObject({
      code: 1,
      err: [expect.stringMatching(/^ledger-missing: .+ in ringmaster-data-2, .+ was deleted, or .+ was interrupted/)],
    })
    expect(told.out.join('\n')).not.toContain('The log holds')
    const release = ['--repo', path, '--release', 'r12']
    for (const [cli, args] of [
      [named('ledger log'), ['--repo', path]],
      [named('ledger export'), release],
      [named('ledger rebuild'), ['--repo', path]],
      [simulateSignoff, release],
    ] as const)
      expect(await runCommand(cli, args)).toMatchObject({ out: [], problems: ['ledger-missing'] })
    const branch = ['--branch', 'ringmaster-data']
    expect(await verify('--repo', path, ...branch)).toMatchObject({ code: 0, err: [] })
    expect(await runCommand(named('ledger export'), [...release, ...branch])).toMatchObject({ code: 0 })
  }, 60_000)

  it('are held against who began the first of them, when somebody else closed it and made the next', async () => {
    const path = join(directory, 'led-away.git')
    await cp(join(directory, 'before.git'), path, { recursive: true })
    const led = await runCommand(ledgerEpoch, ['--repo', path, '--author', 'mallory <mallory@example.com>'])
    expect(led.code).toBe(0)
    for (const args of [[], ['--branch', 'ringmaster-data-2']]) {
      const told = await verify('--repo', path, ...args)
      expect(told.code).toBe(1)
      expect(told.out).toContain(`Commits belong to "${EMAIL}", who made the first one.`)
      expect(told.err).toEqual([
        expect.stringMatching(/^foreign-author: .+@ringmaster-data: .+, found mallory@example\.com/),
        expect.stringMatching(/^foreign-author: .+@ringmaster-data-2: .+, found mallory@example\.com/),
      ])
    }
  }, 60_000)

  it('names another archive, and one that was edited', async () => {
    const tar = gunzipSync(await readFile(archive))
    const at = tar.indexOf('"First"')
    const edited = join(directory, 'edited.tar.gz')
    await writeFile(
      edited,
      gzipSync(Buffer.concat([tar.subarray(0, at), Buffer.from('"Fjrst"'), tar.subarray(at + 7)])),
    )
    for (const args of [
      ['--archive', edited],
      ['--repo', repo, '--archive', edited],
    ]) {
      const told = await verify(...args)
      expect(told.code).toBe(1)
      expect(told.err.join('\n')).toContain('ledger-damaged')
    }
    const none = await verify('--archive', join(directory, 'none'))
    expect(none.problems).toEqual(['file-unreadable'])
  }, 60_000)

  it.each<[string, string[]]>([
    ['it is tried', []],
    ['it is confirmed', ['--yes']],
  ])(
    'takes no text out of an epoch that was closed: %s',
    async (_, confirmed) => {
      const head = () => execFileSync('git', [`--git-dir=${repo}`, 'for-each-ref'], { encoding: 'utf8' })
      const before = head()
      const words = ['--event', '1', '--reason', 'names a customer', '--by', 'ann', ...confirmed]
      const told = await runCommand(named('ledger redact'), ['--repo', repo, ...words])
      expect(told).toMatchObject({ code: 'thrown', problems: ['ledger-succeeded'] })
      expect(head()).toBe(before)
    },
    60_000,
  )

  it('does not carry a log on whose head is of a version that it does not know', async () => {
    const path = join(directory, 'newer.git')
    execFileSync('git', ['clone', '-q', '--bare', repo, path])
    const head = '{"schemaVersion":99}'
    const stream = `commit refs/heads/ringmaster-data-2\ncommitter ${AUTHOR} 1795000000 +0000\ndata 4\nedit\nfrom refs/heads/ringmaster-data-2^0\nM 100644 inline head.json\ndata ${head.length}\n${head}\n`
    execFileSync('git', [`--git-dir=${path}`, 'fast-import', '--quiet', '--force'], { input: stream })
    const told = await runCommand(ledgerEpoch, ['--repo', path], false, '2027-03-04T05:06:07Z')
    expect(told).toMatchObject({ code: 'thrown', problems: ['unknown-schema-version'] })
  }, 60_000)

  it('does not carry a log on that does not hold', async () => {
    const path = join(directory, 'harmed.git')
    execFileSync('git', ['clone', '-q', '--bare', repo, path])
    const stream =
      'commit refs/heads/ringmaster-data-2\ncommitter m <m@example.com> 1795000000 +0000\ndata 4\nedit\nfrom refs/heads/ringmaster-data-2^0\nM 100644 inline note.txt\ndata 2\nhi\n'
    execFileSync('git', [`--git-dir=${path}`, 'fast-import', '--quiet', '--force'], { input: stream })
    const later = '2027-03-04T05:06:07Z'
    const told = await runCommand(ledgerEpoch, ['--repo', path], false, later)
    expect(told).toMatchObject({
      code: 1,
      err: [
        expect.stringMatching(/^Commits here are by/),
        expect.stringMatching(
          /^foreign-author: .+ found m@example\.com\n {2}Look at that commit; restore the state before it\.$/,
        ),
        'Nothing was closed: repeat when "ringmaster ledger verify" finds no problem any more.',
      ],
    })
    const sound = await runCommand(ledgerEpoch, ['--repo', repo, '--dry-run'], false, later)
    expect(sound.out).toEqual([expect.stringMatching('Would close ringmaster-data-2 at event .+ in ringmaster-data-3')])
  }, 60_000)

  it.each<[string, CliCommand, string[], string]>([
    ['no repository', ledgerEpoch, [], 'usage'],
    ['a branch that is none', ledgerEpoch, ['--branch', 'none'], 'no-ledger'],
    ['an archive of an epoch that is open', ledgerArchive, ['--epoch', '2', '--out', 'x'], 'no-epoch'],
    ['an epoch that is none', ledgerArchive, ['--epoch', 'two', '--out', 'x'], 'usage'],
    ['an archive without a place', ledgerArchive, [], 'usage'],
  ])('refuses %s', async (what, cli, args, code) => {
    const place = what === 'no repository' ? [] : ['--repo', repo]
    expect((await runCommand(cli, [...place, ...args])).problems).toEqual([code])
    expect(existsSync('x')).toBe(false)
  })
})

describe('on GitHub', () => {
  it('commits as the App and keeps the archive at a release, which is made anew on demand', async () => {
    const sandbox = await startSandbox({
      seed: {
        people: ['ann'],
        organizations: [{ login: 'acme', owners: ['ann'], members: [] }],
        repositories: [
          {
            name: 'acme/releases',
            commits: [{ message: 'Begin', files: { 'README.md': '# releases\n' }, author: 'ann' }],
          },
        ],
        apps: [
          { slug: 'ringmaster', permissions: { contents: 'write' }, events: [], installations: [{ account: 'acme' }] },
        ],
      },
    })
    try {
      const app = sandbox.app('ringmaster')
      const at = { owner: 'acme', repo: 'releases' }
      const now = '2026-03-04T05:06:07Z'
      const store = gitHubStore({ client: app.octokit('acme'), ...at, branch: 'ringmaster-data' })
      const first = stage({ store })
      await started(first)
      await first.engine.close()
      const env = {
        APP_ID: String(app.id),
        PRIVATE_KEY: app.privateKey,
        GITHUB_TOKEN: sandbox.as('ann').token,
        GITHUB_API_URL: sandbox.origin,
      }
      const run = (cli: CliCommand, ...args: string[]) =>
        runCommand(cli, ['--repo', 'acme/releases', ...args], true, undefined, env)
      await closeEpoch(store, model, 'ringmaster-data-2', { now, newId: nextId, writer: { version: '0.1.0' } })
      const told = (await run(ledgerEpoch)).json() as { archive: { url: string; outcome: string }; closed: string }
      expect(told).toMatchObject({ opens: 'ringmaster-data-2', archive: { outcome: 'uploaded' } })
      const { rest } = sandbox.as('ann').octokit
      const { data: release } = await rest.repos.getReleaseByTag({ ...at, tag: 'ringmaster-ledger-1' })
      expect(release.assets).toMatchObject([{ name: 'ringmaster-ledger-1.tar.gz' }])
      const { data: tag } = await rest.git.getRef({ ...at, ref: 'tags/ringmaster-ledger-1' })
      expect(tag.object.sha).toBe(told.closed)
      expect((await run(ledgerArchive)).json()).toMatchObject({ archive: { outcome: 'there already' } })
      const [asset] = release.assets
      await rest.repos.deleteReleaseAsset({ ...at, asset_id: asset?.id ?? 0 })
      const name = { name: 'ringmaster-ledger-1.tar.gz', data: 'another' }
      await sandbox.as('ann').octokit.request({
        method: 'POST',
        url: release.upload_url,
        ...name,
        headers: { 'content-type': 'application/gzip' },
      })
      expect((await run(ledgerArchive)).json()).toMatchObject({ archive: { outcome: 'replaced' } })
      expect((await run(named('ledger rebuild'))).json()).toMatchObject({ commit: expect.any(String) })
      expect((await run(ledgerVerify)).json()).toMatchObject({ ok: true, carried: { branch: 'ringmaster-data' } })
      await rest.git.deleteRef({ ...at, ref: 'heads/ringmaster-data-2' })
      /** It was there: what it held must not be made anew without that. */
      expect((await run(ledgerEpoch)).problems).toEqual(['ledger-missing'])
      expect((await run(ledgerVerify)).json()).toMatchObject({ ok: false, problems: [{ code: 'ledger-missing' }] })
      expect(sandbox.violations).toEqual([])
    } finally {
      await sandbox.stop()
    }
  }, 90_000)
})
