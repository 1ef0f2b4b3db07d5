import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { buildManifest, encodeManifest } from '../../src/core/manifest/build.ts'
import type { Manifest } from '../../src/core/manifest/schema.ts'
import { unwrap } from '../../src/core/problem.ts'
import { aCohort, aRelease, Fleet, inShort, later } from './fleet.ts'
import { forgedTimestamp } from './forge.ts'
import { manifestByTuf } from './tuf-client.ts'

let fleet: Fleet

beforeEach(async () => {
  fleet = await Fleet.start(['eu', 'us'])
  await fleet.release('eu', ['1.0.0', '2.0.0'])
})
afterEach(() => fleet.stop())

function forged(versions: readonly string[], changes: Partial<Manifest> = {}): Uint8Array {
  const cohort = aCohort(
    'eu',
    versions.map((version) => aRelease(version)),
  )
  const issue = { issuedAt: fleet.now, expiresAt: later(fleet.now, 14), ledgerHead: `sha256:${'0'.repeat(64)}` }
  return encodeManifest({ ...unwrap(buildManifest({ ...cohort, previous: undefined }, issue)), ...changes })
}

describe('what is rightly signed by a stolen cohort key, so that TUF alone takes it', () => {
  it.each<[string, () => Uint8Array, string]>([
    ['a bundle that nobody signed off', () => forged(['1.0.0', '6.6.6']), 'refused bundle-unsigned'],
    [
      'a manifest that speaks for another cohort',
      () => forged(['1.0.0'], { cohort: 'us' }),
      'refused manifest-invalid',
    ],
    [
      'a manifest past its own expiry',
      () => forged(['1.0.0'], { expiresAt: later(fleet.now, -1) }),
      'refused manifest-expired',
    ],
  ])('%s is taken by tuf-js, and not by a device', async (_, bytes, expected) => {
    await fleet.check('a', { report: { version: '2.0.0' } })
    await fleet.force('eu', bytes())
    await expect(manifestByTuf(fleet)).resolves.toBe(Buffer.from(bytes()).toString('utf8'))
    expect(inShort(await fleet.check('a', { report: { version: '2.0.0' } }))).toBe(expected)
  })

  it('an unasked downgrade is taken by tuf-js, and held by a device', async () => {
    const open = aRelease('1.0.0', { requirement: '>= 0.0.0' })
    unwrap(await fleet.publish([aCohort('eu', [open])]))
    expect(await manifestByTuf(fleet)).toContain('Gateway@1.0.0')
    expect(inShort(await fleet.check('a', { report: { version: '2.0.0' } }))).toBe('held unasked_downgrade')
  })

  it('a bundle that this device rolled back is taken by tuf-js, and held by the device', async () => {
    expect(await manifestByTuf(fleet)).toContain('Gateway@2.0.0')
    const rolledBack = ['Gateway@2.0.0']
    expect(inShort(await fleet.check('a', { rolledBack }))).toBe('held rolled_back_here')
    expect(inShort(await fleet.check('a'))).toBe('held rolled_back_here')
  })

  it('a version below the signed floor is taken by tuf-js, and refused by a device', async () => {
    await fleet.signBundles([], [{ product: 'Gateway', version: '2.5.0' }])
    unwrap(await fleet.publish([aCohort('eu', [aRelease('1.0.0'), aRelease('2.0.0')])]))
    expect(await manifestByTuf(fleet)).toContain('Gateway@2.0.0')
    expect(inShort(await fleet.check('a'))).toBe('refused bundle-below-floor')
  })

  it('a timestamp whose expiry is no date never expires for tuf-js, and is refused by a device', async () => {
    const endless = await forgedTimestamp(fleet, fleet.keys.timestamp[0]!, { expires: '9999-99-99T99:99:99Z' })
    fleet.host.answer('metadata/timestamp.json', endless)
    expect(await manifestByTuf(fleet)).toContain('Gateway@2.0.0')
    expect(inShort(await fleet.check('a'))).toBe('refused metadata-unreadable')
  })
})
