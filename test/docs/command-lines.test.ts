import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { CLI_COMMANDS } from '../../scripts/cli-commands.ts'
import { COMMANDS } from '../../src/core/command/table.ts'
import { fencesOf, PAGES, proseOf } from './pages.ts'

interface Said {
  readonly path: string
  readonly line: string
}

const said = (pattern: RegExp): Said[] =>
  PAGES.flatMap((page) => [
    ...[...proseOf(page).matchAll(/`([^`\n]+)`/g)].map(([, line = '']) => ({ path: page.path, line })),
    ...fencesOf(page)
      .filter((fence) => fence.language === 'sh' || fence.language === 'bash')
      .flatMap((fence) => fence.text.split('\n').map((line) => ({ path: page.path, line: line.trim() }))),
  ]).filter(({ line }) => pattern.test(line))

const PROGRAM = /^(?:ringmaster|node dist\/cli\/index\.js) [a-z]/
const lines = said(PROGRAM).map(({ path, line }) => [`${path}: ${line}`, line.replace(/^.*?(?:ringmaster|\.js) /, '')])
const named = (line: string) =>
  CLI_COMMANDS.filter(({ name }) => line === name || line.startsWith(`${name} `)).sort(
    (a, b) => b.name.length - a.name.length,
  )[0]

describe('every command line in the pages', () => {
  it('is found', () => {
    expect(lines.length).toBeGreaterThan(20)
  })

  it.each(lines)('is one of the program, with options that it has: %s', (_name, line = '') => {
    const command = named(line)
    expect(command?.name).toBeDefined()
    const options = [...(command?.usage ?? '').matchAll(/--[a-z-]+/g)].map(([option]) => option)
    const used = [...line.matchAll(/(?<= )--[a-z-]+/g)].map(([option]) => option)
    expect(used.filter((option) => ![...options, '--json', '--debug', '--help'].includes(option))).toEqual([])
  })

  it('is described on the page of the command line, each of the entry point’s groups included', () => {
    const entry = readFileSync('src/cli/index.ts', 'utf8')
    const list = readFileSync('scripts/cli-commands.ts', 'utf8')
    const groups = [...entry.matchAll(/import\('\.\/([a-z-]+)\.ts'\)/g)].map(([, name]) => name)
    expect(groups.length).toBeGreaterThan(5)
    expect(groups.filter((name) => !list.includes(`../src/cli/${name}.ts`))).toEqual([])
  })
})

/** What the server answers, and no command. */
const HTTP_PATHS: ReadonlySet<string> = new Set(['/health', '/update', '/reports'])

describe('every slash-command in the pages', () => {
  const commands = said(/^\/[a-z]+(?: |$)/)
    .filter(({ path }) => path !== 'docs/resolution.md')
    .filter(({ line }) => !HTTP_PATHS.has(line))
    .map(({ path, line }) => [`${path}: ${line}`, /^\/([a-z]+)/.exec(line)?.[1] ?? ''] as const)

  it.each(commands)('works: %s', (_name, command) => {
    expect(Object.keys(COMMANDS)).toContain(command)
  })
})

describe('every npm script in the pages', () => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> }
  const used = PAGES.flatMap((page) =>
    [...page.text.matchAll(/npm (?:run ([a-z:]+)|(test|start)\b)/g)].map(
      ([line, run, own]) => [`${page.path}: ${line}`, run ?? own ?? ''] as const,
    ),
  )

  it('is found, the two commands for a newcomer first', () => {
    const readme = PAGES.find((page) => page.path === 'README.md')?.text ?? ''
    const first = /```sh\n([\s\S]*?)```/.exec(readme)?.[1]
    expect(first).toBe('npm ci && npm run demo\nnpm ci && npm test\n')
    expect(used.length).toBeGreaterThan(15)
  })

  it.each(used)('exists: %s', (_name, script) => {
    expect(Object.keys(scripts)).toContain(script)
  })
})
