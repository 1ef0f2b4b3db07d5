import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from '@jest/globals'
import { bumpCommand } from '../../src/cli/bump.ts'
import { optionsOfProduct } from '../../src/cli/product-configuration.ts'
import { readPullRequestSource } from '../../src/cli/pull-request-source.ts'
import { ScratchRepository } from '../git/scratch-repository.ts'
import { runCommand } from './stage.ts'

const made: { remove(): void }[] = []
afterEach(() => {
  for (const repository of made.splice(0)) repository.remove()
})

/** A history in one line: `+message` commits, `#name` tags. */
function history(...steps: readonly string[]): ScratchRepository {
  const repository = ScratchRepository.init()
  made.push(repository)
  for (const step of steps) {
    if (step.startsWith('#')) repository.git('tag', step.slice(1))
    else repository.commit(step)
  }
  return repository
}

const bump = (repository: ScratchRepository, ...args: readonly string[]) =>
  runCommand(bumpCommand, ['--directory', repository.directory, ...args], true)

const versionOf = async (repository: ScratchRepository, ...args: readonly string[]) => {
  const { version, released } = (await bump(repository, ...args)).json()
  return [version, released]
}

describe('ringmaster bump', () => {
  it('tells the version, its tag and what each commit asks for', async () => {
    const repository = history('feat: a', '#v1.2.0', 'docs: b', 'fix: c \u001b[31m')
    const { code, out } = await runCommand(bumpCommand, ['-C', repository.directory])
    expect(code).toBe(0)
    expect(out[0]).toBe('1.2.1 (tag v1.2.1)')
    expect(out[3]).toMatch(/^COMMIT +ASKS FOR +RULE +MESSAGE$/)
    expect(out[4]).toMatch(/^[0-9a-f]{7} {2}patch \* {3}type fix +fix: c \ufffd\[31m/)
    expect(out[5]).toContain('docs: b')
  })

  it.each([
    ['the later one', 'v1.2.0+a', 'v1.2.0+b'],
    ['the later one, whatever the names', 'v1.2.0+b', 'v1.2.0+a'],
  ])('of two commits with tags of one version counts from %s, and warns', async (_, first, second) => {
    const repository = history('fix: a', `#${first}`, 'feat: b', `#${second}`, 'fix: c')
    const told = (await bump(repository)).json()
    expect(told).toMatchObject({ version: '1.2.1', tag: second, warnings: [{ code: 'version-tagged-twice' }] })
    expect(told['commits']).toMatchObject([{ title: 'fix: c' }])
  })

  it.each<[string, string[], string | null, string[]]>([
    ['below a first candidate', ['feat: a', '#v1.0.0-rc.3', 'feat: b'], '0.1.0', ['prerelease-above']],
    [
      'below a candidate of more',
      ['fix: a', '#v1.2.0', 'feat!: b', '#v3.0.0-rc.1', 'fix: c'],
      '2.0.0',
      ['prerelease-above'],
    ],
    ['above the candidates', ['fix: a', '#v1.2.0', 'feat: b', '#v1.3.0-rc.1', 'fix: c'], '1.3.0', []],
    ['with nothing to release', ['fix: a', '#v1.2.0', 'docs: b', '#v1.3.0-rc.1', 'docs: c'], null, []],
  ])('warns of a release that sorts below what was there: %s', async (_, lines, version, codes) => {
    const told = (await bump(history(...lines))).json()
    expect(told).toMatchObject({ version, warnings: codes.map((code) => ({ code })) })
  })

  it('warns where tags fit the pattern and none of them is a version, before it counts as for a first release', async () => {
    const repository = history('fix: a', '#2026.04.1', '#2026.05.1', 'feat: b')
    const { out, err } = await runCommand(bumpCommand, ['-C', repository.directory, '--tag-pattern', '{version}'])
    expect(out[0]).toBe('0.1.0 (tag 0.1.0)')
    expect(out).toContain('Tags that fit the pattern and name no version: 2026.04.1, 2026.05.1')
    expect(err).toEqual([expect.stringMatching(/^tags-unread: expected .+, found none in "2026.04.1", "2026.05.1"/)])
    repository.git('tag', '1.0.0')
    expect((await bump(repository, '--tag-pattern', '{version}')).json()).toMatchObject({ warnings: [] })
  })

  it('finds nothing odd in two tags of one version on one commit', async () => {
    const told = (await bump(history('fix: a', '#v1.2.0+a', '#v1.2.0', 'fix: c'))).json()
    expect(told).toMatchObject({ version: '1.2.1', tag: 'v1.2.0', warnings: [] })
  })

  it.each([
    [[], ['1.3.0', true]],
    [
      ['--preset', 'angular'],
      ['1.3.0', true],
    ],
    [
      ['--rule', 'feat: patch'],
      ['1.2.1', true],
    ],
    [
      ['--visible-types', 'fix, perf'],
      [null, false],
    ],
    [
      ['--tag-pattern', 'api@{version}'],
      ['0.1.0', true],
    ],
  ])('answers a feature after 1.2.0, called with %j, by %j', async (args, expected) => {
    expect(await versionOf(history('feat: a', '#v1.2.0', 'feat: b'), ...args)).toEqual(expected)
  })

  it('shows as many rows as are asked for, and says how many are left out', async () => {
    const repository = history('feat: a', '#v1.2.0', 'feat: b', 'fix: c', 'fix: d')
    const shown = (await bump(repository, '--rows', '2')).json()
    expect([(shown['commits'] as unknown[]).length, shown['omitted'], shown['version']]).toEqual([2, 1, '1.3.0'])
  })

  it.each([
    ['no tag at all', ['fix: a'], '0.1.0-rc.1', '0.1.0'],
    ['no candidate yet', ['x', '#v1.2.0', 'feat: b'], '1.3.0-rc.1', '1.3.0'],
    ['a candidate before', ['x', '#v1.2.0', 'feat: b', '#v1.3.0-rc.1', 'fix: c'], '1.3.0-rc.2', '1.3.0'],
    ['more than the line leads to', ['x', '#v1.2.0', 'fix: b', '#v1.2.1-rc.4', 'feat: c'], '1.3.0-rc.1', '1.3.0'],
    ['less than it leads to', ['x', '#v1.2.0', 'fix: b', '#v2.0.0-rc.4', 'fix: c'], '2.0.0-rc.5', '2.0.0'],
    ['nothing new since the candidate', ['x', '#v1.2.0', 'feat: b', '#v1.3.0-rc.1', 'docs: c'], null, '1.3.0'],
    ['a candidate of a past release', ['x', '#v1.2.0-rc.7', 'y', '#v1.2.0', 'fix: b'], '1.2.1-rc.1', '1.2.1'],
    ['another line', ['x', '#v1.2.0', 'feat: b', '#v1.3.0-beta.3', 'fix: c'], '1.3.0-rc.1', '1.3.0'],
  ])('follows a line of pre-releases and its graduation: %s', async (_, steps, candidate, release) => {
    const repository = history(...steps)
    expect((await versionOf(repository, '--prerelease', 'rc'))[0]).toBe(candidate)
    expect((await versionOf(repository, '--graduate', 'rc'))[0]).toBe(release)
  })

  it('shows commits outside the path, what they would ask for, and counts in whole sentences', async () => {
    const repository = history('feat: a', '#api/v1.2.0')
    repository.commit('feat: web', ['web/a'])
    repository.commit('fix: api', ['api/a'])
    const args = ['-C', repository.directory, '--path', 'api', '--product', 'api']
    const { out } = await runCommand(bumpCommand, args)
    const at = out.indexOf('1 commit changes nothing of this product:')
    expect(out.slice(at).join('\n')).toMatch(/none +changes nothing of this product +feat: web \[outside-path\]$/)
    expect((await runCommand(bumpCommand, [...args, '--rows', '0'])).out.at(-1)).toBe(
      '1 commit changes nothing of this product.',
    )
    expect((await bump(repository, ...args.slice(2))).json()).toMatchObject({
      outsidePath: 1,
      outside: [{ title: 'feat: web', level: 'none', warnings: [{ code: 'outside-path' }] }],
    })
  })

  it('leaves to other products what lies in their longer paths', async () => {
    const repository = history('feat: a', '#api/v1.2.0')
    repository.commit('feat: sdk', ['api/sdk/a'])
    const api = ['--path', 'api', '--product', 'api']
    expect(await versionOf(repository, ...api)).toEqual(['1.3.0', true])
    expect(await versionOf(repository, ...api, '--other-path', 'api/sdk')).toEqual([null, false])
    expect((await bump(repository, ...api, '--other-path', '../sdk')).problems).toEqual(['bad-path'])
  })

  it('gives a candidate’s own version to its commit, and its release when it graduates', async () => {
    const repository = history('x', '#v1.2.0', 'feat: b', '#v1.3.0-rc.1')
    expect(await versionOf(repository, '--prerelease', 'rc')).toEqual(['1.3.0-rc.1', false])
    expect(await versionOf(repository, '--graduate', 'rc')).toEqual(['1.3.0', true])
  })

  it.each([
    ['the number after the last', 'number', ['feat!: a', '#v7', 'fix: b'], '8'],
    ['the first number', 'number', ['feat!: a'], '1'],
    ['no number where nothing asks for one', 'number', ['feat: a', '#v7', 'docs: b'], null],
    ['SemVer that passes four parts by', 'semver-build', ['a', '#v1.2.0', '#v1.3.0.44', 'feat: b'], '1.3.0'],
    ['SemVer, whatever else is tagged', 'semver', ['a', '#v1.2.0', '#v2026.04', 'fix: b'], '1.2.1'],
  ])('answers by a scheme with %s', async (_, scheme, steps, version) => {
    expect((await bump(history(...steps), '--scheme', scheme)).json()).toMatchObject({ version })
  })

  it.each([
    [['--scheme', 'calver'], ['scheme-uncounted']],
    [['--scheme', 'sha'], ['scheme-uncounted']],
    [['--scheme', 'text'], ['scheme-uncounted']],
    [['--scheme', 'number', '--prerelease', 'rc'], ['line-scheme']],
    [['--scheme', 'calver', '--build'], ['usage']],
    [['--scheme', 'roman'], ['usage']],
  ])('refuses %j, which has no next version', async (args, problems) => {
    expect(await bump(history('x'), ...args)).toMatchObject({ code: 'thrown', problems })
  })

  it('counts the candidates of a product with BUILD numbers up', async () => {
    const repository = history('a', '#v1.2.0', 'feat: b', '#v1.3.0-rc.1', '#v1.3.0-44', 'fix: c')
    expect(await versionOf(repository, '--scheme', 'semver-build', '--prerelease', 'rc')).toEqual(['1.3.0-rc.2', true])
  })

  describe('by the configuration of a product', () => {
    const configured = (products: string): string => {
      const folder = mkdtempSync(join(tmpdir(), 'ringmaster-configuration-'))
      made.push({ remove: () => rmSync(folder, { recursive: true }) })
      const file = join(folder, 'ringmaster.yml')
      writeFileSync(
        file,
        `schemaVersion: 1\nproducts:\n${products}\nrings:\n  - { ring: "0", label: a, environments: [a] }\nsignoff: { parties: [{ name: A, users: [ann] }] }\ncompletion: { environments: [a] }\n`,
      )
      return file
    }
    const products = `  - name: api
    repository: acme/platform
    path: api
    exclude: [api/docs]
    tagPattern: "api@{version}"
    bump: { preset: conventionalcommits, rules: ["docs: minor"], preMajor: { breaking: minor } }
  - { name: sdk, repository: acme/platform, path: api/sdk, bump: { visibleTypes: [docs] } }
  - { name: other, repository: acme/other, path: api/a }`

    it('takes path, exclusions, other products, preset, rules, policy and tag pattern from it', async () => {
      const repository = history('x', '#api@0.4.0')
      const file = configured(products)
      const of = async (product: string, ...args: readonly string[]) =>
        (await versionOf(repository, '--configuration', file, '--product', product, ...args))[0]
      repository.commit('feat: excluded', ['api/docs/a'])
      repository.commit('fix: of the sdk', ['api/sdk/a'])
      repository.commit('docs: counts by the rule', ['api/a'])
      expect(await of('api')).toBe('0.5.0')
      expect(await of('api', '--rule', 'docs: none')).toBe(null)
      expect(await of('sdk')).toBe(null)
      repository.commit('docs: released', ['api/sdk/b'])
      expect(await of('sdk')).toBe('0.1.0')
      repository.commit('feat!: breaks', ['api/b'])
      expect(await of('api')).toBe('0.5.0')
      expect(await of('api', '--pre-major-breaking', 'major')).toBe('1.0.0')
    })

    it.each([
      [['--product', 'apo'], ['usage']],
      [[], ['usage']],
    ])('refuses %j', async (args, problems) => {
      expect((await bump(history('x'), '--configuration', configured(products), ...args)).problems).toEqual(problems)
    })

    describe('that lets labels of pull requests decide', () => {
      const bumpOptions = 'bump: { source: labels, labelLevels: ["api-break: major"] }'
      const given = () => [
        '--configuration',
        configured(`  - { name: api, repository: acme/api, ${bumpOptions} }`),
        '--product',
        'api',
      ]
      const listed = (repository: ScratchRepository) => {
        const file = join(repository.directory, '.git', 'merged.ndjson')
        writeFileSync(file, '{"number":7,"title":"fix: x","labels":["API-break","patch"]}\n')
        return ['--pull-requests', file]
      }

      it('takes source and levels from it, unless the command line says otherwise', async () => {
        const repository = history('x', '#v1.2.0', 'feat: b (#7)')
        const of = async (...args: readonly string[]) => (await versionOf(repository, ...given(), ...args))[0]
        expect(await of(...listed(repository))).toBe('2.0.0')
        expect(await of(...listed(repository), '--label-level', 'patch: patch')).toBe('1.2.1')
        expect(await of(...listed(repository), '--source', 'titles')).toBe('1.2.1')
        expect(await of('--source', 'commits')).toBe('1.3.0')
      })

      it('says that the file of pull requests is missing', async () => {
        expect((await bump(history('x'), ...given())).problems).toEqual(['usage'])
        await expect(readPullRequestSource({}, { source: 'labels' }, bumpCommand)).rejects.toThrow(
          'expected --pull-requests for source: labels of the configuration, found none',
        )
      })
    })

    it('refuses a configuration that does not hold', async () => {
      const file = configured('  - { name: api, repository: acme/platform, bump: { rules: ["x: y"] } }')
      const told = bump(history('x'), '--configuration', file, '--product', 'api')
      expect((await told).problems).toEqual(['bump-rule'])
    })

    it('tells in which line a configuration does not hold', async () => {
      const file = configured('  - { name: api, repository: nowhere }')
      await expect(optionsOfProduct(file, 'api', bumpCommand)).rejects.toMatchObject({
        problems: [
          { message: expect.stringMatching(/ringmaster\.yml:\d+: products\[0\]\.repository: expected owner\/name/) },
        ],
      })
    })
  })

  it('says that there is no candidate to graduate, before it releases without one', async () => {
    const repository = history('x', '#v1.2.0', '#v1.2.0-rc.1', 'feat: b', '#v1.3.0-beta.1')
    const told = (label: string) => bump(repository, '--graduate', label).then((one) => one.json())
    expect(await told('rc')).toMatchObject({ version: '1.3.0', warnings: [{ code: 'nothing-to-graduate' }] })
    expect(await told('beta')).toMatchObject({ version: '1.3.0', warnings: [] })
  })

  it('knows a candidate further back than the release when the checkout is shallow', async () => {
    const origin = history('x', '#v1.2.0', 'feat: b', '#v2.0.0-rc.1', 'fix: c', '#v1.2.1', 'fix: d', 'fix: e')
    const clone = origin.shallowClone()
    made.push(clone)
    expect((await versionOf(clone, '--prerelease', 'rc'))[0]).toBe('2.0.0-rc.2')
  })

  it.each([
    ['the minor after the last release', ['x', '#v1.2.0', 'fix: b'], [], '1.3.0-1'],
    ['what the commits ask for', ['x', '#v1.2.0', 'feat!: b'], [], '2.0.0-1'],
    ['the next number of a base', ['x', '#v1.2.0', 'fix: b'], ['--latest-build', '1.3.0-44'], '1.3.0-45'],
    ['the number after the highest tag', ['x', '#v1.2.0', 'y', '#v1.3.0-9', '#v1.3.0-10', 'fix: b'], [], '1.3.0-11'],
    ['its four-part form', ['x', '#v1.2.0', 'fix: b'], ['--latest-build', '1.3.0.44'], '1.3.0-45'],
    ['no lower base than before', ['x', '#v1.2.0', 'fix: b'], ['--latest-build', '4.0.0-9'], '4.0.0-10'],
  ])('numbers a development build by %s', async (_, steps, args, expected) => {
    expect(await versionOf(history(...steps), '--build', ...args)).toEqual([expected, true])
  })

  it('refuses a BUILD above 2^53 - 1', async () => {
    const told = await bump(history('x', '#v1.2.0', 'fix: b'), '--build', '--latest-build', '1.3.0-9007199254740991')
    expect(told).toMatchObject({ code: 'thrown', problems: ['version-too-large'] })
  })

  it.each([
    [['--prerelease', 'rc', '--build'], ['usage']],
    [['--latest-build', '1.0.0-1'], ['usage']],
    [['--prerelease', 'r c'], ['prerelease-label']],
    [['--prerelease', '7'], ['prerelease-label']],
    [['--preset', 'eslint'], ['usage']],
    [['--path', 'api'], ['usage']],
    [['--rows', '-1'], ['usage']],
    [
      ['--rule', 'nonsense', '--rule', 'more', '--tag-pattern', 'v'],
      ['rule-form', 'rule-form', 'tag-pattern'],
    ],
    [['extra'], ['usage']],
  ])('refuses %j with every problem', async (args, problems) => {
    expect(await bump(history('x'), ...args)).toMatchObject({ code: 'thrown', problems })
  })
})
