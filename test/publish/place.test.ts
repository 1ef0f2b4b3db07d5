import { describe, expect, it } from '@jest/globals'
import { publicationAt, readPlace } from '../../src/publish/place.ts'

const ENV = { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret', AWS_REGION: 'eu-1' }
const clock = () => '2026-11-20T12:00:00.000Z'

describe('a place to publish to', () => {
  it.each([
    ['public', 'the directory public'],
    ['/srv/pages', 'the directory /srv/pages'],
    ['s3://updates', 'the bucket updates'],
    ['s3://updates/edge/', 'the bucket updates'],
  ])('%s is %s', (text, name) => {
    const place = readPlace(text, ENV)
    expect(place.ok && publicationAt(place.value, clock).name).toBe(name)
  })

  it('has a prefix that ends in one slash, whatever was written', () => {
    const prefixOf = (text: string) => readPlace(text, ENV)
    const expected = { ok: true, value: { prefix: 'a/b/' } }
    expect(prefixOf('s3://updates/a/b')).toMatchObject(expected)
    expect(prefixOf('s3://updates/a/b/')).toMatchObject(expected)
    expect(prefixOf('s3://updates')).toMatchObject({ ok: true, value: { prefix: '' } })
  })

  it('takes the endpoint of another store, and the token of temporary credentials', () => {
    const env = { ...ENV, AWS_ENDPOINT_URL: 'https://store.example', AWS_SESSION_TOKEN: 'token' }
    expect(readPlace('s3://updates', env)).toMatchObject({
      ok: true,
      value: { endpoint: 'https://store.example', credentials: { sessionToken: 'token' } },
    })
  })

  it('tells everything that is missing or odd at once, and no secret', () => {
    const env = { AWS_SECRET_ACCESS_KEY: 'hunter2', AWS_ENDPOINT_URL: 'hunter2' }
    const place = readPlace('s3://Updates?x', env)
    expect(place).toMatchObject({
      ok: false,
      problems: [
        { message: expect.stringContaining('AWS_ACCESS_KEY_ID') },
        { message: expect.stringContaining('AWS_REGION') },
        { message: expect.stringContaining('s3://BUCKET/PREFIX') },
        { message: expect.stringContaining('AWS_ENDPOINT_URL') },
      ],
    })
    expect(JSON.stringify(place)).not.toContain('hunter2')
  })
})
