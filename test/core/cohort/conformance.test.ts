import { existsSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { phasingSuite } from '../../conformance/phasing.ts'
import { resolutionSuite } from '../../conformance/resolution.ts'
import { staticSuite } from '../../conformance/static.ts'

const suites = [
  { name: 'resolution', suite: resolutionSuite },
  { name: 'phasing', suite: phasingSuite },
  { name: 'static', suite: staticSuite },
].flatMap(({ name, suite }) => suite.files.map((file) => ({ name, suite, file })))

const present = suites.filter(({ file }) => existsSync(file))

describe('worked cases that lie beside the checkout', () => {
  it.each(present)('answers every case of $name', async ({ suite, file }) => {
    const { passed, failed } = await suite.run(file)
    expect(failed).toEqual([])
    expect(passed).toBeGreaterThan(0)
  })

  it('knows where each suite would find its cases', () => {
    expect(suites.map(({ name }) => name)).toEqual(['resolution', 'phasing', 'static'])
  })
})
