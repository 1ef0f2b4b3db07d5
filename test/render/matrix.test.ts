import { describe, expect, it } from '@jest/globals'
import type { BoardState, Cell } from '../../src/core/deployment/schema.ts'
import { boardKey } from '../../src/core/deployment/schema.ts'
import { cellWord } from '../../src/render/matrix.ts'
import { build, minute, recorded, World } from '../core/decided.ts'

type Said = Parameters<typeof recorded>[0]

/** The cell of beta after deployments there, each by a run of its own. */
function cellAfter(...said: readonly Said[]): Cell | undefined {
  const world = new World()
  world.ask(build())
  for (const [index, one] of said.entries()) {
    const run = { id: index + 1, attempt: 1 }
    world.ask(recorded({ statusId: index + 1, at: minute(index), run, deploymentId: index + 1, ...one }))
  }
  return world.state<BoardState>(boardKey('api'))?.cells.find(({ environment }) => environment === 'beta')
}

const others = (count: number): Said[] =>
  Array.from({ length: count }, (_, index) => ({ version: `2.0.${index}`, sha: 'd'.repeat(40) }))

describe('where a version stands in an environment', () => {
  it.each<[string, Said[], string]>([
    ['never tried there', others(1), 'absent'],
    ['the newest good one', [{}], 'live'],
    ['followed by another', [{}, ...others(1)], 'replaced'],
    ['followed by more than a cell keeps', [{}, ...others(30)], 'replaced'],
    ['failed', [{ status: 'failed' }], 'failed'],
    ['failed, and followed by more than a cell keeps', [{ status: 'failed' }, ...others(30)], 'absent'],
    ['under way', [{ status: 'started' }, ...others(30)], 'running'],
    ['announced', [{ status: 'pending' }], 'waiting'],
    ['given up', [{ status: 'aborted' }], 'aborted'],
  ])('%s', (_, said, expected) => {
    expect(cellWord(cellAfter(...said), '1.0.0')).toBe(expected)
  })
})
