import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { framedKey } from '../../../src/core/cohort/framed-key.ts'

const awkward = fc.option(fc.stringMatching(/^[0-9:;-]{0,4}$/), { nil: undefined })
const list = fc.array(awkward, { minLength: 3, maxLength: 3 })

describe('a framed key', () => {
  it('is the same for the same texts and for no others', () => {
    fc.assert(
      fc.property(list, list, (a, b) => {
        expect(framedKey(a) === framedKey(b)).toBe(JSON.stringify(a) === JSON.stringify(b))
      }),
      { numRuns: 500 },
    )
  })
})
