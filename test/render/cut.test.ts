import { describe, expect, it } from '@jest/globals'
import type { Cut, CutOutcome } from '../../src/core/product/cut-schema.ts'
import { renderCut } from '../../src/render/cut.ts'

const [SHA, OTHER] = ['a'.repeat(40), 'b'.repeat(40)]
const cut: Cut = {
  id: '700-0',
  product: 'api',
  version: '1.2.0',
  from: '1.2.0-rc.1',
  sha: SHA,
  repository: { id: 78, fullName: 'acme/platform' },
  tag: 'v1.2.0',
  branch: 'release/v1.2.0',
  release: { prerelease: false, generatedNotes: true },
  issue: 12,
}
const made = (more: Partial<Extract<CutOutcome, { kind: 'made' }>> = {}): CutOutcome => ({
  kind: 'made',
  branchHead: SHA,
  url: 'https://github.test/acme/platform/releases/tag/v1.2.0',
  ...more,
})

describe('what came of a cut', () => {
  it('is told to who asked, part by part', () => {
    expect(renderCut(cut, made(), 'ann').split('\n')).toEqual([
      '@ann ✅ `api@1.2.0` is cut in acme/platform:',
      '- tag `v1.2.0` at `aaaaaaaaaaaa`',
      '- branch `release/v1.2.0` at `aaaaaaaaaaaa`',
      '- GitHub Release: <https://github.test/acme/platform/releases/tag/v1.2.0>',
    ])
  })

  it('says where a branch is that was there before', () => {
    expect(renderCut(cut, made({ branchHead: OTHER }), 'ann')).toContain('at `bbbbbbbbbbbb`: it was there before')
  })

  it('names only what was asked for', () => {
    const line = renderCut({ ...cut, tag: null, release: null }, made({ url: null }), null)
    expect(line).toMatch(/^✅ .+\n- branch .+$/)
  })

  it('says why not, and what to do', () => {
    const hint = 'Give it the next version.'
    const outcome: CutOutcome = { kind: 'refused', code: 'tag-elsewhere', message: 'expected x, found [y](z)', hint }
    expect(renderCut(cut, outcome, 'ann')).toBe(
      '@ann ❌ `api@1.2.0` was not cut: expected x, found \\[y\\](z). Give it the next version.',
    )
  })

  it('makes no link of an address with anything odd in it, and mentions no odd name', () => {
    const told = renderCut(cut, made({ url: 'https://github.test/<b>' }), 'ann @everybody')
    expect(told).not.toContain('<https')
    expect(told).toMatch(/^✅/)
  })
})
