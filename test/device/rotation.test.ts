import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { Updater } from 'tuf-js'
import { NO_PREVIOUS } from '../../src/core/event.ts'
import { buildManifest, encodeManifest } from '../../src/core/manifest/build.ts'
import { manifestPath } from '../../src/core/manifest/names.ts'
import { nextRootRequest } from '../../src/core/manifest/requests.ts'
import { finishRequest } from '../../src/core/manifest/sign-request.ts'
import { targetsRequest } from '../../src/core/manifest/targets-request.ts'
import { unwrap } from '../../src/core/problem.ts'
import type { FileSigner } from '../../src/publish/signer.ts'
import { aCohort, aRelease, Fleet, inShort, later, newSigner, signed } from './fleet.ts'
import { forgedTimestamp, forgePublication } from './forge.ts'
import { manifestByTuf } from './tuf-client.ts'

let fleet: Fleet
let firstRoot: Uint8Array

beforeEach(async () => {
  fleet = await Fleet.start(['eu', 'us'])
  firstRoot = fleet.root
  await fleet.release('eu', ['1.0.0', '2.0.0'])
})
afterEach(() => fleet.stop())

const channel = (...versions: string[]) =>
  aCohort(
    'eu',
    versions.map((version) => aRelease(version)),
  )

type Role = 'root' | 'targets' | 'snapshot' | 'timestamp'

/** Replaces one key of a role by a new root, signed by enough holders of the old keys and of the new ones. */
async function rotate(role: Role, at = 0): Promise<FileSigner> {
  const fresh = newSigner()
  const stolen = fleet.keys[role][at]!
  const change = { add: [fresh.key.keyVal['public']!], remove: [stolen.keyId] }
  const request = unwrap(nextRootRequest(fleet.rootMetadata, new Map([[role, change]]), later(fleet.now, 365)))
  const holders = fleet.keys.root.filter((signer) => signer !== stolen)
  const open = await signed(request, role === 'root' ? [...holders, fresh] : holders)
  fleet.keys[role][at] = fresh
  fleet.offline(open)
  fleet.root = unwrap(finishRequest(open))
  return stolen
}

/** Publishes with the first root pinned, as the publisher was set up. */
async function publish(...versions: string[]) {
  const newest = fleet.root
  fleet.root = firstRoot
  const published = await fleet.publish(versions.length > 0 ? [channel(...versions)] : [])
  fleet.root = newest
  return published
}

const check = (device: string) => fleet.check(device, { pinnedRoot: firstRoot })

describe('a change of keys', () => {
  it('leads a device that slept through three roots to the newest one, and tuf-js too', async () => {
    expect(inShort(await check('a'))).toBe('update Gateway@2.0.0')
    for (const role of ['root', 'timestamp', 'snapshot'] as const) {
      await rotate(role)
      unwrap(await publish())
    }
    expect(inShort(await check('a'))).toBe('update Gateway@2.0.0')
    const directory = join(fleet.directory, 'tuf')
    await mkdir(directory, { recursive: true })
    await writeFile(join(directory, 'root.json'), firstRoot)
    const client = new Updater({ metadataDir: directory, metadataBaseUrl: `${fleet.host.url}metadata` })
    await client.refresh()
    await expect(client.getTargetInfo(manifestPath('eu'))).resolves.toBeDefined()
  })

  it('shuts out the old key: what it signs afterwards is refused', async () => {
    await check('a')
    const stolen = await rotate('timestamp')
    unwrap(await publish())
    const before = fleet.keys.timestamp
    await check('a')
    fleet.keys.timestamp = [stolen]
    expect(await publish()).toMatchObject({ ok: false, problems: [{ code: 'key-unknown' }] })
    fleet.keys.timestamp = before
    expect(inShort(await check('a'))).toBe('update Gateway@2.0.0')
  })

  it.each(['timestamp', 'snapshot'] as const)(
    'shuts out a thief who holds the old %s key: what that signs is refused by both clients, and both recover',
    async (role) => {
      await check('a')
      await manifestByTuf(fleet, firstRoot)
      const stolen = await rotate(role)
      unwrap(await publish('1.0.0', '2.0.0'))
      await check('a')
      await manifestByTuf(fleet, firstRoot)
      // The snapshot's thief holds no timestamp key: the best that can be done is to sign the pointer with the old one.
      fleet.host.answer('metadata/timestamp.json', await forgedTimestamp(fleet, stolen, {}))
      expect(inShort(await check('a'))).toBe('refused metadata-unsigned')
      await expect(manifestByTuf(fleet, firstRoot)).rejects.toThrow()
      fleet.host.restore()
      expect(inShort(await check('a'))).toBe('update Gateway@2.0.0')
      await expect(manifestByTuf(fleet, firstRoot)).resolves.toContain('Gateway@2.0.0')
    },
  )

  it.each([
    ['takes what a stolen cohort key signs while it is trusted, under a stolen snapshot and timestamp', false],
    ['shuts out the thief of all online keys once the cohort has another one', true],
  ])('%s', async (_what, isRevoked) => {
    await check('a')
    await manifestByTuf(fleet, firstRoot)
    const [stolen, snapshot, timestamp] = [fleet.keys.cohorts[0]!, fleet.keys.snapshot[0]!, fleet.keys.timestamp[0]!]
    const fresh = newSigner()
    if (isRevoked) {
      const keys = new Map([['cohorts-eu', { add: [fresh.key.keyVal['public']!], remove: [stolen.keyId] }]])
      const request = targetsRequest(fleet.rootMetadata, fleet.targets, { keys }, later(fleet.now, 365))
      fleet.offline(await signed(unwrap(request), fleet.keys.targets))
      fleet.keys.cohorts.push(fresh)
    }
    unwrap(await publish('1.0.0', '2.0.0'))
    await forgePublication(fleet, 'cohorts-eu', { role: stolen, snapshot, timestamp })
    expect(inShort(await check('a'))).toBe(isRevoked ? 'refused metadata-unsigned' : 'update Gateway@2.0.0')
    const byTuf = manifestByTuf(fleet, firstRoot)
    await (isRevoked ? expect(byTuf).rejects.toThrow() : expect(byTuf).resolves.toContain('Gateway@2.0.0'))
    if (!isRevoked) return
    fleet.host.restore()
    await rotate('timestamp')
    await rotate('snapshot')
    unwrap(await publish('1.0.0', '2.0.0'))
    expect(inShort(await check('a'))).toBe('update Gateway@2.0.0')
    await expect(manifestByTuf(fleet, firstRoot)).resolves.toContain('Gateway@2.0.0')
  })

  it('frees a device that a thief had sent far into the future', async () => {
    await check('a')
    const farAhead = new Map([
      ['timestamp', 1_000_000],
      ['snapshot', 1_000_000],
    ])
    unwrap(await fleet.publishWith({ usedVersions: farAhead }))
    await check('a')
    await manifestByTuf(fleet, firstRoot)
    await rotate('timestamp')
    await rotate('snapshot')
    unwrap(await publish('1.0.0', '2.0.0'))
    const timestamp = JSON.parse(Buffer.from(await fleet.read('metadata/timestamp.json')).toString('utf8'))
    expect(timestamp.signed.version).toBeGreaterThan(1_000_000)
    expect(inShort(await check('a'))).toBe('update Gateway@2.0.0')
    await expect(manifestByTuf(fleet, firstRoot)).resolves.toContain('Gateway@2.0.0')
  })

  it('frees a device whose clock floor a thief had moved to where everything has expired', async () => {
    await check('a')
    const issue = { issuedAt: '2999-01-01T00:00:00Z', expiresAt: '2999-02-01T00:00:00Z', ledgerHead: NO_PREVIOUS }
    const source = { ...channel('1.0.0', '2.0.0'), previous: undefined }
    await fleet.force('eu', encodeManifest(unwrap(buildManifest(source, issue))))
    await check('a')
    unwrap(await publish('1.0.0', '2.0.0'))
    expect(inShort(await check('a'))).toBe('refused metadata-expired')
    await rotate('timestamp')
    await rotate('snapshot')
    unwrap(await publish('1.0.0', '2.0.0'))
    expect(inShort(await check('a'))).toBe('update Gateway@2.0.0')
    expect(inShort(await check('a'))).toBe('update Gateway@2.0.0')
  })

  it('refuses targets that the new keys did not sign', async () => {
    await rotate('targets')
    await rotate('targets', 1)
    expect(await publish()).toMatchObject({
      ok: false,
      problems: [{ code: 'metadata-unsigned', path: 'targets.json' }],
    })
  })

  it('signs a cohort again by itself when targets names another online key for it', async () => {
    const fresh = newSigner()
    const change = { add: [fresh.key.keyVal['public']!], remove: fleet.keys.cohorts.map(({ keyId }) => keyId) }
    const request = targetsRequest(
      fleet.rootMetadata,
      fleet.targets,
      { keys: new Map([['cohorts-eu', change]]) },
      later(fleet.now, 365),
    )
    fleet.offline(await signed(unwrap(request), fleet.keys.targets))
    fleet.keys.cohorts.push(fresh)
    unwrap(await fleet.publish())
    expect(inShort(await fleet.check('a'))).toBe('update Gateway@2.0.0')
  })
})

describe('a missing intermediate root', () => {
  it('is refused while freshness is signed by keys the device cannot know, and survived when it is back', async () => {
    await check('a')
    await rotate('root')
    await rotate('timestamp')
    unwrap(await publish('1.0.0', '2.0.0'))
    fleet.host.answer('metadata/2.root.json', 'missing')
    const answer = await check('a')
    expect(inShort(answer)).toBe('refused metadata-unsigned')
    expect(answer).toMatchObject({ problems: [{ hint: expect.stringContaining('every <n>.root.json') }] })
    fleet.host.restore()
    expect(inShort(await check('a'))).toBe('update Gateway@2.0.0')
  })

  it('cannot be skipped: the next root has to be exactly one higher', async () => {
    await check('a')
    await rotate('root')
    unwrap(await publish())
    await rotate('timestamp')
    unwrap(await publish())
    fleet.host.answer('metadata/2.root.json', await fleet.read('metadata/3.root.json'))
    expect(inShort(await check('a'))).toBe('refused version-gap')
  })
})

describe('a retired cohort', () => {
  const retire = async () => {
    const request = targetsRequest(fleet.rootMetadata, fleet.targets, { retireCohorts: ['eu'] }, later(fleet.now, 365))
    fleet.offline(await signed(unwrap(request), fleet.keys.targets))
    unwrap(await fleet.publish())
  }

  it('tells its old devices so, and they keep what they have', async () => {
    await fleet.check('a')
    await retire()
    const answer = await fleet.check('a')
    expect(inShort(answer)).toBe('refused cohort-retired')
    expect(answer).toMatchObject({ mayFinish: { bundle: { id: 'Gateway@2.0.0' } } })
    // TUF has no word for it: the target is not there, which a typing error would look like too.
    await expect(manifestByTuf(fleet)).resolves.toBeUndefined()
  })

  it('never gives its name away again', async () => {
    await retire()
    const again = { addCohorts: [{ cohort: 'eu', keys: [newSigner().key], threshold: 1 }] }
    expect(targetsRequest(fleet.rootMetadata, fleet.targets, again, later(fleet.now, 365))).toMatchObject({
      ok: false,
      problems: [{ code: 'request-invalid' }],
    })
  })

  it('cannot be published to any more', async () => {
    await retire()
    expect(await fleet.publish([channel('1.0.0', '2.0.0')])).toMatchObject({
      ok: false,
      problems: [{ code: 'cohort-unknown' }],
    })
  })
})

describe('a clock that was set back', () => {
  it('does not bring expired metadata back to life, even on a device that lost what it trusted', async () => {
    const old = await fleet.read('metadata/timestamp.json')
    const start = fleet.now
    fleet.now = later(start, 10)
    unwrap(await fleet.publish([channel('1.0.0', '2.0.0')]))
    await fleet.check('a')
    for (const name of ['timestamp', 'timestamp.etag', 'snapshot']) await rm(join(fleet.stateOf('a'), `${name}.json`))
    fleet.host.answer('metadata/timestamp.json', old)
    expect(inShort(await fleet.check('a', { now: later(start, 5) }))).toBe('refused metadata-expired')
  })

  it('decides no ramp and no override, and says that the clock is below the floor', async () => {
    const overrides = [
      { id: 'O1', bundle: 'Gateway@1.0.0', startsAt: '2026-01-01T00:00:00Z', salt: 's', devices: [], tags: ['lab'] },
    ]
    unwrap(await fleet.publish([{ ...channel('1.0.0', '2.0.0'), overrides }]))
    const device = { tags: ['lab'], quarantined: false }
    const report = { version: '2.0.0' }
    expect(inShort(await fleet.check('a', { device, report }))).toBe('update Gateway@1.0.0')
    expect(inShort(await fleet.check('a', { device, report, now: '2026-01-02T00:00:00Z' }))).toBe(
      'held clock_below_floor',
    )
  })
})
