import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { brakesTick } from '../../src/app/brakes.ts'
import { createDevices, ENROLMENT_HEADER } from '../../src/app/devices.ts'
import type { DeclaredPhase } from '../../src/core/cohort/schema.ts'
import { type CohortState, cohortKey } from '../../src/core/cohort/state.ts'
import type { AggregateKey } from '../../src/core/event.ts'
import { type EnrolmentRecord, enrolmentBytes } from '../../src/core/manifest/enrolment.ts'
import type { Request } from '../../src/core/request.ts'
import { type FileSigner, signerOf } from '../../src/publish/signer.ts'
import { type DeviceBooks, deviceBooks } from '../../src/roster/device-book.ts'
import { directoryRoster } from '../../src/roster/directory.ts'
import {
  asked,
  build,
  CONFIGURATION,
  EDGE,
  event,
  minute,
  type RecordedGiven,
  recorded,
  sha,
  World,
} from '../core/decided.ts'

const newSigner = (): FileSigner =>
  signerOf(generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), 'a test key')

let directory = ''
let world: World
let books: DeviceBooks
let server: Server
let base = ''
let key: FileSigner
let now = minute(0)
const logged: string[] = []
const log = {
  info: () => {},
  error: (data: object, message: string) => void logged.push(`${message} ${JSON.stringify(data)}`),
}

/** A cohort whose server counts, with brakes, on 1.0.0; 2.0.0 is signed and in a phase. */
function fleet(phase: DeclaredPhase, more: readonly string[] = ['admission: claims']): World {
  const lines = [
    ...more,
    `enrolmentKeys: [${key.key.keyVal['public']}]`,
    'brakes: { failures: { share: "0.4", minimum: 2 } }',
  ]
  const made = new World()
  made.configure(`${CONFIGURATION.trimEnd()}\n${lines.map((line) => `    ${line}\n`).join('')}`)
  for (const version of ['1.0.0', '2.0.0'])
    made.record([
      event('channel.released', {
        cohort: 'fleet',
        salt: 'salt',
        bundle: {
          id: `firmware@${version}`,
          product: 'firmware',
          version,
          artifacts: [
            { name: 'fw', target: 'portable', size: 3, sha256: 'a'.repeat(64), url: 'https://example.test/fw' },
          ],
        },
        release: {
          id: `firmware@${version}`,
          bundle: `firmware@${version}`,
          version,
          requirement: `< ${version}`,
          next: null,
          required: false,
          schedule: minute(-60),
          phase: version === '2.0.0' ? phase : { kind: 'everybody' },
        },
      }),
    ])
  const bundles = ['firmware@1.0.0', 'firmware@2.0.0']
  made.record([event('bundles.signed', { digest: `sha256:${'1'.repeat(64)}`, version: 1, bundles })])
  return made
}

const ledger = {
  view: async () =>
    ({
      state: async (at: AggregateKey) => world.states.get(at),
      document: async (path: string) => world.documents.get(path),
    }) as never,
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ringmaster-devices-'))
  key = newSigner()
  now = minute(0)
  logged.length = 0
  await begin()
})
afterEach(async () => {
  await end()
  await rm(directory, { recursive: true })
})

async function begin(): Promise<void> {
  books = deviceBooks(directory)
  const roster = directoryRoster(directory)
  const devices = createDevices({ ledger, books, roster, published: async () => undefined, clock: () => now, log })
  server = createServer((request, response) => {
    if (devices.isTheirs(request)) void devices.answer(request, response)
    else response.writeHead(418).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
async function end(): Promise<void> {
  await new Promise((resolve) => server.close(resolve))
  await books.close()
}

async function record(pseudonym: string, changes: Partial<EnrolmentRecord> = {}, by = key): Promise<EnrolmentRecord> {
  const enrolment = {
    schema: 'ringmaster/enrolment/1' as const,
    pseudonym,
    cohort: 'fleet',
    epoch: 1,
    tags: [],
    ...changes,
  }
  return { ...enrolment, signature: Buffer.from(await by.sign(enrolmentBytes(enrolment))).toString('hex') }
}
const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

async function ask(
  enrolment: unknown,
  headers: Record<string, string> = { 'peridio-release-version': '1.0.0' },
  query = '',
) {
  const response = await fetch(`${base}/update${query}`, {
    headers: { [ENROLMENT_HEADER]: encoded(enrolment), ...headers },
  })
  return { code: response.status, body: (await response.json()) as Record<string, unknown> }
}
const statusOf = async (pseudonym: string) => (await ask(await record(pseudonym))).body['status']

async function tell(enrolment: unknown, said: string, release = 'firmware@2.0.0'): Promise<number> {
  const body = JSON.stringify({ enrolment, release, said })
  return (await fetch(`${base}/reports`, { method: 'POST', body })).status
}

describe('GET /update', () => {
  it('answers in the words of the documented device API', async () => {
    world = fleet({ kind: 'everybody' })
    expect(await ask(await record('a'))).toEqual({
      code: 200,
      body: {
        status: 'update',
        source_type: 'release',
        release: { prn: 'firmware@2.0.0', version: '2.0.0', version_requirement: '< 2.0.0' },
        bundle_override: null,
        bundle: { prn: 'firmware@2.0.0' },
        cohort: { prn: 'fleet' },
        manifest: [
          {
            artifact: { name: 'fw' },
            artifact_version: { version: '2.0.0' },
            target: 'portable',
            size: 3,
            hash: 'a'.repeat(64),
            url: 'https://example.test/fw',
            custom_metadata: {},
          },
        ],
        explanation: [
          'the reported version enters the channel at firmware@2.0.0',
          'update to firmware@2.0.0 of release firmware@2.0.0',
        ],
      },
    })
    const asWanted = await ask(await record('a'), undefined, '?expand[]=bundle.prn')
    expect(asWanted.body).toEqual({ status: 'update', bundle: { prn: 'firmware@2.0.0' } })
  })

  it('lets in as many as the phase says, first come, first served, however many ask at once', async () => {
    world = fleet({ kind: 'count', count: 3 })
    const names = Array.from({ length: 12 }, (_, at) => `d${at}`)
    const answers = await Promise.all(names.map(statusOf))
    expect(answers.filter((status) => status === 'update')).toHaveLength(3)
    const lucky = names.filter((_, at) => answers[at] === 'update')
    expect(await Promise.all(lucky.map(statusOf))).toEqual(['update', 'update', 'update'])
  })

  it('knows who holds a claim after a restart', async () => {
    world = fleet({ kind: 'count', count: 1 })
    expect([await statusOf('a'), await statusOf('b')]).toEqual(['update', 'no_update'])
    await end()
    await begin()
    expect([await statusOf('b'), await statusOf('a')]).toEqual(['no_update', 'update'])
  })

  it('takes no claim for a device that is on the latest already, or is offered nothing', async () => {
    world = fleet({ kind: 'count', count: 1 })
    await ask(await record('new'), { 'peridio-release-prn': 'firmware@2.0.0' })
    expect((await ask(await record('a'), {})).body['status']).toBe('no_update')
    expect(await statusOf('b')).toBe('update')
  })

  it.each<[string, () => Promise<unknown>]>([
    ['nothing', async () => null],
    ['one that is no JSON', async () => 'x'],
    ['one signed by another key', async () => record('a', {}, newSigner())],
    ['one with other tags than were signed', async () => ({ ...(await record('a')), tags: ['lab'] })],
    ['one of another cohort', async () => record('a', { cohort: 'elsewhere' })],
  ])('is refused with an enrolment record that is %s', async (_what, made) => {
    world = fleet({ kind: 'everybody' })
    expect(await ask(await made())).toMatchObject({ code: 401, body: { error: { code: 'not-enrolled' } } })
  })

  it('lets nobody in while the release is halted, with the reason', async () => {
    world = fleet({ kind: 'everybody', halted: { at: minute(0), reason: 'batteries' } })
    const { body } = await ask(await record('a'))
    expect(body['status']).toBe('no_update')
    expect(JSON.stringify(body['explanation'])).toContain('batteries')
  })

  it('leaves every other path to others', async () => {
    world = fleet({ kind: 'everybody' })
    for (const path of ['/', '/update/', '/reports', '//[', '/api/github/webhooks'])
      expect((await fetch(base + path)).status).toBe(418)
  })

  it('says that it cannot answer now when the book cannot be read', async () => {
    world = fleet({ kind: 'everybody' })
    await books.close()
    books.of = async () => {
      throw new Error('the disk is gone')
    }
    expect((await ask(await record('a'))).code).toBe(503)
    expect(logged.join()).toContain('the disk is gone')
  })
})

describe('POST /reports', () => {
  it('takes a report of an enrolled device, and refuses every other', async () => {
    world = fleet({ kind: 'everybody' })
    expect(await tell(await record('a'), 'failed')).toBe(202)
    expect(await tell(await record('a', {}, newSigner()), 'failed')).toBe(401)
    expect(await tell(await record('a'), 'exploded')).toBe(400)
    expect(await tell(await record('a'), 'failed', 'firmware@9.9.9')).toBe(404)
    expect((await fetch(`${base}/reports`, { method: 'POST', body: 'x'.repeat(100_000) })).status).toBe(400)
    expect([...(await books.of('fleet')).installs()]).toHaveLength(1)
  })
})

describe('the brakes', () => {
  const submitted: Request[] = []
  const tick = async (heard: DeviceBooks | null = books): Promise<void> => {
    submitted.length = 0
    const submit = async (request: Request) => {
      submitted.push(request)
      world.ask(request)
    }
    await brakesTick({ ledger, books: heard, published: async () => undefined, submit, clock: () => now, log })()
  }
  const latest = () => world.state<CohortState>(cohortKey('fleet'))?.releases.at(-1)
  const alarm = () => world.log.filter(({ type }) => type.startsWith('alarm.')).map(({ type }) => type)

  it('halt a release when more installs fail than they allow, and say so; a person lets it go on', async () => {
    world = fleet({ kind: 'everybody' })
    for (const name of ['a', 'b', 'c']) await statusOf(name)
    await tell(await record('a'), 'failed')
    await tick()
    expect(latest()?.phase.halted).toBeUndefined()
    now = minute(5)
    await tell(await record('b'), 'failed')
    await tell(await record('c'), 'installed')
    await tick()
    expect(latest()?.phase.halted).toEqual({
      at: minute(5),
      reason: 'halted by itself: 2 of 3 installs that ended have failed, more than the 40 % allowed',
    })
    expect(alarm()).toEqual(['alarm.raised'])
    expect(await statusOf('d')).toBe('no_update')
    await tick()
    expect(submitted.map(({ kind }) => kind)).toEqual(['condition-seen'])

    const release = latest()
    if (!release) throw new Error('expected a release')
    const resumed = { ...release, phase: { kind: 'everybody' } as const }
    world.record([
      event(
        'channel.changed',
        { cohort: 'fleet', what: 'resume', release: resumed, reason: null, effect: null },
        { at: minute(6) },
      ),
    ])
    now = minute(7)
    await tick()
    expect(latest()?.phase.halted).toBeUndefined()
    expect(alarm()).toEqual(['alarm.raised', 'alarm.cleared'])
  })

  describe('count deployments', () => {
    const LIVE = ['integration', 'beta', 'production']
    /** 2.0.0 in three environments, with the end that each one came to. */
    const deployed = (ends: Readonly<Record<string, 'completed' | 'failed'>>, more: RecordedGiven = {}): void => {
      for (const [at, [environment, status]] of Object.entries(ends).entries()) {
        const run = { id: 70 + at, attempt: 1 }
        const of = { product: 'firmware', version: '2.0.0', repository: EDGE, environment, run }
        world.ask(recorded({ ...of, deploymentId: 900 + at, statusId: 9_000 + at, status, at: minute(1), ...more }))
      }
    }
    const made = (): void => {
      world = fleet({ kind: 'everybody' })
      const [configuration = ''] = world.documents.values()
      world.configure(configuration.replace(/ {4}gate: .*\n/, ''))
      for (const [version, commit] of [
        ['2.0.0', 'a1'],
        ['1.0.0', 'b2'],
      ] as const)
        world.ask(build({ repository: EDGE, sha: sha(commit), record: { product: 'firmware', version } }))
      now = minute(5)
    }

    it('of the version, each environment once, and halt by them', async () => {
      made()
      deployed(Object.fromEntries(LIVE.map((name) => [name, name === 'beta' ? 'completed' : 'failed'])))
      await tick()
      expect(latest()?.phase.halted?.reason).toContain('2 of 3 installs that ended have failed')
    })

    it('also where no server listens to devices', async () => {
      made()
      deployed({ integration: 'failed', beta: 'failed' })
      await tick(null)
      expect(latest()?.phase.halted?.reason).toContain('2 of 2 installs that ended have failed')
    })

    it.each<[string, () => void]>([
      [
        'of another version',
        () => deployed({ integration: 'failed', beta: 'failed' }, { version: '1.0.0', sha: sha('b2') }),
      ],
      [
        'that somebody only says',
        () => deployed({ integration: 'failed', beta: 'failed' }, { trust: 'claimed', byActions: false }),
      ],
      ['that are too few', () => deployed({ integration: 'failed' })],
      ['outside the rings', () => deployed({ laptop: 'failed', desk: 'failed' })],
    ])('but none %s', async (_, ends) => {
      made()
      ends()
      await tick()
      expect(latest()?.phase.halted).toBeUndefined()
    })
  })

  it('do not hear devices that the phase does not let in', async () => {
    world = fleet({ kind: 'count', count: 1 })
    expect(await statusOf('in')).toBe('update')
    for (const name of ['x', 'y', 'z']) await tell(await record(name), 'failed')
    await tick()
    expect(latest()?.phase.halted).toBeUndefined()
  })
})

describe('a static cohort', () => {
  it('is answered nothing while nothing is published', async () => {
    world = fleet({ kind: 'everybody' }, [])
    expect((await ask(await record('a'))).body).toMatchObject({ status: 'no_update' })
    expect(asked.at).toBe(minute(0))
  })
})
