import { canonicalJson } from '../../src/core/json.ts'
import { metadataFile } from '../../src/core/manifest/names.ts'
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

type Signers = Record<'role' | 'snapshot' | 'timestamp', FileSigner>

/**
 * Answers with a publication in which a role was signed anew by a key, under a snapshot and a timestamp that are rightly
 * signed: what a thief of all online keys can do who holds the host, too.
 */
export async function forgePublication(fleet: Fleet, role: string, signers: Signers): Promise<void> {
  const read = async (path: string) => JSON.parse(Buffer.from(await fleet.read(path)).toString('utf8')).signed
  const sealed = async (signed: object, key: FileSigner): Promise<Uint8Array> => {
    const sig = Buffer.from(await key.sign(Buffer.from(canonicalJson(signed), 'utf8'))).toString('hex')
    return Buffer.from(JSON.stringify({ signed, signatures: [{ keyid: key.keyId, sig }] }), 'utf8')
  }
  const timestamp = await read('metadata/timestamp.json')
  const snapshotVersion: number = timestamp.meta['snapshot.json'].version
  const snapshot = await read(metadataFile('snapshot', snapshotVersion))
  const version: number = snapshot.meta[`${role}.json`].version
  const forged = { ...(await read(metadataFile(role, version))), version: version + 1 }
  fleet.host.answer(metadataFile(role, version + 1), await sealed(forged, signers.role))
  const meta = { ...snapshot.meta, [`${role}.json`]: { version: version + 1 } }
  const nextSnapshot = { ...snapshot, version: snapshotVersion + 1, meta }
  fleet.host.answer(metadataFile('snapshot', snapshotVersion + 1), await sealed(nextSnapshot, signers.snapshot))
  const pointer = { 'snapshot.json': { version: snapshotVersion + 1 } }
  const nextTimestamp = { ...timestamp, version: timestamp.version + 1, meta: pointer }
  fleet.host.answer('metadata/timestamp.json', await sealed(nextTimestamp, signers.timestamp))
}
