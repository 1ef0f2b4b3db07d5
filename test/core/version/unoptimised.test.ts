import { execFile } from 'node:child_process'
import { join } from 'node:path'
import process from 'node:process'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from '@jest/globals'

const run = promisify(execFile)
const decide = pathToFileURL(join(process.cwd(), 'build/src/core/version/decide.js')).href

/** Reads 16 MB of each piece under each preset and tells those that it could not. */
const program = `
  import { decideBump } from ${JSON.stringify(decide)}
  const sha = '1'.padStart(40, '0')
  for (const preset of ['ringmaster', 'angular', 'conventionalcommits', 'release-please'])
    for (const piece of ['Ж', 'feat', ' '])
      try {
        if (!decideBump({ preset }, '1.2.3', [{ sha, message: 'x' + piece.repeat(16_000_000 / piece.length) }]).ok)
          console.log(preset, piece, 'refused')
      } catch (error) {
        console.log(preset, piece, String(error))
      }
`

describe('a process in which V8 no longer optimises patterns, as it does in one with much code', () => {
  it('reads long words too', async () => {
    const { stdout } = await run(process.execPath, [
      '--no-regexp-optimization',
      '--input-type=module',
      '--eval',
      program,
    ])
    expect(stdout).toBe('')
  })
})
