import { describe, expect, it } from '@jest/globals'
import { checkEvent } from '../../src/core/check-event.ts'
import type { LedgerEvent } from '../../src/core/event.ts'

const held = (bent: Partial<LedgerEvent> = {}): LedgerEvent =>
  ({
    seq: 2,
    type: 'release.held',
    key: 'command:1/2/0:held',
    at: '2026-11-20T10:00:00Z',
    actor: { login: 'ann', id: 1 },
    source: { kind: 'webhook' },
    trust: 'platform',
    data: { release: 'r1', reason: 'wait' },
    prev: `sha256:${'0'.repeat(64)}`,
    ...bent,
  }) as LedgerEvent

describe('a recorded event', () => {
  it('is right when type, data and key fit together', () => {
    expect(checkEvent(held())).toBeNull()
  })

  it.each<[string, Partial<LedgerEvent>, RegExp]>([
    ['a type that nobody knows', { type: 'release.blessed' }, /known type of event, found "release\.blessed"/],
    ['a type that objects have by themselves', { type: 'constructor' }, /found "constructor"/],
    [
      'data of another type',
      { data: { nonsense: true } },
      /the data of release\.held, found something else: .*nonsense/,
    ],
    ['a key of another type', { key: 'build:1/2/3' }, /a slot of release\.held, found "build:1\/2\/3"/],
  ])('is named with %s', (_name, bent, expected) => {
    expect(checkEvent(held(bent))).toMatch(expected)
  })
})
