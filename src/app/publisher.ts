import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { directoryPublication } from '../publish/directory.ts'
import { createPublisher, type Publisher, requestOf } from '../publish/publisher.ts'
import { keyFileSigner } from '../publish/signer.ts'
import type { RosterStore } from '../roster/store.ts'
import type { ServerSettings } from './environment.ts'

/** The group of bundles that `keys init` makes. */
const GROUP = 'main'

/**
 * What the server publishes with: a directory, and a keys directory with `1.root.json`, `targets.request.json` (both
 * signed offline) and the online keys under `online/`. Throws `RingmasterError` for a key file that others can read.
 */
export async function publisherOf(
  settings: NonNullable<ServerSettings['publication']>,
  roster: RosterStore | null,
  clock: () => string,
): Promise<Publisher> {
  const { directory, publicUrl, keysDirectory } = settings
  const online = join(keysDirectory, 'online')
  const files = (await readdir(online)).filter((name) => name.endsWith('.pem')).sort()
  return createPublisher({
    publication: directoryPublication(directory),
    publicUrl,
    pinnedRoot: await readFile(join(keysDirectory, '1.root.json')),
    targets: requestOf(await readFile(join(keysDirectory, 'targets.request.json'), 'utf8')),
    signers: await Promise.all(files.map((name) => keyFileSigner(join(online, name)))),
    group: GROUP,
    roster,
    clock,
  })
}
