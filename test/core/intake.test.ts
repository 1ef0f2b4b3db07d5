import { describe, expect, it } from '@jest/globals'
import type { TypedEvent } from '../../src/core/catalogue.ts'
import { evolveIntake, type IntakeState } from '../../src/core/intake.ts'

const at = (minutes: number): string => new Date(Date.UTC(2026, 10, 20, 10, minutes)).toISOString()
const knownFrom = (...told: readonly IntakeState[]): IntakeState | undefined =>
  told.reduce<IntakeState | undefined>(
    (state, data) => evolveIntake(state, { data } as unknown as TypedEvent<'intake.marked'>),
    undefined,
  )

describe('what is known of the outside', () => {
  it('never goes back in either instant, in whatever order processes tell theirs', () => {
    const told = [
      { until: at(10), swept: at(2) },
      { until: at(9), swept: at(3) },
    ]
    expect(knownFrom(...told)).toEqual({ until: at(10), swept: at(3) })
    expect(knownFrom(...told.toReversed())).toEqual({ until: at(10), swept: at(3) })
  })

  it('keeps the last sweep when a process of 0.1.0 tells the mark alone, and knows none where only such have told', () => {
    expect(knownFrom({ until: at(10), swept: at(2) }, { until: at(11) })).toEqual({ until: at(11), swept: at(2) })
    expect(knownFrom({ until: at(10) }, { until: at(11) })).toStrictEqual({ until: at(11) })
  })
})
