import { describe, expect, it } from '@jest/globals'
import { Metadata, MetadataKind } from '@tufjs/models'
import {
  decodeMetadata,
  encodeMetadata,
  signableBytes,
  targetsMetadata,
  withSignature,
} from '../../../src/core/manifest/metadata.ts'
import { unwrap } from '../../../src/core/problem.ts'
import { newSigner } from '../../device/fleet.ts'

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

describe('a long list', () => {
  const many = Array.from({ length: 5_000 }, (_, at) => ({
    path: `bundles/main/x-${at}.json`,
    bytes: Buffer.from(`${at}`),
    custom: { id: `Gateway@${at}` },
  }))

  it('of five thousand bundles is read and checked in one pass, not in one for each entry', async () => {
    const signer = newSigner()
    const metadata = targetsMetadata({ version: 1, expires: EXPIRES, targets: many })
    const bytes = encodeMetadata(withSignature(metadata, signer.keyId, await signer.sign(signableBytes(metadata))))
    const startedAt = performance.now()
    const read = unwrap(decodeMetadata('targets', 'bundles-main', bytes))
    signer.key.verifySignature(read)
    // Copying the map for each entry takes more than ten seconds here.
    expect(performance.now() - startedAt).toBeLessThan(2_500)
    expect(Object.keys(read.signed.targets)).toHaveLength(5_000)
    expect(encodeMetadata(read)).toEqual(bytes)
  })

  it('is the same metadata as the library makes of it', () => {
    const bytes = encodeMetadata(targetsMetadata({ version: 1, expires: EXPIRES, targets: many.slice(0, 3) }))
    const theirs = Metadata.fromJSON(MetadataKind.Targets, JSON.parse(Buffer.from(bytes).toString('utf8')))
    expect(encodeMetadata(theirs)).toEqual(bytes)
    expect(unwrap(decodeMetadata('targets', 'targets', bytes)).signed.equals(theirs.signed)).toBe(true)
  })
})
