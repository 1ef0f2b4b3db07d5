import { beforeAll, describe, expect, it } from '@jest/globals'
import { HARMS } from './harms.ts'
import { NO_HARM, played } from './play.ts'
import { difference, type Traces } from './traces.ts'

/** A slice; `npm run test:faults` plays as many seeds as asked for. */
const FIRST_SEED = Number(process.env['RINGMASTER_SEED'] ?? 20261120)

/** A play takes some seconds; many times that on a machine that is busy. */
const PLAY_MS = 300_000

let expected: Traces

beforeAll(async () => {
  expected = (await played(NO_HARM, FIRST_SEED)).traces
}, PLAY_MS)

describe('a release', () => {
  it('leaves each thing once when nothing goes wrong', () => {
    expect(expected).toMatchObject({ open: { releases: 0, gates: [], alarms: [] }, reportedTwice: [], verified: [] })
    expect(expected.outside).toEqual({
      'check run ringmaster/sign-off: success': 1,
      'comment r#/board': 1,
      'comment reply/#': 5,
      'gate answer approved': 1,
      'issue A release: open': 1,
      'label release:completed': 1,
      'pull request Release ##: First: closed': 1,
      'pull request Release ##: First: merged': 1,
      'reaction +#': 5,
      'ref refs/heads/ringmaster-data': 1,
      'ref refs/heads/ringmaster-releases': 1,
      'ref refs/heads/ringmaster/proposal-r#': 1,
    })
    expect(Object.keys(expected.facts).map((fact) => fact.slice(0, fact.indexOf('/')))).toEqual([
      ...['board', 'commit', 'config', 'config', 'gate', 'issue', 'issue'],
      ...['product', 'release', 'run', 'run', 'version'],
    ])
  })

  it.each(HARMS.map((harm, index) => [harm.name, harm, FIRST_SEED + index] as const))(
    'leaves the same facts, gates and things outside under: %s',
    async (_name, harm, seed) => {
      const { traces, hits } = await played(harm, seed)
      expect({ seed, difference: difference(expected, traces) }).toEqual({ seed, difference: null })
      expect(hits).toBeGreaterThan(0)
    },
    PLAY_MS,
  )

  it.each([
    [2, 'everything at once'],
    [4, 'deliveries repeated and out of order'],
  ])(
    'leaves the same to %i Apps on one branch, under: %s',
    async (apps, name) => {
      const harm = HARMS.find((one) => one.name === name) ?? NO_HARM
      const { traces } = await played(harm, FIRST_SEED, { apps })
      expect({ seed: FIRST_SEED, difference: difference(expected, traces) }).toEqual({
        seed: FIRST_SEED,
        difference: null,
      })
    },
    PLAY_MS,
  )
})
