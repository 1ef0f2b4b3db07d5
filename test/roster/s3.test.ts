import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { type S3RosterOptions, s3Roster } from '../../src/roster/s3.ts'
import { BucketServer, CREDENTIALS, NOW } from '../publish/bucket-server.ts'

let server: BucketServer
let endpoint: string
beforeEach(async () => {
  server = new BucketServer()
  endpoint = await server.listen()
})
afterEach(() => server.close())

const open = (changes: Partial<S3RosterOptions> = {}) =>
  s3Roster({
    endpoint,
    bucket: 'rosters',
    region: 'us-east-1',
    credentials: CREDENTIALS,
    clock: () => NOW,
    retryMs: 1,
    waitMs: 200,
    ...changes,
  })

const LOCK = '/rosters/eu/lock.json'
const hold = (at: Date) => server.keep(LOCK, Buffer.from('{"holder":"another"}\n'), {}, at)
const lock = () => JSON.parse(server.objects.get(LOCK)?.bytes.toString('utf8') ?? 'null')
const enrol = (pseudonym: string, roster = open()) => roster.enrol('eu', [{ pseudonym, tags: [] }])
const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000)

describe('the lock of a roster in a bucket', () => {
  it('is free again when the work is done, also when it failed', async () => {
    await enrol('a')
    expect(lock()).toEqual({ holder: null })
    server.keep('/rosters/eu/roster.json', Buffer.from('damaged'))
    await expect(enrol('b')).rejects.toMatchObject({ problems: [{ code: 'roster-invalid' }] })
    expect(lock()).toEqual({ holder: null })
  })

  it('is waited for, and the wait has an end', async () => {
    hold(minutesAgo(4))
    await expect(enrol('a')).rejects.toMatchObject({
      fault: 'outside',
      code: 'roster-locked',
      message: expect.stringContaining('s3://rosters/eu/lock.json'),
    })
    expect([...server.objects.keys()]).toEqual([LOCK])
  })

  it('is taken over from a writer that died', async () => {
    hold(minutesAgo(6))
    expect(await enrol('a')).toEqual([{ pseudonym: 'a', epoch: 1, tags: [] }])
    expect(lock()).toEqual({ holder: null })
  })
})

describe('a file of a roster in a bucket', () => {
  it('is not written over what another writer made of it', async () => {
    await enrol('a')
    const isShard = (key: string) => key.endsWith('.ndjson')
    const key = [...server.objects.keys()].find(isShard) ?? ''
    const other = Buffer.from('{"pseudonym":"a","epoch":1,"tags":["theirs"]}\n')
    const meanwhile = (request: { readonly method?: string | undefined; readonly url?: string | undefined }) => {
      if (request.method === 'PUT' && request.url === key) server.keep(key, other)
      return 'go on' as const
    }
    for (let at = 0; at < 10; at += 1) server.faults.push(meanwhile)
    await expect(enrol('a')).rejects.toMatchObject({ fault: 'outside', code: 'roster-conflict' })
    expect(server.objects.get(key)?.bytes).toEqual(other)
  })

  it('is found again when the answer to its write was lost', async () => {
    await enrol('a')
    server.faults.push(
      ...Array.from({ length: 12 }, () => (request: Parameters<(typeof server.faults)[number]>[0]) => {
        if (request.method === 'PUT' && !lost.has(request.url ?? '')) {
          lost.add(request.url ?? '')
          return 'lose the answer' as const
        }
        return 'go on' as const
      }),
    )
    const lost = new Set<string>()
    expect(await enrol('b')).toEqual([{ pseudonym: 'b', epoch: 1, tags: [] }])
    expect(lost.size).toBeGreaterThan(1)
    expect((await open().read('eu', 1))?.entries.map(({ pseudonym }) => pseudonym)).toEqual(['a', 'b'])
  })

  it('is trouble of the outside where the store refuses it, and no secret is told', async () => {
    const credentials = { ...CREDENTIALS, secretAccessKey: 'top-secret' }
    const failed = await enrol('a', open({ credentials })).catch((error: Error) => error)
    expect(failed).toMatchObject({
      fault: 'outside',
      code: 'roster-io',
      message: expect.stringContaining('status 403'),
    })
    expect(JSON.stringify(failed)).not.toMatch(/secret|AKIA/)
  })
})
