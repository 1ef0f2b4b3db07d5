import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { remindersOf } from '../../src/core/manifest/reminders.ts'
import { unwrap } from '../../src/core/problem.ts'
import { directoryPublication } from '../../src/publish/directory.ts'
import type { Publication } from '../../src/publish/publication.ts'
import { readRepository } from '../../src/publish/read-back.ts'
import { expectedOf, verifyPublished } from '../../src/publish/verify-published.ts'
import { aBundle, aCohort, aRelease, Fleet, inShort, later } from '../device/fleet.ts'

let fleet: Fleet
beforeEach(async () => {
  fleet = await Fleet.start(['eu', 'us'])
})
afterEach(() => fleet.stop())

const channel = (cohort = 'eu') => aCohort(cohort, [aRelease('1.0.0'), aRelease('2.0.0')])

describe('a publication', () => {
  it('goes out in order: what is immutable first, timestamp.json last', async () => {
    await fleet.signBundles([aBundle('1.0.0'), aBundle('2.0.0')])
    const { files } = unwrap(await fleet.publish([channel()]))
    expect(files.map(({ path }) => path.replace(/[0-9a-f]{32,64}/g, '#'))).toEqual([
      'metadata/1.root.json',
      'targets/bundles/main/#.x-#.json',
      'targets/bundles/main/#.x-#.json',
      'targets/cohorts/eu/#.manifest.json',
      'metadata/1.targets.json',
      'metadata/1.bundles-main.json',
      'metadata/1.cohorts-eu.json',
      'metadata/1.snapshot.json',
      'metadata/timestamp.json',
    ])
    expect(files.map(({ immutable }) => immutable)).toEqual([...Array(8).fill(true), false])
  })

  it('with nothing changed renews the timestamp alone', async () => {
    await fleet.release('eu', ['1.0.0', '2.0.0'])
    const { files, timestampVersion } = unwrap(await fleet.publish())
    expect(files.map(({ path }) => path)).toEqual(['metadata/timestamp.json'])
    expect(timestampVersion).toBe(2)
  })

  it('renews the snapshot too when half of its time is gone', async () => {
    await fleet.release('eu', ['1.0.0', '2.0.0'])
    fleet.now = later(fleet.now, 15)
    const { files } = unwrap(await fleet.publish([channel()]))
    expect(files.map(({ path }) => path)).toContain('metadata/2.snapshot.json')
  })

  it('of one cohort leaves the others as they are', async () => {
    await fleet.release('eu', ['1.0.0', '2.0.0'])
    unwrap(await fleet.publish([channel('us')]))
    expect(inShort(await fleet.check('a', { cohort: 'eu' }))).toBe('update Gateway@2.0.0')
    expect(inShort(await fleet.check('b', { cohort: 'us' }))).toBe('update Gateway@2.0.0')
  })

  it.each([0, 1, 2, 3])(
    'that dies after %i of 4 files is not seen, and the next one goes round what it left',
    async (survivors) => {
      await fleet.release('eu', ['1.0.0', '2.0.0'])
      const site = directoryPublication(fleet.site)
      const dying: Publication = {
        ...site,
        put: async (files) => {
          expect(files).toHaveLength(4)
          await site.put(files.slice(0, survivors))
          throw new Error('the power went')
        },
      }
      await expect(fleet.publish([channel('us')], { publication: dying })).rejects.toThrow('the power went')
      expect(inShort(await fleet.check('a'))).toBe('update Gateway@2.0.0')
      expect(inShort(await fleet.check('b', { cohort: 'us' }))).toBe('refused metadata-missing')
      fleet.now = later(fleet.now, 1)
      unwrap(await fleet.publish([channel(), channel('us')]))
      expect(inShort(await fleet.check('b', { cohort: 'us' }))).toBe('update Gateway@2.0.0')
    },
  )

  it('skips version numbers that a dead publication left behind', async () => {
    await fleet.release('eu', ['1.0.0', '2.0.0'])
    await writeFile(join(fleet.site, 'metadata/2.snapshot.json'), '{"left":"behind"}')
    const { files } = unwrap(await fleet.publish([channel('us')]))
    expect(files.map(({ path }) => path)).toContain('metadata/3.snapshot.json')
    expect(inShort(await fleet.check('b', { cohort: 'us' }))).toBe('update Gateway@2.0.0')
  })

  it('is refused over a damaged one, and nothing is changed', async () => {
    await fleet.release('eu', ['1.0.0', '2.0.0'])
    await rm(join(fleet.site, 'metadata/1.bundles-main.json'))
    const before = await fleet.read('metadata/timestamp.json')
    expect(await fleet.publish([channel()])).toMatchObject({ ok: false, problems: [{ code: 'metadata-missing' }] })
    expect(await fleet.read('metadata/timestamp.json')).toEqual(before)
  })

  it('needs the key of every role that it signs, and names the role', async () => {
    await fleet.release('eu', ['1.0.0', '2.0.0'])
    fleet.keys.cohorts = []
    expect(await fleet.publish([channel()])).toMatchObject({
      ok: false,
      problems: [{ code: 'key-unknown', path: 'cohorts-eu.json' }],
    })
  })

  it('refuses a cohort that targets does not know', async () => {
    await fleet.release('eu', ['1.0.0', '2.0.0'])
    expect(await fleet.publish([channel('mars')])).toMatchObject({ ok: false, problems: [{ code: 'cohort-unknown' }] })
  })

  it('refuses bundles metadata that another key signed', async () => {
    await fleet.signBundles([aBundle('1.0.0'), aBundle('2.0.0')], [], [])
    expect(await fleet.publish([channel()])).toMatchObject({ ok: false, problems: [{ code: 'metadata-unsigned' }] })
  })
})

describe('the public address', () => {
  it('is found to hold what was published', async () => {
    await fleet.signBundles([aBundle('1.0.0'), aBundle('2.0.0')])
    const { files } = unwrap(await fleet.publish([channel()]))
    expect(await verifyPublished(fleet.host.url, expectedOf(files))).toEqual({ ok: true, value: { files: 9 } })
  })

  it('is told apart: what is missing, what is old, and a host that answers what is not there', async () => {
    await fleet.signBundles([aBundle('1.0.0'), aBundle('2.0.0')])
    const { files } = unwrap(await fleet.publish([channel()]))
    fleet.host.answer('metadata/1.snapshot.json', 'missing')
    fleet.host.answer('metadata/timestamp.json', Buffer.from('{}'))
    fleet.host.answer('metadata/0.root.json', Buffer.from('<html>'))
    const looked = await verifyPublished(fleet.host.url, expectedOf(files))
    expect(looked.ok ? [] : looked.problems.map(({ code, path }) => `${code} ${path}`)).toEqual([
      'not-arrived metadata/1.snapshot.json',
      'other-bytes metadata/timestamp.json',
      'missing-answered metadata/0.root.json',
    ])
  })

  it('is given time: what arrives later counts', async () => {
    await fleet.signBundles([aBundle('1.0.0'), aBundle('2.0.0')])
    const { files } = unwrap(await fleet.publish([channel()]))
    fleet.host.answer('metadata/timestamp.json', 'missing')
    setTimeout(() => fleet.host.restore(), 50)
    expect((await verifyPublished(fleet.host.url, expectedOf(files), { attempts: 20, waitMs: 20 })).ok).toBe(true)
  })
})

it.each([
  [0, 'none', 'none'],
  [300, '90-days', 'expired'],
  [340, '30-days', 'expired'],
  [360, '7-days', 'expired'],
  [366, 'expired', 'expired'],
])('after %i days the offline root wants its holders: %s (timestamp: %s)', async (days, root, timestamp) => {
  await fleet.release('eu', ['1.0.0', '2.0.0'])
  const repository = unwrap(await readRepository(directoryPublication(fleet.site), fleet.root))
  const reminders = remindersOf(repository, later(fleet.now, days))
  expect(reminders.find(({ role }) => role === 'root')?.urgency).toBe(root)
  expect(reminders.find(({ role }) => role === 'timestamp')?.urgency).toBe(timestamp)
})

it.each(['timestamp.json', '1.snapshot.json', '1.cohorts-eu.json'])(
  'is not led on by a version that somebody else wrote into %s',
  async (name) => {
    await fleet.release('eu', ['1.0.0', '2.0.0'])
    const path = `metadata/${name}`
    const genuine = await fleet.read(path)
    const metadata = JSON.parse(Buffer.from(genuine).toString('utf8'))
    metadata.signed.version = Number.MAX_SAFE_INTEGER - 1
    await writeFile(join(fleet.site, path), JSON.stringify(metadata))
    expect(await fleet.publish([channel()])).toMatchObject({ ok: false, problems: [{ code: 'metadata-unsigned' }] })
    await writeFile(join(fleet.site, path), genuine)
    unwrap(await fleet.publish([channel()]))
    expect(inShort(await fleet.check('a'))).toBe('update Gateway@2.0.0')
  },
)
