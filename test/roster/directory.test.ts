import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { directoryRoster } from '../../src/roster/directory.ts'

let directory = ''
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ringmaster-roster-'))
})
afterEach(() => rm(directory, { recursive: true }))

it('a roster in a directory is read by its owner alone', async () => {
  await directoryRoster(directory).enrol('eu', [{ pseudonym: 'a', tags: [] }])
  const names = await readdir(join(directory, 'eu'))
  expect(names).toHaveLength(2)
  for (const name of names) expect((await stat(join(directory, 'eu', name))).mode & 0o077).toBe(0)
})
