import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { checkConfiguration, parseConfiguration } from '../../../src/core/config/parse.ts'
import { CONFIGURATION } from '../decided.ts'

const problemsOf = (text: string) => {
  const parsed = parseConfiguration(text)
  return parsed.ok ? [] : parsed.problems
}
const lineOf = (text: string, piece: string): number => text.slice(0, text.indexOf(piece)).split('\n').length

describe('a configuration', () => {
  it('is read with its rings in order and the digest of its exact text', () => {
    const upsideDown = CONFIGURATION.replace('ring: "0"', 'ring: "9"')
    const parsed = parseConfiguration(upsideDown)
    expect(parsed).toMatchObject({
      ok: true,
      value: {
        digest: expect.stringMatching(/^sha256:/),
        configuration: { rings: [{ ring: '3' }, { ring: '4' }, { ring: '9' }] },
      },
    })
    expect(parseConfiguration(`${upsideDown} `)).not.toEqual(parsed)
  })

  it('is told all that is wrong with it at once, each with file, line, expected and found', () => {
    const bent = CONFIGURATION.replace('schemaVersion: 1', 'schemaVersion: 2')
      .replace('label: beta', 'lable: beta')
      .replace('team: acme/engineering', 'team: acme/engineering/all')
    const problems = problemsOf(bent)
    expect(problems.map(({ line, path }) => [path, line])).toEqual([
      ['.github/ringmaster.yml', 1],
      ['.github/ringmaster.yml', expect.any(Number)],
      ['.github/ringmaster.yml', lineOf(bent, 'lable')],
      ['.github/ringmaster.yml', lineOf(bent, 'team: acme/engineering/all')],
    ])
    for (const { message } of problems) expect(message).toMatch(/expected.*found/)
  })

  it('is told of unknown keys and of broken rules together', () => {
    const bent = `${CONFIGURATION.replace('environments: [production]\nroles', 'environments: [prod]\nroles')}colour: red\n`
    expect(problemsOf(bent).map(({ code, line }) => [code, line])).toEqual([
      ['schema', lineOf(bent, 'colour')],
      ['unknown-name', lineOf(bent, 'environments: [prod]')],
    ])
  })

  it.each([
    ['a section that is none', (text: string) => text.replace(/checklist:\n(?: .*\n)+/, 'checklist: 5\n'), true],
    [
      'the same word where it is no environment',
      (text: string) => text.replace('name: api', 'name: api\n    scheme: prod'),
      true,
    ],
    ['the rings unread, which may have it', (text: string) => text.replace(/rings:\n(?: .*\n)+/, 'rings: 5\n'), false],
    [
      'a ring left out that has it',
      (text: string) => text.replace('environments: [beta]', 'environments: [beta, prod, 7]'),
      false,
    ],
  ])('that names an unknown environment, with %s, is told of what can be known', (_, bend, isTold) => {
    const bent = bend(CONFIGURATION.replace('environments: [production]\nroles', 'environments: [prod]\nroles'))
    const problems = problemsOf(bent)
    expect(problems.filter(({ code }) => code === 'schema')).toHaveLength(1)
    const unknown = problems.filter(({ code }) => code === 'unknown-name')
    expect(unknown.map(({ line }) => line)).toEqual(isTold ? [lineOf(bent, 'environments: [prod]\nroles')] : [])
  })

  it.each<[string, [string | RegExp, string], string, RegExp]>([
    [
      'an unknown key',
      ['label: beta', 'label: beta\n    lanel: x'],
      'schema',
      /only known keys in rings\[1\], found "lanel"/,
    ],
    ['a ring as a number', ['ring: "3"', 'ring: 3.5'], 'schema', /rings\[1\]\.ring: expected text, found 3\.5/],
    ['two products of a name', ['name: web', 'name: api'], 'duplicate', /each product once, found "api"/],
    ['two rings of a number', ['ring: "3"', 'ring: "4.00"'], 'duplicate', /each ring once, found "4"/],
    [
      'an environment in two rings',
      ['environments: [integration]', 'environments: [beta]'],
      'duplicate',
      /each environment once/,
    ],
    ['two parties of a name', ['name: QA', 'name: ENGINEERING'], 'duplicate', /each party once/],
    ['two steps of an id', ['id: signed', 'id: versions'], 'duplicate', /each step once/],
    [
      'an environment that no ring names',
      ['environment: production }', 'environment: prod }'],
      'unknown-name',
      /environment of a ring, found "prod"/,
    ],
    [
      'a cohort that is not described',
      ['cohorts: [fleet]', 'cohorts: [float]'],
      'unknown-name',
      /a cohort, found "float"/,
    ],
    [
      'a cohort of an unknown product',
      ['product: firmware', 'product: firmwear'],
      'unknown-name',
      /a product, found "firmwear"/,
    ],
    ['a party without members', ['name: QA, users: [quinn]', 'name: QA'], 'nobody', /team or users/],
    [
      'a machine step that says no place',
      [', environment: production }', ' }'],
      'incomplete-step',
      /expected an environment/,
    ],
    [
      'a requirement that does not compile',
      ['product: firmware', 'product: firmware\n    requirement: "> >"'],
      'invalid-requirement',
      /cohorts\[0\]\.requirement/,
    ],
    [
      'a tag pattern without a version',
      ['name: api', 'name: api\n    tagPattern: v1'],
      'tag-pattern',
      /products\[0\]\.tagPattern/,
    ],
    [
      'a rule for bumps that is none',
      ['name: api', 'name: api\n    bump: { rules: ["docs: tiny"] }'],
      'bump-rule',
      /products\[0\]\.bump\.rules/,
    ],
    [
      'a rule for bumps with a wildcard that cannot be read',
      [
        'name: api',
        'name: api\n    bump: { rules: ["{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}: major"] }',
      ],
      'bump-rule',
      /products\[0\]\.bump\.rules/,
    ],
    [
      'a label that asks for nothing there is',
      ['name: api', 'name: api\n    bump: { source: labels, labelLevels: ["feature: huge"] }'],
      'label-level',
      /products\[0\]\.bump\.labelLevels/,
    ],
    [
      'labels where titles decide',
      ['name: api', 'name: api\n    bump: { source: titles, labelLevels: ["feature: minor"] }'],
      'no-effect',
      /beside source: labels, found them beside source: titles/,
    ],
    [
      'an exclusion out of the repository',
      ['name: api', 'name: api\n    exclude: ["../web"]'],
      'bad-path',
      /products\[0\]\.exclude/,
    ],
    [
      'a key twice',
      ['label: beta', 'label: beta\n    label: gamma'],
      'yaml',
      /each key of a mapping once, found "label"/,
    ],
    ['a tag that means nothing here', ['label: beta', 'label: !include beta.yml'], 'yaml', /tag/],
    ['no party', [/ {2}parties:[\s\S]*checklist:/, '  parties: []\nchecklist:'], 'schema', /signoff\.parties/],
  ])('is refused with %s', (...[, [from, to], code, message]) => {
    const bent = CONFIGURATION.replace(from, to)
    expect(bent).not.toBe(CONFIGURATION)
    const problems = problemsOf(bent)
    expect(problems.map((problem) => problem.code)).toContain(code)
    expect(problems.map((problem) => problem.message).join('\n')).toMatch(message)
    for (const problem of problems) expect(problem.line).toBeGreaterThan(0)
  })

  const bomb = [
    'a: &a [x, x, x, x, x, x, x, x, x]',
    ...[...'bcdefghij'].map((key, index) => `${key}: &${key} [${Array(9).fill(`*${'abcdefghij'[index]}`).join(', ')}]`),
  ].join('\n')
  it.each([
    ['nothing', ''],
    ['a word', 'x'],
    ['a list', '- a\n'],
    ['aliases that multiply', bomb],
    ['a list that holds itself', 'schemaVersion: 1\nproducts: &a [*a]\n'],
    ['a mapping that holds itself', 'schemaVersion: &a { x: *a }\n'],
    ['brackets without end', '['.repeat(5_000)],
    ['deep nesting', `a: ${'['.repeat(3_000)}${']'.repeat(3_000)}`],
    ['a key named __proto__', `${CONFIGURATION}__proto__: { a: 1 }\n`],
    ['two documents', `${CONFIGURATION}---\n${CONFIGURATION}`],
    ['an anchor that is not there', 'products: *nowhere\n'],
    ['more than fits', `# ${'x'.repeat(400_000)}\n${CONFIGURATION}`],
    ['halves of characters', 'schemaVersion: "\\ud800"\n'],
  ])('is refused, and never throws, when it is %s', (...[, text]) => {
    expect(problemsOf(text).length).toBeGreaterThan(0)
  })

  describe('that is proposed', () => {
    const ALONE = CONFIGURATION.replace(
      /signoff:\n {2}parties:\n(?: {4}- .*\n)+/,
      `signoff: { parties: [{ name: QA, users: [quinn] }] }\n`,
    )
    const gate = (more: string) => (text: string) => text.replace('signoff: true, previousRing: true', more)
    const told = (text: string) => {
      const checked = checkConfiguration(text)
      return checked.ok ? [] : checked.problems.map(({ code, message, line }) => [code, message.split(':')[0], line])
    }
    const line = (text: string) => lineOf(text, 'gate:')

    it.each<[string, string, (text: string) => string, string]>([
      ['customers wait for two people and it names one', 'too-few-people', (text) => text, 'rings[2].gate'],
      [
        'it names one person twice',
        'too-few-people',
        (text) => text.replace('users: [quinn]', 'users: [quinn, Quinn]'),
        'rings[2].gate',
      ],
      [
        'a ring asks for more people than it names',
        'too-few-people',
        (text) => gate('distinctPeople: 3')(text.replace('users: [quinn]', 'users: [quinn, pia]')),
        'rings[2].gate.distinctPeople',
      ],
      [
        'people are counted where nobody signs',
        'no-effect',
        gate('signoff: false, distinctPeople: 2'),
        'rings[2].gate.distinctPeople',
      ],
    ])('is refused where %s, and stays where it is in force', (...[, code, bend, place]) => {
      const text = bend(ALONE)
      expect(told(text)).toEqual([[code, place, line(text)]])
      expect(parseConfiguration(text)).toMatchObject({ ok: true })
    })

    it.each<[string, (text: string) => string]>([
      ['a party is a team, whose size nobody knows', (text) => text.replace('users: [quinn]', 'team: qa')],
      ['a team stands beside the person', (text) => text.replace('users: [quinn]', 'users: [quinn], team: qa')],
      ['one is enough', gate('distinctPeople: 1')],
      ['no customers are there', (text) => text.replace('cohorts: [fleet]', 'customers: false')],
      ['nobody has to sign', gate('signoff: false')],
      [
        'two parties name one person each',
        (text) => text.replace('users: [quinn] }', 'users: [quinn] }, { name: Dev, users: [eve] }'),
      ],
      [
        'one person of two parties may delegate one of the seats',
        (text) => text.replace('users: [quinn] }', 'users: [quinn] }, { name: Dev, users: [quinn] }'),
      ],
    ])('holds where %s', (_, bend) => {
      const text = bend(ALONE)
      expect(text).not.toBe(ALONE)
      expect(told(text)).toEqual([])
    })

    it('is told that together with all else that is wrong, but not from half a file', () => {
      const unknown = ALONE.replace('product: firmware', 'product: firmwear')
      expect(told(unknown).map(([code]) => code)).toEqual(['unknown-name', 'too-few-people'])
      expect(told(unknown.replace('users: [quinn]', 'users: [quinn, 7]')).map(([code]) => code)).not.toContain(
        'too-few-people',
      )
    })
  })

  it('is read in a time that grows with its length alone', () => {
    const keys = Array.from({ length: 25_000 }, (_, index) => `k${index}: 1`).join('\n')
    const startedAt = performance.now()
    expect(problemsOf(`${CONFIGURATION}${keys}\n`).length).toBeGreaterThan(0)
    expect(performance.now() - startedAt).toBeLessThan(6_000)
  })

  it('never throws, whatever is written in it', () => {
    const lines = CONFIGURATION.split('\n')
    fc.assert(
      fc.property(fc.nat(lines.length), fc.string(), (at, garbage) => {
        const text = [...lines.slice(0, at), garbage, ...lines.slice(at + 1)].join('\n')
        const parsed = parseConfiguration(text)
        if (!parsed.ok) expect(parsed.problems.length).toBeGreaterThan(0)
      }),
      { numRuns: 60 },
    )
  })
})
