import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { notesCommand } from '../../src/cli/notes.ts'
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

  it('tell of any release by its version, wherever the checkout is', async () => {
    repository.commit('fix: third')
    expect((await notes('--release', '1.1.0', '--audience', 'external')).out).toEqual(['### Features\n\n- second'])
    expect((await notes('--release', '1.0.0', '--audience', 'external')).out).toEqual(['### Features\n\n- first'])
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
    expect((await notes('--changelog', file, '--check')).code).toBe(1)
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

  it.each([
    ['a template and a changelog', ['--template', 'a', '--changelog', 'b'], 'usage'],
    ['a check of nothing', ['--check'], 'usage'],
    ['an address that is none', ['--repository-url', 'javascript:alert(1)'], 'usage'],
    ['a version that is none', ['--release', '1.x'], 'version-parts'],
    ['a date that is none', ['--date', 'tomorrow'], 'usage'],
    ['a template that is not there', ['--template', '/nowhere/x'], 'file-unreadable'],
  ])('refuse %s', async (_, args, code) => {
    const told = await notes(...args)
    expect([told.code, told.problems[0]]).toEqual(['thrown', code])
  })
})
