import { join } from 'node:path'
import type { Metadata, Root, Targets } from '@tufjs/models'
import { Bundle } from '../core/cohort/schema.ts'
import { PublicKeyFile, tufKey } from '../core/manifest/keys.ts'
import { decodeMetadata, type RoleKeys } from '../core/manifest/metadata.ts'
import { bundlesRole } from '../core/manifest/names.ts'
import {
  bundlesRequest,
  type DelegationChanges,
  firstRootRequest,
  type KeyChange,
  nextRootRequest,
  targetsRequest,
} from '../core/manifest/requests.ts'
import { type Floor, SigningRequest } from '../core/manifest/schema.ts'
import {
  addSignature,
  finishRequest,
  missingSignatures,
  type OpenRequest,
  openRequest,
  requestBytes,
  requestDigest,
} from '../core/manifest/sign-request.ts'
import { trustRoot } from '../core/manifest/trusted-set.ts'
import { valueOf as unwrap } from '../core/problem.ts'
import { createKeyFile } from '../publish/key-file.ts'
import { type FileSigner, keyFileSigner } from '../publish/signer.ts'
import { type CliCommand, type CommandIo, type ExitCode, needed, readOptions, usageError } from './command.ts'
import { keysEnrol } from './enrol.ts'
import { readDocument, readInput, writeOutput } from './files.ts'

const DEFAULT_GROUP = 'main'
const OFFLINE_DAYS = 365
const BUNDLES_DAYS = 180
const MS_PER_DAY = 86_400_000

const inDays = (now: string, days: number): string => new Date(Date.parse(now) + days * MS_PER_DAY).toISOString()

function days(text: string | undefined, otherwise: number, command: CliCommand): number {
  if (text === undefined) return otherwise
  if (!/^\d{1,5}$/.test(text) || Number(text) < 1)
    throw usageError(`expected a number of days for --valid-days, found "${text.slice(0, 40)}"`, command)
  return Number(text)
}

function count(text: string | undefined, option: string, otherwise: number, command: CliCommand): number {
  if (text === undefined) return otherwise
  if (!/^\d{1,3}$/.test(text))
    throw usageError(`expected a whole number for --${option}, found "${text.slice(0, 40)}"`, command)
  return Number(text)
}

/** Signs an opened request with every key at hand. */
async function signAll(open: OpenRequest, signers: readonly FileSigner[]): Promise<OpenRequest> {
  let signed = open
  for (const signer of signers) {
    signed = unwrap(addSignature(signed, signer.keyId, await signer.sign(requestBytes(signed))), 'refused')
  }
  return signed
}

const requestText = (open: OpenRequest): string => `${JSON.stringify(open.request, null, 2)}\n`

/** Shows what a request says and who still has to sign; the exit code is 0 also while signatures are missing. */
function tellRequest(open: OpenRequest, path: string, io: CommandIo): ExitCode {
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

export const keysInit: CliCommand = {
  name: 'keys init',
  usage:
    'ringmaster keys init --offline DIR --bundles DIR --online DIR --out DIR [--cohort ID]… [--group NAME] [--keys N] [--threshold N] [--valid-days N]',
  summary: 'Make the keys of a new publication, its first root, and targets with the delegations.',
  async run(args, io) {
    const { values } = readOptions(keysInit, args, {
      offline: { type: 'string' },
      bundles: { type: 'string' },
      online: { type: 'string' },
      out: { type: 'string' },
      cohort: { type: 'string', multiple: true },
      group: { type: 'string' },
      keys: { type: 'string' },
      threshold: { type: 'string' },
      'valid-days': { type: 'string' },
    })
    const offline = needed(values.offline, 'offline', keysInit)
    const bundlesDir = needed(values.bundles, 'bundles', keysInit)
    const online = needed(values.online, 'online', keysInit)
    const out = needed(values.out, 'out', keysInit)
    const group = values.group ?? DEFAULT_GROUP
    const number = count(values.keys, 'keys', 3, keysInit)
    const threshold = count(values.threshold, 'threshold', 2, keysInit)
    if (number < threshold)
      throw usageError(`expected at least as many keys as the threshold of ${threshold}, found ${number}`, keysInit)
    const expires = inDays(io.now, days(values['valid-days'], OFFLINE_DAYS, keysInit))
    const several = (role: string) =>
      Promise.all(
        Array.from({ length: number }, (_, at) =>
          createKeyFile(join(offline, `${role}-${at + 1}.pem`), `${role} ${at + 1}`),
        ),
      )
    const root = await several('root')
    const targets = await several('targets')
    const bundles = await createKeyFile(join(bundlesDir, `bundles-${group}.pem`), `bundles ${group}`)
    const cohorts = await createKeyFile(join(online, 'cohorts.pem'), 'cohorts')
    const snapshot = await createKeyFile(join(online, 'snapshot.pem'), 'snapshot')
    const timestamp = await createKeyFile(join(online, 'timestamp.pem'), 'timestamp')
    const of = (signers: readonly FileSigner[], needs: number): RoleKeys => ({
      keys: signers.map(({ key }) => key),
      threshold: needs,
    })
    const roles = {
      root: of(root, threshold),
      targets: of(targets, threshold),
      snapshot: of([snapshot], 1),
      timestamp: of([timestamp], 1),
    }
    const rootOpen = await signAll(unwrap(openRequest(unwrap(firstRootRequest(roles, expires)))), root)
    const rootBytes = unwrap(finishRequest(rootOpen))
    const trusted = unwrap(trustRoot(rootBytes, Date.parse(io.now)))
    const request = targetsRequest(
      trusted.root,
      undefined,
      {
        addGroups: [{ group, ...of([bundles], 1) }],
        addCohorts: (values.cohort ?? []).map((cohort) => ({ cohort, ...of([cohorts], 1) })),
      },
      expires,
    )
    const targetsOpen = await signAll(unwrap(openRequest(unwrap(request))), targets)
    await writeOutput(join(out, '1.root.json'), rootBytes)
    await writeOutput(join(out, 'targets.request.json'), requestText(targetsOpen))
    if (io.json)
      io.out(
        JSON.stringify({
          root: join(out, '1.root.json'),
          targets: join(out, 'targets.request.json'),
          offline,
          bundles: bundlesDir,
          online,
        }),
      )
    else for (const line of initSummary({ offline, bundles: bundlesDir, online, out, number, threshold })) io.out(line)
    return 0
  },
}

const initSummary = (made: {
  offline: string
  bundles: string
  online: string
  out: string
  number: number
  threshold: number
}): string[] => [
  `${made.offline}: ${made.number} root and ${made.number} targets keys, ${made.threshold} of each sign. Give each to another person and take them off this machine.`,
  `${made.bundles}: the key that signs bundles after sign-off. The App never holds it.`,
  `${made.online}: the keys of the App: cohorts, snapshot, timestamp.`,
  `${join(made.out, '1.root.json')}: build it into every device.`,
  `${join(made.out, 'targets.request.json')}: signed; publish it with the first publication.`,
]

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

/** A signing request from a file, opened. */
export const readRequest = async (path: string): Promise<OpenRequest> =>
  unwrap(openRequest(await readDocument(path, SigningRequest, 'a signing request')), 'refused')

export const keysRotate: CliCommand = {
  name: 'keys rotate',
  usage:
    'ringmaster keys rotate ROLE --root FILE [--targets FILE] [--add PUBLIC]… [--remove PUBLIC|KEYID]… [--threshold N] [--valid-days N] --out REQUEST',
  summary: 'Ask for a root or targets with other keys for one role, or only with a later expiry.',
  async run(args, io) {
    const { values, positionals } = readOptions(keysRotate, args, {
      root: { type: 'string' },
      targets: { type: 'string' },
      add: { type: 'string', multiple: true },
      remove: { type: 'string', multiple: true },
      threshold: { type: 'string' },
      'valid-days': { type: 'string' },
      out: { type: 'string' },
    })
    const role = positionals[0]
    if (role === undefined || positionals.length > 1) throw usageError('expected one role', keysRotate)
    const root = await readRoot(needed(values.root, 'root', keysRotate))
    const out = needed(values.out, 'out', keysRotate)
    const add = await Promise.all((values.add ?? []).map(publicKey))
    const threshold = values.threshold === undefined ? undefined : count(values.threshold, 'threshold', 1, keysRotate)
    const remove = await Promise.all((values.remove ?? []).map(keyIdOf))
    const change: KeyChange = { add, remove, threshold }
    const expires = inDays(io.now, days(values['valid-days'], OFFLINE_DAYS, keysRotate))
    const request = isTopRole(role)
      ? nextRootRequest(root, new Map([[role, change]]), expires)
      : targetsRequest(
          root,
          await readTargets(needed(values.targets, 'targets', keysRotate), 'targets'),
          { keys: new Map([[role, change]]) },
          expires,
        )
    return writeRequest(unwrap(request, 'refused'), out, io)
  },
}

const TOP = ['root', 'targets', 'snapshot', 'timestamp'] as const
const isTopRole = (role: string): role is (typeof TOP)[number] => TOP.some((name) => name === role)

export const keysCohorts: CliCommand = {
  name: 'keys cohorts',
  usage:
    'ringmaster keys cohorts --root FILE --targets FILE [--add ID]… [--retire ID]… [--key PUBLIC] [--valid-days N] --out REQUEST',
  summary: 'Ask for targets with new cohorts, or with some retired for ever.',
  async run(args, io) {
    const { values } = readOptions(keysCohorts, args, {
      root: { type: 'string' },
      targets: { type: 'string' },
      add: { type: 'string', multiple: true },
      retire: { type: 'string', multiple: true },
      key: { type: 'string' },
      'valid-days': { type: 'string' },
      out: { type: 'string' },
    })
    const root = await readRoot(needed(values.root, 'root', keysCohorts))
    const targets = await readTargets(needed(values.targets, 'targets', keysCohorts), 'targets')
    const out = needed(values.out, 'out', keysCohorts)
    const adding = values.add ?? []
    const key = adding.length === 0 ? undefined : await publicKey(needed(values.key, 'key', keysCohorts))
    const changes: DelegationChanges = {
      addCohorts: key === undefined ? [] : adding.map((cohort) => ({ cohort, keys: [tufKey(key)], threshold: 1 })),
      retireCohorts: values.retire ?? [],
    }
    const expires = inDays(io.now, days(values['valid-days'], OFFLINE_DAYS, keysCohorts))
    return writeRequest(unwrap(targetsRequest(root, targets, changes, expires), 'refused'), out, io)
  },
}

export const keysBundles: CliCommand = {
  name: 'keys bundles',
  usage:
    'ringmaster keys bundles --targets FILE [--previous FILE] [--group NAME] [--bundle FILE]… [--floor PRODUCT=VERSION]… [--valid-days N] --out REQUEST',
  summary: 'Ask the holders of a bundles key to sign bundles, or a lowest version still allowed.',
  async run(args, io) {
    const { values } = readOptions(keysBundles, args, {
      targets: { type: 'string' },
      previous: { type: 'string' },
      group: { type: 'string' },
      bundle: { type: 'string', multiple: true },
      floor: { type: 'string', multiple: true },
      'valid-days': { type: 'string' },
      out: { type: 'string' },
    })
    const group = values.group ?? DEFAULT_GROUP
    const out = needed(values.out, 'out', keysBundles)
    const request = bundlesRequest({
      targets: await readTargets(needed(values.targets, 'targets', keysBundles), 'targets'),
      group,
      previous: values.previous === undefined ? undefined : await readTargets(values.previous, bundlesRole(group)),
      bundles: await Promise.all((values.bundle ?? []).map((path) => readDocument(path, Bundle, 'a bundle'))),
      floors: (values.floor ?? []).map(floorOf),
      expires: inDays(io.now, days(values['valid-days'], BUNDLES_DAYS, keysBundles)),
    })
    return writeRequest(unwrap(request, 'refused'), out, io)
  },
}

function floorOf(text: string): Floor {
  const cut = text.lastIndexOf('=')
  if (cut < 1) throw usageError(`expected PRODUCT=VERSION for --floor, found "${text.slice(0, 80)}"`, keysBundles)
  return { product: text.slice(0, cut), version: text.slice(cut + 1) }
}

async function writeRequest(request: SigningRequest, path: string, io: CommandIo): Promise<ExitCode> {
  const open = unwrap(openRequest(request))
  await writeOutput(path, requestText(open))
  return tellRequest(open, path, io)
}

const publicKey = async (path: string): Promise<string> =>
  (await readDocument(path, PublicKeyFile, 'a public key')).public

/** A key to take away: its public file, or its id as `keys rotate` shows it. */
const keyIdOf = async (text: string): Promise<string> =>
  text.endsWith('.json') ? tufKey(await publicKey(text)).keyID : text

async function readRoot(path: string): Promise<Metadata<Root>> {
  return unwrap(decodeMetadata('root', 'root', await metadataBytes(path)))
}

async function readTargets(path: string, role: string): Promise<Metadata<Targets>> {
  return unwrap(decodeMetadata('targets', role, await metadataBytes(path)))
}

/** The published file, or a signing request, whose metadata is the next published file. */
async function metadataBytes(path: string): Promise<Uint8Array> {
  const bytes = await readInput(path, 'a metadata file')
  if (!path.endsWith('.request.json')) return bytes
  return unwrap(finishRequest(await readRequest(path)), 'refused')
}

export const KEY_COMMANDS: readonly CliCommand[] = [
  keysInit,
  keysCreate,
  keysShow,
  keysSign,
  keysRotate,
  keysCohorts,
  keysBundles,
  keysEnrol,
]
