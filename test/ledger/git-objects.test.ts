import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, it } from '@jest/globals'

const run = promisify(execFile)

let directory = ''
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ringmaster-objects-'))
  await run('git', ['init', '--quiet', '--bare', directory])
})
afterEach(() => rm(directory, { recursive: true, force: true }))

/** In a process of its own, which nothing else keeps running. */
const program = (end: string): Promise<string> => {
  const source = `
    import { gitObjects } from './build/src/ledger/git-objects.js'
    const objects = gitObjects(${JSON.stringify(directory)})
    const object = await objects.read('HEAD')
    ${end}
    process.stdout.write(String(object))`
  return run(process.execPath, ['--input-type=module', '--eval', source]).then(({ stdout }) => stdout)
}

it.each([
  ['is waited for where its end is', 'await objects.close()'],
  ['keeps no process running otherwise', ''],
])('a git that was asked %s', async (_, end) => {
  expect(await program(end)).toBe('undefined')
})
