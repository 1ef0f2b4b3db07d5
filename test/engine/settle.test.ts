import { describe, expect, it } from '@jest/globals'
import { type Deciding, facts, state } from '../../src/core/decision.ts'
import type { FactQuery } from '../../src/core/facts.ts'
import { settleAt, settleView } from '../../src/engine/settle.ts'

const members = (team: string): FactQuery => ({ kind: 'team-members', team })
const reader = { state: async (key: string) => `state of ${key}`, document: async () => undefined }

describe('running a decision to its end', () => {
  it('looks everything of a round up together, and each thing once', async () => {
    const asked: string[] = []
    function* decide(): Deciding<unknown[]> {
      const known = yield* state('config/current')
      const teams = yield* facts([members('acme/a'), members('acme/b')] as const)
      const again = yield* facts([members('acme/a')] as const)
      return [known, ...teams.map((team) => team.kind), again.length]
    }
    let open = 0
    let most = 0
    const source = async (query: FactQuery) => {
      asked.push(query.kind === 'team-members' ? query.team : query.kind)
      open += 1
      most = Math.max(most, open)
      await new Promise((resolve) => setImmediate(resolve))
      open -= 1
      return { kind: 'team-members', members: [] } as const
    }
    const value = await settleAt(decide, reader, { source, memory: new Map() })
    expect(value).toEqual(['state of config/current', 'team-members', 'team-members', 1])
    expect(asked).toEqual(['acme/a', 'acme/b'])
    expect(most).toBe(2)
  })

  it('gives up on a decision that never ends asking', async () => {
    let round = 0
    function* decide(): Deciding<never> {
      for (;;) {
        round += 1
        yield* state(`product/${round}`)
      }
    }
    await expect(
      settleAt(decide, reader, { source: async () => ({ kind: 'file', text: null }), memory: new Map() }),
    ).rejects.toThrow('more than 50 rounds')
  })

  it('asks no outside fact for what is rendered', async () => {
    const decide = () => facts([members('acme/a')] as const)
    await expect(settleView(decide, reader)).rejects.toThrow('outside fact team-members')
  })
})
