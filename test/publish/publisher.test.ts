import { cp, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { bundlesRequest } from '../../src/core/manifest/bundles-request.ts'
import type { OpenRequest } from '../../src/core/manifest/sign-request.ts'
import { targetsRequest } from '../../src/core/manifest/targets-request.ts'
import { unwrap } from '../../src/core/problem.ts'
import { directoryPublication } from '../../src/publish/directory.ts'
import { createPublisher, type Publisher, type PublisherOptions } from '../../src/publish/publisher.ts'
import type { OutputOf } from '../../src/render/output.ts'
import { directoryRoster } from '../../src/roster/directory.ts'
import type { RosterStore } from '../../src/roster/store.ts'
import { aBundle, aCohort, aRelease, Fleet, inShort, keysOf, later, signed } from '../device/fleet.ts'

let fleet: Fleet
let publisher: Publisher
let roster: RosterStore
let targets: OpenRequest
let options: () => PublisherOptions
beforeEach(async () => {
  fleet = await Fleet.start(['eu', 'us'])
  const { targets: holders, bundles, cohorts, snapshot, timestamp } = fleet.keys
  const changes = {
    addGroups: [{ group: 'main', ...keysOf(bundles, 1) }],
    addCohorts: ['eu', 'us'].map((cohort) => ({ cohort, ...keysOf(cohorts, 1) })),
  }
  targets = await signed(unwrap(targetsRequest(fleet.rootMetadata, undefined, changes, later(fleet.now, 365))), holders)
  roster = directoryRoster(join(fleet.directory, 'roster'))
  options = () => ({
    publication: directoryPublication(fleet.site),
    publicUrl: fleet.host.url.replace(/\/$/, ''),
    pinnedRoot: fleet.root,
    targets,
    signers: [...cohorts, ...snapshot, ...timestamp],
    group: 'main',
    roster,
    clock: () => fleet.now,
    patience: { attempts: 1 },
  })
  publisher = createPublisher(options())
})
afterEach(() => fleet.stop())

/** What the holder of the bundles key hands over: the versions so far, in one more list. */
async function handedOver(previous: OpenRequest | undefined, ...versions: string[]): Promise<OpenRequest> {
  const request = bundlesRequest({
    targets: targets.metadata as never,
    group: 'main',
    previous: previous?.metadata as never,
    bundles: versions.map((version) => aBundle(version)),
    expires: later(fleet.now, 180),
  })
  return signed(unwrap(request), fleet.keys.bundles)
}

function output(
  bundles: OpenRequest,
  changes: Partial<OutputOf<'manifest'>> = {},
  phase?: object,
): OutputOf<'manifest'> {
  const latest = aRelease('2.0.0', phase === undefined ? {} : ({ phase } as never))
  const { channel, bundles: offered, salts } = aCohort('eu', [aRelease('1.0.0'), latest])
  return {
    kind: 'manifest',
    subject: 'cohort/eu',
    key: 'eu/manifest',
    channel,
    bundles: offered.map(({ bundle }) => bundle),
    salts: [...salts].map(([release, salt]) => ({ release, salt })),
    overrides: [],
    quarantine: null,
    movedTo: null,
    entryRelease: null,
    issue: 0,
    pollAfterSeconds: 3_600,
    validHours: 168,
    signedBundles: JSON.stringify(bundles.request),
    ledgerHead: `sha256:${'0'.repeat(64)}`,
    ...changes,
  }
}

const metadata = async (): Promise<string[]> =>
  (await readdir(join(fleet.site, 'metadata'))).filter((name) => /targets|bundles/.test(name)).sort()

describe('the manifest of a cohort', () => {
  it('goes out with what its holders signed, and is known by its public address', async () => {
    const { observed } = await publisher.publish(output(await handedOver(undefined, '1.0.0', '2.0.0')))
    expect(observed).toMatchObject([{ kind: 'manifest-published', cohort: 'eu' }])
    expect(inShort(await fleet.check('a', { cohort: 'eu' }))).toBe('update Gateway@2.0.0')
    expect((await publisher.published('eu'))?.releases.map(({ id }) => id)).toEqual(['Gateway@1.0.0', 'Gateway@2.0.0'])
  })

  it('sends signed files again only when they are newer than what is published', async () => {
    const first = await handedOver(undefined, '1.0.0', '2.0.0')
    await publisher.publish(output(first))
    await publisher.publish(output(first, { pollAfterSeconds: 60 }))
    expect(await metadata()).toEqual(['1.bundles-main.json', '1.targets.json'])
    await publisher.publish(output(await handedOver(first, '3.0.0')))
    await publisher.publish(output(first, { pollAfterSeconds: 90 }))
    expect(await metadata()).toEqual(['1.bundles-main.json', '1.targets.json', '2.bundles-main.json'])
    expect((await publisher.published('eu'))?.pollAfterSeconds).toBe(90)
  })

  it('permits exactly as many of the enrolled as its phase says, also after others have enrolled', async () => {
    const bundles = await handedOver(undefined, '1.0.0', '2.0.0')
    const count = { kind: 'count', count: 2 }
    const names = ['a', 'b', 'c', 'd', 'e']
    await roster.enrol(
      'eu',
      names.map((pseudonym) => ({ pseudonym, tags: [] })),
    )
    await publisher.publish(output(bundles, {}, count))
    const first = await admitted(names)
    expect(first).toHaveLength(2)
    const late = Array.from({ length: 30 }, (_, at) => `late-${at}`)
    await roster.enrol(
      'eu',
      late.map((pseudonym) => ({ pseudonym, tags: [] })),
    )
    await publisher.publish(output(bundles, { pollAfterSeconds: 60 }, count))
    expect(await admitted(names)).toEqual(first)
    expect(await admitted(late, 2)).toEqual([])
    await publisher.publish(output(bundles, {}, { kind: 'everybody' }))
    expect(await admitted(names)).toEqual(names)
  })

  it('refuses an exact count for a cohort without a roster', async () => {
    const counted = output(await handedOver(undefined, '1.0.0', '2.0.0'), {}, { kind: 'count', count: 2 })
    await expect(publisher.publish(counted)).rejects.toMatchObject({ problems: [{ code: 'roster-needed' }] })
    expect(await publisher.published('eu')).toBeUndefined()
  })

  it('carries overrides, quarantine and the entry release', async () => {
    const quarantine = { salt: 'q', devices: ['ab'.repeat(16)] }
    const more = { quarantine, entryRelease: 'Gateway@1.0.0', movedTo: 'us' }
    await publisher.publish(output(await handedOver(undefined, '1.0.0', '2.0.0'), more))
    expect(await publisher.published('eu')).toMatchObject(more)
  })

  /** Those of the devices that are offered 2.0.0 when they run 1.0.0. */
  async function admitted(names: readonly string[], epoch = 1): Promise<string[]> {
    const answers = await Promise.all(
      names.map(async (pseudonym) => {
        const device = { pseudonym, epoch, tags: [], quarantined: false }
        return [
          pseudonym,
          inShort(await fleet.check(pseudonym, { cohort: 'eu', device, report: { version: '1.0.0' } })),
        ] as const
      }),
    )
    return answers.flatMap(([name, answer]) => (answer === 'update Gateway@2.0.0' ? [name] : []))
  }
})

describe('what is published', () => {
  it('is renewed when less than a third of its time is left, and not before', async () => {
    expect(await publisher.keepFresh(['eu'])).toMatchObject({ renewed: false, due: [], reminders: [] })
    await publisher.publish(output(await handedOver(undefined, '1.0.0', '2.0.0'), { validHours: 24 * 30 }))
    fleet.now = later(fleet.now, 4)
    expect(await publisher.keepFresh(['eu'])).toMatchObject({ renewed: false, due: [] })
    fleet.now = later(fleet.now, 1)
    expect(await publisher.keepFresh(['eu'])).toMatchObject({ renewed: true, due: [] })
    expect(await publisher.keepFresh(['eu'])).toMatchObject({ renewed: false })
    fleet.now = later(fleet.now, 5)
    expect(inShort(await fleet.check('late', { cohort: 'eu' }))).toBe('update Gateway@2.0.0')
  })

  it('names the cohorts whose manifest has to be issued again', async () => {
    await publisher.publish(output(await handedOver(undefined, '1.0.0', '2.0.0'), { validHours: 72 }))
    expect((await publisher.keepFresh(['eu', 'us'])).due).toEqual([])
    fleet.now = later(fleet.now, 2.1)
    expect((await publisher.keepFresh(['eu', 'us'])).due).toEqual(['eu'])
  })

  it('names a cohort whose ramp would stand still, until the ramp is at its end', async () => {
    const ramp = { kind: 'ramp', from: '0', to: '1', startsAt: fleet.now, endsAt: later(fleet.now, 1) }
    await publisher.publish(output(await handedOver(undefined, '1.0.0', '2.0.0'), {}, ramp))
    expect((await publisher.keepFresh(['eu'])).due).toEqual([])
    fleet.now = later(fleet.now, 0.75 / 24)
    expect((await publisher.keepFresh(['eu'])).due).toEqual(['eu'])
  })

  it('reminds of the roles that only people can sign', async () => {
    await publisher.publish(output(await handedOver(undefined, '1.0.0', '2.0.0')))
    fleet.now = later(fleet.now, 0)
    const { reminders } = await publisher.keepFresh(['eu'])
    expect(new Map(reminders.map(({ role, urgency }) => [role, urgency])).get('bundles-main')).toBe('none')
    fleet.now = later(fleet.now, 2)
    await publisher.keepFresh(['eu'])
    fleet.now = later(fleet.now, 93)
    const late = await publisher.keepFresh(['eu']).then(
      ({ reminders: found }) => found,
      () => [],
    )
    expect(new Map(late.map(({ role, urgency }) => [role, urgency])).get('bundles-main')).toBe('90-days')
  })

  it('fails aloud when a file of it is gone', async () => {
    await publisher.publish(output(await handedOver(undefined, '1.0.0', '2.0.0')))
    await rm(join(fleet.site, 'metadata/1.bundles-main.json'))
    await expect(publisher.keepFresh(['eu'])).rejects.toMatchObject({ problems: [{ code: 'metadata-missing' }] })
  })
})

describe('manifests of several cohorts', () => {
  const versions = async (): Promise<number> =>
    (await readdir(join(fleet.site, 'metadata'))).filter((name) => /^\d+\.snapshot/.test(name)).length
  const of = (cohort: string, bundles: OpenRequest, phase?: object) => {
    const made = output(bundles, {}, phase)
    return { ...made, subject: `cohort/${cohort}`, channel: { ...made.channel, cohort } } as typeof made
  }

  it('go out in one publication when they wait at the same time, each known by its own address', async () => {
    const bundles = await handedOver(undefined, '1.0.0', '2.0.0')
    const applied = await Promise.all(['eu', 'us'].map((cohort) => publisher.publish(of(cohort, bundles))))
    expect(await versions()).toBe(1)
    expect(applied.map(({ observed }) => observed)).toEqual([
      [expect.objectContaining({ cohort: 'eu', address: expect.stringContaining('/targets/cohorts/eu/') })],
      [expect.objectContaining({ cohort: 'us', address: expect.stringContaining('/targets/cohorts/us/') })],
    ])
  })

  it('fail each for itself', async () => {
    const bundles = await handedOver(undefined, '1.0.0', '2.0.0')
    const outcomes = await Promise.allSettled([
      publisher.publish(of('eu', bundles, { kind: 'count', count: 2 })),
      publisher.publish(of('us', bundles)),
      publisher.publish(of('nobody', bundles)),
    ])
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'rejected'])
    expect(await publisher.published('eu')).toBeUndefined()
    expect(await publisher.published('us')).toBeDefined()
  })

  it('are gathered for as long as was set, but for what takes something back', async () => {
    const bundles = await handedOver(undefined, '1.0.0', '2.0.0')
    const slow = createPublisher({ ...options(), everyMs: 600_000 })
    await slow.publish(of('eu', bundles))
    const waiting = slow.publish(of('us', bundles)).then(() => 'out')
    expect(await Promise.race([waiting, sleep(50, 'waiting')])).toBe('waiting')
    const halted = { kind: 'everybody', halted: { reason: 'it burns', at: fleet.now } }
    await slow.publish(of('eu', bundles, halted))
    expect(await waiting).toBe('out')
    expect((await slow.published('eu'))?.releases.at(-1)?.phase).toMatchObject({ halted: { reason: 'it burns' } })
    expect(await versions()).toBe(2)
  })
})

describe('views', () => {
  const plan = {
    cohorts: [{ cohort: 'eu', checksums: true, graphTargets: ['arm64'], tally: false }],
    rings: [{ ring: '4', label: 'Customers', packages: [{ product: 'Gateway', cohort: 'eu' }] }],
  }
  const text = (path: string) => readFile(join(fleet.site, 'views', path), 'utf8')

  it('are made of what is published, and offer nothing when they cannot carry it', async () => {
    expect(await publisher.showViews(plan)).toEqual([])
    const bundles = await handedOver(undefined, '1.0.0', '2.0.0')
    const ramp = { kind: 'ramp', from: '0', to: '1', startsAt: fleet.now, endsAt: later(fleet.now, 1) }
    await publisher.publish(output(bundles, {}, ramp))
    const closed = await publisher.showViews(plan)
    expect(closed.map(({ path }) => path)).toEqual(['views/cohorts/eu/SHA256SUMS', 'views/cohorts/eu/arm64/v1/graph'])
    expect(JSON.parse(await text('cohorts/eu/arm64/v1/graph'))).toEqual({ nodes: [], edges: [] })
    expect(await text('rings/4/latest.json')).toContain('"version": "1.0.0"')

    await publisher.publish(output(bundles))
    expect(await publisher.showViews(plan)).toEqual([])
    expect(JSON.parse(await text('cohorts/eu/arm64/v1/graph'))).toMatchObject({ edges: [[0, 1]] })
    expect(await text('rings/4/latest.json')).toContain('"version": "2.0.0"')
    const folder = join(fleet.site, 'views/cohorts/eu')
    const sums = await readFile(join(folder, 'SHA256SUMS'))
    const signature = await readFile(join(folder, 'SHA256SUMS.ed25519'))
    expect(signature).toEqual(Buffer.from((await fleet.keys.timestamp[0]?.sign(sums)) ?? []))
  })

  it('are written only when they differ', async () => {
    await publisher.publish(output(await handedOver(undefined, '1.0.0', '2.0.0')))
    const writes: string[] = []
    const place = directoryPublication(fleet.site)
    const watched = createPublisher({
      ...options(),
      publication: {
        ...place,
        put: (files) => {
          writes.push(...files.map(({ path }) => path))
          return place.put(files)
        },
      },
    })
    await watched.showViews(plan)
    expect(writes).toContain('views/rings/4/index.html')
    writes.length = 0
    await watched.showViews(plan)
    expect(writes).toEqual([])
  })
})

describe('a host that takes its time', () => {
  it('keeps no other publication waiting, and is not asked for what was replaced meanwhile', async () => {
    const bundles = await handedOver(undefined, '1.0.0', '2.0.0')
    const copy = directoryPublication(join(fleet.directory, 'copy'))
    const slow = createPublisher({ ...options(), publication: copy, patience: { attempts: 200, waitMs: 20 } })
    const ended: string[] = []
    const first = slow.publish(output(bundles)).then(() => ended.push('first'))
    while ((await slow.published('eu')) === undefined) await sleep(5)
    const second = slow.publish(output(bundles, { pollAfterSeconds: 60 })).then(() => ended.push('second'))
    while ((await slow.published('eu'))?.pollAfterSeconds !== 60) await sleep(5)
    expect(ended).toEqual([])
    await cp(join(fleet.directory, 'copy'), fleet.site, { recursive: true })
    await Promise.all([first, second])
    expect(ended.sort()).toEqual(['first', 'second'])
  })
})

describe('signed bundles', () => {
  it('are known by the keys that the targets name', async () => {
    const open = await handedOver(undefined, '1.0.0')
    expect(await publisher.areBundlesSigned(JSON.stringify(open.request))).toBe(true)
    const other = await signed({ ...open.request, metadata: { ...open.request.metadata, signatures: [] } }, [])
    expect(await publisher.areBundlesSigned(JSON.stringify(other.request))).toBe(false)
    expect(await publisher.areBundlesSigned('not a request')).toBe(false)
    expect(await publisher.areBundlesSigned(JSON.stringify(targets.request))).toBe(false)
  })
})
