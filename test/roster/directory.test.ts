import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { directoryRoster } from '../../src/roster/directory.ts'
import { rostersOf } from '../../src/roster/rosters.ts'
import type { RosterStore } from '../../src/roster/store.ts'
import { aCohort, aRelease } from '../device/fleet.ts'

let directory = ''
let roster: RosterStore
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ringmaster-roster-'))
  roster = directoryRoster(directory)
})
afterEach(() => rm(directory, { recursive: true }))

const devices = (...pseudonyms: string[]) => pseudonyms.map((pseudonym) => ({ pseudonym, tags: ['lab'] }))
const EVER = Number.MAX_SAFE_INTEGER
const namesOf = async (upTo = EVER) => (await roster.read('eu', upTo))?.entries.map(({ pseudonym }) => pseudonym)

describe('a roster', () => {
  it('is none until somebody is enrolled', async () => {
    expect(await roster.read('eu', EVER)).toBeNull()
    expect(await roster.close('eu')).toBeNull()
  })

  it('gives back who was enrolled, in the order of their pseudonyms, whatever these hold', async () => {
    const odd = ['p-2', 'p-10', '__proto__', '../../etc', 'ключ', '"quoted"\n{}']
    await roster.enrol('eu', devices(...odd))
    expect(await namesOf()).toEqual([...odd].sort())
    expect(await readdir(directory)).toEqual(['eu'])
  })

  it('keeps the epoch of whoever is enrolled again, and takes the new tags', async () => {
    await roster.enrol('eu', devices('a'))
    await roster.close('eu')
    const again = await roster.enrol('eu', [{ pseudonym: 'a', tags: ['field'] }, ...devices('b')])
    expect(again).toEqual([
      { pseudonym: 'a', epoch: 1, tags: ['field'] },
      { pseudonym: 'b', epoch: 2, tags: ['lab'] },
    ])
    expect(await namesOf()).toEqual(['a', 'b'])
  })

  it('gives a later epoch to whoever is enrolled after one was counted, and closes none that holds nobody', async () => {
    await roster.enrol('eu', devices('a'))
    expect(await roster.close('eu')).toBe(1)
    expect(await roster.close('eu')).toBe(1)
    await roster.enrol('eu', devices('b'))
    expect(await namesOf(1)).toEqual(['a'])
    expect(await roster.close('eu')).toBe(2)
    expect(await roster.read('eu', EVER)).toMatchObject({ epoch: 2 })
  })

  it('is read by its owner alone', async () => {
    await roster.enrol('eu', devices('a'))
    for (const name of await readdir(join(directory, 'eu')))
      expect((await stat(join(directory, 'eu', name))).mode & 0o077).toBe(0)
  })

  it('loses nobody when several enrol at once', async () => {
    const names = Array.from({ length: 40 }, (_, at) => `p-${String(at).padStart(2, '0')}`)
    await Promise.all(names.map((name) => directoryRoster(directory).enrol('eu', devices(name))))
    expect(await namesOf()).toEqual(names)
  })

  it.each([
    ['a line that is no device', '{"pseudonym":"a"}\n'],
    ['a file that was cut', '{"pseudonym":"a","epoch":1,"tags":[]}'],
    ['what is no JSON', 'devices\n'],
  ])('is refused as a whole with %s', async (_what, text) => {
    await roster.enrol('eu', devices('a'))
    const file = (await readdir(join(directory, 'eu'))).find((name) => name.endsWith('.ndjson')) ?? ''
    await writeFile(join(directory, 'eu', file), text)
    await expect(roster.read('eu', EVER)).rejects.toMatchObject({ problems: [{ code: 'roster-invalid' }] })
  })

  it('writes one of its files for one device', async () => {
    await roster.enrol('eu', devices(...Array.from({ length: 500 }, (_, at) => `p-${at}`)))
    const mtimes = async () => {
      const names = (await readdir(join(directory, 'eu'))).filter((name) => name.endsWith('.ndjson'))
      return new Map(
        await Promise.all(
          names.map(async (name) => [name, await readFile(join(directory, 'eu', name), 'utf8')] as const),
        ),
      )
    }
    const before = await mtimes()
    await roster.enrol('eu', devices('one more'))
    const after = await mtimes()
    expect([...after].filter(([name, text]) => before.get(name) !== text)).toHaveLength(1)
  })
})

describe('the rosters of a channel', () => {
  const counted = aRelease('2.0.0', { phase: { kind: 'count', count: 1 } })
  const { channel, salts } = aCohort('eu', [aRelease('1.0.0'), counted])

  it('are those of the releases that count, sorted by their own buckets', async () => {
    await roster.enrol('eu', devices('a', 'b', 'c'))
    const rosters = await rostersOf(roster, { channel, salts, previous: undefined })
    expect([...rosters.keys()]).toEqual(['Gateway@2.0.0'])
    const buckets = rosters.get('Gateway@2.0.0')?.roster.buckets ?? []
    expect(buckets).toHaveLength(3)
    expect([...buckets].sort()).toEqual(buckets)
  })

  it('stay those of the epoch that the published phase began with', async () => {
    await roster.enrol('eu', devices('a', 'b', 'c'))
    const first = await rostersOf(roster, { channel, salts, previous: undefined })
    await roster.enrol('eu', devices('d', 'e', 'f', 'g'))
    const phase = { kind: 'list', buckets: ['0'.repeat(32)], salt: 'salt of Gateway@2.0.0', epoch: 1 }
    const previous = { releases: [{ ...counted, phase }] } as never
    const again = await rostersOf(roster, { channel, salts, previous })
    expect(again).toEqual(first)
  })

  it('begin anew where the published phase let nobody in', async () => {
    await roster.enrol('eu', devices('a'))
    await roster.close('eu')
    await roster.enrol('eu', devices('b'))
    const phase = { kind: 'share', threshold: '0', salt: 'salt of Gateway@2.0.0', epoch: 1 }
    const rosters = await rostersOf(roster, {
      channel,
      salts,
      previous: { releases: [{ ...counted, phase }] } as never,
    })
    expect(rosters.get('Gateway@2.0.0')).toMatchObject({ epoch: 2 })
  })

  it('are none without a store, and none for a cohort without a roster', async () => {
    expect((await rostersOf(null, { channel, salts, previous: undefined })).size).toBe(0)
    expect((await rostersOf(roster, { channel, salts, previous: undefined })).size).toBe(0)
  })
})
