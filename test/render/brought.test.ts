import { describe, expect, it } from '@jest/globals'
import type { EventData } from '../../src/core/catalogue.ts'
import { type Known, settle } from '../../src/core/decision.ts'
import { nothingOpen, releaseKey } from '../../src/core/release/open.ts'
import { MOST_BROUGHT_TO } from '../../src/render/channel.ts'
import { desiredOutputs, subjectsOf } from '../../src/render/desired.ts'
import type { Output } from '../../src/render/output.ts'
import { fleet, offered } from '../core/cohort/channel-world.ts'
import { event, givenRelease, RELEASES, sha, type World } from '../core/decided.ts'
import { DIGEST } from './built.ts'

const EFFECT = {
  basis: 'reports',
  enrolled: 400,
  tally: { enrolled: 400, permitted: 312, left: 88 },
  devices: 400,
  changed: 312,
  downgrades: 0,
  stranded: 2,
  moves: [{ from: '2.0.0', before: null, after: '3.0.0', direction: 'up', devices: 312 }],
  findings: [],
} satisfies EventData<'channel.released'>['effect']

function commentOf(world: World, release: string): string | undefined {
  const around = { releaseRepository: RELEASES, head: { seq: 1, digest: DIGEST }, unprotected: false }
  const states = new Map<string, unknown>()
  const documents = new Map<string, string | undefined>()
  const known: Known = { states, documents, facts: new Map() }
  for (;;) {
    const step = settle(() => desiredOutputs(releaseKey(release), around), known)
    if (step.kind === 'settled') return bodyIn(step.value, `${release}/cohorts`)
    for (const question of step.questions) {
      if (question.kind === 'state') states.set(question.key, world.state(question.key))
      if (question.kind === 'document') documents.set(question.path, world.documents.get(question.path))
    }
  }
}

function bodyIn(outputs: readonly Output[], wanted: string): string | undefined {
  const found = outputs.find(({ key }) => key === wanted)
  return found?.kind === 'comment' ? found.body : undefined
}

const brought = (cohort: string) => {
  const { data, ...rest } = offered('3.0.0', {}, cohort)
  return event('channel.released', { ...(data as EventData<'channel.released'>), effect: EFFECT }, { key: rest.key })
}
const withRelease = (world: World): string =>
  givenRelease(world, { items: [{ product: 'firmware', version: '3.0.0', sha: sha('f3') }] })

describe('a version that a ring has brought to a cohort', () => {
  it('says on its release issue who moves where, with a picture of the channel as it stands', () => {
    const world = fleet({})
    const release = withRelease(world)
    expect(commentOf(world, release)).toBeUndefined()
    world.record([brought('fleet')])
    const body = commentOf(world, release)
    expect(body).toContain('- 312 devices 2.0.0 → 3.0.0 now')
    expect(body).toContain('- 0 downgrades, 2 stranded (counted by what devices have reported)')
    expect(body).toContain('permissions of the latest release: 312 of 400 enrolled, 88 left')
    expect(body).toMatch(/```mermaid\nflowchart LR\n {2}r0\["1.0.0<br>everybody"\]\n[\s\S]* {2}r1 --> r2\n/)
  })

  it('is not told on the issue of a release that does not hold it', () => {
    const world = fleet({})
    world.record([brought('fleet')])
    expect(commentOf(world, givenRelease(world))).toBeUndefined()
  })

  it('is told for so many cohorts as somebody reads', () => {
    const ids = Array.from({ length: MOST_BROUGHT_TO + 5 }, (_, at) => `fleet-${at}`)
    const world = fleet({}, (text) => text + ids.map((id) => `  - { id: ${id}, product: firmware }\n`).join(''))
    const release = withRelease(world)
    world.record(ids.map(brought))
    const body = commentOf(world, release) ?? ''
    expect(body.match(/has come to the devices of/g)).toHaveLength(MOST_BROUGHT_TO - 1)
    expect(body.match(/```mermaid/g)).toHaveLength(5)
  })

  it('makes open releases worth looking at again whenever its cohort changes', () => {
    const open = { ...nothingOpen, releases: [{ id: 'r5', issue: 5, items: [] }] }
    expect(subjectsOf(['cohort/fleet'], open)).toEqual(['cohort/fleet', 'release/r5'])
  })
})
