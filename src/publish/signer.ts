import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import type { Key } from '@tufjs/models'
import { tufKey } from '../core/manifest/keys.ts'
import { quoted, RingmasterError } from '../core/problem.ts'

/** One key that can sign: a file here, a key management service elsewhere. */
export interface Signer {
  readonly keyId: string
  /** The raw signature of the exact bytes. */
  sign(bytes: Uint8Array): Promise<Uint8Array>
}

export interface FileSigner extends Signer {
  readonly key: Key
}

const OPEN_TO_OTHERS = 0o077

/**
 * A signer over an ed25519 key file (PEM, PKCS#8). Refuses a file that group or others can read, whatever it holds:
 * what was open once is known to others.
 */
export async function keyFileSigner(path: string): Promise<FileSigner> {
  const mode = await modeOf(path)
  if ((mode & OPEN_TO_OTHERS) !== 0) {
    throw refusal(
      'key-open',
      `expected the key file ${path} readable by its owner only, found mode ${octal(mode)}`,
      `Run: chmod 600 ${shellQuoted(path)}`,
    )
  }
  return signerOf(await readFile(path, 'utf8'), path)
}

/** A signer over PEM text, such as a secret of the App. `name` is for messages. */
export function signerOf(pem: string, name: string): FileSigner {
  const privateKey = parse(pem, name)
  const key = tufKey(publicHexOf(privateKey))
  return { key, keyId: key.keyID, sign: async (bytes) => sign(null, bytes, privateKey) }
}

function parse(pem: string, name: string): KeyObject {
  const hint = 'Make one with `ringmaster keys create`, or with `openssl genpkey -algorithm ed25519`.'
  try {
    const key = createPrivateKey({ key: pem, format: 'pem' })
    if (key.asymmetricKeyType === 'ed25519') return key
    throw refusal('key-invalid', `expected an ed25519 key in ${name}, found ${quoted(key.asymmetricKeyType)}`, hint)
  } catch (error) {
    if (error instanceof RingmasterError) throw error
    // The parser's own message can quote the text, which is a secret.
    throw refusal(
      'key-invalid',
      `expected an ed25519 private key (PEM, PKCS#8) in ${name}, found something unreadable`,
      hint,
    )
  }
}

/** The 32 public bytes of an ed25519 key as hexadecimal digits: the end of its SPKI form. */
export const publicHexOf = (key: KeyObject): string =>
  createPublicKey(key).export({ type: 'spki', format: 'der' }).subarray(-32).toString('hex')

async function modeOf(path: string): Promise<number> {
  try {
    const found = await stat(path)
    if (!found.isFile())
      throw refusal(
        'key-missing',
        `expected a key file at ${path}, found no regular file`,
        'Give the path of the file itself.',
      )
    return found.mode & 0o777
  } catch (error) {
    if (error instanceof RingmasterError) throw error
    throw refusal(
      'key-missing',
      `expected a key file at ${path}, found none that can be read`,
      'Check the path and who may read it.',
    )
  }
}

const octal = (mode: number): string => `0${mode.toString(8)}`
const shellQuoted = (path: string): string => (/^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`)
const refusal = (code: string, message: string, hint: string) =>
  new RingmasterError('bad-input', { code, message, hint })
