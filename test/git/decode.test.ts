import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { decodeText, NulSeparatedTexts } from '../../src/git/decode.ts'

describe('texts that arrive in pieces', () => {
  it('are the same however the output is cut, whether or not their bytes are UTF-8', () => {
    const bytes = fc.oneof(
      fc.string({ unit: 'grapheme' }).map((text) => Buffer.from(text.replaceAll('\0', ''))),
      fc.uint8Array({ min: 1 }).map((all) => Buffer.from(all)),
    )
    fc.assert(
      fc.property(fc.array(bytes), fc.array(fc.nat(), { maxLength: 6 }), (texts, cuts) => {
        const output = Buffer.concat(texts.flatMap((text) => [text, Buffer.alloc(1)]))
        const places = [...new Set([0, ...cuts.map((cut) => cut % (output.length + 1)), output.length])].sort(
          (a, b) => a - b,
        )
        const read: string[] = []
        const reader = new NulSeparatedTexts((all) => read.push(...all))
        for (const [at, place] of places.entries()) reader.add(output.subarray(place, places[at + 1] ?? output.length))
        expect(read).toEqual(texts.map(decodeText))
      }),
    )
  })
})
