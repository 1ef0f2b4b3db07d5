import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Updater } from 'tuf-js'
import { manifestPath } from '../../src/core/manifest/names.ts'
import type { Fleet } from './fleet.ts'

/** What an unmodified tuf-js with its own cache takes for a cohort's manifest; undefined where it finds no target. */
export async function manifestByTuf(
  fleet: Fleet,
  root: Uint8Array = fleet.root,
  cohort = 'eu',
): Promise<string | undefined> {
  const directory = join(fleet.directory, 'tuf-client')
  await mkdir(directory, { recursive: true })
  if (!(await readdir(directory)).includes('root.json')) await writeFile(join(directory, 'root.json'), root)
  const client = new Updater({
    metadataDir: directory,
    metadataBaseUrl: `${fleet.host.url}metadata`,
    targetDir: directory,
    targetBaseUrl: `${fleet.host.url}targets`,
    config: { fetchRetry: 0, fetchTimeout: 2_000 },
  })
  await client.refresh()
  const target = await client.getTargetInfo(manifestPath(cohort))
  return target && readFile(await client.downloadTarget(target), 'utf8')
}
