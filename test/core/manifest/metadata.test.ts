import { describe, expect, it } from '@jest/globals'
import { decodeMetadata, encodeMetadata, targetsMetadata } from '../../../src/core/manifest/metadata.ts'
import { valueOf as unwrap } from '../../../src/core/problem.ts'

const EXPIRES = '2027-01-01T00:00:00Z'
const valid = () =>
  JSON.parse(
    Buffer.from(encodeMetadata(targetsMetadata({ version: 1, expires: EXPIRES, targets: [] }))).toString('utf8'),
  )
const decode = (value: unknown) => decodeMetadata('targets', 'targets', Buffer.from(JSON.stringify(value)))

describe('a metadata file', () => {
  it('is read as it was written', () => {
    const metadata = targetsMetadata({
      version: 3,
      expires: '2027-01-01T00:00:00.123Z',
      targets: [{ path: 'a/b', bytes: Buffer.from('x') }],
    })
    expect(metadata.signed.expires).toBe(EXPIRES)
    expect(encodeMetadata(unwrap(decodeMetadata('targets', 'targets', encodeMetadata(metadata))))).toEqual(
      encodeMetadata(metadata),
    )
  })

  it.each<[string, (signed: Record<string, unknown>) => void]>([
    ['an expiry that is no date, which would never expire', (signed) => (signed['expires'] = 'never')],
    ['an expiry that no calendar has', (signed) => (signed['expires'] = '2027-99-01T00:00:00Z')],
    ['a version of zero', (signed) => (signed['version'] = 0)],
    ['half a version', (signed) => (signed['version'] = 1.5)],
    ['another type', (signed) => (signed['_type'] = 'snapshot')],
    ['a specification of the future', (signed) => (signed['spec_version'] = '2.0.0')],
  ])('is refused with %s', (_name, bend) => {
    const value = valid()
    bend(value.signed)
    expect(decode(value)).toMatchObject({
      ok: false,
      problems: [{ code: 'metadata-unreadable', path: 'targets.json' }],
    })
  })

  it.each([
    ['no JSON', '<html>'],
    ['null', 'null'],
    ['a list', '[]'],
    ['nothing', ''],
  ])('is refused when it is %s', (_name, text) => {
    expect(decodeMetadata('targets', 'targets', Buffer.from(text)).ok).toBe(false)
  })

  it('keeps names that mean something to JavaScript as data', () => {
    const metadata = targetsMetadata({
      version: 1,
      expires: EXPIRES,
      targets: [{ path: '__proto__', bytes: Buffer.from('x') }],
    })
    expect(Object.keys(unwrap(decodeMetadata('targets', 'targets', encodeMetadata(metadata))).signed.targets)).toEqual([
      '__proto__',
    ])
  })
})
