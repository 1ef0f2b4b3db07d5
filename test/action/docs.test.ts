import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { parse } from 'yaml'
import { INPUTS, type InputName } from '../../src/action/inputs.ts'
import { COMMANDS, OUTPUTS, OUTPUTS_OF, type OutputName } from '../../src/action/outputs.ts'
import { readInputs } from '../../src/action/read-inputs.ts'
import { DEPLOYMENT_STATUSES } from '../../src/core/deployment/schema.ts'
import { parseDeploymentStatus, STATE_OF_STATUS } from '../../src/core/deployment/status.ts'
import { type Given, given } from './stage.ts'

const page = readFileSync('docs/action.md', 'utf8')
const between = (name: string): string => page.split(`<!-- ${name} -->\n`)[1]?.split(`\n<!-- /${name} -->`)[0] ?? ''
const rowsOf = (table: string): string[][] =>
  table
    .split('\n')
    .slice(2)
    .map((line) =>
      line
        .slice(2, -2)
        .split(/ ?(?<!\\)\| ?/)
        .map((cell) => cell.trim().replaceAll('\\|', '|')),
    )
const code = (text: string): string => `\`${text}\``

describe('docs/action.md', () => {
  it('describes every input as the registry does', () => {
    const expected = Object.entries(INPUTS).map(([name, definition]) => {
      const preset = 'default' in definition ? definition.default : undefined
      const shown = typeof preset === 'object' ? `\${{ ${preset.expression} }}` : preset
      const readers = definition.usedBy === 'all' ? 'all' : definition.usedBy.map(code).join(', ')
      return [code(name), readers, shown === undefined ? '' : code(shown), definition.description]
    })
    expect(rowsOf(between('inputs'))).toEqual(expected)
  })

  it('describes every output as the registry does', () => {
    const expected = Object.entries(OUTPUTS).map(([name, description]) => {
      const setters = COMMANDS.filter((command) =>
        (OUTPUTS_OF[command] as readonly OutputName[]).includes(name as OutputName),
      )
      return [code(name), setters.map(code).join(', '), description]
    })
    expect(rowsOf(between('outputs'))).toEqual(expected)
  })

  it('names every command', () => {
    for (const command of COMMANDS) expect(page).toContain(`\n| \`${command}\` | `)
  })

  it.each(DEPLOYMENT_STATUSES)('describes the status %s as the code reads and writes it', (status) => {
    const row = page.split('\n').find((line) => line.startsWith(`| \`${status}\` | `)) ?? ''
    const [, words = '', state] = row.slice(2, -2).split(' | ')
    expect(state).toBe(code(STATE_OF_STATUS[status]))
    for (const word of words.replace(/\(.*\)/, '').split(', ')) {
      expect(parseDeploymentStatus(word)).toEqual({ ok: true, value: status })
    }
  })

  const examples = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text = '']) => text)
  const steps = examples
    .map((text) => parse(/^(?:jobs|on):/.test(text) ? text : `jobs: { one: {} }\nrest:\n${text}`) as unknown)
    .flatMap(usesOfTheAction)

  it('has examples', () => {
    expect(steps.length).toBeGreaterThanOrEqual(6)
  })

  it.each(steps.map((step, at) => [at + 1, step] as const))('has an example %i whose inputs hold', (_, inputs) => {
    expect(Object.keys(inputs).filter((name) => !(name in INPUTS))).toEqual([])
    const values = Object.entries(inputs).map(([name, value]): [string, string] => [
      name,
      String(value)
        .replace(/\$\{\{ job\.status \}\}/g, 'success')
        .replace(/\$\{\{.*?\}\}/g, 'x'),
    ])
    expect(readInputs(given(Object.fromEntries(values) as Given))).toMatchObject({ ok: true, value: { unused: [] } })
  })
})

/** The `with:` of every step, wherever it stands, that uses the Action. */
function usesOfTheAction(node: unknown): Partial<Record<InputName, unknown>>[] {
  if (typeof node !== 'object' || node === null) return []
  const own =
    'uses' in node && String(node.uses).startsWith('OWNER/ringmaster@') && 'with' in node ? [node.with as object] : []
  return [...own, ...Object.values(node).flatMap(usesOfTheAction)]
}
