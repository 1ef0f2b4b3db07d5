import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { instantMs } from '../../../src/core/cohort/instant.ts'

describe('an instant', () => {
  it('is what Date prints', () => {
    const range = { min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true }
    fc.assert(
      fc.property(fc.date(range), (date) => {
        expect(instantMs(date.toISOString())).toBe(date.getTime())
        const whole = Math.floor(date.getTime() / 1000) * 1000
        expect(instantMs(`${date.toISOString().slice(0, 19)}Z`)).toBe(whole)
      }),
    )
  })

  it.each([
    ['2026-01-15T12:00:00+02:00', '2026-01-15T10:00:00Z'],
    ['2026-01-15T12:00:00.5-00:30', '2026-01-15T12:30:00.500Z'],
    ['2026-01-15T12:00:00.123456789Z', '2026-01-15T12:00:00.123Z'],
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z'],
  ])('reads %s as %s', (text, same) => {
    expect(instantMs(text)).toBe(Date.parse(same))
  })

  it.each([
    '',
    '2026-01-15',
    '2026-01-15T12:00Z',
    '2026-01-15T12:00:00',
    '2026-01-15 12:00:00Z',
    '2026-02-30T00:00:00Z',
    '2025-02-29T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-00-01T00:00:00Z',
    '2026-01-00T00:00:00Z',
    '2026-01-15T24:00:00Z',
    '2026-01-15T12:60:00Z',
    '2026-01-15T12:00:60Z',
    '2026-01-15T12:00:00z',
    '2026-01-15T12:00:00+25:00',
    '2026-01-15T1a:00:00Z',
    'tomorrow',
    null,
    0,
    undefined,
  ])('refuses %j', (text) => {
    expect(instantMs(text)).toBeUndefined()
  })
})
