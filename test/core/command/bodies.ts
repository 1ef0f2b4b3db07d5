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

/** The comment body of a seed: pieces of Markdown, HTML and text, with a command among them more often than not. */
export function bodyFrom(seed: number): string {
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

/** GitHub takes so many characters of a comment. */
const LONGEST_BODY = 65_536

/** What is the same again and again costs the renderer the square of its length. */
const LONGEST_REPEATED = 8_192

/**
 * A long comment body of a seed: many bodies behind each other or one of them again and again, one in two of the greatest
 * length that there is; or one piece of Markdown again and again before a command.
 */
export function longBodyFrom(seed: number): string {
  const random = randomFrom(seed)
  const length = random() < 0.5 ? LONGEST_BODY : 1_000 + Math.floor(random() * (LONGEST_BODY - 1_000))
  const kind = random()
  if (kind < 0.4) {
    const bodies: string[] = []
    for (let left = length, next = seed; left > 0; left -= bodies.at(-1)?.length ?? 0) {
      next += 7_919
      bodies.push(`${bodyFrom(next)}${random() < 0.8 ? '\n\n' : ''}`)
    }
    return bodies.join('').slice(0, length)
  }
  const end = '\n\n/status\n'
  const piece = kind < 0.7 ? `${bodyFrom(seed)}\n\n` : `${PARTS[Math.floor(random() * PARTS.length)]}`
  const most = kind < 0.7 ? length : Math.min(length, LONGEST_REPEATED)
  return `${piece.repeat(Math.ceil(most / piece.length)).slice(0, most - end.length)}${end}`
}

/** The name of a command that begins a line. */
export const nameOf = (line: string) => /^\/([a-z0-9][a-z0-9-]{0,31})(?=[ \t]|$)/i.exec(line)?.[1]?.toLowerCase()

/** True when every item of `few` is in `many`, in that order. */
export function isSubsequence(few: readonly string[], many: readonly string[]): boolean {
  let found = 0
  for (const item of many) if (item === few[found]) found += 1
  return found === few.length
}
