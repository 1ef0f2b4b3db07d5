import { execFileSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { CliCommand } from '../../src/cli/command.ts'
import { LEDGER_COMMANDS } from '../../src/cli/ledger.ts'
import { gitStore } from '../../src/ledger/git.ts'
import { type LogEntry, readEpochs } from '../../src/ledger/read-log.ts'
import { gateRequested, play, stage, started } from '../engine/stage.ts'
import { runCommand } from './stage.ts'

const NOW = '2026-11-20T12:00:00Z'
const [NAME, EMAIL] = ['ringmaster[bot]', '7+ringmaster[bot]@users.noreply.github.com']
const AUTHOR = `${NAME} <${EMAIL}>`
const [FIRST, SECOND] = ['ringmaster-data', 'ringmaster-data-2'] as const
const RELEASE = ['--release', 'r12']
const WRITING = ['--author', AUTHOR]
const REDACTION = ['--event', '1', '--reason', 'names a customer', '--by', 'ann']
let directory: string
let repo: string
/** Its events, as they are before any harm. */
const whole: LogEntry[] = []

const storeOf = (branch: string) =>
  gitStore({ directory: repo, branch, author: { name: NAME, email: EMAIL }, clock: () => NOW })

const named = (name: string): CliCommand => {
  const found = LEDGER_COMMANDS.find((one) => one.name === name)
  if (!found) throw new Error(`no such command: ${name}`)
  return found
}
const run = (name: string, path: string, ...args: readonly string[]) =>
  runCommand(named(name), ['--repo', path, ...args], false, NOW)

const git = (path: string, ...words: readonly string[]): string =>
  execFileSync('git', [`--git-dir=${path}`, ...words], { encoding: 'utf8' })

/** A copy in which a file of a branch has another text, or is gone (null), by a commit of the App's own. */
function harmed(name: string, branch: string, file: string, text: string | null): string {
  const path = join(directory, `${name.replace(/\W+/g, '-')}.git`)
  execFileSync('git', ['clone', '-q', '--bare', repo, path])
  const change = text === null ? `D ${file}\n` : `M 100644 inline ${file}\ndata ${Buffer.byteLength(text)}\n${text}\n`
  const input = `commit refs/heads/${branch}\ncommitter ${AUTHOR} 1795000000 +0000\ndata 4\nedit\nfrom refs/heads/${branch}^0\n${change}`
  execFileSync('git', [`--git-dir=${path}`, 'fast-import', '--quiet', '--force'], { input })
  return path
}

const firstFileOf = (branch: string): string => {
  const files = git(repo, 'ls-tree', '-r', '--name-only', branch, 'events/').trim().split('\n')
  const seqOf = (file: string): number => Number(/\/(\d+)-[^/]*$/.exec(file)?.[1])
  return files.sort((one, other) => seqOf(one) - seqOf(other))[0] ?? ''
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ringmaster-holes-cli-'))
  repo = join(directory, 'releases.git')
  execFileSync('git', ['init', '-q', '--bare', repo])
  const first = stage({ store: storeOf(FIRST) })
  await started(first)
  await first.engine.close()
  expect(await run('ledger epoch', repo, ...WRITING)).toMatchObject({ code: 0 })
  const second = stage({ store: storeOf(SECOND) })
  await play(second, gateRequested(777))
  await second.engine.close()
  for await (const entry of readEpochs([FIRST, SECOND].map((branch) => ({ store: storeOf(branch) })))) whole.push(entry)
}, 60_000)
afterAll(() => rm(directory, { recursive: true }))

const lengthOf = (branch: string): number =>
  branch === SECOND ? whole.length : whole.findIndex(({ event }) => event.type === 'epoch.opened')

describe('a log whose first event file is gone', () => {
  it.each([FIRST, SECOND])(
    'is neither shown, nor exported, nor held against anchors without a word: %s',
    async (branch) => {
      const path = harmed(`first of ${branch}`, branch, firstFileOf(branch), null)
      const before = branch === FIRST ? 0 : lengthOf(FIRST)
      const shown = await run('ledger log', path)
      expect(shown).toMatchObject({ code: 'thrown', problems: ['ledger-damaged'] })
      expect(shown.out).toHaveLength(before)
      const exported = await run('ledger export', path, ...RELEASE)
      expect(exported).toMatchObject({ code: 'thrown', out: [], problems: ['ledger-damaged'] })
      const verified = await run('ledger verify', path, '--anchor', `2:${whole[1]?.digest}`)
      expect(verified.code).toBe(1)
      expect(verified.err.join('\n')).toMatch(/^ledger-damaged: .+: a file is missing or out of place/m)
    },
    60_000,
  )
})

describe.each([
  ['is no JSON', '{', 'ledger-damaged'],
  ['is of another version', '{"schemaVersion":9}', 'unknown-schema-version'],
])('a log of which a head %s', (what, text, code) => {
  it.each([FIRST, SECOND])(
    'is shown as far as it goes, which is said, and not written: %s',
    async (branch) => {
      const path = harmed(`head of ${branch} ${what}`, branch, 'head.json', text)
      const refs = git(path, 'for-each-ref')
      const shown = await run('ledger log', path)
      expect(shown).toMatchObject({ code: 'thrown', problems: [code] })
      expect(shown.out).toHaveLength(lengthOf(branch))
      expect((await run('ledger log', path, '--branch', branch)).problems).toEqual([code])
      expect(await run('ledger export', path, ...RELEASE)).toMatchObject({ code: 'thrown', out: [], problems: [code] })
      for (const [name, ...args] of [
        ['ledger redact', ...REDACTION, '--yes', ...WRITING],
        ['ledger redact', ...REDACTION],
        ['ledger epoch', ...WRITING],
      ] as const)
        expect(await run(name, path, ...args)).toMatchObject({ code: 'thrown', out: [], problems: [code] })
      expect(git(path, 'for-each-ref')).toBe(refs)
    },
    60_000,
  )
})

describe('a head that is no JSON', () => {
  it('is made anew where its epoch is open, and not where it was closed', async () => {
    const open = harmed('open', SECOND, 'head.json', '{')
    expect(await run('ledger rebuild', open, ...WRITING)).toMatchObject({ code: 0 })
    expect((await run('ledger log', open)).out).toHaveLength(whole.length)
    const closed = harmed('closed', FIRST, 'head.json', '{')
    expect((await run('ledger rebuild', closed, ...WRITING)).problems).toEqual(['ledger-succeeded'])
  }, 60_000)
})
