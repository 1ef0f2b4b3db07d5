import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { openDeviceBook } from '../../src/roster/device-book.ts'

let directory = ''
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ringmaster-book-'))
})
afterEach(() => rm(directory, { recursive: true }))

const at = (minute: number): string => new Date(Date.UTC(2026, 0, 15, 12, minute)).toISOString()
const device = (pseudonym: string) => ({ pseudonym, epoch: 1, tags: ['lab'], quarantined: false })
const path = () => join(directory, 'eu', 'devices.ndjson')
const lines = async () => (await readFile(path(), 'utf8')).split('\n').filter((line) => line !== '')

describe('the book of a cohort', () => {
  it('counts each claim once, and knows it again after a restart', async () => {
    const book = await openDeviceBook(directory, 'eu')
    await Promise.all([book.claim('r', 'a', at(0)), book.claim('r', 'a', at(0)), book.claim('r', 'b', at(1))])
    await book.claim('s', 'a', at(2))
    await book.close()
    const again = (await openDeviceBook(directory, 'eu')).claims(10)
    expect([again.count('r'), again.count('s'), again.count('t'), again.cohortSize()]).toEqual([2, 1, 0, 10])
    expect([again.holds('r', device('a')), again.holds('s', device('b'))]).toEqual([true, false])
  })

  it('does not mix up releases and devices whose names run together', async () => {
    const book = await openDeviceBook(directory, 'eu')
    await book.claim('ra', 'b', at(0))
    expect(book.claims(1).holds('r', device('ab'))).toBe(false)
  })

  it('writes nothing for a device that says the same again soon', async () => {
    const book = await openDeviceBook(directory, 'eu')
    for (const minute of [0, 1, 9]) {
      await book.runs(device('a'), { version: '1.0.0' }, at(minute))
      await book.heard({ device: 'a', release: 'r', said: 'asked', at: at(minute) })
    }
    expect(await lines()).toHaveLength(2)
    await book.heard({ device: 'a', release: 'r', said: 'asked', at: at(10) })
    await book.runs(device('a'), { version: '1.0.1' }, at(10))
    expect(await lines()).toHaveLength(4)
    expect([...book.installs()]).toEqual([{ device: 'a', release: 'r', said: 'asked', at: at(10) }])
    expect(book.known().get('a')).toEqual({ report: { version: '1.0.1' }, device: device('a') })
  })

  it('keeps a failure beside a later success', async () => {
    const book = await openDeviceBook(directory, 'eu')
    await book.heard({ device: 'a', release: 'r', said: 'failed', at: at(0) })
    await book.heard({ device: 'a', release: 'r', said: 'installed', at: at(1) })
    expect([...book.installs()].map(({ said }) => said).sort()).toEqual(['failed', 'installed'])
  })

  it('drops a last line that a crash cut, and goes on behind it', async () => {
    const book = await openDeviceBook(directory, 'eu')
    await book.claim('r', 'a', at(0))
    await book.close()
    await appendFile(path(), '{"kind":"claim","dev')
    const again = await openDeviceBook(directory, 'eu')
    await again.claim('r', 'b', at(1))
    await again.close()
    expect((await openDeviceBook(directory, 'eu')).claims(2).count('r')).toBe(2)
    expect(await lines()).toHaveLength(2)
  })

  it('refuses a file with another line that does not read, by its place', async () => {
    const book = await openDeviceBook(directory, 'eu')
    await book.claim('r', 'a', at(0))
    await book.close()
    await appendFile(path(), '{"kind":"claim"}\n')
    await expect(openDeviceBook(directory, 'eu')).rejects.toThrow(/devices\.ndjson:2/)
  })

  it('is written anew at a start when most of its lines are old', async () => {
    const book = await openDeviceBook(directory, 'eu')
    for (let minute = 0; minute < 100; minute += 10)
      await book.heard({ device: 'a', release: 'r', said: 'asked', at: at(minute) })
    await book.close()
    expect(await lines()).toHaveLength(10)
    await (await openDeviceBook(directory, 'eu')).close()
    expect(await lines()).toHaveLength(1)
  })
})
