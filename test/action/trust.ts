import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { KEY_COMMANDS } from '../../src/cli/keys.ts'
import { aBundle, aRelease } from '../device/fleet.ts'

/** When the clock of a staged step stands. */
export const STAGED_NOW = '2026-01-01T00:00:00.000Z'

/** What a repository that publishes by workflow holds, and the secret beside it. */
export interface Trust {
  /** The online keys as people paste them: one after the other. */
  readonly onlineKeys: string
  /** Writes a channel file of these versions below `channels/`. */
  channel(name: string, versions: readonly string[], changes?: object): Promise<string>
}

/** Makes keys and signed requests in a workspace: `trust/`, with the bundles of these versions. */
export async function makeTrust(workspace: string, versions: readonly string[]): Promise<Trust> {
  const at = (...parts: string[]) => join(workspace, ...parts)
  const run = async (name: string, ...args: string[]) => {
    const io = { out: () => {}, err: () => {}, json: false, env: {}, now: STAGED_NOW }
    await KEY_COMMANDS.find((command) => command.name === name)?.run(args, io)
  }
  await mkdir(at('channels'), { recursive: true })
  const places = ['offline', 'bundles', 'online'].flatMap((kind) => [`--${kind}`, at('keys', kind)])
  await run('keys init', ...places, '--out', at('trust'), '--cohort', 'eu')
  for (const version of versions) await writeFile(at(`${version}.json`), JSON.stringify(aBundle(version)))
  const bundles = versions.flatMap((version) => ['--bundle', at(`${version}.json`)])
  const request = at('trust/bundles-1.request.json')
  await run('keys bundles', '--targets', at('trust/targets.request.json'), ...bundles, '--out', request)
  await run('keys sign', request, '--key', at('keys/bundles/bundles-main.pem'))
  const pems = (await readdir(at('keys/online'))).filter((file) => file.endsWith('.pem'))
  return {
    onlineKeys: (await Promise.all(pems.map((file) => readFile(at('keys/online', file), 'utf8')))).join(''),
    async channel(name, offered, changes = {}) {
      const releases = offered.map((version, index) => {
        const next = offered[index + 1]
        return { ...aRelease(version), schedule: STAGED_NOW, next: next === undefined ? null : aRelease(next).id }
      })
      const source = {
        schema: 'ringmaster/channel-source/1',
        channel: { cohort: 'eu', releases },
        bundles: offered.map((version) => aBundle(version)),
        ...changes,
      }
      await writeFile(at('channels', name), JSON.stringify(source))
      return `channels/${name}`
    },
  }
}
