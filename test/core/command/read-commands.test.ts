import { describe, expect, it } from '@jest/globals'
import { readCommands } from '../../../src/core/command/read-commands.ts'
import { unwrap } from '../../../src/core/problem.ts'

const read = (body: string) =>
  unwrap(readCommands(body)).map(({ name, args }) => (args === '' ? name : `${name} ${args}`))

describe('what a reader sees as a line of plain text', () => {
  it.each([
    ['alone', '/status', ['status']],
    ['between other lines of its paragraph', 'Hi\n/add api@1.2.3\nthanks', ['add api@1.2.3']],
    ['with CR alone as line end', 'Hi\r/status\r/help', ['status', 'help']],
    ['after a link definition', '[a]: http://b\n/status', ['status']],
    ['after a void element', 'a<br>\n/status', ['status']],
    ['after an element that was closed', '<details>\n\nx\n\n</details>\n\n/status', ['status']],
    ['after an element that a paragraph closes', '<div>\n\nx</div>\n\n/status', ['status']],
    ['after an inline element that was closed', 'a <kbd>x</kbd>\n/status', ['status']],
    ['after a list whose items were not closed', '<ul><li>x</ul>\n\n/status', ['status']],
    ['after a comment block over blank lines', '<!--\n\n/freeze\n\n-->\n/status', ['status']],
    ['after a fence that a blank line does not end', '```\n\n/freeze\n\n```\n/status', ['status']],
    ['behind a hard break', 'a\\\n/status', ['status']],
    ['before a thematic break', '/status\n***', ['status']],
    ['after a comment with two hyphens in it', '<!-- a -- b -->\n\n/status', ['status']],
    ['behind a footnote with an element that it closes', 'a[^1]\n\n[^1]: x <b>y</b>\n\n/help', ['help']],
    ['in brackets that are no link', '[a\n/status\n]', ['status']],
    ['after quoted text and a blank line', '> /freeze\n\n/status', ['status']],
    ['behind an empty item behind indented code', '    a\n2.\n/status', ['status']],
    ['behind a tag that stands alone on a line of an item', '- a\n  <br>\n  # b\n/status', ['status']],
    ['behind the HTML block of a tag that a list could continue with', '- a\n<br>\n\n/status', ['status']],
    ['beside formulas', '$$x$$\n/status', ['status']],
    ['with an underlined name of 32 characters', `/${'a'.repeat(32)}`, ['a'.repeat(32)]],
  ])('reads a command %s', (_, body, expected) => {
    expect(read(body)).toEqual(expected)
  })

  it.each([
    ['a heading', '# /status'],
    ['a table', 'a\n-\n\n| a |\n| - |\n/status'],
    ['a footnote', '[^a]: x\n/status'],
    ['a list item that continues lazily', '- x\n/status'],
    ['a nested quote that continues lazily', '> > x\n/status'],
    ['emphasis', '*a\n/status b*'],
    ['struck text', '~~a\n/status b~~'],
    ['a link text', '[a\n/status\n](http://b)'],
    ['a link text whose definition comes later', '[a\n/status\n]\n\ntext\n\n[a /status ]: http://b'],
    ['an image description', '![a\n/status\n](http://b)'],
    ['an HTML tag over lines', 'a <b title="\n/status\n">'],
    ['an inline element', 'a <b>x\n/status\n</b>'],
    ['an element opened in an earlier paragraph', 'a <details>\n\n/status'],
    ['an element opened in a quote', '> <details>\n\n/status'],
    ['a formatting element that its container did not close', '<div><b></div>\n\n/status'],
    ['an element that only seems to be closed in an attribute', '<details><i title="</details>"></i>\n\n/status'],
    ['an element that only seems to be closed in a comment', '<details><!-- </details> -->\n\n/status'],
    ['an element whose end stands in a table', '<details>\n\n| a |\n| - |\n| </details> |\n\n/status'],
    ['an element written as closing itself', '<details/>\n\n/status'],
    ['an element whose end tag stands in a paragraph and does not reach out of it', '<span>\n\nx</span>\n\n/status'],
    ['an element that a loose one keeps from being closed', '<span><p></span>\n\n/status'],
    ['an element whose end tag stands in a footnote', '<b>\n\n[^1]: x </b>\n\n/status'],
    ['a comment that a list leaves open', '- <!--\n\nx <!-- a -->\n/status'],
    ['a comment that an HTML block leaves open', '<div></div><!--\n\n/status\n\n-->'],
    ['a tag that an HTML block leaves open', '<div title="\n\n/status\n\n">'],
    ['the same HTML block as what was closed', '<details></details>\n/status'],
    ['what only a newer renderer takes for a comment', 'a <!-- x -- <details> -->\n\n/status\n\n</details>'],
    ['what only a newer renderer takes for a declaration', 'a <!X<details>\n\n/status\n\n</details>'],
    ['an element that stands directly in a footnote, or behind it', '[^1]: y\n<b>\nz\n/status'],
    ['a numbered item behind indented code', '    a\n2. b\n/status'],
    ['an item behind indented code whose text begins on the next line', '    a\n-\n  b\n/status'],
    ['the HTML block of a tag that a list could continue with', '- a\n<br>\n/status'],
    ['the HTML block of an indented tag that a numbered list could continue with', '1.\ta\n   <br>\n/status'],
    ['the HTML block of an end tag that a quote could continue with', '> a\n</b>\nb\n/status'],
    ['a fence behind such a block', '- a\n<br>\n\n  ```\n\n/status'],
    ['what stands in a list for CommonMark and behind it for GitHub', '- a\n<br>\n\n  b\n/status'],
    ['a processing instruction', '<?\n\n/status\n?>'],
    ['a formula', '$$\n/status\n$$'],
    ['an indented line', 'a\n /status'],
    ['an unclosed fence', '~~~\n\n/status'],
    ['a fence in a list', '- a\n\n  ```\n\n  /status\n'],
    ['a byte order mark', '\uFEFF/status'],
    ['a byte order mark in a later paragraph', 'a\n\n\uFEFF/status'],
    ['an HTML block behind a byte order mark', '\uFEFF</div>\n/status'],
    ['a no-break space', '\u00A0/status'],
    ['a name of 33 characters', `/${'a'.repeat(33)}`],
    ['a name with a stop', '/status.'],
    ['a name that begins with a hyphen', '/-status'],
    ['an escaped slash', '\\/status'],
    ['a line separator before it', 'a\u2028/status'],
  ])('does not read a command in or after %s', (_, body) => {
    expect(read(body)).toEqual([])
  })

  it.each([
    ['comments', '/add api<!-- x --> <!-- y\nz -->', ['add api']],
    ['instructions', '/release May <?x?>', ['release May']],
  ])('leaves hidden %s out of the arguments', (_, body, expected) => {
    expect(read(body)).toEqual(expected)
  })

  it('keeps code that shows a comment', () => {
    expect(read('/done step `<!-- a -->`')).toEqual(['done step `<!-- a -->`'])
  })

  it('says on which line of the comment a command stands', () => {
    const body = '```\n\n```\r\n\r\n- a\n- b\n\ntext\n/status\n\n<!--\n\n-->\n/help'
    expect(unwrap(readCommands(body)).map(({ line }) => line)).toEqual([9, 14])
  })
})

describe('what the nearest tools run by mistake', () => {
  it.each([
    '```\n/lgtm\n```',
    '~~~\n/lgtm\n~~~',
    '```\n/lgtm',
    '<!--\n/hold\n-->',
    '<details>\n/hold',
    '`/deploy`',
    '- /deploy',
    '> someone said /deploy, please do not',
    'do not /deploy yet',
    ' /deploy',
    '\u00A0/deploy',
    '/deploy.',
  ])('does not run %j', (body) => {
    expect(read(body)).toEqual([])
  })

  it('reads a longer name as another command', () => {
    expect(read('/deploy-x')).toEqual(['deploy-x'])
  })
})

describe('comments that would take too long', () => {
  const hostile = (part: string) => `/status\na ${part.repeat(Math.ceil(65_000 / part.length)).slice(0, 65_000)}`

  it.each([
    ']',
    '[',
    '*_a',
    '**a',
    '<!--',
    '<a b="',
    '<?',
    '`a``b```c',
    '*[a](b)',
    '>',
    '> ',
    '- ',
    '1. ',
    'a\n=\n',
    '- - a\n',
    '> a\nb\n',
    '[^a]: ',
    '| a ',
    '&#x',
    '~a',
    '![](',
    '[a]: b\n',
    '\\',
    '<div>\n',
    '/x\n',
    '😀',
    '\t',
    ' ',
    '$$',
  ])('reads or refuses many %j quickly', (part) => {
    const startedAt = performance.now()
    const result = readCommands(hostile(part))
    expect(performance.now() - startedAt).toBeLessThan(10_000)
    if (!result.ok) expect(result.problems[0]?.code).toBe('body-too-intricate')
  })

  it.each([
    ['emphasis', '*a_ '.repeat(2_800)],
    ['brackets', '[a]('.repeat(4_700)],
    ['lines of deep lists', `${'- '.repeat(190)}x\n`.repeat(50)],
    ['lines of deep quotes', `${'> '.repeat(190)}x\n`.repeat(50)],
    ['lines of lists in quotes', `${'> - '.repeat(95)}x\n`.repeat(50)],
  ])('reads the most %s that it takes in bounded time', (_, text) => {
    const startedAt = performance.now()
    expect(read(`/status\n\n${text}`)).toEqual(['status'])
    expect(read(`${text}\n\n/status`)).toEqual(['status'])
    expect(performance.now() - startedAt).toBeLessThan(10_000)
  })

  it('reads quotes as deep as its limit, and refuses deeper ones', () => {
    const behind = (depth: number) => readCommands(`${'> '.repeat(depth)}x\n/status\n\n/help`)
    expect(behind(200)).toMatchObject({ ok: true, value: [{ name: 'help' }] })
    expect(behind(201)).toMatchObject({ ok: false, problems: [{ code: 'body-too-intricate' }] })
  })

  it('refuses what GitHub would not take', () => {
    expect(readCommands(`/status\n${'a'.repeat(131_073)}`)).toMatchObject({
      ok: false,
      problems: [{ code: 'body-too-long' }],
    })
  })

  it('still reads a command below a long log in a fence', () => {
    expect(read(`Log:\n\`\`\`\n${'[a] <b> *c* `d`\n'.repeat(4_000)}\`\`\`\n/status`)).toEqual(['status'])
  })

  it('still reads a command below long notes', () => {
    const notes = '- fix(api): do not [lose](https://example.com/a_b) `x` (#12)\n'.repeat(900)
    expect(read(`${notes}\n/status`)).toEqual(['status'])
  })
})
