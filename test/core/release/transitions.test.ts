import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { renderStates, STATES_PATH } from '../../../scripts/states.ts'
import { releaseKey } from '../../../src/core/release/open.ts'
import { RELEASE_STATUSES, type ReleaseState } from '../../../src/core/release/schema.ts'
import { isOpen, nextStatus, RELEASE_TRANSITIONS, type ReleaseMove } from '../../../src/core/release/transitions.ts'
import { configuredWorld, event, givenRelease, minute } from '../decided.ts'

const MOVES = RELEASE_TRANSITIONS.map((row) => row.event)

/** What the specification says; the table of the product is compared with it cell by cell. */
const EXPECTED: Record<ReleaseMove, Partial<Record<(typeof RELEASE_STATUSES)[number], string>>> = {
  'release.started': { draft: 'in_progress' },
  'release.reopened': { in_progress: 'draft' },
  'release.completed': { in_progress: 'completed' },
  'release.cancelled': { draft: 'cancelled', in_progress: 'cancelled' },
  'release.rolled_back': { in_progress: 'rolled_back', completed: 'rolled_back' },
}
const CELLS = MOVES.flatMap((move) =>
  RELEASE_STATUSES.map((from) => [move, from, EXPECTED[move][from] ?? null] as const),
)

/** The moves that bring a fresh release to a status. */
const WAY: Record<(typeof RELEASE_STATUSES)[number], readonly ReleaseMove[]> = {
  draft: [],
  in_progress: ['release.started'],
  completed: ['release.started', 'release.completed'],
  cancelled: ['release.cancelled'],
  rolled_back: ['release.started', 'release.rolled_back'],
}
const eventOf = (release: string, move: ReleaseMove) => {
  if (move === 'release.started') return event(move, { release, digest: `sha256:${'0'.repeat(64)}` })
  if (move === 'release.completed') return event(move, { release })
  return event(move, { release, reason: 'because' }, { at: minute(30) })
}

describe('the life of a release', () => {
  it.each(CELLS)('%s from %s leads to %s', (move, from, to) => {
    expect(nextStatus(from, move)).toBe(to)
    const world = configuredWorld()
    const release = givenRelease(world, { started: false })
    world.record(WAY[from].map((step) => eventOf(release, step)))
    const before = world.state<ReleaseState>(releaseKey(release))
    expect(before?.status).toBe(from)
    world.record([eventOf(release, move)])
    const after = world.state<ReleaseState>(releaseKey(release))
    if (to === null) expect(after).toEqual(before)
    else expect(after?.status).toBe(to)
  })

  it.each([
    ['draft', true],
    ['in_progress', true],
    ['completed', false],
    ['cancelled', false],
    ['rolled_back', false],
  ] as const)('%s is open: %s', (status, open) => expect(isOpen(status)).toBe(open))

  it('is drawn in the documentation as the table says (npm run schemas)', () => {
    expect(readFileSync(STATES_PATH, 'utf8')).toBe(renderStates())
  })
})
