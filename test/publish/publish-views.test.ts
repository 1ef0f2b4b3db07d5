import { execFileSync } from 'node:child_process'
import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import type { ChannelRelease } from '../../src/core/cohort/schema.ts'
import { buildManifest } from '../../src/core/manifest/build.ts'
import type { ViewSource } from '../../src/core/manifest/views.ts'
import { unwrap } from '../../src/core/problem.ts'
import { directoryPublication } from '../../src/publish/directory.ts'
import { publishViews } from '../../src/publish/publish-views.ts'
import { signerOf } from '../../src/publish/signer.ts'
import { aBundle, aCohort, aRelease } from '../device/fleet.ts'

const OPENSSL = 'openssl'
const NOW = '2026-11-20T12:00:00Z'
const { privateKey, publicKey } = generateKeyPairSync('ed25519')
const signer = signerOf(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), 'a test key')

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ringmaster-views-'))
})
afterEach(() => rm(directory, { recursive: true }))

function sourceOf(releases: readonly ChannelRelease[]): ViewSource {
  const issue = { issuedAt: NOW, expiresAt: '2026-12-04T12:00:00Z', ledgerHead: `sha256:${'0'.repeat(64)}` }
  const manifest = unwrap(buildManifest({ ...aCohort('eu', releases), previous: undefined }, issue))
  return {
    manifest,
    bundles: new Map(releases.map(({ bundle, version = '' }) => [bundle, aBundle(version)])),
    now: NOW,
  }
}

const publishAll = async (releases: readonly ChannelRelease[]) => {
  const source = sourceOf(releases)
  return unwrap(
    await publishViews({
      publication: directoryPublication(directory),
      signer,
      cohorts: [{ source, checksums: true, graphTargets: ['arm64'] }],
      rings: [{ ring: '4', label: 'Customers', packages: [{ product: 'Gateway', source }] }],
    }),
  )
}

const text = (path: string): Promise<string> => readFile(join(directory, 'views', path), 'utf8')
const SUMS = 'cohorts/eu/SHA256SUMS'

const halved = aRelease('3.0.0', { phase: { kind: 'share', share: '0.5' } })

describe('views that are published', () => {
  it('tell how many are permitted and name nobody', async () => {
    const source = sourceOf([aRelease('2.0.0'), halved])
    const tallied = ['secret-a', 'secret-b'].map((pseudonym) => ({ pseudonym, epoch: 1, tags: ['secret-tag'] }))
    const cohorts = [{ source, checksums: false, graphTargets: [], tallied }]
    unwrap(await publishViews({ publication: directoryPublication(directory), signer, cohorts, rings: [] }))
    const told = await text('cohorts/eu/tally.json')
    const { releases, ...rest } = JSON.parse(told)
    expect(rest).toEqual({ schema: 'ringmaster/tally/1', cohort: 'eu', issuedAt: NOW })
    expect(releases[0]).toEqual({ release: 'Gateway@2.0.0', enrolled: 2, permitted: 2, left: 0 })
    expect(releases[1].permitted + releases[1].left).toBe(2)
    expect(told).not.toContain('secret')
  })

  it('lie beside each other, and the checksums are signed', async () => {
    const { files, closed } = await publishAll([aRelease('1.0.0'), aRelease('2.0.0')])
    expect(closed).toEqual([])
    expect(files.map(({ path }) => path)).toEqual([
      'views/cohorts/eu/SHA256SUMS',
      'views/cohorts/eu/SHA256SUMS.ed25519',
      'views/cohorts/eu/arm64/v1/graph',
      'views/rings/4/index.html',
      'views/rings/4/latest.json',
      expect.stringMatching(/^views\/rings\/4\/.+-arm64-latest\.html$/),
    ])
    const [sums, signature] = await Promise.all(
      [SUMS, `${SUMS}.ed25519`].map((path) => readFile(join(directory, 'views', path))),
    )
    expect(verify(null, sums!, publicKey, signature!)).toBe(true)
    expect(verify(null, Buffer.concat([sums!, Buffer.from('x')]), publicKey, signature!)).toBe(false)
    expect(JSON.parse(await text('cohorts/eu/arm64/v1/graph'))).toMatchObject({ edges: [[0, 1]] })
  })

  it('are verified by OpenSSL with the command of the documentation', async () => {
    await publishAll([aRelease('1.0.0')])
    await writeFile(
      join(directory, 'online.pub.pem'),
      createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }),
    )
    const folder = join(directory, 'views', 'cohorts', 'eu')
    const check = () =>
      execFileSync(
        OPENSSL,
        [
          'pkeyutl',
          '-verify',
          '-pubin',
          '-inkey',
          join(directory, 'online.pub.pem'),
          '-rawin',
          '-in',
          'SHA256SUMS',
          '-sigfile',
          'SHA256SUMS.ed25519',
        ],
        { cwd: folder, encoding: 'utf8', stdio: 'pipe' },
      )
    expect(check()).toContain('Verified Successfully')
    await writeFile(join(folder, 'SHA256SUMS'), 'other')
    expect(check).toThrow()
  })

  it('stop offering what a view before them offered, once the channel says more than they can', async () => {
    await publishAll([aRelease('1.0.0'), aRelease('2.0.0')])
    const withdrawn = aRelease('2.0.0', { disabled: { reason: 'bad boot' } })
    const { closed } = await publishAll([aRelease('1.0.0'), withdrawn, halved])
    expect(closed.map(({ path, problems }) => [path, problems.map(({ code }) => code)])).toEqual([
      ['views/cohorts/eu/SHA256SUMS', expect.arrayContaining(['phase-not-carried'])],
      ['views/cohorts/eu/arm64/v1/graph', ['phase-not-carried']],
    ])
    expect(await text(SUMS)).toMatch(/^[0-9a-f]{64} \*BEST-BEFORE-\d{4}-\d\d-\d\d\n$/)
    expect(JSON.parse(await text('cohorts/eu/arm64/v1/graph'))).toEqual({ nodes: [], edges: [] })
    expect(await text('rings/4/latest.json')).toContain('"version": "1.0.0"')
  })
})
