import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { notesCommand } from '../../src/cli/notes.ts'
import { CONFIGURATION } from '../engine/stage.ts'
import { ScratchRepository } from '../git/scratch-repository.ts'
import { runCommand } from './stage.ts'

let repository: ScratchRepository
let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ringmaster-notes-'))
  repository = ScratchRepository.init()
  repository.commit('feat: first')
  repository.git('tag', 'v1.0.0')
  repository.commit(
    'feat: second\n\nCo-authored-by: Bo <12+bo-b@users.noreply.github.com>\nCo-authored-by: x[bot] <b@x>',
  )
  repository.git('tag', 'v1.1.0')
})
afterEach(() => {
  repository.remove()
  rmSync(folder, { recursive: true })
})

const notes = (...args: readonly string[]) => runCommand(notesCommand, ['-C', repository.directory, ...args])

describe('ringmaster notes', () => {
  it('tell what is to come, and thank by login or name', async () => {
    repository.commit('fix: third (#5)')
    const { out, code } = await notes('--repository-url', 'https://github.com/acme/api/')
    expect(code).toBe(0)
    expect(out.join('\n')).toBe(
      '### Bug fixes\n\n- third ([#5](https://github.com/acme/api/pull/5))\n\n### Thanks\n\nThanks to Ann.',
    )
  })

  it('tell of a tagged commit what its release changed', async () => {
    expect((await notes()).out.join('\n')).toMatch(
      /^### Features\n\n- second \(`[0-9a-f]{7}`\)\n\n### Thanks\n\nThanks to Ann, bo-b\.$/,
    )
  })

  it('tell customers what a configuration lets them read of the product', async () => {
    repository.commit('feat(vault): kept back')
    repository.commit('docs: told')
    repository.commit('fix: not told')
    const file = join(folder, 'ringmaster.yml')
    const kept = 'notes: { internalScopes: [Vault], externalTypes: [feat, docs] }'
    writeFileSync(file, CONFIGURATION.replace('acme/platform }', `acme/platform, ${kept} }`))
    const given = ['--configuration', file, '--product', 'user-service', '--audience', 'external']
    expect((await notes(...given)).out).toEqual(['### Documentation\n\n- told'])
    expect((await notes(...given, '--internal-scope', 'x', '--external-type', 'fix')).out).toEqual([
      '### Bug fixes\n\n- not told',
    ])
  })

  it('tell pull requests by their titles in the place of their commits', async () => {
    repository.commit('words (#5)')
    repository.commit('feat: more words (#5)')
    const file = join(folder, 'merged.ndjson')
    writeFileSync(file, '{"number":5,"title":"fix: third","labels":[]}\n')
    const given = ['--source', 'titles', '--pull-requests', file, '--audience', 'external']
    expect((await notes(...given)).out).toEqual(['### Bug fixes\n\n- third'])
    expect((await notes('--source', 'titles')).problems).toEqual(['usage'])
  })

  it('tell of any release by its version, wherever the checkout is', async () => {
    repository.commit('fix: third')
    expect((await notes('--release', '1.1.0', '--audience', 'external')).out).toEqual(['### Features\n\n- second'])
    expect((await notes('--release', '1.0.0', '--audience', 'external')).out).toEqual(['### Features\n\n- first'])
  })

  it('tell of a calendar version from the one before, tagged or to be tagged', async () => {
    for (const [message, tag] of [
      ['fix: third', '2026.03'],
      ['fix: fourth', '2026.04'],
      ['fix: fifth', null],
    ] as const) {
      repository.commit(message)
      if (tag !== null) repository.git('tag', tag)
    }
    const calendar = (...args: readonly string[]) =>
      notes('--scheme', 'calver', '--tag-pattern', '{version}', '--audience', 'external', ...args)
    expect((await calendar('--release', '2026.04')).out).toEqual(['### Bug fixes\n\n- fourth'])
    expect((await calendar('--release', '2026.05')).out).toEqual(['### Bug fixes\n\n- fifth'])
    expect((await calendar()).problems).toEqual(['scheme-uncounted'])
    expect((await calendar('--release', '1.2.0')).problems).toEqual(['version-date'])
  })

  it('say so when there is nothing to tell', async () => {
    repository.commit('docs: third')
    expect(await notes()).toMatchObject({ code: 0, out: [], err: [expect.stringContaining('No new version')] })
  })

  it('show customers neither people nor ways into the repository', async () => {
    repository.commit('fix(core): third (#5)')
    const args = ['--audience', 'external', '--repository-url', 'https://ghe.example.org/a/b']
    expect((await notes(...args)).out).toEqual(['### Bug fixes\n\n- **core:** third'])
    expect((await notes(...args, '--internal-scope', 'core')).out).toEqual([''])
    expect((await notes(...args, '--links')).out.join()).toContain('Thanks to Ann')
  })

  it('write a changelog once, and check it', async () => {
    const file = join(folder, 'CHANGELOG.md')
    repository.commit('fix: third')
    const unwritten = await notes('--changelog', file, '--check')
    expect(unwritten).toMatchObject({ code: 1, err: [expect.stringContaining('found no file')] })
    const args = [
      '--changelog',
      file,
      '--audience',
      'external',
      '--repository-url',
      'https://github.com/a/b',
      '--links',
    ]
    expect((await notes(...args)).out).toEqual([`Wrote 1.1.1 into ${file}.`])
    const text = readFileSync(file, 'utf8')
    expect(text).toContain('## [1.1.1] - 2026-03-04\n\n### Fixed\n\n- third')
    expect(text).toContain('[1.1.1]: https://github.com/a/b/compare/v1.1.0...v1.1.1\n')
    expect((await notes(...args)).out.join()).toContain('left as it is')
    expect(readFileSync(file, 'utf8')).toBe(text)
    expect((await notes('--changelog', file, '--check')).code).toBe(0)
  })

  it('follow a team’s own template', async () => {
    const file = join(folder, 'notes.liquid')
    writeFileSync(file, '{{ previousVersion }} → {{ version }} on {{ date }}: {{ groups[0].entries[0].subject }}')
    repository.commit('fix: third')
    expect((await notes('--template', file)).out).toEqual(['1.1.0 → 1.1.1 on 2026-03-04: third'])
    writeFileSync(file, '{{ nobody }}')
    expect(await notes('--template', file)).toMatchObject({ code: 'thrown', problems: ['template'] })
  })

  it('take the notes that GitHub generated in the place of ours, where their readers may see what is in them', async () => {
    const file = join(folder, 'generated.json')
    writeFileSync(file, JSON.stringify({ name: 'v1.1.0', body: "## What's Changed\n* second by @bo in #5\n" }))
    const told = await runCommand(
      notesCommand,
      ['-C', repository.directory, '--release', '1.1.0', '--github-notes', file],
      true,
    )
    expect(told.json()).toMatchObject({ version: '1.1.0', markdown: "## What's Changed\n* second by @bo in #5" })
    expect((await notes('--github-notes', file, '--audience', 'external')).problems).toEqual(['usage'])
    expect((await notes('--github-notes', file, '--changelog', 'x')).problems).toEqual(['usage'])
    writeFileSync(file, '## plain')
    expect((await notes('--github-notes', file)).problems).toEqual(['file-invalid'])
  })

  it.each([
    ['a template and a changelog', ['--template', 'a', '--changelog', 'b'], 'usage'],
    ['a check of nothing', ['--check'], 'usage'],
    ['an address that is none', ['--repository-url', 'javascript:alert(1)'], 'usage'],
    ['a version that is none', ['--release', '1.x'], 'version-parts'],
    ['a release that nobody tagged', ['--release', '9.9.9'], 'release-not-tagged'],
    ['a date that is none', ['--date', 'tomorrow'], 'usage'],
    ['a template that is not there', ['--template', '/nowhere/x'], 'file-unreadable'],
  ])('refuse %s', async (_, args, code) => {
    const told = await notes(...args)
    expect([told.code, told.problems[0]]).toEqual(['thrown', code])
  })

  describe('of a whole release', () => {
    const fileFor = async (product: string, ...args: readonly string[]): Promise<string> => {
      const told = await runCommand(notesCommand, ['-C', repository.directory, '--product', product, ...args], true)
      const path = join(folder, `${product || 'none'}.json`)
      writeFileSync(path, told.out.join('\n'))
      return path
    }

    it('put together what each product tells, what breaks first', async () => {
      const api = await fileFor('api', '--release', '1.1.0', '--audience', 'external')
      repository.commit('fix(core)!: third')
      const web = await fileFor('web', '--audience', 'external')
      const { out, code } = await notes('--combine', api, web)
      expect(code).toBe(0)
      expect(out.join('\n')).toBe(
        [
          '## Breaking changes\n\n- **web** **core:** third',
          '## api `1.1.0`\n\n### Features\n\n- second',
          '## web `2.0.0`\n\nOnly what breaks, above.',
        ].join('\n\n'),
      )
    })

    it('keep links, and refuse an address that is none', async () => {
      const api = await fileFor('api', '--repository-url', 'https://ghe.example.org/acme/api')
      expect((await notes('--combine', api)).out.join()).toMatch(/\(https:\/\/ghe\.example\.org\/acme\/api\/commit\//)
      writeFileSync(api, readFileSync(api, 'utf8').replace('"https://ghe.example.org/acme/api"', '"javascript:x"'))
      expect((await notes('--combine', api)).problems).toEqual(['file-invalid'])
    })

    it.each<[string, () => Promise<string[]>, string]>([
      ['no files', async () => [], 'usage'],
      [
        'notes for both audiences',
        async () => [await fileFor('a'), await fileFor('b', '--audience', 'external')],
        'audiences-differ',
      ],
      ['notes of nobody', async () => [await fileFor('')], 'file-invalid'],
      ['a file that is not there', async () => [join(folder, 'x')], 'file-unreadable'],
    ])('refuse %s', async (_, files, code) => {
      expect((await notes('--combine', ...(await files()))).problems).toEqual([code])
    })
  })
})
