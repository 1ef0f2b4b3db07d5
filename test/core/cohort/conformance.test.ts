import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { phasingSuite } from '../../conformance/phasing.ts'
import { resolutionSuite } from '../../conformance/resolution.ts'
import { staticSuite } from '../../conformance/static.ts'
import type { Suite } from '../../conformance/suite.ts'

const suites = [
  { name: 'resolution', suite: resolutionSuite },
  { name: 'phasing', suite: phasingSuite },
  { name: 'static', suite: staticSuite },
].flatMap(({ name, suite }) => suite.files.map((file) => ({ name, suite, file })))

async function runText(suite: Suite, text: string) {
  const folder = await mkdtemp(join(tmpdir(), 'cases-'))
  try {
    await writeFile(join(folder, 'cases.json'), text)
    return await suite.run(join(folder, 'cases.json'))
  } finally {
    await rm(folder, { recursive: true })
  }
}

describe('worked cases that lie beside the checkout', () => {
  it.each(suites)('of $name are all answered, or their file is said to be missing', async ({ suite, file }) => {
    if (!existsSync(file)) return expect(suite.run(file)).rejects.toThrow('ENOENT')
    const { passed, failed } = await suite.run(file)
    expect(failed).toEqual([])
    expect(passed).toBeGreaterThan(0)
  })
})

describe('a suite', () => {
  const match = { id: 'M', kind: 'version_match', version: '1.0.0', requirement: '>= 1.0.0', expect: true }

  it('counts a right answer, a wrong one, and a case that it cannot read', async () => {
    const cases = [match, { ...match, id: 'W', expect: false }, { ...match, id: 'U', kind: 'guess' }, 7]
    const { passed, failed } = await runText(resolutionSuite, JSON.stringify({ schema: 'resolution-cases/2', cases }))
    expect(passed).toBe(1)
    expect(failed.map(({ id }) => id)).toEqual(['W', 'U', 'cases[3]'])
  })

  it('fails an array of cases that it does not know', async () => {
    const text = JSON.stringify({ schema: 'phasing-cases/2', shares: [{ share: '1', threshold: '1' }], moons: [{}] })
    const { passed, failed } = await runText(phasingSuite, text)
    expect(passed).toBe(0)
    expect(failed.map(({ id }) => id)).toEqual(['shares[0]', 'moons[0]'])
  })

  it.each(suites)('$name throws where the file itself cannot be read', async ({ suite }) => {
    await expect(runText(suite, '{"schema":"other/1"}')).rejects.toThrow()
    await expect(runText(suite, '{"schema"')).rejects.toThrow()
  })
})
