import { describe, expect, it } from '@jest/globals'
import {
  buildManifest,
  bundleDocument,
  encodeManifest,
  parseManifest,
  referenceTo,
} from '../../../src/core/manifest/build.ts'
import { unwrap } from '../../../src/core/problem.ts'
import { aBundle, aCohort, aRelease } from '../../device/fleet.ts'

const issue = {
  issuedAt: '2026-11-20T12:00:00Z',
  expiresAt: '2026-12-01T00:00:00Z',
  ledgerHead: `sha256:${'1'.repeat(64)}`,
}
const state = (changes = {}) => ({
  ...aCohort('eu', [aRelease('1.0.0'), aRelease('2.0.0')]),
  previous: undefined,
  ...changes,
})

describe('a manifest', () => {
  it('has the same bytes for the same state, and reads back as it was', () => {
    const manifest = unwrap(buildManifest(state(), issue))
    expect(encodeManifest(unwrap(buildManifest(state(), issue)))).toEqual(encodeManifest(manifest))
    expect(unwrap(parseManifest(JSON.parse(Buffer.from(encodeManifest(manifest)).toString('utf8'))))).toEqual(manifest)
  })

  it('names each bundle by the digest of its document, and only bundles that it offers', () => {
    const extra = [...state().bundles, { bundle: aBundle('9.9.9'), group: 'main' }]
    const manifest = unwrap(buildManifest(state({ bundles: extra }), issue))
    expect(manifest.bundles).toEqual([aBundle('1.0.0'), aBundle('2.0.0')].map((bundle) => referenceTo(bundle, 'main')))
    expect(manifest.bundles[0]?.size).toBe(bundleDocument(aBundle('1.0.0')).length)
  })

  it('keeps the salt of a release that was published, whatever is proposed', () => {
    const phased = (salt: string, previous: unknown) =>
      state({
        ...aCohort('eu', [aRelease('1.0.0', { phase: { kind: 'share', share: '0.5' } })]),
        salts: new Map([['Gateway@1.0.0', salt]]),
        previous,
      })
    const first = unwrap(buildManifest(phased('one', undefined), issue))
    const second = unwrap(buildManifest(phased('two', first), issue))
    expect(second.releases[0]?.phase).toMatchObject({ salt: 'one' })
  })

  it('says everything that is wrong at once', () => {
    const wrong = state({
      bundles: [],
      entryRelease: 'none',
      channel: { ...state().channel, releases: [aRelease('1.0.0', { phase: { kind: 'count', count: 3 } })] },
    })
    const built = buildManifest(wrong, { ...issue, expiresAt: issue.issuedAt })
    expect(built.ok ? [] : built.problems.map(({ code }) => code)).toEqual([
      'bundle-unknown',
      'release-unknown',
      'expiry-invalid',
      'roster-needed',
    ])
  })

  it.each<[string, ReturnType<typeof aRelease>[], string]>([
    [
      'a circle',
      [aRelease('1.0.0', { next: 'Gateway@2.0.0' }), aRelease('2.0.0', { next: 'Gateway@1.0.0' })],
      'acyclic',
    ],
    ['two ends', [aRelease('1.0.0', { next: null }), aRelease('2.0.0', { next: null })], 'zero-to-one-sinks'],
    ['a way to nowhere', [aRelease('1.0.0', { next: 'Gateway@9.0.0' }), aRelease('2.0.0')], 'invalid-graph'],
    ['one release twice', [aRelease('1.0.0', { next: null }), aRelease('1.0.0', { next: null })], 'field:id'],
    [
      'a phase before the latest release',
      [aRelease('1.0.0', { next: 'Gateway@2.0.0', phase: { kind: 'tags', tags: ['a'] } }), aRelease('2.0.0')],
      'only-sinks-constrain-availability',
    ],
  ])('is not made of a channel with %s', (_name, releases, code) => {
    const made = state()
    const built = buildManifest({ ...made, channel: { ...made.channel, releases } }, issue)
    expect(built.ok ? [] : built.problems).toContainEqual(expect.objectContaining({ code, path: 'channel.releases' }))
  })

  it('is refused with the names of the fields that do not fit', () => {
    const manifest = unwrap(buildManifest(state(), issue))
    const read = parseManifest({
      ...manifest,
      issuedAt: 'yesterday',
      bundles: [{ ...manifest.bundles[0], path: '../../etc/passwd' }],
    })
    expect(read.ok ? [] : read.problems.map(({ path }) => path)).toEqual(['issuedAt', 'bundles.0.path'])
  })

  it('reads on when a phase is malformed and when there are members that it does not know', () => {
    const manifest = unwrap(buildManifest(state(), issue))
    const releases = manifest.releases.map((release) => ({ ...release, phase: { kind: 'lottery' } }))
    expect(parseManifest({ ...manifest, releases, mood: 'good' }).ok).toBe(true)
  })
})
