import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { runAction } from '../../src/action/run-action.ts'
import { directoryCache } from '../../src/device/cache.ts'
import { checkForUpdate } from '../../src/device/check.ts'
import { httpFetcher } from '../../src/device/fetch.ts'
import { directoryRoster } from '../../src/roster/directory.ts'
import { inShort } from '../device/fleet.ts'
import { type StaticHost, serveDirectory } from '../device/static-host.ts'
import { type Given, recordingRunner, stage } from './stage.ts'
import { makeTrust, STAGED_NOW, type Trust } from './trust.ts'

const REQUESTS = 'trust/targets.request.json\ntrust/bundles-1.request.json'
let workspace: string
let host: StaticHost
let trust: Trust

beforeAll(async () => {
  workspace = await mkdtemp(join(tmpdir(), 'ringmaster-publish-'))
  trust = await makeTrust(workspace, ['1.0.0', '2.0.0'])
  host = await serveDirectory(join(workspace, 'site'))
  await symlink(tmpdir(), join(workspace, 'out'))
  await symlink('trust', join(workspace, 'inside'))
})
afterAll(async () => {
  await host.close()
  await rm(workspace, { recursive: true })
})

async function publish(inputs: Given = {}, bent: Readonly<Record<string, string>> = {}) {
  const runner = recordingRunner()
  const all = { command: 'publish', 'publish-to': 'site', root: 'trust/1.root.json', 'online-keys': trust.onlineKeys }
  const exitCode = await runAction(stage({ ...all, ...inputs }, { GITHUB_WORKSPACE: workspace, ...bent }), runner)
  return { exitCode, runner, problems: runner.annotations.map(({ problem }) => problem) }
}

const asked = async (): Promise<string> =>
  inShort(
    await checkForUpdate({
      host: { fetcher: httpFetcher(host.url), cache: directoryCache(join(workspace, 'device')) },
      pinnedRoot: await readFile(join(workspace, 'trust/1.root.json')),
      cohort: 'eu',
      report: { version: '1.0.0' },
      device: { tags: [], quarantined: false },
      now: STAGED_NOW,
      random: 0.5,
    }),
  )

describe('a step that publishes', () => {
  it('puts out what the files of the checkout say, where a device takes it', async () => {
    const channels = await trust.channel('eu.json', ['1.0.0'])
    const first = await publish({ channels, requests: REQUESTS, 'public-url': host.url })
    expect(first).toMatchObject({ exitCode: 0, problems: [] })
    expect(first.runner.outputs.get('published-files')).toMatch(/^metadata\/1\.root\.json\n[\s\S]+timestamp\.json$/)
    expect(first.runner.outputs.get('timestamp-version')).toBe('1')
    expect(await asked()).toBe('no_update')
    await trust.channel('eu.json', ['1.0.0', '2.0.0'])
    expect(await publish({ channels, requests: REQUESTS })).toMatchObject({ exitCode: 0, problems: [] })
    expect(await asked()).toBe('update Gateway@2.0.0')
  })

  it('renews the freshness when it is given nothing to publish', async () => {
    const before = await publish()
    const after = await publish()
    expect(after.runner.outputs.get('published-files')).toBe('metadata/timestamp.json')
    const versionOf = ({ runner }: typeof after) => Number(runner.outputs.get('timestamp-version'))
    expect(versionOf(after)).toBe(versionOf(before) + 1)
  })

  it('follows a link that stays in the workspace', async () => {
    expect(await publish({ root: 'inside/1.root.json' })).toMatchObject({ exitCode: 0, problems: [] })
  })

  it('lets in exactly as many as a release counts, by the roster, and refuses the count without it', async () => {
    const channels = await trust.channel('counted.json', ['1.0.0', '2.0.0'])
    const source = JSON.parse(await readFile(join(workspace, channels), 'utf8'))
    source.channel.releases[1].phase = { kind: 'count', count: 2 }
    await writeFile(join(workspace, channels), JSON.stringify(source))
    const given = { channels, requests: REQUESTS, 'publish-to': 'counted', views: 'true' }
    expect(await publish(given)).toMatchObject({ exitCode: 1, problems: [{ code: 'roster-needed' }] })
    const roster = directoryRoster(join(workspace, 'roster'))
    const devices = (...pseudonyms: string[]) => pseudonyms.map((pseudonym) => ({ pseudonym, tags: [] }))
    await roster.enrol('eu', devices('a', 'b', 'c', 'd', 'e'))
    expect(await publish({ ...given, roster: 'roster' })).toMatchObject({ exitCode: 0 })
    const tally = JSON.parse(await readFile(join(workspace, 'counted/views/cohorts/eu/tally.json'), 'utf8'))
    const counts = { release: 'Gateway@2.0.0', permitted: 2, enrolled: 5, left: 3 }
    expect(tally.releases.at(-1)).toEqual(counts)
    expect(await roster.enrol('eu', devices('late'))).toMatchObject([{ epoch: 2 }])
  })

  it('warns of a view that offers nothing', async () => {
    const channels = await trust.channel('moved.json', ['1.0.0', '2.0.0'], { movedTo: 'us' })
    const { exitCode, runner } = await publish({ channels, views: 'true' })
    expect(exitCode).toBe(0)
    expect(runner.annotations).toContainEqual({
      level: 'warning',
      problem: { code: 'view-closed', message: expect.stringContaining('views/cohorts/eu/SHA256SUMS offers nothing') },
    })
  })

  it.each<[string, Given, string]>([
    ['a place outside the workspace', { 'publish-to': '../site' }, 'publish-to'],
    ['a bucket without credentials', { 'publish-to': 's3://updates' }, 'AWS_ACCESS_KEY_ID'],
    ['a roster outside the workspace', { roster: '../roster' }, 'as input roster'],
    ['a roster that is not there', { roster: 'none' }, 'a directory that is there as input roster'],
    ['a roster that would be published', { roster: 'site/roster' }, 'outside of what is published'],
    ['a roster in a bucket without credentials', { roster: 's3://rosters' }, 'AWS_ACCESS_KEY_ID'],
    ['no key among the keys', { 'online-keys': 'hunter2' }, 'online-keys'],
    ['a key that is none', { 'online-keys': '-----BEGIN KEY-----\nhunter2\n-----END KEY-----' }, 'key 1 of the input'],
    ['hours in words', { 'valid-hours': 'many' }, 'valid-hours'],
    ['no hours', { 'valid-hours': '0' }, 'valid-hours'],
    [
      'a root that is not there',
      { root: 'none.json' },
      'a root file at \\"none.json\\" in the workspace, found nothing',
    ],
    ['a root behind a link out of the workspace', { root: 'out/root.json' }, 'found a link out of the workspace'],
    ['a channel that is a folder', { channels: 'trust' }, 'found a folder'],
    ['a channel that is none', { channels: 'trust/1.root.json' }, 'trust/1.root.json'],
    ['a request outside the workspace', { requests: '../request.json' }, 'found a path out of the workspace'],
  ])('stops at %s, tells no secret, and publishes nothing', async (_, inputs, message) => {
    const before = await readFile(join(workspace, 'site/metadata/timestamp.json'))
    const { exitCode, problems, runner } = await publish(inputs)
    expect(exitCode).toBe(2)
    expect(JSON.stringify(problems)).toContain(message)
    expect(JSON.stringify([problems, runner.summaries])).not.toContain('hunter2')
    expect(await readFile(join(workspace, 'site/metadata/timestamp.json'))).toEqual(before)
  })

  it('is refused when the keys are not those that the root names', async () => {
    const { exitCode, problems } = await publish({ 'online-keys': trust.onlineKeys.slice(0, 200) })
    expect({ exitCode, codes: new Set(problems.map(({ code }) => code)) }).toEqual({
      exitCode: 1,
      codes: new Set(['key-unknown']),
    })
  })
})
