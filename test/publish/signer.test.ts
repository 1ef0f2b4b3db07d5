import { generateKeyPairSync, verify } from 'node:crypto'
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { createKeyFile } from '../../src/publish/key-file.ts'
import { keyFileSigner, signerOf } from '../../src/publish/signer.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ringmaster-keys-'))
})
afterEach(() => rm(directory, { recursive: true }))

describe('a key file', () => {
  it('is made for its owner only, with the public half beside it, and signs what its public half verifies', async () => {
    const path = join(directory, 'deep', 'k.pem')
    const made = await createKeyFile(path, 'ann')
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    const open = JSON.parse(await readFile(`${path}.pub.json`, 'utf8'))
    const signer = await keyFileSigner(path)
    expect(signer.keyId).toBe(made.keyId)
    const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), Buffer.from(open.public, 'hex')])
    const message = Buffer.from('what is signed')
    expect(verify(null, message, { key: der, format: 'der', type: 'spki' }, await signer.sign(message))).toBe(true)
  })

  it.each([0o640, 0o604, 0o620, 0o777])('with mode %o is refused with the command to run', async (mode) => {
    const path = join(directory, 'k.pem')
    await createKeyFile(path, 'ann')
    await chmod(path, mode)
    await expect(keyFileSigner(path)).rejects.toMatchObject({
      code: 'key-open',
      message: expect.stringContaining(path),
      hint: `Run: chmod 600 ${path}`,
    })
  })

  it('is never replaced', async () => {
    const path = join(directory, 'k.pem')
    await createKeyFile(path, 'ann')
    const before = await readFile(path, 'utf8')
    await expect(createKeyFile(path, 'bob')).rejects.toMatchObject({ code: 'key-exists' })
    expect(await readFile(path, 'utf8')).toBe(before)
  })

  it('that is not there is told by its path', async () => {
    await expect(keyFileSigner(join(directory, 'none.pem'))).rejects.toMatchObject({ code: 'key-missing' })
    await expect(keyFileSigner(directory)).rejects.toMatchObject({ code: 'key-missing' })
  })

  it('of another kind is refused, and its text is not repeated', async () => {
    const path = join(directory, 'k.pem')
    await writeFile(path, 'SECRET', { mode: 0o600 })
    const refusal = await keyFileSigner(path).catch((error: Error) => error)
    expect(refusal).toMatchObject({ code: 'key-invalid' })
    expect(String((refusal as Error).message)).not.toContain('SECRET')
    const rsa = generateKeyPairSync('rsa', { modulusLength: 1_024 }).privateKey.export({ type: 'pkcs8', format: 'pem' })
    expect(() => signerOf(rsa.toString(), 'a key')).toThrow('expected an ed25519 key in a key, found "rsa"')
  })
})
