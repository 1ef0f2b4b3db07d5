import { describe, expect, it } from '@jest/globals'
import type { Metadata, Targets } from '@tufjs/models'
import { bundlesRequest } from '../../../src/core/manifest/bundles-request.ts'
import { firstRootRequest, nextRootRequest } from '../../../src/core/manifest/requests.ts'
import { addSignature, finishRequest, missingSignatures, openRequest } from '../../../src/core/manifest/sign-request.ts'
import { targetsRequest } from '../../../src/core/manifest/targets-request.ts'
import { trustRoot } from '../../../src/core/manifest/trusted-set.ts'
import { unwrap } from '../../../src/core/problem.ts'
import { aBundle, keysOf, newSigner, signed } from '../../device/fleet.ts'

const EXPIRES = '2027-11-20T00:00:00Z'
const root = [newSigner(), newSigner(), newSigner()]
const targets = [newSigner(), newSigner()]
const online = newSigner()
const roles = {
  root: keysOf(root, 2),
  targets: keysOf(targets, 2),
  snapshot: keysOf([online], 1),
  timestamp: keysOf([online], 1),
}
const first = async () =>
  unwrap(trustRoot(unwrap(finishRequest(await signed(unwrap(firstRootRequest(roles, EXPIRES)), root.slice(0, 2)))), 0))
    .root
const hex = (signer: typeof online) => signer.key.keyVal['public'] ?? ''
const codes = (checked: { ok: boolean; problems?: readonly { code: string }[] }) =>
  (checked.problems ?? []).map(({ code }) => code)

describe('the keys of offline roles', () => {
  it.each([
    ['a threshold of one', { ...roles, root: keysOf(root, 1) }],
    ['fewer keys than signatures', { ...roles, targets: keysOf(targets.slice(0, 1), 2) }],
    ['the same key twice', { ...roles, targets: keysOf([targets[0]!, targets[0]!], 2) }],
    ['no whole threshold', { ...roles, root: keysOf(root, 2.5) }],
  ])('refuse %s', (_name, wrong) => {
    expect(codes(firstRootRequest(wrong, EXPIRES))).toContain('threshold-low')
  })

  it('refuse a change that leaves too few, and the removal of a key that is not there', async () => {
    const remove = new Map([['targets' as const, { add: [], remove: [targets[0]!.keyId] }]])
    expect(codes(nextRootRequest(await first(), remove, EXPIRES))).toEqual(['threshold-low'])
    const unknown = new Map([['targets' as const, { add: [], remove: ['ffffffffff'] }]])
    expect(codes(nextRootRequest(await first(), unknown, EXPIRES))).toEqual(['key-unknown'])
  })
})

describe('a next root', () => {
  it('waits for the holders of the old keys and of the new ones', async () => {
    const fresh = newSigner()
    const change = new Map([
      ['root' as const, { add: [hex(fresh)], remove: [root[0]!.keyId, root[1]!.keyId], threshold: 2 }],
    ])
    const request = unwrap(nextRootRequest(await first(), change, EXPIRES))
    const byNew = await signed(request, [root[2]!, fresh])
    expect(missingSignatures(byNew)).toEqual([expect.objectContaining({ by: 'root version 1', missing: 1 })])
    expect(codes(finishRequest(byNew))).toEqual(['metadata-unsigned'])
    const complete = await signed(byNew.request, [root[0]!])
    expect(finishRequest(complete).ok).toBe(true)
  })
})

describe('a signature', () => {
  const request = () => unwrap(firstRootRequest(roles, EXPIRES))

  it('by a key that no authority names is refused', () => {
    const stranger = newSigner()
    expect(codes(addSignature(unwrap(openRequest(request())), stranger.keyId, new Uint8Array(64)))).toEqual([
      'key-unknown',
    ])
  })

  it('that is not one counts for nothing', () => {
    const open = unwrap(addSignature(unwrap(openRequest(request())), root[0]!.keyId, new Uint8Array(64)))
    expect(missingSignatures(open)).toMatchObject([{ missing: 2 }])
  })

  it('given twice by one holder counts once', async () => {
    expect(missingSignatures(await signed(request(), [root[0]!, root[0]!]))).toMatchObject([{ missing: 1 }])
  })
})

describe('a request for bundles', () => {
  const bundles = newSigner()
  const delegated = async () => {
    const groups = { addGroups: [{ group: 'main', ...keysOf([bundles], 1) }] }
    return (await signed(unwrap(targetsRequest(await first(), undefined, groups, EXPIRES)), targets))
      .metadata as Metadata<Targets>
  }
  const ask = async (options: Partial<Parameters<typeof bundlesRequest>[0]>) =>
    bundlesRequest({
      targets: await delegated(),
      group: 'main',
      previous: undefined,
      bundles: [],
      expires: EXPIRES,
      ...options,
    })

  it('shows the signer each new bundle and every floor', async () => {
    const request = unwrap(
      await ask({ bundles: [aBundle('2.0.0')], floors: [{ product: 'Gateway', version: '1.0.0' }] }),
    )
    const { lines } = unwrap(openRequest(request))
    expect(lines.join('\n')).toContain('new bundle "Gateway" "2.0.0"')
    expect(lines.join('\n')).toContain('nothing of "Gateway" below "1.0.0"')
  })

  it('is not opened when a document was swapped', async () => {
    const request = unwrap(await ask({ bundles: [aBundle('2.0.0')] }))
    const swapped = { ...request, documents: request.documents.map((document) => ({ ...document, text: '{}' })) }
    expect(codes(openRequest(swapped))).toEqual(['bundle-mismatch'])
  })

  it('keeps what was signed before, and signs nothing else under a used id', async () => {
    const previous = (await signed(unwrap(await ask({ bundles: [aBundle('1.0.0')] })), [bundles]))
      .metadata as Metadata<Targets>
    const next = unwrap(await ask({ previous, bundles: [aBundle('2.0.0')] }))
    expect(Object.keys((next.metadata['signed'] as { targets: object }).targets)).toHaveLength(2)
    const other = aBundle('1.0.0', { customerAction: 'Restart the gateway.' })
    expect(codes(await ask({ previous, bundles: [other] }))).toEqual(['bundle-mismatch'])
  })

  it('never lowers a floor', async () => {
    const at = (version: string) => [{ product: 'Gateway', version }]
    const previous = (await signed(unwrap(await ask({ floors: at('2.0.0') })), [bundles])).metadata as Metadata<Targets>
    expect(codes(await ask({ previous, floors: at('1.9.9') }))).toEqual(['request-invalid'])
    expect(codes(await ask({ previous, floors: at('2.0.0') }))).toEqual([])
    expect(codes(await ask({ previous, floors: at('soon') }))).toEqual(['request-invalid'])
  })

  it('is refused for a group that targets does not know', async () => {
    expect(codes(await ask({ group: 'other' }))).toEqual(['request-invalid'])
  })
})
