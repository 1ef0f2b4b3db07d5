import { describe, expect, it } from '@jest/globals'
import type { CliCommand } from '../../src/cli/command.ts'
import { findCommand } from '../../src/cli/find-command.ts'

const named = (name: string): CliCommand => ({ name, usage: '', summary: '', run: async () => 0 })
const GROUPS = {
  bump: async () => [named('bump')],
  ledger: async () => [named('ledger verify'), named('ledger log')],
  keys: async () => [named('keys init'), named('keys init-public')],
}
const found = async (...words: readonly string[]) => {
  const one = await findCommand(GROUPS, words)
  return one.kind === 'group' ? one.commands.map(({ name }) => name) : [one.command.name, one.args]
}

describe('the words of a command line', () => {
  it('name a command, and the rest are its arguments', async () => {
    expect(await found('bump', '--rows', '3')).toEqual(['bump', ['--rows', '3']])
    expect(await found('ledger', 'log', '--help')).toEqual(['ledger log', ['--help']])
    expect(await found('keys', 'init', 'x')).toEqual(['keys init', ['x']])
  })

  it('ask for the commands of a group', async () => {
    expect(await found('ledger', '--help')).toEqual(['ledger verify', 'ledger log'])
  })

  it.each([
    [['bmp'], 'expected a command, found "bmp"', 'Did you mean ringmaster bump?'],
    [['legder', 'verify'], 'expected a command, found "legder"', 'Did you mean ringmaster ledger?'],
    [['__proto__'], 'expected a command, found "__proto__"', 'Say ringmaster --help for the commands.'],
    [
      ['ledger', 'vrify'],
      'expected one of ledger verify, ledger log, found "ledger vrify"',
      'Did you mean ringmaster ledger verify?',
    ],
    [
      ['ledger'],
      'expected one of ledger verify, ledger log, found "ledger"',
      'Say ringmaster --help for the commands.',
    ],
  ])('that are no command are told with what they may mean: %j', async (words, message, hint) => {
    await expect(findCommand(GROUPS, words)).rejects.toMatchObject({ problems: [{ code: 'usage', message, hint }] })
  })
})
