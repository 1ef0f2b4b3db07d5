import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { z } from 'zod'
import { decideBump } from '../../../src/core/version/decide.ts'
import type { BumpConfig, Commit } from '../../../src/core/version/schema.ts'
import { caseFile } from '../../conformance/case-files.ts'

const page = readFileSync(join(import.meta.dirname, '../../../docs/versions.md'), 'utf8')
const presets = ['ringmaster', 'angular', 'conventionalcommits', 'release-please'] as const
const bothOptions: BumpConfig = { preset: 'release-please', preMajor: { breaking: 'minor', feature: 'patch' } }
const below: readonly BumpConfig[] = [...presets.map((preset) => ({ preset })), bothOptions]

const shaOf = (place: number): string => `${place}`.padStart(8, '0').padEnd(40, 'a')
const commitsOf = (messages: readonly string[]): Commit[] =>
  messages.map((message, place) => ({ sha: shaOf(place), message }))

type Row = readonly [messages: readonly string[], answers: readonly string[]]

/** The rows of a table: messages in backticks, newest first, and so many cells with what comes of them. */
function rowsOf(table: string, answers: number): Row[] {
  const lines = table.split('\n').filter((line) => /^\| `/.test(line))
  return lines.map((line) => {
    const cells = line.slice(2, -2).split(' | ')
    const spans = [...(cells[0] ?? '').matchAll(/(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)/g)]
    const messages = spans.map(([, ticks, text = '']) => (ticks === '`' ? text : text.trim()).replaceAll('\\n', '\n'))
    return [messages, cells.slice(1, 1 + answers)]
  })
}

const between = (start: string, end: string): string => page.split(start)[1]?.split(end)[0] ?? ''
const above = rowsOf(between('row by row\n', '\n### Below 1.0.0\n'), 4)
const low = rowsOf(between('\n### Below 1.0.0\n', '\n### On real commits\n'), 5)
const real = rowsOf(between('\n### On real commits\n', '\n## '), 5)

const bumpsOf = (commits: readonly Commit[]): string[] =>
  presets.map((preset) => decideBump({ preset }, '1.2.3', commits)).map((one) => (one.ok ? one.value.bump : 'refused'))
const versionsOf = (commits: readonly Commit[]): string[] =>
  below
    .map((config) => decideBump(config, '0.2.3', commits))
    .map((one) => (one.ok ? (one.value.to ?? 'none') : 'refused'))

describe('the documented differences', () => {
  it('are all read from the page', () => {
    expect([above.length, low.length, real.length]).toEqual([51, 33, 16])
  })

  it.each(above)('hold for %j', (messages, bumps) => {
    expect(bumpsOf(commitsOf(messages))).toEqual(bumps)
  })

  it.each(real)('hold of a kind of real commits, for %j', (messages, [...answers]) => {
    expect(bumpsOf(commitsOf(messages))).toEqual(answers.slice(0, presets.length))
  })

  it.each(low)('hold from 0.2.3 for %j', (messages, versions) => {
    expect(versionsOf(commitsOf(messages))).toEqual(versions)
  })
})

const Case = z.object({ id: z.string(), commits: z.array(z.object({ sha: z.string(), message: z.string() })) })
const Ranges = z.object({ commits: Case.shape.commits.default([]) })
const file = caseFile('bump-messages.ndjson')

// The worked cases lie beside the checkout; where they are, every difference in them has its row.
const beside = existsSync(file) ? describe : describe.skip
beside('the worked cases', () => {
  const lines = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []
  const histories = new Map(
    lines.map((line) => {
      const { commits } = Case.parse(JSON.parse(line))
      return [JSON.stringify(commits), commits] as const
    }),
  )
  const differs = (answers: readonly string[]): boolean => new Set(answers).size > 1
  const missing = (rows: readonly Row[], answers: (commits: readonly Commit[]) => string[]): string[] => {
    const shown = new Set(rows.map(([messages]) => JSON.stringify(messages)))
    return [...histories.values()]
      .filter((commits) => differs(answers(commits)))
      .map((commits) => JSON.stringify(commits.map(({ message }) => message)))
      .filter((messages) => !shown.has(messages))
  }

  it('have a row wherever the presets do not answer alike', () => {
    expect(histories.size).toBeGreaterThan(40)
    expect(missing(above, bumpsOf)).toEqual([])
    expect(missing(low, versionsOf)).toEqual([])
  })
})

const realFiles = ['bump-verdicts.ndjson', 'bump-history.ndjson'].map(caseFile)
const realBeside = realFiles.every((path) => existsSync(path)) ? describe : describe.skip
realBeside('the real commits', () => {
  it('differ by the kinds in the table, each as often as it says', () => {
    const lines = realFiles.flatMap((path) => readFileSync(path, 'utf8').trim().split('\n'))
    const messages = new Set(
      lines.flatMap((line) => Ranges.parse(JSON.parse(line)).commits.map(({ message }) => message)),
    )
    const counts = new Map<string, number>()
    for (const message of messages) {
      const answers = bumpsOf(commitsOf([message]))
      const kind = answers.join(' | ')
      if (new Set(answers).size > 1) counts.set(kind, (counts.get(kind) ?? 0) + 1)
    }
    expect(messages.size).toBe(5_774)
    const told = real.map(
      ([, answers]) => [answers.slice(0, presets.length).join(' | '), Number(answers.at(-1))] as const,
    )
    expect(new Map(told)).toEqual(counts)
  })
})
