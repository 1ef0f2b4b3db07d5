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

/** The name of a command that begins a line. */
export const nameOf = (line: string) => /^\/([a-z0-9][a-z0-9-]{0,31})(?=[ \t]|$)/i.exec(line)?.[1]?.toLowerCase()

/** True when every item of `few` is in `many`, in that order. */
export function isSubsequence(few: readonly string[], many: readonly string[]): boolean {
  let found = 0
  for (const item of many) if (item === few[found]) found += 1
  return found === few.length
}
