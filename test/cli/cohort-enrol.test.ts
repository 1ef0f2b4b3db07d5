import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { cohortEnrol } from '../../src/cli/cohort-roster.ts'
import { keysCreate } from '../../src/cli/keys.ts'
import { runCommand } from './stage.ts'

let directory: string
const at = (name: string) => join(directory, name)

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ringmaster-enrol-'))
  await runCommand(keysCreate, [at('enrolment.key.json')])
})
afterAll(() => rm(directory, { recursive: true }))

const enrol = (...args: readonly string[]) =>
  runCommand(cohortEnrol, [
    ...['--roster', at('roster'), '--key', at('enrolment.key.json'), '--cohort', 'eu', '--out', at('records.ndjson')],
    ...args,
  ])

describe('a list of devices to enrol', () => {
  it('is refused with every pseudonym that stands there twice, and enrols nobody', async () => {
    await writeFile(at('list.txt'), 'p1\n\np2\np1\n p2 \n')
    const told = await enrol('--from', at('list.txt'))
    expect(told).toMatchObject({ code: 'thrown', problems: ['pseudonym-repeated', 'pseudonym-repeated'] })
    expect(existsSync(at('roster'))).toBe(false)
  })

  it('is enrolled when each stands there once', async () => {
    await writeFile(at('list.txt'), 'p1\n\np2\n')
    expect(await enrol('--from', at('list.txt'))).toMatchObject({ code: 0 })
    expect((await readFile(at('records.ndjson'), 'utf8')).trim().split('\n')).toHaveLength(2)
  })
})
