import { expect, it } from '@jest/globals'
import { cohortKey } from '../../src/core/cohort/state.ts'
import type { AggregateKey } from '../../src/core/event.ts'
import type { Applied, Outlets } from '../../src/engine/ports.ts'
import { Reconciler } from '../../src/engine/reconciler.ts'
import type { Output } from '../../src/render/output.ts'
import {
  asked,
  build,
  configuredWorld,
  EDGE,
  givenRelease,
  minute,
  RELEASES,
  recorded,
  type World,
} from '../core/decided.ts'

const COHORTS = Array.from({ length: 6 }, (_, index) => `fleet-${index}`)
const ARTIFACT = { name: 'fw', size: 3, sha256: 'a'.repeat(64), url: 'https://example.test/fw' }

/** Six cohorts with something signed to offer, and a release issue that people look at. */
function served(): World {
  const world = configuredWorld((text) =>
    text
      .replace(/ {4}gate: .*\n/, '')
      .replace('cohorts: [fleet]', `cohorts: [${COHORTS.join(', ')}]`)
      .replace(
        '  - id: fleet\n    product: firmware\n',
        COHORTS.map((id) => `  - { id: ${id}, product: firmware }\n`).join(''),
      ),
  )
  const of = { product: 'firmware', version: '1.0.0' }
  world.ask(build({ repository: EDGE, record: { artifacts: [ARTIFACT], ...of } }))
  world.ask(recorded({ repository: EDGE, environment: 'production', ...of, statusId: 1, at: minute(1) }))
  world.ask({ kind: 'ring-reached', ...of, environment: 'production', ...asked, at: minute(30) })
  const signed = { document: '{}', version: 1, bundles: ['firmware@1.0.0'], isVerified: true }
  world.ask({ kind: 'bundles-signed', ...signed, ...asked })
  return world
}

it('all publications begin at once, and while their host takes its time a release issue is kept up', async () => {
  const world = served()
  const release: AggregateKey = `release/${givenRelease(world)}`
  const applied: string[] = []
  let arrive = (): void => {}
  const arrival = new Promise<void>((resolve) => {
    arrive = resolve
  })
  const apply = async (output: Output): Promise<Applied> => {
    applied.push(output.kind)
    if (output.kind === 'manifest') await arrival
    return { remote: null }
  }
  const kinds = ['comment', 'reaction', 'label', 'proposal', 'proposal-end', 'check-run', 'gate-answer', 'alarm']
  const outlets = Object.fromEntries([...kinds, 'manifest'].map((kind) => [kind, apply])) as unknown as Outlets
  const view = {
    state: async (key: AggregateKey) => world.states.get(key),
    document: async (path: string) => world.documents.get(path),
    head: { seq: 1, digest: `sha256:${'0'.repeat(64)}` },
  }
  const reconciler = new Reconciler({
    ledger: { view: async () => view, ride: async () => {} } as never,
    outlets,
    around: () => ({ releaseRepository: RELEASES, unprotected: false }),
    clock: () => minute(60),
    log: { info: () => {}, error: () => {} },
    delay: async () => {},
    random: () => 'ab'.repeat(16),
    observe: async () => {},
  })
  reconciler.mark([...COHORTS.map(cohortKey), release])
  while (!applied.includes('proposal') || applied.filter((kind) => kind === 'manifest').length < COHORTS.length)
    await new Promise((resolve) => setTimeout(resolve, 5))
  expect(applied.filter((kind) => kind === 'manifest')).toHaveLength(COHORTS.length)
  arrive()
  await reconciler.idle()
  expect(reconciler.failing).toEqual([])
})
