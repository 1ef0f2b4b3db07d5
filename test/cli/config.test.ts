import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { configValidate } from '../../src/cli/config.ts'
import { CONFIGURATION } from '../engine/stage.ts'

let directory: string
const file = (name: string): string => join(directory, name)

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ringmaster-config-'))
  await writeFile(file('sound.yml'), CONFIGURATION)
  await writeFile(file('bad.yml'), `${CONFIGURATION}\nnonsense: 1\n`)
})
afterAll(() => rm(directory, { recursive: true }))

async function validate(...args: string[]) {
  const json = args.includes('--json')
  const out: string[] = []
  const err: string[] = []
  const told = { out: (text: string) => void out.push(text), err: (text: string) => void err.push(text) }
  const code = await configValidate.run(
    args.filter((arg) => arg !== '--json'),
    { ...told, json, env: {}, now: '2026-11-20T12:00:00Z' },
  )
  return { code, out: out.join('\n'), err: err.join('\n') }
}

describe('config validate', () => {
  it('tells the digest of a sound file', async () => {
    expect(await validate(file('sound.yml'))).toMatchObject({ code: 0, out: expect.stringMatching(/is valid, digest/) })
  })

  it('says that it did not ask whether the admins are there', async () => {
    const sentence = /whether GitHub knows an admin that it names/
    expect((await validate(file('sound.yml'))).out).toMatch(sentence)
    expect(JSON.parse((await validate(file('sound.yml'), '--json')).out)).toMatchObject({
      valid: true,
      notChecked: expect.stringMatching(sentence),
    })
  })

  it('tells what is wrong with its place', async () => {
    expect(await validate(file('bad.yml'))).toMatchObject({ code: 2, err: expect.stringContaining('nonsense') })
  })

  it('refuses a gate for customers that the one person named could never open', async () => {
    await writeFile(
      file('shut.yml'),
      CONFIGURATION.replace('environments: [production], gate', 'environments: [production], customers: true, gate'),
    )
    expect(await validate(file('shut.yml'))).toMatchObject({
      code: 2,
      err: expect.stringMatching(
        /:6: rings\[1\]\.gate: expected at least the 2 people .+ found 1\. .+ distinctPeople: 1/,
      ),
    })
  })

  it('takes one file, so that none of several is passed over', async () => {
    await expect(validate(file('sound.yml'), file('bad.yml'))).rejects.toMatchObject({
      message: expect.stringContaining('expected one file, found 2'),
    })
  })
})
