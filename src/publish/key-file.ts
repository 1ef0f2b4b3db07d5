import { generateKeyPairSync } from 'node:crypto'
import { mkdir, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { PublicKeyFile } from '../core/manifest/keys.ts'
import { RingmasterError } from '../core/problem.ts'
import { type FileSigner, signerOf } from './signer.ts'

/**
 * Makes a new ed25519 key file (PEM, PKCS#8, mode 0600) with its public half beside it (`.pub.json`). Never replaces a
 * file: a key that is overwritten is a key that is lost.
 */
export async function createKeyFile(path: string, label: string): Promise<FileSigner> {
  const { privateKey } = generateKeyPairSync('ed25519')
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const signer = signerOf(pem, path)
  const publicFile: PublicKeyFile = {
    schema: 'ringmaster/public-key/1',
    keytype: 'ed25519',
    scheme: 'ed25519',
    public: signer.key.keyVal['public'] ?? '',
    label,
  }
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  await writeNew(path, pem, 0o600)
  await writeNew(`${path}.pub.json`, `${JSON.stringify(publicFile, null, 2)}\n`, 0o644)
  return signer
}

async function writeNew(path: string, text: string, mode: number): Promise<void> {
  try {
    const handle = await open(path, 'wx', mode)
    try {
      // The mode given to open is narrowed by the umask, never widened; a key must not depend on it.
      await handle.chmod(mode)
      await handle.writeFile(text)
      await handle.sync()
    } finally {
      await handle.close()
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const found = code === 'EEXIST' ? 'that it exists already' : (code ?? 'trouble')
    throw new RingmasterError(
      'bad-input',
      {
        code: 'key-exists',
        message: `expected to write the new file ${path}, found ${found}`,
        hint: 'Choose another place; keys are never overwritten.',
      },
      { cause: error },
    )
  }
}
