import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { readCommitMessage } from '../../../src/core/version/commit-message.ts'
import { type BumpDecision, decideBump } from '../../../src/core/version/decide.ts'
import { isAbove } from '../../../src/core/version/level.ts'
import type { Commit } from '../../../src/core/version/schema.ts'
import { compareVersions, parseVersion } from '../../../src/core/version/version.ts'
import { awkwardMessage } from './awkward.ts'

const config = { preset: 'ringmaster' } as const

function decided(from: string | null, commits: readonly Commit[]): BumpDecision {
  const decision = decideBump(config, from, commits)
  if (!decision.ok) throw new Error(decision.problems.map(({ message }) => message).join())
  return decision.value
}

const shaOf = (index: number): string => index.toString(16).padStart(40, '0')

/** Messages without the two things for which order matters: reverts and `Release-As`. */
const plainMessage = awkwardMessage.filter((message) => {
  const { reverts, releaseAs } = readCommitMessage(message)
  return reverts.length === 0 && releaseAs === null
})

const plainCommits = (messages: readonly string[]): Commit[] =>
  messages.map((message, index) => ({ sha: shaOf(index + 1), message }))

const plainRange = fc.array(plainMessage, { minLength: 1, maxLength: 8 }).map(plainCommits)

const version = fc
  .tuple(fc.nat(3), fc.nat(3), fc.nat(3), fc.constantFrom('', '', '-rc.1', '-45'))
  .map(([major, minor, patch, suffix]) => `${major}.${minor}.${patch}${suffix}`)

function order(a: string, b: string): number {
  const [left, right] = [parseVersion('semver', a), parseVersion('semver', b)]
  const compared = left.ok && right.ok ? compareVersions(left.value, right.value) : null
  return compared?.ok ? compared.value : Number.NaN
}

const revertOf = (commit: Commit, index: number): Commit => ({
  sha: shaOf(0x1000 + index),
  message: `Revert "something"\n\nThis reverts commit ${commit.sha}.`,
})

describe('the default preset', () => {
  it('never asks for less when a commit is added, wherever it stands', () => {
    fc.assert(
      fc.property(plainRange, plainMessage, fc.nat(), (commits, message, place) => {
        const more = commits.toSpliced(place % (commits.length + 1), 0, { sha: shaOf(999), message })
        expect(isAbove(decided('1.2.3', commits).level, decided('1.2.3', more).level)).toBe(false)
      }),
      { numRuns: 500 },
    )
  })

  it('always goes up from the version before', () => {
    fc.assert(
      fc.property(version, plainRange, (from, commits) => {
        const { to } = decided(from, commits)
        if (to !== null) expect(order(to, from)).toBe(1)
      }),
      { numRuns: 500 },
    )
  })

  it('leads from a higher version to one at least as high', () => {
    fc.assert(
      fc.property(version, version, plainRange, (one, other, commits) => {
        const [low, high] = order(one, other) === 1 ? [other, one] : [one, other]
        const [after, afterHigher] = [decided(low, commits).to, decided(high, commits).to]
        if (after !== null && afterHigher !== null && low[0] !== '0') expect(order(after, afterHigher)).not.toBe(1)
      }),
      { numRuns: 500 },
    )
  })

  it('does not care for the order of commits without reverts and requests', () => {
    fc.assert(
      fc.property(
        plainRange.chain((commits) =>
          fc.tuple(fc.constant(commits), fc.shuffledSubarray(commits, { minLength: commits.length })),
        ),
        ([commits, shuffled]) => {
          expect(decided('1.2.3', shuffled).to).toBe(decided('1.2.3', commits).to)
        },
      ),
      { numRuns: 500 },
    )
  })

  it('releases nothing when everything is reverted, in whatever order the reverts came', () => {
    fc.assert(
      fc.property(fc.array(awkwardMessage, { minLength: 1, maxLength: 8 }), fc.nat(), (messages, seed) => {
        const commits = plainCommits(messages.map((message) => message.replaceAll('This reverts', 'This repeats')))
        const reverts = commits.map(revertOf)
        const turned = [...reverts.slice(seed % reverts.length), ...reverts.slice(0, seed % reverts.length)]
        expect(decided('1.2.3', [...turned, ...commits])).toMatchObject({ bump: 'none', to: null })
      }),
      { numRuns: 500 },
    )
  })

  it('brings everything back when the reverts are reverted', () => {
    fc.assert(
      fc.property(plainRange, (commits) => {
        const reverts = commits.map(revertOf)
        const again = reverts.map((commit, index) => revertOf(commit, 0x1000 + index))
        expect(decided('1.2.3', [...again, ...reverts, ...commits]).to).toBe(decided('1.2.3', commits).to)
      }),
      { numRuns: 300 },
    )
  })

  it('lets the newest request win over everything that counts', () => {
    fc.assert(
      fc.property(plainRange, fc.nat(9), fc.nat(9), (commits, newer, older) => {
        const ask = (major: number): Commit => ({
          sha: shaOf(0x500 + major),
          message: `chore: a\n\nrelease-as: ${major}.0.0`,
        })
        const asked = [ask(newer), ...commits, ask(older)]
        expect(decided('1.2.3', asked)).toMatchObject({ bump: 'exact', to: `${newer}.0.0` })
      }),
      { numRuns: 100 },
    )
  })
})
