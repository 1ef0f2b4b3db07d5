import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { publisherOf } from '../../src/app/publisher.ts'
import { keysInit } from '../../src/cli/keys-init.ts'
import { RingmasterError } from '../../src/core/problem.ts'
import type { PublicationBranch } from '../../src/publish/branch.ts'

const clock = () => '2026-11-20T12:00:00.000Z'
let directory = ''
let count = 0

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ringmaster-keys-'))
  const places = ['offline', 'bundles'].flatMap((name) => [`--${name}`, join(directory, name)])
  const args = [...places, '--online', join(directory, 'keys', 'online'), '--out', join(directory, 'keys')]
  await keysInit.run(args, { out: () => {}, err: () => {}, json: false, env: {}, now: clock() })
})
afterAll(() => rm(directory, { recursive: true }))

/** A copy of good keys, changed. */
async function keysWith(change: (keys: string) => Promise<unknown>): Promise<string> {
  count += 1
  const keys = join(directory, `copy-${count}`)
  await cp(join(directory, 'keys'), keys, { recursive: true })
  await change(keys)
  return keys
}
const opened = (keysDirectory: string, published = join(directory, 'public')) =>
  publisherOf(
    {
      place: { kind: 'directory', directory: published },
      publicUrl: 'https://p.example',
      keysDirectory,
      everySeconds: 0,
    },
    { roster: null, branchOf: noBranch, clock },
  )
const noBranch = (repository: string): PublicationBranch => {
  throw new Error(`no branch of ${repository} was asked for`)
}
const troubleOf = async (work: Promise<unknown>): Promise<RingmasterError> => {
  const error = await work.then(
    () => new Error('it was opened'),
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof RingmasterError)) throw error
  return error
}
const without = (name: string) => (keys: string) => rm(join(keys, name), { recursive: true })
const garbage = (name: string, text: string) => (keys: string) => writeFile(join(keys, name), text)

describe('what the server publishes with', () => {
  it('is opened from what keys init writes, also before the first publication', async () => {
    await expect(opened(join(directory, 'keys'))).resolves.toBeDefined()
  })

  it('writes to the branch of the repository that was named, where it is Pages', async () => {
    const asked: string[] = []
    const place = { kind: 'pages', repository: 'acme/site' } as const
    const publisher = await publisherOf(
      { place, publicUrl: 'https://p.example', keysDirectory: join(directory, 'keys'), everySeconds: 0 },
      {
        roster: null,
        branchOf: (repository) => ({
          name: repository,
          newest: async () => {
            asked.push(repository)
            return null
          },
          commit: async () => ({ kind: 'stale' }),
        }),
        clock,
      },
    )
    expect(await publisher.published('eu')).toBeUndefined()
    expect(new Set(asked)).toEqual(new Set(['acme/site']))
  })

  it.each<[string, (keys: string) => Promise<unknown>, RegExp[]]>([
    ['nothing at all', (keys) => rm(keys, { recursive: true }), [/1\.root\.json/, /targets\.request/, /online/]],
    ['no online keys', without('online'), [/directory of the online keys at .*online, found ENOENT/]],
    [
      'an empty directory of online keys',
      async (keys) => {
        await without('online')(keys)
        await mkdir(join(keys, 'online'))
      },
      [/key files \(\.pem\) in .*online, found none/],
    ],
    ['no root', without('1.root.json'), [/first root at .*1\.root\.json, found ENOENT/]],
    ['no targets', without('targets.request.json'), [/signed targets at .*targets\.request\.json, found ENOENT/]],
    ['text for targets', garbage('targets.request.json', 'hello'), [/targets\.request\.json cannot be used/]],
    [
      'other JSON for targets',
      garbage('targets.request.json', '{"role":1}'),
      [/targets\.request\.json cannot be used/],
    ],
    ['text for a root', garbage('1.root.json', 'hello'), [/1\.root\.json cannot be used/]],
  ])('is not opened from %s, and tells every file that is amiss', async (_, change, messages) => {
    const trouble = await troubleOf(opened(await keysWith(change)))
    expect(trouble.fault).toBe('bad-input')
    expect(trouble.problems.map(({ message }) => message)).toEqual(messages.map((each) => expect.stringMatching(each)))
    for (const { hint } of trouble.problems) expect(hint).not.toMatch(/host/)
  })

  it.each(['file', 'file/below'])('does not publish to %s, which is no directory', async (place) => {
    await writeFile(join(directory, 'file'), '')
    const trouble = await troubleOf(opened(join(directory, 'keys'), join(directory, place)))
    expect(trouble).toMatchObject({ fault: 'bad-input', message: expect.stringContaining('RINGMASTER_PUBLISH_DIR') })
  })
})
