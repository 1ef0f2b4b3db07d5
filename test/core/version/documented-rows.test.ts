import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { decideBump } from '../../../src/core/version/decide.ts'

const page = readFileSync(join(import.meta.dirname, '../../../docs/versions.md'), 'utf8')
const presets = ['ringmaster', 'angular', 'conventionalcommits', 'release-please'] as const

/** The rows of the page's comparison: a message in backticks and a bump for each preset. */
const rows = [...page.matchAll(/^\| (`+)(.+?)\1 \| ((?:(?:none|patch|minor|major|exact) \| ){4})/gm)].map(
  ([, ticks, message = '', bumps = '']): [string, string[]] => {
    const text = ticks === '`' ? message : message.trim()
    return [
      text.replaceAll('\\n', '\n'),
      bumps
        .split('|')
        .map((bump) => bump.trim())
        .slice(0, 4),
    ]
  },
)

describe('the documented differences', () => {
  it('are all read from the page', () => {
    expect(rows).toHaveLength(
      page.split('\n').filter((line) => line.startsWith('| `') && line.split(' | ').length === 6).length,
    )
    expect(rows.length).toBeGreaterThan(30)
  })

  it.each(rows)('hold for %j', (message, bumps) => {
    const decided = presets.map((preset) => decideBump({ preset }, '1.2.3', [{ sha: '0'.repeat(40), message }]))
    expect(decided.map((one) => (one.ok ? one.value.bump : 'refused'))).toEqual(bumps)
  })
})
