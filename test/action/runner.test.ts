import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { type Runner, runnerOf } from '../../src/action/runner.ts'

let folder: string
let lines: string[]
let runner: Runner

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ringmaster-runner-'))
  lines = []
  runner = runnerOf({ GITHUB_OUTPUT: join(folder, 'output'), GITHUB_STEP_SUMMARY: join(folder, 'summary') }, (line) =>
    lines.push(line),
  )
})
afterEach(() => rmSync(folder, { recursive: true }))

const file = (name: string): string => readFileSync(join(folder, name), 'utf8')

/** Reads the output file as the runner does. */
function outputs(): Map<string, string> {
  const read = new Map<string, string>()
  const rest = file('output').split('\n')
  for (let line = rest.shift(); line; line = rest.shift()) {
    const [name = '', end = ''] = line.split('<<')
    const at = rest.indexOf(end)
    read.set(
      name,
      rest
        .splice(0, at + 1)
        .slice(0, -1)
        .join('\n'),
    )
  }
  return read
}

describe('the runner', () => {
  it('hands on outputs whatever they hold', () => {
    const hostile = '1.0.0\nEOF\nother=1\nring<<EOF\n'
    runner.setOutput('version', hostile)
    runner.setOutput('bump', 'none')
    expect([...outputs()]).toEqual([
      ['version', hostile],
      ['bump', 'none'],
    ])
  })

  it('marks the end of an output by what it does not hold, whatever it foresaw', () => {
    const foreseen = ['', '-', '--', '-----'].map((strokes) => `ringmaster-end-${strokes}`).join('\n')
    runner.setOutput('version', foreseen)
    runner.setOutput('bump', `${foreseen}------`)
    expect([...outputs()]).toEqual([
      ['version', foreseen],
      ['bump', `${foreseen}------`],
    ])
  })

  it('writes annotations as one command, with what they hold made harmless', () => {
    runner.annotate('error', {
      code: 'x',
      message: 'expected 100%\n::set-output::, found',
      hint: 'a, b: c',
      path: 'a:b,c.yml',
      line: 3,
    })
    expect(lines).toEqual([
      '::error title=Ringmaster%3A x,file=a%3Ab%2Cc.yml,line=3::expected 100%25%0A::set-output::, found; a, b: c',
    ])
  })

  it('takes the path of a problem without a line for a field and not for a file', () => {
    runner.annotate('warning', { code: 'x', message: 'expected', path: 'rings[1].label' })
    expect(lines).toEqual(['::warning title=Ringmaster%3A x::expected'])
  })

  it.each(['::error::mine', '  ::stop-commands::x', '##[add-path]x', 'fine\n::error::mine'])(
    'lets no line of the log pose as a command: %j',
    (line) => {
      runner.say(line)
      expect(lines.join('\n')).not.toMatch(/^\s*(::|##\[)/m)
    },
  )

  it('cuts a summary at a whole line before the runner refuses it', () => {
    runner.appendSummary(`${'ä'.repeat(100)}\n`.repeat(10_000))
    expect(Buffer.byteLength(file('summary'))).toBeLessThanOrEqual(1024 * 1024)
    expect(file('summary').endsWith(`${'ä'.repeat(100)}\n`)).toBe(true)
  })

  it('shows outputs in the log where there is no workflow to hand them to', () => {
    runnerOf({}, (line) => lines.push(line)).setOutput('version', '1.0.0')
    expect(lines).toEqual(['version=1.0.0'])
  })
})
