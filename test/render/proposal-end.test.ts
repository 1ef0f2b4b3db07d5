import { describe, expect, it } from '@jest/globals'
import { settle } from '../../src/core/decision.ts'
import { releaseKey } from '../../src/core/release/open.ts'
import type { ReleaseState } from '../../src/core/release/schema.ts'
import { desiredOutputs } from '../../src/render/desired.ts'
import { AT, DIGEST, release, SHA, signoff } from './built.ts'

const proposal = (number: number): NonNullable<ReleaseState['proposal']> => ({
  ...{ number, url: `https://github.test/pull/${number}`, head: SHA, headDigest: DIGEST },
  ...{ author: 'ringmaster[bot]', contents: [], merged: false },
})

function endOf(more: Partial<ReleaseState>) {
  const subject = releaseKey('r12')
  const state = release(more)
  const around = { releaseRepository: state.repository, head: null, unprotected: false }
  const states = new Map<string, unknown>([[subject, state]])
  const documents = new Map<string, string | undefined>()
  for (;;) {
    const step = settle(() => desiredOutputs(subject, around), { states, documents, facts: new Map() })
    if (step.kind === 'settled') return step.value.find(({ kind }) => kind === 'proposal-end')
    for (const question of step.questions) {
      if (question.kind === 'state') states.set(question.key, undefined)
      if (question.kind === 'document') documents.set(question.path, undefined)
    }
  }
}

describe('the end of a proposal', () => {
  it.each<[string, Partial<ReleaseState>, object]>([
    [
      'merges the pull request that the log knows, at the commit that was signed',
      { status: 'completed', endedAt: AT, proposal: proposal(900), signoff: signoff({ head: SHA }) },
      { end: 'merge', number: 900, head: SHA },
    ],
    [
      'closes the one that the log knows',
      { status: 'cancelled', endedAt: AT, proposal: proposal(901) },
      { end: 'close', number: 901, head: null },
    ],
    [
      'closes what is found where the log knows none yet',
      { status: 'cancelled', endedAt: AT },
      { end: 'close', number: null },
    ],
  ])('%s', (_, given, wanted) => {
    expect(endOf(given)).toMatchObject(wanted)
  })

  it('is none while the release goes on', () => {
    expect(endOf({ proposal: proposal(900) })).toBeUndefined()
  })
})
