import { describe, expect, it } from '@jest/globals'
import { firstDifference } from '../../src/core/json-difference.ts'

describe('the first difference of two values', () => {
  it.each<[string, unknown, unknown, object | null]>([
    ['none, whatever the order of members', { a: 1, b: [1, { c: null }] }, { b: [1, { c: null }], a: 1 }, null],
    ['none where a member is undefined', { a: 1, b: undefined }, { a: 1 }, null],
    ['the values themselves', 1, '1', { pointer: '', expected: 1, found: '1' }],
    ['deep inside', { a: [{ b: 1 }] }, { a: [{ b: 2 }] }, { pointer: '/a/0/b', expected: 1, found: 2 }],
    ['a member that is missing', { a: 1 }, {}, { pointer: '/a', expected: 1, found: undefined }],
    ['an item too many', [1], [1, 2], { pointer: '/1', expected: undefined, found: 2 }],
    [
      'the tenth item after the second',
      [...'0123456789a'],
      [...'01x3456789b'],
      { pointer: '/2', expected: '2', found: 'x' },
    ],
    ['the first by name', { b: 1, a: 1 }, { b: 2, a: 2 }, { pointer: '/a', expected: 1, found: 1 + 1 }],
    ['null beside an object', { a: null }, { a: {} }, { pointer: '/a', expected: null, found: {} }],
    ['an array beside an object', [], {}, { pointer: '', expected: [], found: {} }],
    ['names that a pointer escapes', { 'a/b~c': 1 }, { 'a/b~c': 2 }, { pointer: '/a~1b~0c', expected: 1, found: 2 }],
    [
      'a name of every object',
      JSON.parse('{"__proto__":1}'),
      {},
      { pointer: '/__proto__', expected: 1, found: undefined },
    ],
  ])('is found: %s', (_, expected, found, difference) => {
    expect(firstDifference(expected, found)).toEqual(difference)
  })
})
