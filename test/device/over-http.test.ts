import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { Updater } from 'tuf-js'
import { resolveCommand } from '../../src/cli/resolve.ts'
import { sortRoster } from '../../src/core/cohort/roster.ts'
import { sha256 } from '../../src/core/json.ts'
import { buildManifest, encodeManifest } from '../../src/core/manifest/build.ts'
import { manifestPath, metadataFile } from '../../src/core/manifest/names.ts'
import type { Manifest } from '../../src/core/manifest/schema.ts'
import { unwrap } from '../../src/core/problem.ts'
import { directoryCache } from '../../src/device/cache.ts'
import { httpFetcher } from '../../src/device/fetch.ts'
import { aBundle, aCohort, aRelease, Fleet, inShort, later } from './fleet.ts'

/** A name that is no file name. */
const CAFE = 'Café / Süd'

let fleet: Fleet

beforeEach(async () => {
  fleet = await Fleet.start(['eu', 'Café / Süd'])
})
afterEach(() => fleet.stop())

/** tuf-js as it comes, with its own cache. */
async function tufClient(name: string): Promise<Updater> {
  const directory = join(fleet.directory, 'tuf', name)
  await mkdir(directory, { recursive: true })
  if (!(await readdir(directory)).includes('root.json')) await writeFile(join(directory, 'root.json'), fleet.root)
  return new Updater({
    metadataDir: directory,
    metadataBaseUrl: `${fleet.host.url}metadata`,
    targetDir: directory,
    targetBaseUrl: `${fleet.host.url}targets`,
    config: { fetchRetry: 0, fetchTimeout: 2_000 },
  })
}

async function tufManifest(name: string, cohort = 'eu'): Promise<string> {
  const client = await tufClient(name)
  await client.refresh()
  const target = await client.getTargetInfo(manifestPath(cohort))
  if (!target) throw new Error('no manifest')
  return client.downloadTarget(target)
}

describe('a device that fetches what was published', () => {
  it('is told the signed bundle and why, remembers it, and an unmodified tuf-js reads the same files', async () => {
    await fleet.release('eu', ['1.0.0', '2.0.0'])
    const answer = await fleet.check('a')
    expect(inShort(answer)).toBe('update Gateway@2.0.0')
    expect(answer).toMatchObject({ kind: 'decided', fresh: true, bundle: aBundle('2.0.0') })
    await expect(tufManifest('a')).resolves.toContain('manifest.json')
    const client = await tufClient('a')
    const { path } = (answer as { decision: { bundle: { path: string } } }).decision.bundle
    await client.refresh()
    const target = await client.getTargetInfo(path)
    expect(target?.custom).toMatchObject({ product: 'Gateway', version: '2.0.0' })
  })

  it('asks for two files when nothing changed, one of them unchanged', async () => {
    await fleet.release('eu', ['1.0.0', '2.0.0'])
    await fleet.check('a')
    fleet.host.asked.length = 0
    expect(inShort(await fleet.check('a'))).toBe('update Gateway@2.0.0')
    expect(fleet.host.asked).toEqual(['metadata/2.root.json 404', 'metadata/timestamp.json 304'])
  })

  it('writes nothing when nothing changed', async () => {
    await fleet.release('eu', ['1.0.0', '2.0.0'])
    await fleet.check('a')
    const times = async () => {
      const names = await readdir(fleet.stateOf('a'))
      return Promise.all(
        names.sort().map(async (name) => `${name} ${(await stat(join(fleet.stateOf('a'), name))).mtimeMs}`),
      )
    }
    const before = await times()
    await fleet.check('a', { now: later(fleet.now, 1) })
    expect(await times()).toEqual(before)
  })

  it('gives up a host that sends a byte now and then, and goes on with what it has verified', async () => {
    await fleet.release('eu', ['1.0.0', '2.0.0'])
    await fleet.check('a')
    fleet.host.answer('metadata/timestamp.json', (request, response) => {
      response.writeHead(200)
      const drip = setInterval(() => response.write(' '), 50)
      request.on('close', () => clearInterval(drip))
    })
    const host = { fetcher: httpFetcher(fleet.host.url, { timeoutMs: 300 }), cache: directoryCache(fleet.stateOf('a')) }
    expect(await fleet.check('a', { host })).toMatchObject({ kind: 'decided', fresh: false })
  })

  it('finds a cohort whose name is no file name', async () => {
    await fleet.release('Café / Süd', ['1.0.0', '2.0.0'])
    expect(inShort(await fleet.check('a', { cohort: 'Café / Süd' }))).toBe('update Gateway@2.0.0')
    await expect(tufManifest('a', 'Café / Süd')).resolves.toContain('manifest.json')
  })

  it('follows to the cohort that it was moved to', async () => {
    await fleet.release('Café / Süd', ['1.0.0', '2.0.0'])
    await fleet.publish([aCohort('eu', [], { movedTo: 'Café / Süd' })])
    expect(await fleet.check('a')).toMatchObject({ kind: 'decided', cohort: 'Café / Süd' })
  })

  it('counts a device in the cohort of its enrolment alone, wherever it was moved to', async () => {
    await fleet.release('eu', ['1.0.0', '2.0.0'])
    const releases = [aRelease('1.0.0'), aRelease('2.0.0', { phase: { kind: 'share', share: '0.999' } })]
    const scope = { cohort: CAFE, release: 'Gateway@2.0.0', salt: 'salt of Gateway@2.0.0' }
    const enrolled = Array.from({ length: 200 }, (_, index) => `d-${index}`)
    const rosters = new Map([[scope.release, { roster: unwrap(sortRoster(scope, enrolled)), epoch: 3 }]])
    await fleet.publish([aCohort(CAFE, releases, { rosters }), aCohort('eu', [], { movedTo: CAFE })])
    const device = { pseudonym: 'mover', epoch: 0, tags: [], quarantined: false }
    const asked = { device, report: { version: '1.0.0' } }
    expect(inShort(await fleet.check('a', { ...asked, enrolledIn: CAFE }))).toBe('update Gateway@2.0.0')
    const moved = await fleet.check('b', asked)
    expect(moved).toMatchObject({ kind: 'decided', cohort: CAFE, bundle: null })
    expect(JSON.stringify(moved)).toContain('not_enrolled_in_time')
  })

  it('refuses cohorts that send it round in a circle', async () => {
    await fleet.publish([aCohort('eu', [], { movedTo: 'Café / Süd' }), aCohort('Café / Süd', [], { movedTo: 'eu' })])
    expect(inShort(await fleet.check('a'))).toBe('refused cohort-loop')
  })

  it('goes on with verified files while the host is away, until they expire', async () => {
    await fleet.release('eu', ['1.0.0', '2.0.0'])
    await fleet.check('a')
    await fleet.host.close()
    expect(await fleet.check('a')).toMatchObject({ kind: 'decided', fresh: false })
    const expired = await fleet.check('a', { now: later(fleet.now, 8) })
    expect(inShort(expired)).toBe('refused host-unreachable')
    expect(expired).toMatchObject({ mayFinish: { bundle: { id: 'Gateway@2.0.0' } } })
  })
})

describe('an attack that both clients refuse', () => {
  const attacks: readonly (readonly [string, string, () => Promise<void>])[] = [
    [
      'an expired timestamp',
      'metadata-expired',
      async () => {
        fleet.now = later(fleet.now, -10)
        await fleet.release('eu', ['1.0.0', '3.0.0'])
        fleet.now = later(fleet.now, 10)
      },
    ],
    [
      'a timestamp replayed from before',
      'metadata-older',
      async () => {
        const old = await fleet.read('metadata/timestamp.json')
        await fleet.release('eu', ['1.0.0', '3.0.0'])
        await fleet.check('a')
        await tufManifest('a')
        fleet.host.answer('metadata/timestamp.json', old)
      },
    ],
    [
      'a snapshot of another publication',
      'metadata-mixed',
      async () => {
        const old = await fleet.read('metadata/1.snapshot.json')
        await fleet.release('eu', ['1.0.0', '3.0.0'])
        fleet.host.answer('metadata/2.snapshot.json', old)
      },
    ],
    [
      'a swapped manifest',
      'digest-mismatch',
      async () => {
        await fleet.release('eu', ['1.0.0', '3.0.0'])
        const name = (await readdir(join(fleet.site, 'targets/cohorts/eu'))).sort()
        for (const file of name)
          fleet.host.answer(`targets/cohorts/eu/${file}`, Buffer.from('{"schema":"ringmaster/manifest/1"}'))
      },
    ],
    [
      'endless data',
      'answer-too-long',
      async () => {
        await fleet.release('eu', ['1.0.0', '3.0.0'])
        fleet.host.answer('metadata/timestamp.json', (request, response) => {
          response.writeHead(200)
          const drip = setInterval(() => response.write(' '.repeat(65_536)), 1)
          request.on('close', () => clearInterval(drip))
        })
      },
    ],
    [
      'metadata signed by wrong keys',
      'metadata-unsigned',
      async () => {
        const thief = await Fleet.start(['eu'])
        await thief.release('eu', ['1.0.0', '9.0.0'])
        fleet.host.answer('metadata/timestamp.json', await thief.read('metadata/timestamp.json'))
        await thief.stop()
      },
    ],
  ]

  it.each(attacks)('%s: refused as %s, and the device recovers when it ends', async (_name, code, attack) => {
    await fleet.release('eu', ['1.0.0', '2.0.0'])
    await fleet.check('a')
    await tufManifest('a')
    await attack()
    expect(inShort(await fleet.check('a'))).toBe(`refused ${code}`)
    await expect(tufManifest('a')).rejects.toThrow()
    fleet.host.restore()
    await fleet.release('eu', ['1.0.0', '4.0.0'])
    expect(inShort(await fleet.check('a'))).toBe('update Gateway@4.0.0')
    await expect(tufManifest('a')).resolves.toContain('manifest.json')
  })
})

describe('ringmaster resolve', () => {
  const SENTENCE =
    /^digest-mismatch: expected (\S+) with the SHA-256 ([0-9a-f]{64}) that was signed, found ([0-9a-f]{64})$/m

  it('says of a manifest with a broken digest what it expected and found, and keeps what it has', async () => {
    await fleet.release('eu', ['1.0.0', '2.0.0'])
    const state = join(fleet.directory, 'devices', 'a')
    const root = join(fleet.directory, 'pinned.json')
    await writeFile(root, fleet.root)
    const ask = async () => {
      const said: string[] = []
      const io = { out: () => {}, err: (text: string) => void said.push(text), json: false, env: {}, now: fleet.now }
      const words = ['--base-url', fleet.host.url, '--cohort', 'eu', '--state', state, '--root', root]
      return { code: await resolveCommand.run(words, io), said }
    }
    /** The manifest and what the device remembers; metadata that was verified by itself may go on. */
    const kept = async () => {
      const entries = (await readdir(state, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile())
      const texts = await Promise.all(entries.map(({ parentPath, name }) => readFile(join(parentPath, name), 'utf8')))
      return texts.filter((text) => text.includes('"schema":"ringmaster/')).sort()
    }
    const swapped = Buffer.from('{"schema":"ringmaster/manifest/1"}')
    expect(await ask()).toEqual({ code: 0, said: [] })
    await fleet.release('eu', ['1.0.0', '3.0.0'])
    const before = await kept()
    expect(before).toHaveLength(2)
    for (const file of await readdir(join(fleet.site, 'targets/cohorts/eu')))
      fleet.host.answer(`targets/cohorts/eu/${file}`, swapped)
    const { code, said } = await ask()
    expect(code).toBe(1)
    const [, url, digest, found] = said[0]?.match(SENTENCE) ?? []
    expect(url).toBe(`${fleet.host.url}targets/cohorts/eu/${digest}.manifest.json`)
    expect(found).toBe(sha256(swapped).slice(7))
    expect(said.filter((line) => line.includes('digest-mismatch'))).toHaveLength(1)
    expect(await kept()).toEqual(before)
    fleet.host.restore()
    expect(await ask()).toEqual({ code: 0, said: [] })
  })
})

describe('a thief of the online keys', () => {
  const rogue = (changes: Partial<Manifest> = {}) => ({ ...unwrap(built('6.6.6')), ...changes })
  const built = (version: string) =>
    buildManifest(
      { ...aCohort('eu', [aRelease('1.0.0'), aRelease(version)]), previous: undefined },
      { issuedAt: fleet.now, expiresAt: later(fleet.now, 14), ledgerHead: `sha256:${'0'.repeat(64)}` },
    )

  it('gets no unsigned bundle past the publisher', async () => {
    await fleet.release('eu', ['1.0.0', '2.0.0'])
    const refused = await fleet.publish([aCohort('eu', [aRelease('1.0.0'), aRelease('6.6.6')])])
    expect(refused).toMatchObject({ ok: false, problems: [{ code: 'bundle-unsigned' }] })
    expect(inShort(await fleet.check('a'))).toBe('update Gateway@2.0.0')
  })

  it.each<[string, string, () => Uint8Array]>([
    ['introduce a bundle', 'bundle-unsigned', () => encodeManifest(rogue())],
    [
      'change what a signed bundle is',
      'bundle-mismatch',
      () => {
        const manifest = unwrap(built('2.0.0'))
        return encodeManifest({
          ...manifest,
          bundles: manifest.bundles.map((bundle) => ({ ...bundle, sha256: 'cd'.repeat(32) })),
        })
      },
    ],
    [
      'sell a signed bundle under another version',
      'bundle-mismatch',
      () => {
        const manifest = unwrap(built('2.0.0'))
        return encodeManifest({
          ...manifest,
          bundles: manifest.bundles.map((bundle) => ({ ...bundle, version: '9.9.9' })),
        })
      },
    ],
    ['speak for another cohort', 'manifest-invalid', () => encodeManifest(rogue({ cohort: 'us' }))],
    ['send a manifest cut short', 'manifest-invalid', () => encodeManifest(rogue()).subarray(0, 200)],
    [
      'let a manifest outlive its expiry',
      'manifest-expired',
      () => encodeManifest(rogue({ expiresAt: later(fleet.now, -1) })),
    ],
  ])('cannot %s: a device refuses with %s and keeps what it has', async (_what, code, bytes) => {
    await fleet.release('eu', ['1.0.0', '2.0.0'])
    await fleet.check('a')
    await fleet.force('eu', bytes())
    const answer = await fleet.check('a')
    expect(inShort(answer)).toBe(`refused ${code}`)
    expect(answer).toMatchObject({ mayFinish: { bundle: { id: 'Gateway@2.0.0' } } })
    await fleet.release('eu', ['1.0.0', '2.0.0', '3.0.0'])
    expect(inShort(await fleet.check('a'))).toBe('update Gateway@3.0.0')
  })

  it('cannot go below the floor', async () => {
    await fleet.release('eu', ['1.0.0', '2.0.0', '3.0.0'])
    await fleet.signBundles([], [{ product: 'Gateway', version: '2.5.0' }])
    unwrap(await fleet.publish([aCohort('eu', [aRelease('1.0.0'), aRelease('2.0.0')])]))
    expect(inShort(await fleet.check('a'))).toBe('refused bundle-below-floor')
    unwrap(await fleet.publish([aCohort('eu', [aRelease('1.0.0'), aRelease('3.0.0')])]))
    expect(inShort(await fleet.check('a'))).toBe('update Gateway@3.0.0')
  })
})

describe('what a host must keep', () => {
  it.each([
    ['metadata/timestamp.json', 'metadata-missing'],
    ['metadata/1.snapshot.json', 'metadata-missing'],
    [metadataFile('cohorts-eu', 1), 'metadata-missing'],
    [metadataFile('bundles-main', 1), 'metadata-missing'],
  ])('without %s a new device refuses', async (path, code) => {
    await fleet.release('eu', ['1.0.0', '2.0.0'])
    fleet.host.answer(path, 'missing')
    expect(inShort(await fleet.check('new'))).toBe(`refused ${code}`)
  })

  describe('of what was published before', () => {
    const published = async (): Promise<Map<string, string>> => {
      const entries = await readdir(fleet.site, { recursive: true, withFileTypes: true })
      const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
      const digests = files.map(async (file): Promise<[string, string]> => [file, sha256(await readFile(file))])
      return new Map(await Promise.all(digests))
    }
    let old: { readonly files: ReadonlyMap<string, string>; readonly pointer: Uint8Array }

    /** Three publications in three days; the device `old` saw the first of them. */
    beforeEach(async () => {
      await fleet.release('eu', ['1.0.0', '2.0.0'])
      await fleet.check('old')
      old = { files: await published(), pointer: await fleet.read('metadata/timestamp.json') }
      for (const versions of [
        ['1.0.0', '2.0.0', '3.0.0'],
        ['1.0.0', '2.0.0', '3.0.0', '4.0.0'],
      ]) {
        fleet.now = later(fleet.now, 1)
        await fleet.release('eu', versions)
      }
    })

    it('the publisher takes nothing away: whoever reads a pointer of days ago finds all that it names', async () => {
      const now = await published()
      const changed = [...old.files].filter(([file, digest]) => now.get(file) !== digest)
      expect(changed.map(([file]) => relative(fleet.site, file))).toEqual([join('metadata', 'timestamp.json')])
      fleet.host.answer('metadata/timestamp.json', Buffer.from(old.pointer))
      expect(inShort(await fleet.check('new'))).toBe('update Gateway@2.0.0')
      expect(inShort(await fleet.check('old'))).toBe('update Gateway@2.0.0')
      fleet.host.restore()
      expect(inShort(await fleet.check('new'))).toBe('update Gateway@4.0.0')
    })

    it('what is no root and named by no pointer that still holds may go: devices behind come from the roots', async () => {
      const metadata = await readdir(join(fleet.site, 'metadata'))
      const current = new Set(['timestamp.json', '3.snapshot.json', '3.bundles-main.json', '3.cohorts-eu.json'])
      const goes = metadata.filter((name) => !current.has(name) && !/^(?:\d+\.root|1\.targets)\.json$/.test(name))
      expect(goes.sort()).toEqual(
        ['bundles-main', 'cohorts-eu', 'snapshot'].flatMap((role) => [`1.${role}.json`, `2.${role}.json`]).sort(),
      )
      for (const name of goes) await rm(join(fleet.site, 'metadata', name))
      expect(inShort(await fleet.check('old'))).toBe('update Gateway@4.0.0')
      expect(inShort(await fleet.check('new'))).toBe('update Gateway@4.0.0')
      fleet.host.answer('metadata/timestamp.json', Buffer.from(old.pointer))
      expect(inShort(await fleet.check('third'))).toBe('refused metadata-missing')
    })
  })

  it('an error page with status 200 in place of the next root stops a device with one clear sentence', async () => {
    await fleet.release('eu', ['1.0.0', '2.0.0'])
    fleet.host.answer('metadata/2.root.json', Buffer.from('<html>Not found</html>'))
    const answer = await fleet.check('a')
    expect(answer).toMatchObject({ kind: 'refused', problems: [{ code: 'metadata-unreadable', path: '2.root.json' }] })
  })
})
