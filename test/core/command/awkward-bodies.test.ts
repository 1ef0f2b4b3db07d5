import { describe, expect, it } from '@jest/globals'
import { readCommands } from '../../../src/core/command/read-commands.ts'
import { unwrap } from '../../../src/core/problem.ts'

const names = (body: string): string[] => unwrap(readCommands(body)).map(({ name }) => name)

/** Bodies that bots for pull requests are known to act on, though nobody who reads the page sees a command there. */
describe('what other bots take for a command', () => {
  it.each<[string, string, readonly string[]]>([
    ['the command alone', '/hold', ['hold']],
    ['in an element whose end tag a declaration swallows', "<b>\n\na <!X<\n='</b>\n\n/hold", []],
    ['in capitals, which is the same command', '/HOLD', ['hold']],
    ['behind text of the same paragraph', 'text\n/hold', ['hold']],
    ['with an argument', '/hold reason', ['hold']],
    ['behind one blank', ' /hold', []],
    ['indented as code', '    /hold', []],
    ['as the beginning of a longer word', '/holdx', ['holdx']],
    ['as the beginning of a word with a hyphen', '/hold-x', ['hold-x']],
    ['with a full stop', '/hold.', []],
    ['in a fence of backticks', '```\n/hold\n```', []],
    ['in a fence of tildes', '~~~\n/hold\n~~~', []],
    ['in a fence that is never closed', '```\n/hold', []],
    ['in an HTML comment', '<!--\n/hold\n-->', []],
    ['in what is folded away', '<details>\n/hold', []],
    ['in a quote', '> /hold', []],
    ['in code of a line', '`/hold`', []],
    ['as an item of a list', '- /hold', []],
    ['in the middle of a sentence', 'please do not /hold', []],
    ['at the end of a sentence that denies it', 'do not /hold yet', []],
    ['behind a no-break space', '\u00a0/hold', []],
  ])('%s', (_name, body, expected) => {
    expect(names(body)).toEqual(expected)
  })

  it.each([
    ['to hold and to go on', '/hold because\n/unhold', ['hold', 'unhold']],
    ['to go on and to hold', '/unhold\n/hold because', ['unhold', 'hold']],
  ])('two that contradict each other are both read, in their order: %s', (_name, body, expected) => {
    expect(names(body)).toEqual(expected)
  })
})
