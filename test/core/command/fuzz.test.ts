import { describe, expect, it } from '@jest/globals'
import { readCommands } from '../../../src/core/command/read-commands.ts'
import { plainLines } from './rendered.ts'

const PARTS = [
  '/status',
  '/add api@1',
  '/x-1 y',
  '\n/help',
  '\n/go <!-- a -->',
  '/usr/bin',
  'text',
  ' ',
  '\t',
  '    ',
  '\n',
  '\n\n',
  '\r\n',
  '\r',
  '```',
  '````',
  '~~~',
  '`',
  '``',
  '>',
  '> ',
  '- ',
  '* ',
  '1. ',
  '- [ ] ',
  '#',
  '===',
  '---',
  '***',
  '|',
  '| - |',
  '| a |\n| - |\n',
  '<!--',
  '-->',
  '<details>',
  '</details>',
  '<summary>',
  '</summary>',
  '<b>',
  '</b>',
  '<br>',
  '<div>',
  '</div>',
  '<pre>',
  '</pre>',
  '<table><tr><td>',
  '</td></tr></table>',
  '<p>',
  '</p>',
  '<a href="',
  '">',
  "='",
  '<?',
  '?>',
  '<![CDATA[',
  ']]>',
  '<!X',
  '[',
  ']',
  '(',
  ')',
  '](',
  '][',
  '[a]',
  '[a]: b',
  '[^1]',
  '[^1]: ',
  '![',
  '*',
  '**',
  '_',
  '~~',
  '\\',
  '&#47;',
  '&lt;',
  'www.a.b',
  'http://a',
  'a@b.c',
  '\u2028',
  '\u200B',
  '\uFEFF',
  '\u0000',
  '\u202E',
  '😀',
  '\uD800',
  'é',
  '"',
  "'",
  '$$',
  '<script>',
  '</script>',
  '<ul><li>',
  '</ul>',
  '<span>',
  '</span>',
  '<i/>',
  '<',
  '>',
] as const

/** Mulberry32: small, seeded, the same everywhere. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

function bodyFrom(seed: number): string {
  const random = randomFrom(seed)
  const length = 1 + Math.floor(random() * 24)
  const parts = Array.from({ length }, () => {
    const part = PARTS[Math.floor(random() * PARTS.length)] ?? ''
    return random() < 0.35 ? `${part}\n` : part
  })
  if (random() < 0.7)
    parts.splice(Math.floor(random() * parts.length), 0, random() < 0.5 ? '\n/status\n' : '\n\n/status\n\n')
  return parts.join('')
}

const nameOf = (line: string) => /^\/([a-z0-9][a-z0-9-]{0,31})(?=[ \t]|$)/i.exec(line)?.[1]?.toLowerCase()

/** True when every item of `few` is in `many`, in that order. */
function isSubsequence(few: readonly string[], many: readonly string[]): boolean {
  let found = 0
  for (const item of many) if (item === few[found]) found += 1
  return found === few.length
}

const count = Number(process.env['RINGMASTER_FUZZ_BODIES'] ?? 3_000)
const seed = Number(process.env['RINGMASTER_FUZZ_SEED'] ?? 1)

describe('any comment whatever', () => {
  it(
    'is read without an exception, and only what the rendered page shows as a line of plain text',
    () => {
      let read = 0
      for (let run = 0; run < count; run += 1) {
        const body = bodyFrom(seed * 1_000_003 + run)
        const result = readCommands(body)
        if (!result.ok) throw new Error(`refused ${JSON.stringify(body)}`)
        if (result.value.length === 0) continue
        read += result.value.length
        const names = result.value.map(({ name }) => name)
        const shown = plainLines(body)
          .map(nameOf)
          .filter((name) => name !== undefined)
        if (!isSubsequence(names, shown)) {
          throw new Error(`run ${run}: ${JSON.stringify(body)}: read ${names}, the page shows ${shown}`)
        }
      }
      expect(read).toBeGreaterThan(count / 20)
    },
    60 * 60_000,
  )

  it(
    'is read completely where nothing but Markdown is in it',
    () => {
      for (let run = 0; run < count; run += 1) {
        // Raw HTML, formulas, and what renders as a slash in column 0 without being typed there.
        const body = bodyFrom(seed * 2_000_003 + run)
          .replaceAll(/[<&\\$\uFEFF\u0000]/g, '')
          .replaceAll(/[ \t]+(?=\/)/g, '')
        const result = readCommands(body)
        const names = result.ok ? result.value.map(({ name }) => name) : ['refused']
        const shown = plainLines(body)
          .map(nameOf)
          .filter((name) => name !== undefined)
        expect(JSON.stringify({ run, body, names })).toBe(JSON.stringify({ run, body, names: shown }))
      }
    },
    60 * 60_000,
  )
})
