import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import {
  bundlePath,
  cohortRole,
  manifestPath,
  metadataFile,
  publicName,
  targetFile,
} from '../../../src/core/manifest/names.ts'

const SAFE = /^[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?$/

describe('the name of an id in roles and paths', () => {
  it.each(['eu', 'eu-west.2', '0'])('is %p itself where it is plain', (id) => {
    expect(publicName(id)).toBe(id)
  })

  it.each([
    '../../x',
    'a/b',
    '__proto__',
    'EU',
    'β',
    '',
    'a..b',
    '.a',
    'a.',
    'x-11',
    'a'.repeat(300),
    'a b',
    '\u202Ea',
  ])('hides %p behind a digest', (id) => {
    expect(publicName(id)).toMatch(/^x-[0-9a-f]{32}$/)
  })

  it('is always safe, and never that of another id', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
        expect(publicName(a)).toMatch(SAFE)
        expect(publicName(a) === publicName(b)).toBe(a === b)
      }),
    )
    expect(publicName(publicName('a/b'))).not.toBe(publicName('a/b'))
  })
})

it('puts files where clients of TUF with consistent snapshots ask for them', () => {
  expect(metadataFile('timestamp', null)).toBe('metadata/timestamp.json')
  expect(metadataFile(cohortRole('eu'), 7)).toBe('metadata/7.cohorts-eu.json')
  expect(targetFile(manifestPath('eu'), 'ab')).toBe('targets/cohorts/eu/ab.manifest.json')
  expect(bundlePath('main', 'Gateway@1.0.0')).toMatch(/^bundles\/main\/x-[0-9a-f]{32}\.json$/)
})
