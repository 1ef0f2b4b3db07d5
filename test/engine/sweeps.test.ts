import { describe, expect, it } from '@jest/globals'
import { SWEEPS, sweepTable, TOLD_ONCE } from '../../src/engine/sweeps.ts'
import { CONCERNS } from '../../src/webhooks/index.ts'

describe('the table of sweeps', () => {
  const rows = [...SWEEPS, ...TOLD_ONCE]

  it.each(Object.keys(CONCERNS))(
    'says of the webhooks of %s where their facts are found again, or that they are not',
    (name) => {
      expect(rows.filter(({ concerns }) => (concerns as readonly string[]).includes(name))).not.toEqual([])
    },
  )

  it('names no concern that there is not', () => {
    expect(new Set(rows.flatMap(({ concerns }) => concerns))).toEqual(new Set(Object.keys(CONCERNS)))
  })

  it('has a line for each kind of fact, also for what is told once', () => {
    const lines = sweepTable()
      .split('\n')
      .slice(2)
      .filter((line) => line !== '')
    expect(lines.map((line) => line.split('|')[1]?.trim())).toEqual(rows.map(({ kind }) => kind))
    expect(lines.filter((line) => line.includes('nowhere: not recovered'))).toHaveLength(TOLD_ONCE.length)
  })
})
