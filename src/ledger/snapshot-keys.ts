import { canonicalJson, sha256 } from '../core/json.ts'
import { encodeStored } from './codec.ts'
import { bytesOfKey, encodeKeys, type KeptKey, keptAfter, keyFilePath, keyPagePath, type NewKey } from './keys.ts'
import { covering, freePrefix, partition, placeOf } from './prefixes.ts'
import { type KeptKeys, type KeyPage, type KeyRange, SCHEMA_VERSION } from './schema.ts'
import { grouped, homePrefix, type Rewriting } from './snapshot-changes.ts'

/** Every append looks into one file of event keys and its page. */
const SPLIT_KEY_BYTES = 8 * 1024
/** What has lapsed is taken away little by little, so that no commit becomes large by it. */
const LAPSED_PAGES_A_SNAPSHOT = 2

const placeOfKey = ({ place }: KeptKey): string => place

/** Puts new keys into a file, takes the lapsed ones out, splits it when it has grown; returns what takes its place. */
async function rewriteKeyFile(
  { reader, changes }: Rewriting,
  { prefix, stored, since }: KeyPlace,
  added: readonly KeptKey[],
): Promise<KeyRange[]> {
  const before = stored ? await reader.keysOf(stored) : []
  if (stored) {
    changes.remove(keyFilePath(stored.prefix))
    reader.forget([stored])
  }
  const keys = [...before.filter(({ seq }) => seq >= since), ...added]
  const leaves = partition(keys, prefix, { place: placeOfKey, bytes: bytesOfKey, maxBytes: SPLIT_KEY_BYTES })
  return leaves.map((leaf) => {
    const bytes = encodeKeys(leaf.items)
    const last = leaf.items.reduce((newest, { seq }) => Math.max(newest, seq), 1)
    const file = { path: keyFilePath(leaf.prefix), digest: sha256(bytes) }
    changes.write(file.path, bytes)
    reader.remember([file], bytes, bytes.length)
    return { prefix: leaf.prefix, digest: file.digest, last }
  })
}

interface KeyPlace {
  readonly prefix: string
  readonly stored: KeyRange | undefined
  /** Keys of events before this one have lapsed. */
  readonly since: number
}

async function rewriteKeyPage(
  rewriting: Rewriting,
  { prefix, stored, since }: KeyPlace,
  added: readonly KeptKey[],
): Promise<KeyRange[]> {
  const { reader, changes } = rewriting
  const before = stored ? await reader.keyFilesOf(stored) : []
  if (stored) {
    changes.remove(keyPagePath(stored.prefix))
    reader.forget([stored])
  }
  const targets = grouped(added, ({ place }) => covering(before, place)?.prefix ?? homePrefix(before, prefix, place))
  const rewritten = await Promise.all(
    [...targets].map(([target, keys]) => {
      const file = before.find((entry) => entry.prefix === target)
      return rewriteKeyFile(rewriting, { prefix: target, stored: file, since }, keys)
    }),
  )
  const untouched = before.filter((file) => !targets.has(file.prefix))
  for (const file of untouched) if (file.last < since) changes.remove(keyFilePath(file.prefix))
  const files = [...untouched.filter((file) => file.last >= since), ...rewritten.flat()]
  const sorted = files.sort((a, b) => (a.prefix < b.prefix ? -1 : 1))
  const bytes = (file: KeyRange) => Buffer.byteLength(canonicalJson(file)) + 1
  const leaves = partition(sorted, prefix, { place: (file) => file.prefix, bytes, maxBytes: SPLIT_KEY_BYTES })
  return leaves.map((leaf) => {
    const page: KeyPage = { schemaVersion: SCHEMA_VERSION, prefix: leaf.prefix, files: [...leaf.items] }
    const encoded = encodeStored(page)
    const written = { path: keyPagePath(leaf.prefix), digest: sha256(encoded) }
    changes.write(written.path, encoded)
    reader.remember([written], page.files, encoded.length)
    return { prefix: leaf.prefix, digest: written.digest, last: Math.max(...page.files.map((file) => file.last)) }
  })
}

/** Puts the keys of new events into the files of recent keys and takes lapsed ones out; returns what is kept then. */
export async function rewriteKeys(
  rewriting: Rewriting,
  added: readonly (NewKey | KeptKey)[],
  at: { readonly seq: number; readonly now: string },
): Promise<KeptKeys> {
  const before = rewriting.reader.index.keys
  const { since, marks } = keptAfter(before, at)
  const keys = added
    .filter(({ seq }) => seq >= since)
    .map((kept) => ('place' in kept ? kept : { place: placeOf(kept.key), seq: kept.seq }))
  const byPage = grouped(keys, ({ place }) => covering(before.pages, place)?.prefix ?? freePrefix(before.pages, place))
  const lapsed = before.pages.filter(({ prefix, last }) => last < since && !byPage.has(prefix))
  for (const { prefix } of lapsed.slice(0, LAPSED_PAGES_A_SNAPSHOT)) byPage.set(prefix, [])
  const rewritten = await Promise.all(
    [...byPage].map(([prefix, items]) => {
      const stored = before.pages.find((page) => page.prefix === prefix)
      return rewriteKeyPage(rewriting, { prefix, stored, since }, items)
    }),
  )
  const untouched = before.pages.filter(({ prefix }) => !byPage.has(prefix))
  return { since, marks, pages: [...untouched, ...rewritten.flat()].sort((a, b) => (a.prefix < b.prefix ? -1 : 1)) }
}
