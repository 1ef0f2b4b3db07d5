import { mkdtemp, rm } from 'node:fs/promises'
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
