import type { IncomingMessage, ServerResponse } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { PublishedFile } from '../../src/core/manifest/publication.ts'
import type { S3Options } from '../../src/publish/bucket.ts'
import { getOne } from '../../src/publish/publication.ts'
import { s3Publication } from '../../src/publish/s3.ts'
import { encodeKey, type S3Request, signedHeaders } from '../../src/publish/s3-signature.ts'
import { BucketServer, CREDENTIALS, NOW } from './bucket-server.ts'

describe('a signature', () => {
  const HOST = 'https://examplebucket.s3.amazonaws.com'
  const base = { region: 'us-east-1', now: NOW, body: new Uint8Array() }
  // The examples that Amazon's description of Signature Version 4 works out.
  it.each<[string, S3Request, string]>([
    [
      'of reading a part of a file',
      { ...base, method: 'GET', url: new URL('/test.txt', HOST), headers: new Map([['range', 'bytes=0-9']]) },
      'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
    ],
    [
      'of writing a file whose name has to be encoded',
      {
        ...base,
        method: 'PUT',
        url: new URL(`/${encodeKey('test$file.text')}`, HOST),
        headers: new Map([
          ['date', 'Fri, 24 May 2013 00:00:00 GMT'],
          ['x-amz-storage-class', 'REDUCED_REDUNDANCY'],
        ]),
        body: Buffer.from('Welcome to Amazon S3.'),
      },
      '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
    ],
  ])('%s is the one that Amazon works out', (_, request, signature) => {
    expect(signedHeaders(request, CREDENTIALS).get('authorization')).toMatch(new RegExp(`Signature=${signature}$`))
  })

  it('covers a session token where there is one', () => {
    const request: S3Request = { ...base, method: 'GET', url: new URL('/a', HOST), headers: new Map() }
    const headers = signedHeaders(request, { ...CREDENTIALS, sessionToken: 'token' })
    expect(headers.get('x-amz-security-token')).toBe('token')
    expect(headers.get('authorization')).toContain(
      'SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token,',
    )
  })

  it.each([
    ['a/b c', 'a/b%20c'],
    ["it's(*)!", 'it%27s%28%2A%29%21'],
    ['ü~_.-', '%C3%BC~_.-'],
  ])('encodes the key %s as %s', (key, encoded) => {
    expect(encodeKey(key)).toBe(encoded)
  })
})

let store: BucketServer
let endpoint: string
beforeEach(async () => {
  store = new BucketServer()
  endpoint = await store.listen()
})
afterEach(() => store.close())

const open = (changes: Partial<S3Options> = {}) =>
  s3Publication({
    endpoint,
    bucket: 'releases',
    region: 'us-east-1',
    prefix: 'updates/',
    credentials: CREDENTIALS,
    clock: () => NOW,
    timeoutMs: 500,
    retryMs: 1,
    ...changes,
  })

const file = (path: string, text: string, immutable = true): PublishedFile => ({
  path,
  bytes: Buffer.from(text),
  immutable,
})

const answering = (status: number) => (_request: IncomingMessage, response: ServerResponse) => {
  response.writeHead(status).end()
  return 'answered' as const
}

describe('a publication in a bucket', () => {
  it('holds what was put, in the order given, with what caches and browsers need to know', async () => {
    await open().put([file('metadata/1.root.json', 'r'), file('views/SHA256SUMS', 's', false)])
    expect(store.asked).toEqual([
      'PUT /releases/updates/metadata/1.root.json',
      'PUT /releases/updates/views/SHA256SUMS',
    ])
    expect(
      [...store.objects.values()].map(({ headers }) => [headers['cache-control'], headers['content-type']]),
    ).toEqual([
      ['public, max-age=31536000, immutable', 'application/json'],
      ['no-cache', 'text/plain; charset=utf-8'],
    ])
    expect(await open().get(['views/SHA256SUMS', 'not/there.json'])).toEqual(
      new Map([
        ['views/SHA256SUMS', Uint8Array.from(Buffer.from('s'))],
        ['not/there.json', null],
      ]),
    )
  })

  it('replaces a pointer, and never an immutable file', async () => {
    const publication = open()
    await publication.put([file('a.json', 'one'), file('pointer.json', 'one', false)])
    expect(await publication.put([file('a.json', 'one'), file('pointer.json', 'two', false)])).toEqual({
      kind: 'stored',
    })
    expect(await publication.put([file('a.json', 'two'), file('pointer.json', 'three', false)])).toEqual({
      kind: 'conflict',
      paths: ['a.json'],
    })
    expect(Buffer.from((await getOne(publication, 'pointer.json')) ?? []).toString()).toBe('two')
  })

  it('writes names of any kind under the key that they are', async () => {
    await open().put([file("it's (ü)/a b$.json", 'x')])
    expect(Buffer.from((await getOne(open(), "it's (ü)/a b$.json")) ?? []).toString()).toBe('x')
  })

  it('reads many files, a handful at once', async () => {
    const names = Array.from({ length: 50 }, (_, at) => `${at}.json`)
    await open().put(names.map((name) => file(name, name)))
    const found = await open().get([...names, 'none.json'])
    expect([...found].map(([path, bytes]) => [path, bytes && Buffer.from(bytes).toString()])).toEqual([
      ...names.map((name) => [name, name]),
      ['none.json', null],
    ])
  })

  it.each([500, 503, 429, 409])('tries again after status %d', async (status) => {
    store.faults.push(answering(status), answering(status))
    expect(await open().put([file('a.json', 'x')])).toEqual({ kind: 'stored' })
    expect(store.asked).toHaveLength(3)
  })

  it('finds what it wrote although the answer was lost', async () => {
    store.faults.push((request) => {
      store.keep(request.url ?? '', Buffer.from('x'), request.headers)
      request.socket.destroy()
      return 'answered'
    })
    expect(await open().put([file('a.json', 'x')])).toEqual({ kind: 'stored' })
  })

  it('gives up a store that does not answer, and says which file', async () => {
    for (let at = 0; at < 4; at += 1) store.faults.push(() => 'answered')
    await expect(open({ timeoutMs: 50 }).put([file('a.json', 'x')])).rejects.toMatchObject({
      fault: 'outside',
      code: 'publication-io',
      message: expect.stringContaining('write a.json in the bucket releases'),
    })
  })

  it('takes a forbidden file for trouble and not for a missing one', async () => {
    const credentials = { ...CREDENTIALS, secretAccessKey: 'another' }
    await expect(open({ credentials }).get(['a.json'])).rejects.toMatchObject({
      message: 'expected to read a.json in the bucket releases, found status 403',
    })
    expect(store.asked).toHaveLength(1)
  })

  it('never says a credential', async () => {
    const credentials = { ...CREDENTIALS, secretAccessKey: 'top-secret', sessionToken: 'token-secret' }
    const failed = await open({ credentials })
      .put([file('a.json', 'x')])
      .catch((error: Error) => `${error.message} ${error.stack} ${JSON.stringify(error)}`)
    expect(failed).toContain('status 403')
    expect(failed).not.toMatch(/secret|AKIA/)
  })
})
