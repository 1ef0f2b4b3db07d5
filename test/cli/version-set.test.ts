import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { CommandIo } from '../../src/cli/command.ts'
import { versionSet } from '../../src/cli/version-set.ts'
import { runCommand } from './stage.ts'

const silent: CommandIo = { out: () => {}, err: () => {}, json: false, env: {}, now: '2026-03-04T05:06:07Z' }

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ringmaster-version-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const write = (path: string, text: string) => writeFileSync(join(folder, path), text)
const read = (path: string) => readFileSync(join(folder, path), 'utf8')
const set = (...args: readonly string[]) => runCommand(versionSet, ['-C', folder, ...args])

describe('ringmaster version set', () => {
  it('writes into every usual file that is there, keeps all else, and has nothing to do the next time', async () => {
    write('package.json', '{\r\n\t"name": "a", "version":"1.0.0"}\r\n')
    write('Cargo.toml', '[package] # ours\nversion = "1.0.0" # now\n\n[dependencies]\nx = { version = "1.0.0" }\n')
    write('VERSION', '1.0.0\n')
    const { out, code } = await set('1.1.0')
    expect([code, out]).toEqual([
      0,
      ['package.json', 'Cargo.toml', 'VERSION'].map((path) => `Wrote 1.1.0 into ${path}.`),
    ])
    expect(read('package.json')).toBe('{\r\n\t"name": "a", "version":"1.1.0"}\r\n')
    expect(read('Cargo.toml')).toContain('version = "1.1.0" # now\n\n[dependencies]\nx = { version = "1.0.0" }')
    expect((await set('1.1.0')).out).toEqual(['1.1.0 stands there already.'])
  })

  it('writes into a product’s folder or into the files that are named', async () => {
    mkdirSync(join(folder, 'api'))
    write('VERSION', '1.0.0\n')
    write('api/VERSION', '2.0.0\n')
    write('a.ts', "export const VERSION = '1.0.0' // ringmaster:version\n")
    await set('2.1.0', '--path', 'api')
    await set('1.1.0', '--file', 'a.ts')
    expect([read('VERSION'), read('api/VERSION'), read('a.ts').slice(0, 30)]).toEqual([
      '1.0.0\n',
      '2.1.0\n',
      "export const VERSION = '1.1.0'",
    ])
  })

  it('only checks where that is asked for', async () => {
    write('VERSION', '1.0.0\n')
    expect(await set('1.1.0', '--check')).toMatchObject({ code: 1, out: ['VERSION holds another version.'] })
    expect(read('VERSION')).toBe('1.0.0\n')
    expect((await set('1.0.0', '--check')).code).toBe(0)
  })

  it('writes all files or none', async () => {
    write('VERSION', '1.0.0\n')
    write('pyproject.toml', '[project]\nversion = "1.0.0"\n')
    expect((await set('1.1.0-dev.1')).problems).toEqual(['version-file-scheme'])
    expect(read('VERSION')).toBe('1.0.0\n')
  })

  it.each([
    ['package.json', '{ "private": true }', 'version-file-none'],
    ['Cargo.toml', '[package]\nversion.workspace = true\n', 'version-file-elsewhere'],
    ['pyproject.toml', '[project]\ndynamic = ["version"]\n', 'version-file-none'],
  ])(
    'does not say that the version stands there already where only a %s without one does',
    async (path, text, code) => {
      write(path, text)
      for (const more of [[], ['--check']]) expect((await set('1.0.0', ...more)).problems).toEqual([code])
      write('VERSION', '1.0.0')
      expect((await set('1.0.0')).out).toEqual(['1.0.0 stands there already.'])
    },
  )

  it('writes versions of the scheme that is named', async () => {
    write('VERSION', '2026.04\n')
    expect((await set('2026.05')).problems).toContain('version-parts')
    expect((await set('2026.05', '--scheme', 'calver')).code).toBe(0)
    expect(read('VERSION')).toBe('2026.05\n')
  })

  it.each([
    ['no version', [], ['usage']],
    ['a version that is none', ['1.2'], ['version-parts']],
    ['a folder without version files', ['1.0.0'], ['version-file-missing']],
    ['a named file that is not there', ['1.0.0', '--file', 'b.ts', '--file', 'a.ts'], ['version-file-missing']],
    ['a file out of the folder', ['1.0.0', '--file', 'out/VERSION', '--file', 'a.ts'], ['version-file-missing']],
  ])('refuses %s', async (_, args, problems) => {
    write('a.ts', "'1.0.0' // ringmaster:version")
    symlinkSync(tmpdir(), join(folder, 'out'))
    expect((await set(...args)).problems).toEqual(problems)
  })

  it('names each file that was asked for and is not there', async () => {
    const told = versionSet.run(['1.0.0', '-C', folder, '--file', 'b.ts', '--file', 'c.ts'], silent)
    await expect(told).rejects.toMatchObject({
      problems: ['b.ts', 'c.ts'].map((path) => ({ path, message: expect.stringContaining(`nothing at "${path}"`) })),
    })
  })
})
