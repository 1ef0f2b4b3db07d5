import { expect, it } from '@jest/globals'
import { viewsPlan } from '../../../src/core/config/views.ts'

it('only what asks for views has them, and a ring links what its own cohorts may download', () => {
  const cohort = (id: string, views?: object) => ({ id, product: 'edge', ...(views && { views }) })
  const ring = (name: string, cohorts: string[], downloads?: boolean) => ({
    ring: name,
    label: `ring ${name}`,
    cohorts,
    ...(downloads !== undefined && { downloads }),
  })
  const configuration = {
    cohorts: [cohort('a'), cohort('b', { checksums: true, graphTargets: ['arm64'], tally: false })],
    rings: [ring('1', ['a']), ring('2', ['a', 'b'], true), ring('3', ['b'], false)],
  }
  expect(viewsPlan(configuration as never)).toEqual({
    cohorts: [{ cohort: 'b', checksums: true, graphTargets: ['arm64'], tally: false }],
    rings: [
      {
        ring: '2',
        label: 'ring 2',
        packages: [
          { product: 'edge', cohort: 'a' },
          { product: 'edge', cohort: 'b' },
        ],
      },
    ],
  })
})
