import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { type Receipt, type Settled, settledAfter } from '../../src/core/outbox.ts'

/** Processes that write one output and note it in one log, each when its next commit comes. */
class World {
  outside = ''
  log: Settled | undefined
  seq = 0
  readonly #seen = new Map<string, number>()
  readonly #waiting = new Map<string, Receipt[]>()

  look(writer: string): void {
    this.#seen.set(writer, this.log?.seq ?? 0)
  }

  write(writer: string, digest: string): void {
    this.outside = digest
    const receipt = { output: 'r1/board', digest, remote: null, writer, follows: this.#seen.get(writer) ?? 0 }
    this.#waiting.set(writer, [...this.waitingOf(writer), receipt])
  }

  /** A commit holds some of what waits, or all of it, and shows the log up to itself. */
  commit(writer: string, most = Number.POSITIVE_INFINITY): void {
    const waiting = this.waitingOf(writer)
    for (const receipt of waiting.slice(0, most)) {
      this.seq += 1
      this.log = settledAfter(this.log, receipt, this.seq)
    }
    this.#waiting.set(writer, waiting.slice(most))
  }

  waitingOf(writer: string): readonly Receipt[] {
    return this.#waiting.get(writer) ?? []
  }
}

const WRITERS = ['a', 'b', 'c']
const step = fc.record({
  writer: fc.constantFrom(...WRITERS),
  does: fc.constantFrom('look', 'write', 'write', 'commit', 'commit one'),
  digest: fc.constantFrom('X', 'Y'),
})

describe('what is known of an output', () => {
  it('is what was written last or nothing, in whatever order processes write and note it', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 24 }), (steps) => {
        const world = new World()
        for (const { writer, does, digest } of steps) {
          if (does === 'look') world.look(writer)
          else if (does === 'write') world.write(writer, digest)
          else world.commit(writer, does === 'commit' ? undefined : 1)
          if (WRITERS.every((one) => world.waitingOf(one).length === 0))
            expect([null, undefined, world.outside]).toContain(world.log?.digest)
        }
        for (const writer of WRITERS) world.commit(writer)
        expect([null, undefined, world.outside]).toContain(world.log?.digest)
      }),
      { numRuns: 2_000 },
    )
  })

  it('is never nothing where one process writes, whenever its notes come into the log', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 24 }), (steps) => {
        const world = new World()
        for (const { does, digest } of steps) {
          if (does === 'look') world.look('a')
          else if (does === 'write') world.write('a', digest)
          else world.commit('a', does === 'commit' ? undefined : 1)
        }
        world.write('a', 'X')
        world.commit('a')
        expect(world.log?.digest).toBe('X')
      }),
    )
  })

  it('is the last one of several processes that knew of each other', () => {
    const world = new World()
    for (const [index, digest] of ['X', 'Y', 'X', 'Y', 'X'].entries()) {
      const writer = index % 2 === 0 ? 'a' : 'b'
      world.look(writer)
      world.write(writer, digest)
      world.commit(writer)
      expect(world.log?.digest).toBe(digest)
    }
  })

  it('is nothing where two wrote different things at once, until one writes who knows of both', () => {
    const world = new World()
    world.write('a', 'X')
    world.write('b', 'Y')
    world.commit('a')
    world.commit('b')
    expect(world.log?.digest).toBeNull()
    world.look('a')
    world.write('a', 'X')
    world.commit('a')
    expect(world.log?.digest).toBe('X')
  })

  it('is as it was told where an earlier version told no more', () => {
    const told = { output: 'r1/board', digest: 'X', remote: '7' }
    expect(settledAfter(undefined, told as Receipt, 5)).toEqual(told)
    expect(settledAfter(told, { ...told, digest: 'Y', writer: 'a', follows: 0 }, 6)?.digest).toBe('Y')
  })
})
