import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { directoryRoster } from '../../src/roster/directory.ts'
import { s3Roster } from '../../src/roster/s3.ts'
import type { RosterStore } from '../../src/roster/store.ts'
import { BucketServer, CREDENTIALS, NOW } from '../publish/bucket-server.ts'

/** A place that rosters are kept in, and a look at it from beside them. */
interface Stage {
  /** Each is another writer, as in a process of its own. */
  open(): RosterStore
  /** What stands there, by path. */
  files(): Promise<Map<string, string>>
  spoil(path: string, text: string): Promise<void>
  close(): Promise<void>
}

async function directoryStage(): Promise<Stage> {
  const directory = await mkdtemp(join(tmpdir(), 'ringmaster-roster-'))
  return {
    open: () => directoryRoster(directory),
    async files() {
      const found = await readdir(directory, { recursive: true, withFileTypes: true })
      const paths = found.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name))
      const read = paths.map(
        async (path) => [path.slice(directory.length + 1), await readFile(path, 'utf8')] as [string, string],
      )
      return new Map(await Promise.all(read))
    },
    spoil: (path, text) => writeFile(join(directory, path), text),
    close: () => rm(directory, { recursive: true }),
  }
}

const PREFIX = '/rosters/private/'

async function bucketStage(): Promise<Stage> {
  const server = new BucketServer()
  const endpoint = await server.listen()
  return {
    open: () =>
      s3Roster({
        endpoint,
        bucket: 'rosters',
        prefix: 'private/',
        region: 'us-east-1',
        credentials: CREDENTIALS,
        clock: () => NOW,
      }),
    files: async () =>
      new Map([...server.objects].map(([key, { bytes }]) => [key.slice(PREFIX.length), bytes.toString('utf8')])),
    spoil: async (path, text) => server.keep(`${PREFIX}${path}`, Buffer.from(text)),
    close: () => server.close(),
  }
}

const devices = (...pseudonyms: string[]) => pseudonyms.map((pseudonym) => ({ pseudonym, tags: ['lab'] }))
const EVER = Number.MAX_SAFE_INTEGER

describe.each<[string, () => Promise<Stage>]>([
  ['a directory', directoryStage],
  ['a bucket', bucketStage],
])('a roster in %s', (_where, make) => {
  let stage: Stage
  let roster: RosterStore
  beforeEach(async () => {
    stage = await make()
    roster = stage.open()
  })
  afterEach(() => stage.close())

  const namesOf = async (upTo = EVER) => (await roster.read('eu', upTo))?.entries.map(({ pseudonym }) => pseudonym)
  const shards = async () => [...(await stage.files())].filter(([path]) => path.endsWith('.ndjson'))

  it('is none until somebody is enrolled', async () => {
    expect(await roster.read('eu', EVER)).toBeNull()
    expect(await roster.close('eu')).toBeNull()
  })

  it('gives back who was enrolled, in the order of their pseudonyms, whatever these hold', async () => {
    const odd = ['p-2', 'p-10', '__proto__', '../../etc', 'ключ', '"quoted"\n{}']
    await roster.enrol('eu', devices(...odd))
    expect(await namesOf()).toEqual([...odd].sort())
    expect([...(await stage.files()).keys()].filter((path) => !path.startsWith('eu/'))).toEqual([])
  })

  it('keeps the cohorts apart', async () => {
    await roster.enrol('eu', devices('a'))
    await roster.enrol('us', devices('b'))
    expect(await namesOf()).toEqual(['a'])
    expect(await roster.close('us')).toBe(1)
    expect((await roster.enrol('eu', devices('c')))[0]).toMatchObject({ epoch: 1 })
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

  it('loses nobody when several writers enrol at once', async () => {
    const names = Array.from({ length: 40 }, (_, at) => `p-${String(at).padStart(2, '0')}`)
    await Promise.all(names.map((name) => stage.open().enrol('eu', devices(name))))
    expect(await namesOf()).toEqual(names)
  })

  it('counts nobody under an epoch that another writer closes meanwhile', async () => {
    await roster.enrol('eu', devices('first'))
    const names = Array.from({ length: 8 }, (_, at) => `p-${at}`)
    const others = names.map((name) => stage.open().enrol('eu', devices(name)))
    const closed = (await stage.open().close('eu')) ?? 0
    const counted = await namesOf(closed)
    await Promise.all(others)
    expect(await namesOf(closed)).toEqual(counted)
    expect(await namesOf()).toEqual(['first', ...names])
  })

  it.each([
    ['a line that is no device', '{"pseudonym":"a"}\n'],
    ['a file that was cut', '{"pseudonym":"a","epoch":1,"tags":[]}'],
    ['what is no JSON', 'devices\n'],
  ])('is refused as a whole with %s', async (_what, text) => {
    await roster.enrol('eu', devices('a'))
    await stage.spoil((await shards())[0]?.[0] ?? '', text)
    await expect(roster.read('eu', EVER)).rejects.toMatchObject({ problems: [{ code: 'roster-invalid' }] })
  })

  it('writes one of its files for one device', async () => {
    await roster.enrol('eu', devices(...Array.from({ length: 500 }, (_, at) => `p-${at}`)))
    const before = new Map(await shards())
    await roster.enrol('eu', devices('one more'))
    expect((await shards()).filter(([path, text]) => before.get(path) !== text)).toHaveLength(1)
  })
})
