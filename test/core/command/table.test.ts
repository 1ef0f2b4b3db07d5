import { describe, expect, it } from '@jest/globals'
import { nearest } from '../../../src/core/command/nearest.ts'
import { COMMANDS, parseCommand } from '../../../src/core/command/table.ts'

describe('arguments become values', () => {
  it.each([
    ['release', '', { name: 'release' }],
    ['release', '"May 2026"', { name: 'release', title: 'May 2026' }],
    ['release', 'May "big" 2026', { name: 'release', title: 'May "big" 2026' }],
    ['add', 'api@1.2.3', { name: 'add', product: 'api', version: '1.2.3' }],
    ['add', '@scope/api@1.2.3', { name: 'add', product: '@scope/api', version: '1.2.3' }],
    ['add', '@scope/api', { name: 'add', product: '@scope/api' }],
    ['add', '__proto__@1', { name: 'add', product: '__proto__', version: '1' }],
    ['remove', 'api', { name: 'remove', product: 'api' }],
    ['start', '', { name: 'start' }],
    ['status', '', { name: 'status' }],
    ['complete', '', { name: 'complete' }],
    ['cancel', 'the beta failed', { name: 'cancel', reason: 'the beta failed' }],
    ['why', 'beta', { name: 'why', environment: 'beta' }],
    ['why', 'if @octocat', { name: 'why', supposed: 'octocat' }],
    ['why', '"if so"', { name: 'why', environment: 'if so' }],
    ['done', 'notes', { name: 'done', step: 'notes' }],
    ['done', 'notes\thttps://example.com/n 2', { name: 'done', step: 'notes', evidence: 'https://example.com/n 2' }],
    ['undo', 'notes', { name: 'undo', step: 'notes' }],
    ['help', '/ADD', { name: 'help', topic: 'add' }],
    ['help', '', { name: 'help' }],
  ])('/%s %j', (name, args, command) => {
    expect(parseCommand({ name, args })).toEqual({ kind: 'command', command })
  })

  it.each([
    ['add', '', ['argument-missing']],
    ['add', 'api@', ['argument-invalid']],
    ['add', `${'a'.repeat(101)}@1 2`, ['argument-invalid', 'argument-invalid']],
    ['add', 'a\u202Eb', ['argument-invalid']],
    ['remove', ' ', ['argument-missing']],
    ['start', 'now', ['argument-unexpected']],
    ['why', 'if not now', ['argument-invalid']],
    ['status', '?', ['argument-unexpected']],
    ['cancel', '', ['argument-missing']],
    ['cancel', '""', ['argument-missing']],
    ['cancel', 'x'.repeat(301), ['argument-invalid']],
    ['done', '', ['argument-missing']],
    ['done', 'notes a\u200Bb', ['argument-invalid']],
    ['undo', '', ['argument-missing']],
    ['release', 'a\u0007b', ['argument-invalid']],
  ])('/%s %j is refused with every problem', (name, args, codes) => {
    const parsed = parseCommand({ name, args })
    if (parsed.kind !== 'malformed') throw new Error(`expected malformed, found ${parsed.kind}`)
    expect(parsed.problems.map((problem) => problem.code)).toEqual(codes)
    for (const problem of parsed.problems) expect(problem.hint).toMatch(/\S/)
  })
})

describe('unknown commands', () => {
  it.each([
    ['stauts', ['status', 'start']],
    ['relase', ['release']],
    ['deploy', []],
    ['constructor', []],
    ['__proto__', []],
    ['tostring', []],
  ])('/%s suggests %j', (name, suggestions) => {
    expect(parseCommand({ name, args: '' })).toEqual({ kind: 'unknown', name, suggestions })
  })
})

describe('the table', () => {
  it.each(Object.entries(COMMANDS))('names /%s once, as it is typed', (name, entry) => {
    expect(entry.name).toBe(name)
    expect(entry.usage).toMatch(new RegExp(`^/${name}(?: |$)`))
    expect(name).toMatch(/^[a-z0-9][a-z0-9-]{0,31}$/)
  })
})

describe('nearest names', () => {
  it.each([
    ['api', ['ap', 'api', 'apo', 'web'], ['api', 'ap', 'apo']],
    ['', ['a'], []],
    ['x'.repeat(101), ['x'.repeat(101)], []],
    ['WEB', ['web'], ['web']],
    ['abcdef', ['ab'], []],
  ])('of %j among %j are %j', (name, known, expected) => {
    expect(nearest(name, known)).toEqual(expected)
  })
})
