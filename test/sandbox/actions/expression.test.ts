// biome-ignore-all lint/suspicious/noTemplateCurlyInString: expressions of GitHub Actions, not of TypeScript
import { describe, expect, it } from '@jest/globals'
import { evaluate, interpolate, isConditionMet, type Scope, toText, toValue, type Value } from './expression.ts'

const scope = (status: Scope['status'] = 'success'): Scope => ({
  status,
  contexts: new Map<string, Value>([
    [
      'github',
      toValue({ ref: 'refs/heads/main', event: { labels: [{ name: 'a' }, { name: 'b' }, { id: 3 }] }, empty: '' }),
    ],
    ['inputs', toValue({ 'dry-run': 'true', count: 3 })],
  ]),
})

describe('an expression of GitHub Actions', () => {
  it.each<[string, unknown]>([
    ["'it''s'", "it's"],
    ['0x1F', 31],
    ['-1.5e1', -15],
    ["'A' == 'a'", true],
    ["'1' == 1", true],
    ["'' == 0", true],
    ["null == ''", true],
    ["'x' == 0", false],
    ['true == 1', true],
    ["'abc' < 'B'", true],
    ["!''", true],
    ["'' || 'fallback'", 'fallback'],
    ["'a' && 'b'", 'b'],
    ['1 == 1 || fromJSON(1)', true],
    ['1 < 2 == true', true],
    ['(1 > 2 || 3 >= 3) && !false', true],
    ["inputs.dry-run == 'true'", true],
    ["inputs['DRY-RUN']", 'true'],
    ['github.absent.deeper', null],
    ["join(github.event.labels.*.name, '+')", 'a+b'],
    ["contains(github.event.labels.*.name, 'B')", true],
    ["contains('Hello', 'ELL')", true],
    ["startsWith(github.ref, 'refs/heads/')", true],
    ["endsWith(github.ref, 'x')", false],
    ["format('{0}-{{1}}-{1}', 'a', 2)", 'a-{1}-2'],
    ['fromJSON(\'[1,{"a":2}]\')[1].a', 2],
    ['toJSON(fromJSON(\'{"a":[1]}\'))', '{\n  "a": [\n    1\n  ]\n}'],
    ["github.event == fromJSON('{}')", false],
  ])('%s is %j', (source, expected) => {
    expect(evaluate(source, scope())).toEqual(expected)
  })

  it.each([
    ['secrets.x', "Unrecognized named-value: 'secrets'"],
    ['foo()', "Unrecognized function: 'foo'"],
    ['contains(1)', 'Wrong number of arguments'],
    ['1 ==', 'Unexpected end'],
    ['"double"', 'Unexpected symbol'],
    ["format('{1}', 'a')", 'no argument {1}'],
  ])('%s is refused', (source, message) => {
    expect(() => evaluate(source, scope())).toThrow(message)
  })

  it.each<[string, string]>([
    ['plain', 'plain'],
    ["${{ inputs.count }}/${{ '}}' }}", '3/}}'],
    ['a ${{ github.absent }} b', 'a  b'],
    ['${{ github.event }}', 'Object'],
  ])('the text %s becomes %j', (template, expected) => {
    expect(toText(interpolate(template, scope()))).toBe(expected)
  })

  it('is not read again in what an expression yields', () => {
    const contexts = new Map<string, Value>([['github', toValue({ title: '${{ github.token }}' })]])
    expect(interpolate('${{ github.title }}!', { contexts, status: 'success' })).toBe('${{ github.token }}!')
  })

  it('keeps names such as __proto__ as data', () => {
    const contexts = new Map<string, Value>([['inputs', toValue(JSON.parse('{"__proto__":"here"}'))]])
    expect(evaluate('inputs.__proto__', { contexts, status: 'success' })).toBe('here')
    expect(evaluate('inputs.constructor', { contexts, status: 'success' })).toBeNull()
  })
})

describe('a condition', () => {
  it.each<[string | undefined, Scope['status'], boolean]>([
    [undefined, 'success', true],
    [undefined, 'failure', false],
    ['always()', 'cancelled', true],
    ["github.ref == 'refs/heads/main'", 'failure', false],
    ["failure() && github.ref == 'refs/heads/main'", 'failure', true],
    ["${{ !cancelled() && inputs.dry-run == 'true' }}", 'failure', true],
    ['false', 'success', false],
    ['${{ false }} || false', 'success', true],
  ])('%s after %s is %s', (condition, status, expected) => {
    expect(isConditionMet(condition, scope(status))).toBe(expected)
  })
})
