import { readFileSync } from 'node:fs'
import { expect, it } from '@jest/globals'
import { bumpSuite } from '../../conformance/bump.ts'

const FILE = 'test/core/version/answered-by-release-please.ndjson'

it('the preset release-please answers awkward ranges as the tool itself did', async () => {
  expect(await bumpSuite.run(FILE)).toEqual({ passed: 400, failed: [] })
})

it('those ranges ask for every level', () => {
  const rows = readFileSync(FILE, 'utf8').trimEnd().split('\n')
  const asking = (bump: string) => rows.filter((row) => row.includes(`"expect":{"bump":"${bump}"`)).length
  expect(Math.min(...['none', 'patch', 'minor', 'major'].map(asking))).toBeGreaterThan(50)
})
