import { describe, expect, it } from '@jest/globals'
import {
  Bundle,
  Channel,
  DeclaredPhase,
  MAX_RELEASES,
  ManifestRelease,
  Override,
} from '../../../src/core/cohort/schema.ts'

const release = {
  id: 'R1',
  bundle: 'B',
  next: null,
  required: false,
  schedule: '2026-01-01T00:00:00Z',
  phase: { kind: 'everybody' },
}
const artifact = { name: 'fw', target: 'arm64', size: 1, sha256: 'a'.repeat(64), url: 'https://example.org/fw' }
const bundle = { id: 'B', product: 'api', version: '1.0.0', artifacts: [artifact] }
const override = { id: 'O', bundle: 'B', startsAt: '2026-01-01T00:00:00Z', salt: 's' }

const pathsOf = (
  schema: { safeParse: (raw: unknown) => { error?: { issues: { path: PropertyKey[] }[] } | undefined } },
  raw: unknown,
) => schema.safeParse(raw).error?.issues.map(({ path }) => path.join('.')) ?? []

describe('a phase in a configuration is strict', () => {
  it.each([
    [{ kind: 'share', share: '1.5' }, ['share']],
    [{ kind: 'share', share: '-0.1' }, ['share']],
    [{ kind: 'share', share: 0.5 }, ['share']],
    [{ kind: 'share', share: '100' }, ['share']],
    [{ kind: 'tags', tags: [] }, ['tags']],
    [{ kind: 'share', share: '0.5', tags: [] }, ['tags']],
    [{ kind: 'count', count: 1.5 }, ['count']],
    [{ kind: 'count', count: -1 }, ['count']],
    [{ kind: 'everybody', percent: 20 }, ['']],
    [{ kind: 'moon' }, ['kind']],
    [
      { kind: 'ramp', from: '0', to: '1', startsAt: '2026-01-02T00:00:00Z', endsAt: '2026-01-01T00:00:00Z' },
      ['endsAt'],
    ],
  ])('%j is refused at %j', (raw, paths) => {
    expect(pathsOf(DeclaredPhase, raw)).toEqual(paths)
  })
})

describe('a channel', () => {
  it('of ten thousand releases is refused by name', () => {
    const releases = Array.from({ length: 10_000 }, (_, at) => ({ ...release, id: `R${at}` }))
    expect(releases.length).toBeGreaterThan(MAX_RELEASES)
    expect(pathsOf(Channel, { cohort: 'eu', releases })).toEqual(['releases'])
  })

  it('names a repeated id and a requirement in neither syntax', () => {
    const releases = [release, { ...release, requirement: 'newest' }]
    expect(pathsOf(Channel, { cohort: 'eu', releases })).toEqual(['releases.1.id', 'releases.1.requirement'])
  })

  it('reads requirements in the dialect of the cohort', () => {
    const releases = [{ ...release, requirement: '^1.2.0' }]
    expect(pathsOf(Channel, { cohort: 'eu', requirementDialect: 'npm', releases })).toEqual([])
    expect(pathsOf(Channel, { cohort: 'eu', releases })).toEqual(['releases.0.requirement'])
  })
})

describe('a manifest', () => {
  it('loses no release to a phase that it cannot read', () => {
    const { phase: _, ...rest } = release
    expect(pathsOf(ManifestRelease, { ...release, phase: { kind: 'moon' }, later: 1 })).toEqual([])
    expect(pathsOf(ManifestRelease, rest)).toEqual([])
  })
})

describe('a bundle', () => {
  it.each([
    [{ ...bundle, artifacts: [] }, ['artifacts']],
    [{ ...bundle, artifacts: [artifact, artifact] }, ['artifacts.1']],
    [{ ...bundle, artifacts: [{ ...artifact, sha256: 'A'.repeat(64) }] }, ['artifacts.0.sha256']],
    [{ ...bundle, artifacts: [{ ...artifact, url: 'file:///etc/passwd' }] }, ['artifacts.0.url']],
    [{ ...bundle, artifacts: [{ ...artifact, size: -1 }] }, ['artifacts.0.size']],
    [
      { ...bundle, artifacts: [{ ...artifact, customMetadata: { x: 'y'.repeat(1_000_000) } }] },
      ['artifacts.0.customMetadata'],
    ],
  ])('case %# is refused at %j', (raw, paths) => {
    expect(pathsOf(Bundle, raw)).toEqual(paths)
  })

  it('may hold one name for several targets', () => {
    expect(pathsOf(Bundle, { ...bundle, artifacts: [artifact, { ...artifact, target: 'x86_64' }] })).toEqual([])
  })
})

describe('an override', () => {
  it('ends after it starts', () => {
    expect(pathsOf(Override, { ...override, endsAt: override.startsAt })).toEqual(['endsAt'])
    expect(pathsOf(Override, { ...override, endsAt: null })).toEqual([])
  })
})
