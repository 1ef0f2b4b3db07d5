import { describe, expect, it } from '@jest/globals'
import { nextBuild } from '../../../src/core/version/builds.ts'
import { levelOfLabels } from '../../../src/core/version/labels.ts'
import { type Area, parseAreas, parseProductPlace } from '../../../src/core/version/paths.ts'
import { nextOnLine } from '../../../src/core/version/prerelease.ts'
import { lastRelease, parseTagPattern, readTags, tagNameOf } from '../../../src/core/version/tags.ts'
import { parseVersion, type VersionScheme } from '../../../src/core/version/version.ts'

const tagsOf = (names: readonly string[]) => names.map((name, at) => ({ name, sha: `${at}`.padStart(40, '0') }))

function lastOf(
  pattern: string,
  names: readonly string[],
  below?: string,
  scheme: VersionScheme = 'semver',
): string | null {
  const parsed = parseTagPattern(pattern, scheme)
  if (!parsed.ok) throw new Error(parsed.problems[0]?.message)
  const reading = readTags(parsed.value, tagsOf(names))
  const limit = below === undefined ? undefined : parseVersion(scheme, below)
  if (!reading.ok) throw new Error(reading.problems[0]?.message)
  return lastRelease(reading.value, limit?.ok ? limit.value : undefined)?.name ?? null
}

const monorepo = [
  ...['v1.9.0', 'v1.10.0', 'v2.0.0-rc.1', 'v2', 'vnext', 'api/v3.0.0', 'api@4.0.0', 'server-sdk-v5.0.0', 'sdk-v6.0.0'],
  ...['v1.10.0-old', 'V9.9.9', 'v01.2.3'],
]

describe('the last release', () => {
  it.each([
    ['v{version}', 'v1.10.0'],
    ['api/v{version}', 'api/v3.0.0'],
    ['api@{version}', 'api@4.0.0'],
    ['server-sdk-v{version}', 'server-sdk-v5.0.0'],
    ['sdk-v{version}', 'sdk-v6.0.0'],
    ['{version}', null],
    ['web/v{version}', null],
  ])('by the pattern %s is %s', (pattern, name) => {
    expect(lastOf(pattern, monorepo)).toBe(name)
  })

  it('is paired with the highest lower one, whatever maintenance lines do', () => {
    const names = ['v1.0.0', 'v1.1.0', 'v2.0.0', 'v1.1.1', 'v2.1.0']
    expect(['v1.1.1', 'v2.0.0', 'v2.1.0', 'v1.0.0'].map((name) => lastOf('v{version}', names, name.slice(1)))).toEqual([
      'v1.1.0',
      'v1.1.1',
      'v2.0.0',
      null,
    ])
  })

  it('is the same tag whatever order the tags come in', () => {
    const names = ['v1.0.0+b', 'v1.0.0+a', 'v0.9.0']
    expect([lastOf('v{version}', names), lastOf('v{version}', names.toReversed())]).toEqual(['v1.0.0+a', 'v1.0.0+a'])
  })

  it('follows other schemes that have an order', () => {
    expect(lastOf('{version}', ['2025.12.1', '2026.01.1-rc.1', '2025.2.9'], undefined, 'calver')).toBe('2025.12.1')
    expect(lastOf('build-{version}', ['build-9', 'build-10'], undefined, 'number')).toBe('build-10')
  })

  it('is refused for schemes that have none', () => {
    const pattern = parseTagPattern('{version}', 'text')
    expect(pattern.ok && readTags(pattern.value, [])).toMatchObject({ ok: false, problems: [{ code: 'tag-order' }] })
  })

  it('leaves a list of what fits the pattern and is no version', () => {
    const pattern = parseTagPattern('v{version}')
    const reading = pattern.ok ? readTags(pattern.value, tagsOf(['v1.0.0', 'v1', 'nightly'])) : pattern
    expect(reading.ok && reading.value.unread.map(({ tag }) => tag.name)).toEqual(['v1'])
  })
})

describe('a tag pattern', () => {
  it.each([
    'v',
    '',
    'v{version}{version}',
    'a b{version}',
    '{version}.lock',
    '/v{version}',
    'v..{version}',
    'a:{version}',
  ])('is refused: %j', (text) => {
    expect(parseTagPattern(text)).toMatchObject({ ok: false, problems: [{ code: 'tag-pattern' }] })
  })

  it('names the tag of a version', () => {
    const pattern = parseTagPattern('api/v{version}')
    expect(pattern.ok && tagNameOf(pattern.value, '1.2.3')).toBe('api/v1.2.3')
  })
})

describe('the areas of a repository', () => {
  const areas: Area[] = [
    { name: 'root', path: '.' },
    { name: 'api', path: 'packages/api/', exclude: ['packages/api/docs', 'packages/api/README.md'] },
    { name: 'api-client', path: './packages/api/client' },
    { name: 'ap', path: 'packages/ap' },
    { name: 'rest', path: 'packages' },
  ]

  it.each<[string, string[], string[]]>([
    ['the longest path wins', ['packages/api/client/a.ts'], ['api-client']],
    ['a path ends at a folder', ['packages/api/a.ts'], ['api']],
    ['what no deeper area owns', ['packages/web/a.ts'], ['rest']],
    ['what is excluded counts for nobody', ['packages/api/docs/a.md'], []],
    ['an excluded file', ['packages/api/README.md'], []],
    ['an excluded file beside another', ['packages/api/README.md', 'packages/api/a.ts'], ['api']],
    ['several files', ['packages/ap/x', 'packages/api/a.ts', 'x'], ['root', 'api', 'ap']],
    ['no file at all', [], ['root', 'api', 'api-client', 'ap', 'rest']],
    ['names that look like code', ['__proto__/constructor'], ['root']],
  ])('%s', (_, files, names) => {
    const map = parseAreas(areas)
    expect(map.ok && map.value(files)).toEqual(names)
  })

  it('are refused with every path that leaves the repository', () => {
    const map = parseAreas([
      { name: 'a', path: '../x' },
      { name: 'b', path: 'b', exclude: ['/etc', 'b\\c'] },
    ])
    expect(map.ok ? [] : map.problems.map(({ path }) => path)).toEqual([
      'areas[0].path',
      'areas[1].exclude[0]',
      'areas[1].exclude[1]',
    ])
  })
})

describe('one product of a repository', () => {
  it.each([
    ['api', ['api/sdk/a'], false],
    ['api', ['api/a', 'api/sdk/a'], true],
    ['api/sdk', ['api/sdk/a'], true],
    ['api/sdk', ['api/a'], false],
    ['.', ['api/sdk/a'], false],
    ['.', ['a'], true],
    ['api', [], true],
    ['api', ['api/docs/a'], false],
    ['./api//', ['api/a'], true],
    ['.//api/./', ['api/a'], true],
    ['api//sdk', ['api/sdk/a'], true],
    ['./', ['a'], true],
  ])('at %s has of %j: %j', (path, files, counted) => {
    const counts = parseProductPlace({ path, exclude: ['api/docs'], otherPaths: ['./api/sdk/', 'api'] })
    expect(counts.ok && counts.value(files)).toBe(counted)
  })
})

describe('a line of pre-releases', () => {
  it.each<[string, string, string, string | null, string]>([
    ['begins at 1', '1.3.0', 'rc', null, '1.3.0-rc.1'],
    ['counts up', '1.3.0', 'rc', '1.3.0-rc.9', '1.3.0-rc.10'],
    ['begins again for a higher target', '2.0.0', 'rc', '1.3.0-rc.9', '2.0.0-rc.1'],
    ['never falls back', '1.2.4', 'rc', '2.0.0-rc.1', '2.0.0-rc.2'],
    ['keeps leading zeros', '1.3.0', 'beta', '1.3.0-beta09', '1.3.0-beta10'],
    ['counts what had no number', '1.3.0', 'rc', '1.3.0-rc', '1.3.0-rc.1'],
    ['gets longer where counting up would sort below', '1.3.0', 'rc', '1.3.0-rc9', '1.3.0-rc9.1'],
    ['counts up what is longer', '1.3.0', 'rc', '1.3.0-rc9.1', '1.3.0-rc9.2'],
    ['begins where a pre-release of it is asked for', '2.0.0-rc.3', 'rc', null, '2.0.0-rc.3'],
    ['goes on where a higher pre-release of it is asked for', '2.0.0-rc.5', 'rc', '2.0.0-rc.2', '2.0.0-rc.5'],
    ['stays above a lower pre-release that is asked for', '2.0.0-rc.1', 'rc', '2.0.0-rc.2', '2.0.0-rc.3'],
    ['leads to the release of another line’s pre-release', '2.0.0-beta.4', 'rc', null, '2.0.0-rc.1'],
    ['has no build metadata', '2.0.0+b5', 'rc', null, '2.0.0-rc.1'],
    ['loses build metadata', '2.0.0', 'rc', '2.0.0-rc.1+b5', '2.0.0-rc.2'],
  ])('%s', (_, target, label, latest, next) => {
    expect(nextOnLine(target, { label, latest })).toEqual({ ok: true, value: next })
  })

  it.each([
    ['1.3.0', 'rc', '1.3.0-beta.1'],
    ['v1.3.0', 'rc', null],
    ['1.3.0', 'r c', null],
  ])('is refused: %s on %s after %s', (target, label, latest) => {
    expect(nextOnLine(target, { label, latest }).ok).toBe(false)
  })
})

describe('a development build', () => {
  it.each<[string, string | null, string | null, string | null, string]>([
    ['is the first of all', null, null, null, '0.1.0-1'],
    ['counts up', '1.3.0-44', '1.2.0', '1.2.1', '1.3.0-45'],
    ['goes on from the next minor after a release', '1.3.0-45', '1.3.0', null, '1.4.0-1'],
    ['goes on from the next minor after a patch too', '1.3.0-45', '1.2.7', '1.2.8', '1.3.0-46'],
    ['follows a breaking change up', '1.3.0-45', '1.2.0', '2.0.0', '2.0.0-1'],
    ['never lowers its base', '2.0.0-7', '1.2.0', '1.2.1', '2.0.0-8'],
    ['stays on the base while its candidate is tried', '1.3.0.45', '1.3.0-rc.1', null, '1.3.0-46'],
  ])('%s', (_, latestBuild, latestRelease, wanted, next) => {
    expect(nextBuild({ latestBuild, latestRelease }, wanted)).toEqual({ ok: true, value: next })
  })

  it.each<[string | null, string | null]>([
    ['1.2.3-9007199254740991', null],
    ['1.2.3', null],
    [null, 'v1'],
    [null, '1.9007199254740991.0'],
  ])('is refused after %s and %s', (latestBuild, latestRelease) => {
    expect(nextBuild({ latestBuild, latestRelease }, null).ok).toBe(false)
  })
})

describe('labels', () => {
  const table = new Map([
    ['breaking', 'major'],
    ['Feature', 'minor'],
    ['chore', 'none'],
  ] as const)

  it.each<[string[], string | null]>([
    [['feature', 'BREAKING'], 'major'],
    [['chore'], 'none'],
    [['bug'], null],
    [[], null],
  ])('%j ask for %s', (labels, level) => {
    expect(levelOfLabels(labels, table)).toBe(level)
  })
})
