import type { Metadata, Root, Targets } from '@tufjs/models'
import { PublicKeyFile, tufKey } from '../core/manifest/keys.ts'
import { decodeMetadata } from '../core/manifest/metadata.ts'
import { SigningRequest } from '../core/manifest/schema.ts'
import {
  addSignature,
  finishRequest,
  missingSignatures,
  type OpenRequest,
  openRequest,
  requestBytes,
  requestDigest,
} from '../core/manifest/sign-request.ts'
import { unwrap } from '../core/problem.ts'
import type { FileSigner } from '../publish/signer.ts'
import { type CliCommand, type CommandIo, type ExitCode, usageError } from './command.ts'
import { readDocument, readInput, writeOutput } from './files.ts'

export const DEFAULT_GROUP = 'main'
export const OFFLINE_DAYS = 365
export const BUNDLES_DAYS = 180
const MS_PER_DAY = 86_400_000

export const inDays = (now: string, days: number): string => new Date(Date.parse(now) + days * MS_PER_DAY).toISOString()

export function days(text: string | undefined, otherwise: number, command: CliCommand): number {
  if (text === undefined) return otherwise
  if (!/^\d{1,5}$/.test(text) || Number(text) < 1)
    throw usageError(`expected a number of days for --valid-days, found "${text.slice(0, 40)}"`, command)
  return Number(text)
}

export function count(text: string | undefined, option: string, otherwise: number, command: CliCommand): number {
  if (text === undefined) return otherwise
  if (!/^\d{1,3}$/.test(text))
    throw usageError(`expected a whole number for --${option}, found "${text.slice(0, 40)}"`, command)
  return Number(text)
}

/** Signs an opened request with every key at hand. */
export async function signAll(open: OpenRequest, signers: readonly FileSigner[]): Promise<OpenRequest> {
  let signed = open
  for (const signer of signers) {
    signed = unwrap(addSignature(signed, signer.keyId, await signer.sign(requestBytes(signed))), 'refused')
  }
  return signed
}

export const requestText = (open: OpenRequest): string => `${JSON.stringify(open.request, null, 2)}\n`

/** Shows what a request says and who still has to sign; the exit code is 0 also while signatures are missing. */
export function tellRequest(open: OpenRequest, path: string, io: CommandIo): ExitCode {
  const missing = missingSignatures(open)
  if (io.json) {
    io.out(
      JSON.stringify({
        request: path,
        digest: requestDigest(open),
        complete: missing.length === 0,
        missing,
        says: open.lines,
      }),
    )
    return 0
  }
  for (const line of open.lines) io.out(line)
  io.out(`digest to compare with the other holders: ${requestDigest(open)}`)
  for (const { by, missing: number, from } of missing)
    io.out(`still missing for ${by}: ${number} of ${from.join(', ')}`)
  io.out(
    missing.length === 0
      ? `${path} is complete.`
      : `${path} waits for signatures: ringmaster keys sign ${path} --key FILE`,
  )
  return 0
}

/** A signing request from a file, opened. */
export const readRequest = async (path: string): Promise<OpenRequest> =>
  unwrap(openRequest(await readDocument(path, SigningRequest, 'a signing request')), 'refused')

export async function writeRequest(request: SigningRequest, path: string, io: CommandIo): Promise<ExitCode> {
  const open = unwrap(openRequest(request))
  await writeOutput(path, requestText(open))
  return tellRequest(open, path, io)
}

export const publicKey = async (path: string): Promise<string> =>
  (await readDocument(path, PublicKeyFile, 'a public key')).public

/** A key to take away: its public file, or its id as `keys rotate` shows it. */
export const keyIdOf = async (text: string): Promise<string> =>
  text.endsWith('.json') ? tufKey(await publicKey(text)).keyID : text

export async function readRoot(path: string): Promise<Metadata<Root>> {
  return unwrap(decodeMetadata('root', 'root', await metadataBytes(path)))
}

export async function readTargets(path: string, role: string): Promise<Metadata<Targets>> {
  return unwrap(decodeMetadata('targets', role, await metadataBytes(path)))
}

/** The published file, or a signing request, whose metadata is the next published file. */
async function metadataBytes(path: string): Promise<Uint8Array> {
  const bytes = await readInput(path, 'a metadata file')
  if (!path.endsWith('.request.json')) return bytes
  return unwrap(finishRequest(await readRequest(path)), 'refused')
}
