import { createKeyFile } from '../publish/key-file.ts'
import { keyFileSigner } from '../publish/signer.ts'
import { type CliCommand, readOptions, usageError } from './command.ts'
import { keysEnrol } from './enrol.ts'
import { writeOutput } from './files.ts'
import { keysInit } from './keys-init.ts'
import { keysFinish, keysInitPublic } from './keys-public.ts'
import { keysBundles, keysCohorts, keysRotate } from './keys-request.ts'
import { readRequest, requestText, signAll, tellRequest } from './request-files.ts'

export { readRequest } from './request-files.ts'

export const keysCreate: CliCommand = {
  name: 'keys create',
  usage: 'ringmaster keys create FILE [--label TEXT]',
  summary: 'Make one key; its public half, to hand over, lies beside it.',
  async run(args, io) {
    const { values, positionals } = readOptions(keysCreate, args, { label: { type: 'string' } })
    const [path, ...others] = positionals
    if (path === undefined || others.length > 0) throw usageError('expected one file to write', keysCreate)
    const { keyId } = await createKeyFile(path, (values.label ?? '').slice(0, 100))
    io.out(
      io.json
        ? JSON.stringify({ key: path, public: `${path}.pub.json`, keyId })
        : `${keyId} in ${path}; hand over ${path}.pub.json.`,
    )
    return 0
  },
}

export const keysShow: CliCommand = {
  name: 'keys show',
  usage: 'ringmaster keys show REQUEST',
  summary: 'Tell what a signing request says and who still has to sign.',
  async run(args, io) {
    const { positionals } = readOptions(keysShow, args, {})
    const path = onePath(positionals, keysShow)
    return tellRequest(await readRequest(path), path, io)
  },
}

export const keysSign: CliCommand = {
  name: 'keys sign',
  usage: 'ringmaster keys sign REQUEST --key FILE…',
  summary: 'Add signatures to a signing request, after telling what it says.',
  async run(args, io) {
    const { values, positionals } = readOptions(keysSign, args, { key: { type: 'string', multiple: true } })
    const path = onePath(positionals, keysSign)
    const files = values.key ?? []
    if (files.length === 0) throw usageError('expected the option --key, found none', keysSign)
    const open = await readRequest(path)
    const signed = await signAll(open, await Promise.all(files.map(keyFileSigner)))
    await writeOutput(path, requestText(signed))
    return tellRequest(signed, path, io)
  },
}

function onePath(positionals: readonly string[], command: CliCommand): string {
  const [path, ...others] = positionals
  if (path === undefined || others.length > 0) throw usageError('expected one signing request', command)
  return path
}

export const KEY_COMMANDS: readonly CliCommand[] = [
  keysInit,
  keysInitPublic,
  keysCreate,
  keysShow,
  keysSign,
  keysFinish,
  keysRotate,
  keysCohorts,
  keysBundles,
  keysEnrol,
]
