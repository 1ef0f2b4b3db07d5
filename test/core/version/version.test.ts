import { describe, expect, it } from '@jest/globals'
import {
  compareVersions,
  formatVersion,
  parseVersion,
  type VersionCode,
  type VersionScheme,
} from '../../../src/core/version/version.ts'

const codesOf = (scheme: VersionScheme, text: string): VersionCode[] => {
  const parsed = parseVersion(scheme, text)
  return parsed.ok ? [] : parsed.problems.map(({ code }) => code)
}

describe('reading a version', () => {
  it.each<[VersionScheme, string, string]>([
    ['semver', '1.2.3', '1.2.3'],
    ['semver', '1.2.3-rc.1+build.7', '1.2.3-rc.1+build.7'],
    ['semver', '1.2.3-45', '1.2.3-45'],
    ['semver', `${Number.MAX_SAFE_INTEGER}.0.0`, '9007199254740991.0.0'],
    ['semver-build', '1.2.3', '1.2.3'],
    ['semver-build', '1.2.3.45', '1.2.3-45'],
    ['semver-build', '1.2.3-45', '1.2.3-45'],
    ['semver-build', '1.2.3.9007199254740991', '1.2.3-9007199254740991'],
    ['semver-build', '1.2.3-rc.1', '1.2.3-rc.1'],
    ['calver', '2026.04.1', '2026.04.1'],
    ['calver', '24.04-lts', '24.04-lts'],
    ['number', '4711', '4711'],
    ['sha', 'ABCDEF0123456789abcdef0123456789abcdef01', 'abcdef0123456789abcdef0123456789abcdef01'],
    ['text', 'Sierra Nevada', 'Sierra Nevada'],
  ])('takes as %s the text %s and writes it %s', (scheme, text, written) => {
    const parsed = parseVersion(scheme, text)
    expect(parsed.ok && [parsed.value.text, formatVersion(parsed.value)]).toEqual([text, written])
  })

  it.each<[VersionScheme, string, VersionCode[]]>([
    ['semver', '', ['version-empty']],
    ['semver', '1'.repeat(300), ['version-too-long']],
    ['text', 'x'.repeat(300), ['version-too-long']],
    ['semver', 'v1.2.3', ['version-prefix']],
    ['semver', 'v01.2', ['version-prefix', 'version-parts', 'version-leading-zero']],
    ['semver', '1.2', ['version-parts']],
    ['semver', '1.2.3.4', ['version-parts']],
    ['semver', '1.2.x', ['version-not-a-number']],
    ['semver', '01.02.3', ['version-leading-zero', 'version-leading-zero']],
    ['semver', '9007199254740992.0.0', ['version-too-large']],
    ['semver', '1.2.3-', ['version-identifier']],
    ['semver', '1.2.3-01', ['version-leading-zero']],
    ['semver', '1.2.3-a..b', ['version-identifier']],
    ['semver', '1.2.3+', ['version-identifier']],
    ['semver', ' 1.2.3', ['version-not-a-number']],
    ['semver', '1.2.3\n', ['version-not-a-number']],
    ['semver', '１.2.3', ['version-not-a-number']],
    ['semver-build', '1.2.3-9007199254740992', ['version-too-large']],
    ['semver-build', '1.2.3.007', ['version-leading-zero']],
    ['semver-build', '1.2.3.4.5', ['version-parts']],
    ['calver', '2026', ['version-date']],
    ['calver', '2026.99', ['version-date']],
    ['calver', '999.1', ['version-date']],
    ['calver', 'april', ['version-date']],
    ['number', '007', ['version-leading-zero']],
    ['number', '1.5', ['version-not-a-number']],
    ['number', '9007199254740992', ['version-too-large']],
    ['sha', 'abc1234', ['version-not-a-hash']],
    ['text', ' padded', ['version-characters']],
    ['text', 'two\nlines', ['version-characters']],
    ['text', 'turned‮around', ['version-characters']],
  ])('refuses as %s the text %j: %j', (scheme, text, codes) => {
    expect(codesOf(scheme, text)).toEqual(codes)
  })

  it('says what to do about a prefix', () => {
    const parsed = parseVersion('semver', 'v1.2.3')
    expect(parsed.ok ? [] : parsed.problems).toEqual([
      {
        code: 'version-prefix',
        message: 'expected a version without a prefix, found "v1.2.3"',
        hint: 'The `v` belongs to the tag pattern: `v{version}`.',
      },
    ])
  })
})

describe('the order of versions', () => {
  it.each<[VersionScheme, readonly string[]]>([
    [
      'semver',
      ['1.2.3-1', '1.2.3-9', '1.2.3-10', '1.2.3-alpha', '1.2.3-rc.1', '1.2.3-rc.10', '1.2.3', '1.2.10', '1.10.0'],
    ],
    [
      'semver-build',
      ['1.2.3.9', '1.2.3-10', '1.2.3-9007199254740990', '1.2.3-9007199254740991', '1.2.3-rc.1', '1.2.3'],
    ],
    ['calver', ['23.10', '2024.01', '2024.1.0', '2024.1.2-rc.2', '2024.1.2-rc.10', '2024.1.2', '2024.10']],
    ['number', ['9', '10', '9007199254740991']],
  ])('of %s goes up along %j', (scheme, ascending) => {
    const versions = ascending.map((text) => {
      const parsed = parseVersion(scheme, text)
      if (!parsed.ok) throw new Error(parsed.problems[0]?.message)
      return parsed.value
    })
    for (const [at, low] of versions.entries()) {
      for (const [above, high] of versions.entries()) {
        expect(compareVersions(low, high)).toEqual({ ok: true, value: Math.sign(at - above) })
      }
    }
  })

  it.each<[VersionScheme, string, VersionScheme, string, VersionCode]>([
    ['text', 'spring', 'text', 'autumn', 'version-no-order'],
    ['sha', 'a'.repeat(40), 'sha', 'b'.repeat(40), 'version-no-order'],
    ['semver', '1.2.3', 'number', '4', 'version-schemes-differ'],
  ])('is refused between %s %s and %s %s', (scheme, text, otherScheme, otherText, code) => {
    const [a, b] = [parseVersion(scheme, text), parseVersion(otherScheme, otherText)]
    expect(a.ok && b.ok && compareVersions(a.value, b.value)).toMatchObject({ ok: false, problems: [{ code }] })
  })

  it('knows that a hash is the same whatever its case', () => {
    const [a, b] = [parseVersion('sha', 'A'.repeat(40)), parseVersion('sha', 'a'.repeat(40))]
    expect(a.ok && b.ok && compareVersions(a.value, b.value)).toEqual({ ok: true, value: 0 })
  })
})
