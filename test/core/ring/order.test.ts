import { describe, expect, it } from '@jest/globals'
import { compareRings } from '../../../src/core/ring/order.ts'

describe('the order of rings', () => {
  it.each([
    ['0', '1', -1],
    ['1', '1.5', -1],
    ['1.5', '2', -1],
    ['3.5', '3', 1],
    ['10', '9', 1],
    ['1.10', '1.9', -1],
    ['1.5', '1.50', 0],
    ['2', '2.000', 0],
  ])('%s against %s is %s', (a, b, sign) => {
    expect(Math.sign(compareRings(a, b))).toBe(sign)
    expect(Math.sign(compareRings(b, a))).toBe(sign === 0 ? 0 : -sign)
  })
})
