import { describe, expect, it } from '@jest/globals'
import { settle } from '../../src/core/decision.ts'
import type { AggregateKey, EventDraft } from '../../src/core/event.ts'
import { model } from '../../src/core/model.ts'
import { nothingOpen, OPEN_KEY, type OpenIndex } from '../../src/core/release/open.ts'
import { desiredOutputs, subjectsOf } from '../../src/render/desired.ts'
import {
  build,
  configuredWorld,
  EDGE,
  event,
  minute,
  PLATFORM,
  RELEASES,
  recorded,
  sha,
  type World,
} from '../core/decided.ts'

const around = { releaseRepository: RELEASES, head: null, unprotected: false }
const OTHER = sha('b2')

/** What should stand outside for a subject of a world. */
const standing = (world: World, subject: AggregateKey) => {
  const step = settle(() => desiredOutputs(subject, around), {
    states: new Map([...world.states, ...unknown(world)]),
    documents: world.documents,
    facts: new Map(),
  })
  if (step.kind === 'needs') throw new Error(JSON.stringify(step.questions))
  return step.value.flatMap((output) => (output.kind === 'check-run' ? [output] : []))
}
const unknown = (world: World): [string, undefined][] =>
  ['version/web@1.0.0', 'version/api@2.0.0'].filter((key) => !world.states.has(key)).map((key) => [key, undefined])

const refused = (world: World): string[] => world.state<OpenIndex>(OPEN_KEY)?.refusals ?? []
const subjects = (events: readonly EventDraft[], world: World) =>
  subjectsOf(
    events.flatMap((one) => model.keysOf(one)),
    world.state<OpenIndex>(OPEN_KEY) ?? nothingOpen,
  ).filter((subject) => subject.startsWith('refused/'))

function bound(): World {
  const world = configuredWorld()
  world.ask(build())
  return world
}

describe('a commit of which a record was refused', () => {
  it('shows what was expected and found, and what to do, in one check run', () => {
    const world = bound()
    const { events } = world.ask(build({ sha: OTHER }))
    expect(subjects(events, world)).toEqual([`refused/${OTHER}`])
    expect(standing(world, `refused/${OTHER}`)).toMatchObject([
      {
        key: `refused/${OTHER}/${PLATFORM.id}`,
        repository: PLATFORM,
        sha: OTHER,
        name: 'ringmaster/refused',
        conclusion: 'failure',
        title: '1 record was refused',
        summary: expect.stringMatching(
          new RegExp(`build of \`api@1\\.0\\.0\`.*expected .*${sha('a1')}.*found a build at ${OTHER}.*new version`),
        ),
        otherwise: { alarm: `refusals/${PLATFORM.id}`, message: expect.stringContaining(OTHER) },
      },
    ])
    expect(refused(world)).toEqual([`refused/${OTHER}/${PLATFORM.id}`])
  })

  it('shows builds and deployments together, each once, and those of a fork on the fork', () => {
    const world = bound()
    world.ask(build({ sha: OTHER }))
    world.ask(build({ sha: OTHER, at: minute(1), record: { run: { id: 1, attempt: 2, job: 'build' } } }))
    world.ask(recorded({ sha: OTHER, environment: 'beta' }))
    world.ask(build({ sha: OTHER, repository: EDGE, record: { product: 'web' } }))
    const [ours, forks] = standing(world, `refused/${OTHER}`)
    expect(ours).toMatchObject({ repository: PLATFORM, title: '2 records were refused' })
    expect(ours?.summary).toContain('deployment of `api@1.0.0` to `beta` (`wrong-commit`)')
    expect(forks).toMatchObject({ repository: EDGE, title: '1 record was refused' })
  })

  it('is left to the sweeps until it is known to be shown', () => {
    const world = bound()
    world.ask(build({ sha: OTHER }))
    const output = `refused/${OTHER}/${PLATFORM.id}`
    const settled = { subject: `refused/${OTHER}`, output, digest: `sha256:${'0'.repeat(64)}`, remote: '9' }
    world.record([event('output.settled', settled)])
    expect(refused(world)).toEqual([])
  })

  it('turns green when the version is recorded there after all', () => {
    const world = configuredWorld((text) => text.replace('name: api', 'name: api\n    scheme: number'))
    world.ask(build({ sha: OTHER, record: { version: '2.0.0' } }))
    expect(standing(world, `refused/${OTHER}`)[0]?.conclusion).toBe('failure')
    world.configure('schemaVersion: 1\nproducts:\n  - { name: api, repository: acme/platform }\n')
    const { events } = world.ask(build({ sha: OTHER, at: minute(9), record: { version: '2.0.0' } }))
    expect(subjects(events, world)).toEqual([`refused/${OTHER}`])
    expect(standing(world, `refused/${OTHER}`)).toMatchObject([{ conclusion: 'success', title: 'Recorded since' }])
  })

  it('shows nothing of refusals from before they were shown', () => {
    const world = bound()
    const { hint: _, ...data } = {
      product: 'api',
      version: '1.0.0',
      sha: OTHER,
      repository: PLATFORM,
      code: 'x',
      message: 'x',
      url: '',
      hint: null,
    }
    world.record([event('build.refused', data)])
    expect([world.states.has(`refused/${OTHER}`), refused(world)]).toEqual([false, []])
  })
})
