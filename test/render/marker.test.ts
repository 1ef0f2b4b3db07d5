import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { marker, markerIn } from '../../src/render/output.ts'

const keys = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 })

describe('our marker', () => {
  it('is read back from behind any text, and closes no comment of HTML', () => {
    fc.assert(
      fc.property(keys, fc.string({ unit: 'grapheme', maxLength: 200 }), (key, text) => {
        const mark = marker(key)
        expect(mark.slice(4, -3)).not.toMatch(/--|[<>]/)
        expect(markerIn(`${text}\n\n${mark}`)).toBe(key)
      }),
    )
  })

  it('is the last one: what stands before it may be from outside', () => {
    fc.assert(
      fc.property(
        keys,
        keys,
        fc.constantFrom('<!-- ringmaster:', '<!-- ringmaster:a --', ' -->', ''),
        (ours, theirs, end) => {
          expect(markerIn(`${marker(theirs)}${end}\n\n${marker(ours)}`)).toBe(ours)
        },
      ),
    )
  })

  it.each([
    ['no marker', 'words'],
    ['an empty one', '<!-- ringmaster: -->'],
    ['one of another tool', '<!-- renovate:x -->'],
    ['one that was cut', '<!-- ringmaster:r12%2Fboard --'],
    ['one with a blank', '<!-- ringmaster:r12 board -->'],
    ['a broken code', '<!-- ringmaster:%E0%A4 -->'],
    ['nothing', ''],
  ])('is null for %s', (_, body) => {
    expect(markerIn(body)).toBeNull()
  })

  it('is read in linear time', () => {
    const started = performance.now()
    markerIn('<!-- ringmaster:'.repeat(100_000))
    markerIn(`<!-- ringmaster:${'a'.repeat(1_000_000)}`)
    expect(performance.now() - started).toBeLessThan(500)
  })
})
