import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { decodeMetadata } from '../core/manifest/metadata.ts'
import type { OpenRequest } from '../core/manifest/sign-request.ts'
import { type Problem, RingmasterError } from '../core/problem.ts'
import { branchPublication, type PublicationBranch } from '../publish/branch.ts'
import { publicationAt } from '../publish/place.ts'
import { createPublisher, type Publisher, requestOf } from '../publish/publisher.ts'
import { keyFileSigner } from '../publish/signer.ts'
import type { Patience } from '../publish/verify-published.ts'
import type { RosterStore } from '../roster/store.ts'
import type { PublicationSettings } from './environment.ts'

/** The group of bundles that `keys init` makes. */
const GROUP = 'main'

/** A build may take Pages ten minutes, and its caches keep an answer for ten more. */
const PAGES_PATIENCE: Patience = { attempts: 81, waitMs: 15_000 }

export interface Surroundings {
  readonly roster: RosterStore | null
  /** The branch that Pages of a repository (`owner/name`) is built from. */
  readonly branchOf: (repository: string) => PublicationBranch
  readonly clock: () => string
}

/**
 * What the server publishes with: a place, and a keys directory with `1.root.json`, `targets.request.json` (both
 * signed offline) and the online keys under `online/`. Throws `RingmasterError` with everything that is not as it has
 * to be there, and for a key file that others can read.
 */
export async function publisherOf(
  { place, publicUrl, keysDirectory, everySeconds }: PublicationSettings,
  { roster, branchOf, clock }: Surroundings,
): Promise<Publisher> {
  const problems: Problem[] = []
  if (place.kind === 'directory' && (await isNoDirectory(place.directory))) {
    problems.push({
      code: 'setting-invalid',
      message: `expected a directory in RINGMASTER_PUBLISH_DIR, found that ${place.directory} is none`,
      hint: 'Give a directory that a web server serves; it is made where it is missing.',
    })
  }
  const { root, targets, keyFiles } = await keysIn(keysDirectory, problems)
  const decoded = decodeMetadata('root', 'root', root)
  if (problems.length > 0) throw new RingmasterError('bad-input', problems)
  if (!decoded.ok) throw unusable(join(keysDirectory, ROOT), decoded.problems)
  return createPublisher({
    publication: place.kind === 'pages' ? branchPublication(branchOf(place.repository)) : publicationAt(place, clock),
    ...(place.kind === 'pages' ? { patience: PAGES_PATIENCE } : {}),
    publicUrl,
    pinnedRoot: root,
    targets: targetsOf(targets.toString('utf8'), join(keysDirectory, TARGETS)),
    signers: await Promise.all(keyFiles.map(keyFileSigner)),
    group: GROUP,
    roster,
    clock,
    everyMs: everySeconds * 1_000,
  })
}

const ROOT = '1.root.json'
const TARGETS = 'targets.request.json'

function targetsOf(text: string, path: string): OpenRequest {
  try {
    return requestOf(text, path)
  } catch (error) {
    throw error instanceof RingmasterError ? unusable(path, error.problems) : error
  }
}

/** A damaged file is told by its path alone: what the reader of metadata hints at is a host. */
const unusable = (path: string, [first]: readonly Problem[]): RingmasterError =>
  new RingmasterError('bad-input', {
    code: 'keys-unusable',
    message: `${path} cannot be used: ${first?.message ?? ''}`,
    hint: 'Take the file again as ringmaster keys init or keys sign wrote it.',
  })

async function keysIn(keysDirectory: string, problems: Problem[]) {
  const orMissing = async <T>(name: string, what: string, read: () => Promise<T>, otherwise: T): Promise<T> => {
    try {
      return await read()
    } catch (error) {
      const found = (error as NodeJS.ErrnoException).code ?? 'trouble'
      problems.push(missingKeys(`expected ${what} at ${join(keysDirectory, name)}, found ${found}`))
      return otherwise
    }
  }
  const nothing = Buffer.alloc(0)
  const root = await orMissing(ROOT, 'the first root', () => readFile(join(keysDirectory, ROOT)), nothing)
  const targets = await orMissing(TARGETS, 'the signed targets', () => readFile(join(keysDirectory, TARGETS)), nothing)
  const online = join(keysDirectory, 'online')
  const names = await orMissing('online', 'the directory of the online keys', () => readdir(online), null)
  const keyFiles = (names ?? []).filter((name) => name.endsWith('.pem')).sort()
  if (names && keyFiles.length === 0) problems.push(missingKeys(`expected key files (.pem) in ${online}, found none`))
  return { root, targets, keyFiles: keyFiles.map((name) => join(online, name)) }
}

const missingKeys = (message: string): Problem => ({
  code: 'keys-missing',
  message,
  hint: 'RINGMASTER_KEYS_DIR is what ringmaster keys init wrote by --out, with its --online directory as online/ in it.',
})

/** A directory that is not there yet is made by the first publication. */
async function isNoDirectory(path: string): Promise<boolean> {
  try {
    return !(await stat(path)).isDirectory()
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOTDIR'
  }
}
