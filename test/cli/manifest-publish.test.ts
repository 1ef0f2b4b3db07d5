import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { cohortEnrol } from '../../src/cli/cohort-roster.ts'
import { manifestPublish } from '../../src/cli/manifest.ts'
import type { ChannelRelease } from '../../src/core/cohort/schema.ts'
import { NO_PREVIOUS } from '../../src/core/event.ts'
import { sha256 } from '../../src/core/json.ts'
import type { ChannelSource } from '../../src/core/manifest/source.ts'
import { RingmasterError } from '../../src/core/problem.ts'
import { directoryCache } from '../../src/device/cache.ts'
import { checkForUpdate } from '../../src/device/check.ts'
import { httpFetcher } from '../../src/device/fetch.ts'
import { createKeyFile } from '../../src/publish/key-file.ts'
import { directoryRoster } from '../../src/roster/directory.ts'
import { makeTrust, STAGED_NOW } from '../action/trust.ts'
import { aBundle, aRelease, inShort } from '../device/fleet.ts'
import { type StaticHost, serveDirectory } from '../device/static-host.ts'
import { runCommand } from './stage.ts'

let directory: string
let host: StaticHost
const at = (...parts: string[]) => join(directory, ...parts)

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ringmaster-manifest-publish-'))
  await makeTrust(directory, ['1.0.0', '2.0.0', '3.0.0'])
  host = await serveDirectory(at('site'))
  const requests = ['targets', 'bundles-1'].flatMap((name) => ['--request', at(`trust/${name}.request.json`)])
  expect(await publish(offering(GOOD), ...requests)).toMatchObject({ code: 0 })
  expect(await asked()).toBe('update Gateway@2.0.0')
})
afterAll(async () => {
  await host.close()
  await rm(directory, { recursive: true })
})

const release = (version: string, more: Partial<ChannelRelease> = {}): ChannelRelease => ({
  ...aRelease(version),
  schedule: STAGED_NOW,
  ...more,
})

/** Each release leads to the one after it. */
const offering = (releases: readonly ChannelRelease[], more: Partial<ChannelSource> = {}) => ({
  schema: 'ringmaster/channel-source/1',
  channel: {
    cohort: 'eu',
    releases: releases.map((one, index) => ({ ...one, next: releases[index + 1]?.id ?? null })),
  },
  bundles: releases.map(({ bundle }) => aBundle(bundle.replace('Gateway@', ''))),
  ...more,
})

const GOOD = [release('1.0.0'), release('2.0.0')]
const withThird = (more: Partial<ChannelRelease>, version = '3.0.0') => offering([...GOOD, release(version, more)])

interface Told {
  readonly code: number
  readonly out: readonly string[]
  readonly problems: readonly { readonly code: string; readonly message: string; readonly path?: string }[]
}

async function publish(source: object | string, ...more: string[]): Promise<Told> {
  await writeFile(at('channel.json'), typeof source === 'string' ? source : JSON.stringify(source))
  const out: string[] = []
  const io = { out: (line: string) => void out.push(line), err: () => {}, json: false, env: {}, now: STAGED_NOW }
  const trust = ['--root', at('trust/1.root.json'), '--online', at('keys/online')]
  try {
    const code = await manifestPublish.run(['--to', at('site'), ...trust, '--channel', at('channel.json'), ...more], io)
    return { code, out, problems: [] }
  } catch (error) {
    if (error instanceof RingmasterError) return { code: 1, out, problems: error.problems }
    throw error
  }
}

const asked = async (version = '1.0.0'): Promise<string> =>
  inShort(
    await checkForUpdate({
      host: { fetcher: httpFetcher(host.url), cache: directoryCache(at('device')) },
      pinnedRoot: await readFile(at('trust/1.root.json')),
      cohort: 'eu',
      report: { version },
      device: { tags: [], quarantined: false },
      now: STAGED_NOW,
      random: 0.5,
    }),
  )

/** Every published file with the digest of its bytes. */
async function site(): Promise<string[]> {
  const entries = await readdir(at('site'), { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  return Promise.all(files.sort().map(async (file) => `${file} ${sha256(await readFile(file))}`))
}

async function isRefused(source: object | string, ...more: string[]): Promise<Told> {
  const before = await site()
  const told = await publish(source, ...more)
  expect(told.code).toBe(1)
  expect(await site()).toEqual(before)
  expect(await asked()).toBe('update Gateway@2.0.0')
  return told
}

const codesOf = ({ problems }: Told): string[] => problems.map(({ code }) => code)

describe('a channel file that would hurt devices is refused, nothing goes out, and devices keep what they have', () => {
  const barrier = { required: true } as const
  it.each<[string, object, string]>([
    ['a start in the past', withThird({ schedule: '2025-01-01T00:00:00Z' }), 'start-in-past'],
    ['100 where everybody was meant', withThird({ phase: { kind: 'count', count: 100 } }), 'hundred-for-everybody'],
    ['a version that nobody signed off', withThird({}, '4.0.0'), 'bundle-unsigned'],
    ['devices left behind', offering([release('3.0.0', { requirement: '~> 2.5' })]), 'devices-stranded'],
    [
      'devices taken back',
      offering([release('2.0.0', { requirement: undefined }), release('1.0.0', { requirement: undefined })]),
      'devices-downgraded',
    ],
    ['the latest release left out', offering(GOOD.slice(0, 1)), 'release-left-out'],
    ['a loop of re-offers', withThird({ requirement: '>= 0.0.0' }), 'reoffer-loop'],
    [
      'a barrier twice',
      offering([...GOOD, release('3.0.0', barrier), release('3.0.0', { ...barrier, id: 'again' })]),
      'duplicate-barrier',
    ],
  ])('%s', async (_, source, code) => {
    const told = await isRefused(source)
    expect(codesOf(told)).toContain(code)
  })

  it('tells all of it at once, names the cohort, and says how to insist', async () => {
    const told = await isRefused(withThird({ schedule: '2025-01-01T00:00:00Z', requirement: '>= 0.0.0' }))
    expect(codesOf(told)).toEqual(['start-in-past', 'reoffer-loop'])
    for (const problem of told.problems)
      expect(problem).toMatchObject({
        message: expect.stringContaining('(cohort "eu")'),
        hint: expect.stringContaining('accept-risk'),
        path: 'channel.releases',
      })
  })

  it('is published when that is wanted, and says who moves where', async () => {
    const told = await publish(withThird({ schedule: '2025-01-01T00:00:00Z' }), '--accept-risk')
    expect(told).toMatchObject({ code: 0 })
    expect(told.out.join('\n')).toContain('"eu": devices on 2.0.0 → 3.0.0 now')
    expect(told.out.join('\n')).toContain('"eu": error: start-in-past')
    expect(await asked()).toBe('update Gateway@3.0.0')
    expect(await publish(offering(GOOD), '--accept-risk')).toMatchObject({ code: 0 })
  })

  it('accuses nobody of what is published already', async () => {
    expect(await publish(offering(GOOD))).toMatchObject({ code: 0 })
    expect(await asked()).toBe('update Gateway@2.0.0')
  })

  it('takes a start that a log decided long ago', async () => {
    const carried = withThird({ schedule: '2025-01-01T00:00:00Z' })
    expect(await publish(carried, '--ledger-head', NO_PREVIOUS)).toMatchObject({ code: 0 })
    expect(await publish(offering(GOOD), '--accept-risk')).toMatchObject({ code: 0 })
  })
})

describe('a dry run', () => {
  /** Without the digest in a path: the time and the salts are in it. */
  const wouldGo = ({ out }: Told): string[] =>
    out
      .flatMap((line) => /^would publish (\S+) \(\d+ bytes\)$/.exec(line)?.[1] ?? [])
      .map((path) => path.replace(/[0-9a-f]{64}\./, ''))

  it('says who moves where, which files would go out, and writes nothing', async () => {
    const before = await site()
    const told = await publish(withThird({}), '--dry-run', '--views')
    expect(told.code).toBe(0)
    expect(told.out).toContain('"eu": devices on 2.0.0 → 3.0.0 now')
    expect(wouldGo(told)).toEqual(
      expect.arrayContaining(['targets/cohorts/eu/manifest.json', 'metadata/timestamp.json']),
    )
    expect(await site()).toEqual(before)
    expect(await asked()).toBe('update Gateway@2.0.0')
  })

  it('says what is published then', async () => {
    const dry = await publish(offering(GOOD), '--dry-run')
    const before = await readdir(at('site'), { recursive: true })
    const real = await publish(offering(GOOD))
    const [version, count] = [/at version (\d+)/, /(\d+) file\(s\)/].map((part) => part.exec(dry.out.at(-1) ?? '')?.[1])
    expect(real.out.at(-1)).toBe(
      `Published ${count} file(s) to ${at('site')}; timestamp.json is at version ${version}.`,
    )
    const added = (await readdir(at('site'), { recursive: true })).filter((path) => !before.includes(path))
    const fresh = added.map((path) => path.replace(/[0-9a-f]{64}\./, ''))
    expect(fresh).toContainEqual(expect.stringMatching(/^metadata\/\d+\.snapshot\.json$/))
    expect(wouldGo(dry)).toEqual(expect.arrayContaining(fresh))
    expect(wouldGo(dry).at(-1)).toBe('metadata/timestamp.json')
  })

  it('is refused by what would refuse the publication', async () => {
    expect(codesOf(await isRefused(offering(GOOD.slice(0, 1)), '--dry-run'))).toContain('release-left-out')
    expect(codesOf(await isRefused(withThird({}, '4.0.0'), '--dry-run'))).toContain('bundle-unsigned')
  })

  it('makes no place that is not there', async () => {
    const requests = ['targets', 'bundles-1'].flatMap((name) => ['--request', at(`trust/${name}.request.json`)])
    const told = await publish(offering(GOOD), ...requests, '--dry-run', '--to', at('nowhere'))
    expect(told.out.at(-1)).toMatch(
      /^Nothing is published: \d+ file\(s\) would go to .+nowhere, with timestamp.json at version 1\.$/,
    )
    expect(await readdir(directory)).not.toContain('nowhere')
  })

  it('compares nothing that did not go out', async () => {
    expect(await isRefused(offering(GOOD), '--dry-run', '--base-url', host.url)).toMatchObject({
      problems: [expect.objectContaining({ message: expect.stringContaining('--dry-run or --base-url') })],
    })
  })
})

describe('bad input is refused by the name of its field, nothing goes out, and devices keep what they have', () => {
  const circle = offering(GOOD)
  circle.channel.releases[1] = { ...release('2.0.0'), next: 'Gateway@1.0.0' }
  const third = (phase: object) => withThird({ phase: phase as ChannelRelease['phase'] })
  const tooMany = Array.from({ length: 10_000 }, (_, index) => release('3.0.0', { id: `r${index}` }))

  it.each<[string, object, string, string]>([
    ['a channel that goes round in a circle', circle, 'channel.releases', 'acyclic'],
    [
      'a requirement in neither syntax',
      withThird({ requirement: 'the newest, please' }),
      'channel.releases.2.requirement',
      'file-invalid',
    ],
    ['a negative share', third({ kind: 'share', share: '-0.1' }), 'channel.releases.2.phase.share', 'file-invalid'],
    ['a share of 1.5', third({ kind: 'share', share: '1.5' }), 'channel.releases.2.phase.share', 'file-invalid'],
    ['a share that is no text', third({ kind: 'share', share: 1.5 }), 'channel.releases.2.phase.share', 'file-invalid'],
    ['a count of 1.5', third({ kind: 'count', count: 1.5 }), 'channel.releases.2.phase.count', 'file-invalid'],
    ['an empty list of tags', third({ kind: 'tags', tags: [] }), 'channel.releases.2.phase.tags', 'file-invalid'],
    [
      'an id twice',
      offering([...GOOD, release('3.0.0', { id: 'Gateway@2.0.0' })]),
      'channel.releases.2.id',
      'file-invalid',
    ],
    [
      'ten thousand releases',
      { ...offering(GOOD), channel: { cohort: 'eu', releases: tooMany } },
      'channel.releases',
      'file-invalid',
    ],
  ])('%s', async (_, source, path, code) => {
    const told = await isRefused(source)
    expect(told.problems).toContainEqual(expect.objectContaining({ code, path }))
  })

  it('a channel file cut short, which is named', async () => {
    const whole = JSON.stringify(offering(GOOD))
    const told = await isRefused(whole.slice(0, -100))
    expect(told.problems).toEqual([
      { code: 'file-invalid', message: expect.stringContaining(`JSON text in ${at('channel.json')}`) },
    ])
  })

  it('a key file that others can read, which is named', async () => {
    const key = at('keys/online/timestamp.pem')
    await chmod(key, 0o644)
    const told = await isRefused(withThird({}))
    expect(told.problems).toEqual([
      expect.objectContaining({
        message: expect.stringContaining(`${key} readable by its owner only, found mode 0644`),
      }),
    ])
    await chmod(key, 0o600)
  })

  it('two devices with one pseudonym, of which neither comes to the roster', async () => {
    await writeFile(at('pseudonyms.txt'), 'p-1\np-2\np-1\n')
    const where = ['--roster', at('roster'), '--cohort', 'eu', '--key', at('keys/enrolment.pem')]
    await createKeyFile(at('keys/enrolment.pem'), 'enrolment')
    const told = await runCommand(cohortEnrol, [...where, '--from', at('pseudonyms.txt'), '--out', at('records')])
    expect(told).toMatchObject({ code: 'thrown', problems: ['pseudonym-repeated'] })
    expect(await directoryRoster(at('roster')).read('eu', Number.MAX_SAFE_INTEGER)).toBeNull()
    const counted = withThird({ phase: { kind: 'count', count: 1 } })
    expect(codesOf(await isRefused(counted, '--roster', at('roster')))).toContain('roster-needed')
  })
})
