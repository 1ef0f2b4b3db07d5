import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { readAppSettings, readSettings, VARIABLES } from '../../src/app/environment.ts'

const { privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
})

const valid = {
  APP_ID: '4711',
  PRIVATE_KEY: privateKey,
  WEBHOOK_SECRET: 'a secret of our own',
  RINGMASTER_REPOSITORY: 'acme/releases',
}
type Changes = Readonly<Record<string, string | undefined>>
const read = (changes: Changes = {}) => readSettings({ ...valid, ...changes })
const problems = (changes: Changes) => {
  const settings = read(changes)
  return settings.ok ? [] : settings.problems
}
const value = (changes: Changes = {}) => {
  const settings = read(changes)
  if (!settings.ok) throw new Error(JSON.stringify(settings.problems))
  return settings.value
}

const BESIDE = { RINGMASTER_PUBLISH_URL: 'https://p.example', RINGMASTER_KEYS_DIR: 'keys' }
const BUCKET = {
  RINGMASTER_PUBLISH_TO: 's3://updates/edge',
  AWS_ACCESS_KEY_ID: 'id',
  AWS_SECRET_ACCESS_KEY: 'a secret',
  AWS_REGION: 'eu-1',
}

let directory = ''
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ringmaster-settings-'))
  await writeFile(join(directory, 'key.pem'), privateKey)
  await writeFile(join(directory, 'no-key.pem'), 'not a key')
})
afterAll(() => rm(directory, { recursive: true }))

describe('the settings of the server', () => {
  it('name everything that is missing at once, and the way to try it without', () => {
    const settings = readSettings({})
    const required = VARIABLES.filter((variable) => variable.required)
    expect(required.length).toBeGreaterThan(3)
    expect(settings.ok ? [] : settings.problems.map(({ message }) => message)).toEqual(
      required.map(({ name, meaning }) => `expected ${name}, ${meaning}, found nothing`),
    )
    for (const problem of settings.ok ? [] : settings.problems) expect(problem.hint).toContain('npm run demo')
  })

  it('take a blank for nothing', () => {
    expect(problems({ APP_ID: '  ', WEBHOOK_SECRET: '\n' }).map(({ code }) => code)).toEqual([
      'setting-missing',
      'setting-missing',
    ])
  })

  it('have a value for everything that may be left out', () => {
    expect(value()).toEqual({
      appId: 4711,
      privateKey: privateKey.trim(),
      webhookSecret: 'a secret of our own',
      processes: 1,
      redisUrl: null,
      pushesPerMinute: 6,
      pointsPerMinute: 900,
      releaseRepository: 'acme/releases',
      apiUrl: 'https://api.github.com',
      host: 'localhost',
      port: 3000,
      logLevel: 'info',
      rosterPlace: null,
      rosterDirectory: null,
      publication: null,
    })
  })

  it('keep rosters in a directory, or in a bucket beside the directory of what devices report', () => {
    const directory = { RINGMASTER_ROSTER_DIR: 'roster' }
    expect(value(directory)).toMatchObject({
      rosterPlace: { kind: 'directory', directory: 'roster' },
      rosterDirectory: 'roster',
    })
    const bucket = { ...BUCKET, RINGMASTER_PUBLISH_TO: undefined, RINGMASTER_ROSTER_TO: 's3://rosters' }
    const place = { kind: 's3', bucket: 'rosters', prefix: '' }
    expect(value(bucket)).toMatchObject({ rosterPlace: place, rosterDirectory: null })
    expect(value({ ...bucket, ...directory })).toMatchObject({ rosterPlace: place, rosterDirectory: 'roster' })
  })

  it('take a part of the limits for each of four processes beside a Redis, unless their number is given', () => {
    const url = 'rediss://:secret@redis.example:6380'
    expect(value({ REDIS_URL: url })).toMatchObject({ redisUrl: url, processes: 4 })
    expect(value({ REDIS_URL: url, RINGMASTER_PROCESSES: '2' })).toMatchObject({ redisUrl: url, processes: 2 })
  })

  it.each<[string, Changes, RegExp]>([
    [
      'a Redis by another protocol',
      { REDIS_URL: 'http://redis.example' },
      /redis:\/\/ or rediss:\/\/ address in REDIS_URL/,
    ],
    ['a Redis by its name alone', { REDIS_URL: 'redis.example' }, /address in REDIS_URL/],
    ['the well-known secret', { WEBHOOK_SECRET: 'development' }, /secret of your own in WEBHOOK_SECRET/],
    ['a secret that can be guessed', { WEBHOOK_SECRET: 'hunter2' }, /at least 16 characters in WEBHOOK_SECRET/],
    ['a port in words', { PORT: 'http' }, /0 to 65535 in PORT/],
    ['a port that there is not', { PORT: '65536' }, /in PORT/],
    ['a port below nothing', { PORT: '-1' }, /in PORT/],
    ['half a port', { PORT: '80.5' }, /in PORT/],
    ['an App without a number', { APP_ID: 'ringmaster' }, /in APP_ID/],
    ['the App zero', { APP_ID: '0' }, /in APP_ID/],
    ['a repository without an owner', { RINGMASTER_REPOSITORY: 'releases' }, /owner\/name in RINGMASTER_REPOSITORY/],
    ['a repository’s address', { RINGMASTER_REPOSITORY: 'https://github.com/acme/releases' }, /RINGMASTER_REPOSITORY/],
    [
      'a level that there is not',
      { LOG_LEVEL: 'loud' },
      /expected one of trace, debug, info, warn, error, fatal in LOG_LEVEL/,
    ],
    ['another GitHub without an address', { GITHUB_API_URL: 'ghe.example' }, /address from GITHUB_API_URL/],
    ['a server with an odd protocol', { GHE_HOST: 'ghe.example', GHE_PROTOCOL: 'ftp' }, /GHE_HOST and GHE_PROTOCOL/],
    ['a key that is none', { PRIVATE_KEY: 'hunter2' }, /private key in PEM in PRIVATE_KEY/],
    [
      'a key file that is not there',
      { PRIVATE_KEY: undefined, PRIVATE_KEY_PATH: '/nowhere/key' },
      /readable file at PRIVATE_KEY_PATH/,
    ],
    [
      'half a publication',
      { RINGMASTER_PUBLISH_DIR: 'public' },
      /found RINGMASTER_PUBLISH_URL, RINGMASTER_KEYS_DIR missing/,
    ],
    [
      'a publication without an address',
      { RINGMASTER_PUBLISH_DIR: 'public', RINGMASTER_PUBLISH_URL: 'public', RINGMASTER_KEYS_DIR: 'keys' },
      /address in RINGMASTER_PUBLISH_URL/,
    ],
    [
      'two places at once',
      { RINGMASTER_PUBLISH_DIR: 'public', RINGMASTER_PUBLISH_TO: 'pages' },
      /one of RINGMASTER_PUBLISH_DIR and RINGMASTER_PUBLISH_TO, found both/,
    ],
    ['a roster in no bucket', { RINGMASTER_ROSTER_TO: 'roster' }, /s3:\/\/BUCKET\/PREFIX in RINGMASTER_ROSTER_TO/],
    [
      'a roster in a bucket without its region',
      { ...BUCKET, RINGMASTER_PUBLISH_TO: undefined, RINGMASTER_ROSTER_TO: 's3://rosters', AWS_REGION: '' },
      /AWS_REGION, which the bucket of "s3:\/\/rosters"/,
    ],
    [
      'a roster in the published bucket',
      { ...BESIDE, ...BUCKET, RINGMASTER_ROSTER_TO: 's3://updates/private' },
      /roster outside of what is published/,
    ],
    [
      'a roster in the published directory',
      { ...BESIDE, RINGMASTER_PUBLISH_DIR: 'public', RINGMASTER_ROSTER_DIR: './public/roster' },
      /roster outside of what is published/,
    ],
    ['an address without a place', { ...BESIDE }, /found RINGMASTER_PUBLISH_DIR or RINGMASTER_PUBLISH_TO missing/],
    ['a place of no kind', { ...BESIDE, RINGMASTER_PUBLISH_TO: 'ftp://hunter2' }, /pages, pages:OWNER\/NAME or s3/],
    ['pages of no repository', { ...BESIDE, RINGMASTER_PUBLISH_TO: 'pages:site' }, /pages, pages:OWNER\/NAME or s3/],
    [
      'a bucket without its region',
      { ...BESIDE, ...BUCKET, AWS_SECRET_ACCESS_KEY: 'hunter2', AWS_REGION: '' },
      /expected AWS_REGION/,
    ],
  ])('refuse %s, once, and do not tell what was there', (_, changes, message) => {
    const found = problems(changes)
    expect(found).toHaveLength(1)
    expect(found[0]?.message).toMatch(message)
    expect(found[0]?.message).not.toContain('hunter2')
    expect(found[0]?.hint).toBeTruthy()
  })

  it.each(['/etc/ringmaster/key.pem', './key', '~/key', 'ringmaster.private-key.pem'])(
    'point from the path %s in PRIVATE_KEY to the variable for it',
    (path) => {
      expect(problems({ PRIVATE_KEY: path })).toMatchObject([{ hint: expect.stringContaining('PRIVATE_KEY_PATH') }])
    },
  )

  it.each<[string, Changes, string]>([
    ['a port in words', { PORT: 'abc' }, 'found "abc"'],
    ['a level that there is not', { LOG_LEVEL: 'loud' }, 'found "loud"'],
    ['an App without a number', { APP_ID: 'ringmaster\u202e' }, 'found "ringmaster\\u{202e}"'],
    ['what could be a secret', { PORT: 'x'.repeat(16) }, 'found something else'],
  ])('quote %s, where no secret is so short', (_, changes, found) => {
    expect(problems(changes).map(({ message }) => message.slice(message.lastIndexOf('found ')))).toEqual([found])
  })

  it('tell the range that a number lies outside of', () => {
    expect(problems({ PORT: '99999' })[0]?.hint).toBe('Give a whole number from 0 to 65535.')
  })

  it('tell what a number is in its place, unless it may be a secret', () => {
    expect(problems({ PORT: 'abc' })[0]?.message).toBe('expected a number from 0 to 65535 in PORT, found "abc"')
    expect(problems({ PORT: 's'.repeat(16) })[0]?.message).toMatch(/in PORT, found something else$/)
  })

  it('name what is missing and what is odd together', () => {
    const found = problems({ APP_ID: undefined, PORT: 'x', WEBHOOK_SECRET: 'development', RINGMASTER_REPOSITORY: '' })
    expect(found.map(({ code }) => code).sort()).toEqual([
      'setting-invalid',
      'setting-invalid',
      'setting-missing',
      'setting-missing',
    ])
  })

  it.each<[string, Changes, string]>([
    ['an Enterprise Server', { GHE_HOST: 'ghe.example' }, 'https://ghe.example/api/v3'],
    ['one without TLS', { GHE_HOST: 'ghe.example', GHE_PROTOCOL: 'http' }, 'http://ghe.example/api/v3'],
    ['another GitHub', { GITHUB_API_URL: 'http://127.0.0.1:4000/' }, 'http://127.0.0.1:4000'],
    ['another GitHub before a server', { GITHUB_API_URL: 'http://a', GHE_HOST: 'b' }, 'http://a'],
  ])('find %s', (_, changes, apiUrl) => {
    expect(value(changes).apiUrl).toBe(apiUrl)
  })

  it('take the key from a file, and its line breaks as they can stand in a variable', () => {
    expect(value({ PRIVATE_KEY: undefined, PRIVATE_KEY_PATH: join(directory, 'key.pem') }).privateKey).toBe(privateKey)
    expect(value({ PRIVATE_KEY: privateKey.trim().replaceAll('\n', '\\n') }).privateKey).toBe(privateKey.trim())
    expect(problems({ PRIVATE_KEY: undefined, PRIVATE_KEY_PATH: join(directory, 'no-key.pem') })).toMatchObject([
      { message: expect.stringContaining('the file at PRIVATE_KEY_PATH') },
    ])
  })

  it('publish when all three are there', () => {
    const publication = {
      RINGMASTER_PUBLISH_DIR: 'public',
      RINGMASTER_PUBLISH_URL: 'https://p.example/',
      RINGMASTER_KEYS_DIR: 'keys',
    }
    expect(value({ ...publication, PORT: '0' })).toMatchObject({
      port: 0,
      publication: {
        place: { kind: 'directory', directory: 'public' },
        publicUrl: 'https://p.example',
        keysDirectory: 'keys',
        everySeconds: 0,
      },
    })
  })

  it.each<[string, Changes, object]>([
    [
      'Pages of the release repository',
      { RINGMASTER_PUBLISH_TO: 'pages' },
      { kind: 'pages', repository: 'acme/releases' },
    ],
    ['Pages of another one', { RINGMASTER_PUBLISH_TO: 'pages:acme/site' }, { kind: 'pages', repository: 'acme/site' }],
    ['a bucket', BUCKET, { kind: 's3', bucket: 'updates', prefix: 'edge/', endpoint: 'https://s3.eu-1.amazonaws.com' }],
  ])('publish to %s', (_, changes, place) => {
    const { publication } = value({ ...BESIDE, ...changes, RINGMASTER_PUBLISH_EVERY: '900' })
    expect(publication).toMatchObject({ place, publicUrl: 'https://p.example', everySeconds: 900 })
  })
})

describe('what acts as the App and hears no webhooks', () => {
  it('needs its id and its key alone', () => {
    const { APP_ID, PRIVATE_KEY } = valid
    expect(readAppSettings({ APP_ID, PRIVATE_KEY, GITHUB_API_URL: 'https://ghe.example/api/v3' })).toMatchObject({
      ok: true,
      value: { appId: 4711, apiUrl: 'https://ghe.example/api/v3' },
    })
  })

  it('names both where they are missing, and nothing else', () => {
    const read = readAppSettings({})
    expect(read.ok ? [] : read.problems.map(({ message }) => message.split(',')[0])).toEqual([
      'expected APP_ID',
      'expected PRIVATE_KEY',
    ])
  })
})
