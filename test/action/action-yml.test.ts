import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { parse } from 'yaml'
import { environmentNameOf, INPUTS, type InputName } from '../../src/action/inputs.ts'
import { OUTPUTS, OUTPUTS_OF } from '../../src/action/outputs.ts'

interface Metadata {
  inputs: Record<string, { description: string; required: boolean; default?: string }>
  outputs: Record<string, { description: string; value: string }>
  runs: { using: string; steps: { id: string; shell: string; env: Record<string, string>; run: string }[] }
}

const metadata = parse(readFileSync('action.yml', 'utf8')) as Metadata
const step = metadata.runs.steps[0]!
const expression = (text: string): string => `\${{ ${text} }}`

describe('action.yml', () => {
  it('declares exactly the inputs of the registry, with their descriptions and defaults', () => {
    const registry = Object.entries(INPUTS).map(([name, definition]) => {
      const preset = 'default' in definition ? definition.default : undefined
      const text = typeof preset === 'object' ? expression(preset.expression) : preset
      return [
        name,
        {
          description: definition.description,
          required: name === 'command',
          ...(text === undefined ? {} : { default: text }),
        },
      ]
    })
    expect(Object.entries(metadata.inputs)).toEqual(registry)
  })

  it('declares exactly the outputs of the registry', () => {
    expect(Object.entries(metadata.outputs)).toEqual(
      Object.entries(OUTPUTS).map(([name, description]) => [
        name,
        { description, value: expression(`steps.ringmaster.outputs.${name}`) },
      ]),
    )
  })

  it('declares no output that no command sets', () => {
    expect(new Set(Object.values(OUTPUTS_OF).flat())).toEqual(new Set(Object.keys(OUTPUTS)))
  })

  it('hands every input to the program through the environment, and puts nothing into the script', () => {
    expect(Object.entries(step.env)).toEqual(
      Object.keys(INPUTS).map((name) => [environmentNameOf(name as InputName), expression(`inputs.${name}`)]),
    )
    expect(step.run).not.toContain('${{')
    expect(metadata.runs).toMatchObject({ using: 'composite', steps: [{ id: 'ringmaster', shell: 'bash' }] })
    expect(metadata.runs.steps).toHaveLength(1)
  })
})

describe('the step of action.yml', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'ringmaster-action-'))
    mkdirSync(join(folder, 'empty'))
    writeFileSync(join(folder, 'script.sh'), step.run)
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  /** A node that says its version and, run with a program, which one. */
  const withNode = (version: string | null) => {
    const bin = join(folder, version ?? 'empty')
    mkdirSync(bin, { recursive: true })
    if (version !== null) {
      const node = join(bin, 'node')
      writeFileSync(
        node,
        `#!/bin/bash\nif [ "$1" = --version ]; then echo '${version}'; else echo "ran $1"; exit 7; fi\n`,
      )
      chmodSync(node, 0o755)
    }
    return spawnSync('/bin/bash', ['--noprofile', '--norc', '-eo', 'pipefail', join(folder, 'script.sh')], {
      env: { PATH: bin, GITHUB_ACTION_PATH: '/an action' },
      encoding: 'utf8',
    })
  }

  it.each(['v20.19.0', 'v20.20.2', 'v22.0.0', 'v24.11.1', 'v20.19.0-nightly'])(
    'runs the program on Node %s and keeps its exit code',
    (version) => {
      expect(withNode(version)).toMatchObject({ status: 7, stdout: 'ran /an action/dist/action/index.js\n' })
    },
  )

  it.each(['v20.18.3', 'v18.20.8', 'v0.10.48', 'what?'])('stops on Node %s with the remedy', (version) => {
    const { status, stdout } = withNode(version)
    expect(status).toBe(2)
    expect(stdout).toMatch(/^::error .*found .*actions\/setup-node/)
    expect(stdout).not.toContain('ran ')
  })

  it('stops without Node, with the remedy', () => {
    const { status, stdout } = withNode(null)
    expect(status).toBe(2)
    expect(stdout).toMatch(/^::error .*found none.*actions\/setup-node/)
  })
})
