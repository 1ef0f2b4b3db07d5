import { canonicalJson } from '../../src/core/json.ts'
import type { FileSigner } from '../../src/publish/signer.ts'
import type { Fleet } from './fleet.ts'

/** The published timestamp with other members, one version on, rightly signed by a key: what its thief can do. */
export async function forgedTimestamp(
  fleet: Fleet,
  key: FileSigner,
  changes: Record<string, unknown>,
): Promise<Uint8Array> {
  const { signed } = JSON.parse(Buffer.from(await fleet.read('metadata/timestamp.json')).toString('utf8'))
  const forged = { ...signed, version: signed.version + 1, ...changes }
  const sig = Buffer.from(await key.sign(Buffer.from(canonicalJson(forged), 'utf8'))).toString('hex')
  return Buffer.from(JSON.stringify({ signed: forged, signatures: [{ keyid: key.keyId, sig }] }), 'utf8')
}
