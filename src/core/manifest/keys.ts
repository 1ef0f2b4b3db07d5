import { Key } from '@tufjs/models'
import { z } from 'zod'
import { canonicalJson, sha256 } from '../json.ts'

/** The public half of a signing key, as it travels by file between the people of a ceremony. */
export const PublicKeyFile = z.strictObject({
  schema: z.literal('ringmaster/public-key/1'),
  keytype: z.literal('ed25519'),
  scheme: z.literal('ed25519'),
  /** 32 bytes as lower-case hexadecimal digits. */
  public: z.string().regex(/^[0-9a-f]{64}$/),
  /** Who holds it, for people only. */
  label: z.string().max(100).optional(),
})
export type PublicKeyFile = z.infer<typeof PublicKeyFile>

/** An ed25519 key of TUF; its id is the SHA-256 of its canonical form, so that one key can never count twice. */
export function tufKey(publicHex: string): Key {
  const form = { keytype: 'ed25519', scheme: 'ed25519', keyval: { public: publicHex } }
  return new Key({
    keyID: sha256(canonicalJson(form)).slice(7),
    keyType: form.keytype,
    scheme: form.scheme,
    keyVal: form.keyval,
  })
}
