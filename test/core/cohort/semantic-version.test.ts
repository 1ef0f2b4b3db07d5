import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import semver from 'semver'
import { compareVersions, formatVersion, parseVersion, successor } from '../../../src/core/cohort/semantic-version.ts'

const identifier = fc.oneof(fc.nat(30).map(String), fc.stringMatching(/^[0-9]*[A-Za-z-][0-9A-Za-z-]{0,3}$/))
const versionText = fc
  .tuple(fc.nat(3), fc.nat(3), fc.nat(3), fc.array(identifier, { maxLength: 3 }))
  .map(([major, minor, patch, pre]) => `${major}.${minor}.${patch}${pre.length > 0 ? `-${pre.join('.')}` : ''}`)

describe('a version', () => {
  it.each(['0.0.0', '1.2.3', '1.2.3-rc.1', '1.2.3--', '1.2.3-0', '10.20.30-a-b.c', '99999999999999999999.0.0'])(
    'reads %s and gives its text back',
    (text) => {
      const version = parseVersion(text)
      expect(version && formatVersion(version)).toBe(text)
    },
  )

  it.each([
    '',
    '1',
    '1.2',
    '1.2.3.4',
    'v1.2.3',
    ' 1.2.3',
    '1.2.3 ',
    '1.2.3\n',
    '01.2.3',
    '1.02.3',
    '1.2.03',
    '1.2.3-',
    '1.2.3-a..b',
    '1.2.3-01',
    '1.2.3+',
    '1.2.3+a..b',
    '1.2.3+a+b',
    '1.2.3-a_b',
    '1.2.x',
    '-1.2.3',
    '١.2.3',
    `1.2.${'3'.repeat(300)}`,
  ])('refuses %j', (text) => {
    expect(parseVersion(text)).toBeUndefined()
  })

  it('forgets build metadata, which may have leading zeros and hyphens', () => {
    expect(parseVersion('1.2.3-rc.1+001.a-b')).toEqual(parseVersion('1.2.3-rc.1'))
  })

  it('compares numbers beyond 2^53 exactly', () => {
    const [low, high] = ['1.0.9007199254740993', '1.0.9007199254740994'].map((text) => parseVersion(text))
    expect(low && high && compareVersions(low, high)).toBe(-1)
    expect(low && high && compareVersions(high, low)).toBe(1)
  })

  it('counts on exactly at the end of the safe integers', () => {
    expect(successor(Number.MAX_SAFE_INTEGER)).toBe(9_007_199_254_740_992n)
    expect(successor(9_007_199_254_740_992n)).toBe(9_007_199_254_740_993n)
  })

  it('has the precedence of SemVer, as the semver package orders', () => {
    fc.assert(
      fc.property(versionText, versionText, (a, b) => {
        const [left, right] = [parseVersion(a), parseVersion(b)]
        expect(left && right && compareVersions(left, right)).toBe(semver.compare(a, b))
      }),
      { numRuns: 500 },
    )
  })
})
