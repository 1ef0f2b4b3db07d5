import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { bumpSuite } from './bump.ts'
import { commandsSuite } from './commands.ts'
import { phasingSuite } from './phasing.ts'
import { resolutionSuite } from './resolution.ts'
import { signoffSuite } from './signoff.ts'
import { staticSuite } from './static.ts'
import type { Suite } from './suite.ts'

const SAMPLES = 'test/conformance/sample'

type Sample = readonly [file: string, suite: Suite, cases: number, change: readonly [from: string, to: string]]

/** Each suite, how many cases its sample holds, and a change to its text that makes exactly one of them wrong. */
const samples: readonly Sample[] = [
  ['resolution.json', resolutionSuite, 6, ['"B-summer"\n      }\n    },', '"B-autumn"\n      }\n    },']],
  ['phasing.json', phasingSuite, 7, ['"permissions": 5', '"permissions": 6']],
  ['static.json', staticSuite, 2, ['"no_update"', '"device_quarantine"']],
  ['commands.json', commandsSuite, 2, ['"greenhouse-api@4.2.0"]', '"greenhouse-api"]']],
  ['signoff.json', signoffSuite, 2, ['"pending"', '"approved"']],
  ['bump.ndjson', bumpSuite, 2, ['"bump": "minor"', '"bump": "patch"']],
]
const rows = samples.map((sample) => [sample[0], sample] as const)

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sample-cases-'))
})
afterAll(() => rm(folder, { recursive: true }))

describe('the sample of worked cases', () => {
  it('has a file for each suite and no other', async () => {
    expect((await readdir(SAMPLES)).sort()).toEqual(rows.map(([name]) => name).sort())
  })

  it.each(rows)('passes: %s', async (_name, [name, suite, cases]) => {
    expect(await suite.run(join(SAMPLES, name))).toEqual({ passed: cases, failed: [] })
  })

  it.each(rows)('fails where one expectation is another: %s', async (_name, [name, suite, cases, [from, to]]) => {
    const text = await readFile(join(SAMPLES, name), 'utf8')
    expect(text.split(from)).toHaveLength(2)
    await writeFile(join(folder, name), text.replace(from, to))
    const { passed, failed } = await suite.run(join(folder, name))
    expect({ passed, failed: failed.length }).toEqual({ passed: cases - 1, failed: 1 })
  })
})
