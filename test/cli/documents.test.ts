import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { cohortTally } from '../../src/cli/cohort-roster.ts'
import type { CliCommand, CommandIo } from '../../src/cli/command.ts'
import { KEY_COMMANDS } from '../../src/cli/keys.ts'
import { MANIFEST_COMMANDS } from '../../src/cli/manifest.ts'
import { resolveCommand } from '../../src/cli/resolve.ts'
import { RingmasterError } from '../../src/core/problem.ts'
import { directoryRoster } from '../../src/roster/directory.ts'
import { type StaticHost, serveDirectory } from '../device/static-host.ts'

const COMMANDS: readonly CliCommand[] = [...KEY_COMMANDS, ...MANIFEST_COMMANDS, resolveCommand, cohortTally]
const NOW = new Date().toISOString()
const here = process.cwd()
let directory: string
let host: StaticHost

/** Runs a command line as the entry point would, in the test's own directory. */
async function run(line: string, now = NOW) {
  const words = line.split(' ').slice(1)
  const command = COMMANDS.find(({ name }) => name.split(' ').every((word, at) => words[at] === word))
  if (!command) throw new Error(`no such command: ${line}`)
  const args = words
    .slice(command.name.split(' ').length)
    .map((word) => word.replace('https://updates.example/', host.url))
  const out: string[] = []
  const err: string[] = []
  const json = args.includes('--json')
  const io: CommandIo = { out: (text) => out.push(text), err: (text) => err.push(text), json, env: {}, now }
  const code = await command
    .run(
      args.filter((arg) => arg !== '--json'),
      io,
    )
    .catch((error: unknown) => {
      if (error instanceof RingmasterError)
        err.push(...error.problems.map((problem) => `${problem.code}: ${problem.message}`))
      else throw error
      return error.fault === 'bad-input' ? 2 : 1
    })
  return { code, out, err }
}

const read = async (name: string) => readFile(join(here, 'docs', name), 'utf8')

const commandsOf = (text: string): string[] =>
  [...text.matchAll(/^```sh\n(.*?)^```$/gms)].flatMap(([, block = '']) =>
    block.split('\n').filter((line) => line !== ''),
  )

/** The files that a page shows, by the name after `json` in the fence. */
const filesOf = (text: string): [string, string][] =>
  [...text.matchAll(/^```json (\S+)\n(.*?)^```$/gms)].map(([, name = '', body = '']) => [name, body])

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ringmaster-docs-'))
  host = await serveDirectory(join(directory, 'site'))
  process.chdir(directory)
  for (const [name, body] of filesOf(await read('keys.md'))) await writeFile(name, body)
})
afterAll(async () => {
  process.chdir(here)
  await host.close()
  await rm(directory, { recursive: true })
})

describe('the commands of docs/keys.md and docs/devices.md', () => {
  it('work one after the other, and a device takes what was published', async () => {
    const commands = commandsOf(await read('keys.md'))
    expect(commands.length).toBeGreaterThan(15)
    for (const line of commands) expect({ line, ...(await run(line)) }).toMatchObject({ line, code: 0, err: [] })
    const answers = []
    for (const line of commandsOf(await read('devices.md'))) {
      const answer = await run(line)
      expect({ line, ...answer }).toMatchObject({ code: 0, err: [] })
      answers.push(answer.out.join('\n'))
    }
    expect(answers[0]).toContain('Gateway 1.1.0 is offered')
    expect(answers[0]).toContain('gateway-1.1.0.bin, 1048576 bytes')
    expect(JSON.parse(answers[1]!)).toMatchObject({ status: 'update', fresh: true, bundle: { id: 'Gateway@1.1.0' } })
    expect(answers[2]).toContain('rolled Gateway@1.1.0 back before')
  })

  it('and the program of docs/devices.md imports the library as it says, and is told the same', async () => {
    const [, body = ''] = /^```js device\.mjs\n(.*?)^```$/ms.exec(await read('devices.md')) ?? []
    const program = body.replaceAll('./build/', `${join(here, 'build')}/`).replace('https://updates.example/', host.url)
    await writeFile('device.mjs', program)
    const { stdout } = await promisify(execFile)(process.execPath, ['device.mjs'], { cwd: directory })
    expect(stdout).toMatch(/^update Gateway@1\.1\.0 \d+\n$/)
  })

  it('show every option that they take in their usage', () => {
    expect(COMMANDS.every(({ usage, name }) => usage.startsWith(`ringmaster ${name}`))).toBe(true)
  })
})

describe('a command called in the wrong way', () => {
  it.each([
    ['ringmaster resolve --cohort eu --state device', 'usage: expected the option --base-url, found none'],
    [
      'ringmaster resolve --base-url ftp://x --cohort eu --state device',
      'usage: expected an http or https address for --base-url, found something else',
    ],
    [
      'ringmaster resolve --base-url https://updates.example/ --cohort eu --state fresh',
      /^root-needed: expected a root to begin with/,
    ],
    [
      'ringmaster resolve --base-url https://updates.example/ --cohort eu --state fresh --root none',
      /^file-unreadable: expected a root file at none, found nothing there/,
    ],
    [
      'ringmaster resolve --base-url https://updates.example/ --colour red',
      /^usage: expected an option of this command, found --colour$/,
    ],
    ['ringmaster keys sign root-2.request.json', 'usage: expected the option --key, found none'],
    ['ringmaster keys sign channel.json --key k', /^file-invalid: channel\.json at "schema"/],
    [
      'ringmaster keys rotate root --root trust/1.root.json --remove 1 --out x',
      /^key-unknown: expected a key of root to remove/,
    ],
    [
      'ringmaster manifest publish --to site --root trust/1.root.json --online nowhere',
      /^file-unreadable: expected a directory of key files/,
    ],
    ['ringmaster keys init --offline keys/offline --bundles b --online o --out t', /^key-exists: /],
  ])('%s', async (line, expected) => {
    const { code, err } = await run(line)
    expect(code === 0).toBe(false)
    expect(err[0]).toEqual(typeof expected === 'string' ? expected : expect.stringMatching(expected))
  })
})

const PUBLISH = 'ringmaster manifest publish --to site --root trust/1.root.json --online keys/online'

it('views go out beside the manifests, and one that cannot say what the channel says is told', async () => {
  const views = async (channel: string) =>
    JSON.parse(
      (await run(`${PUBLISH} --channel ${channel} --views --base-url https://updates.example/ --json`)).out[0]!,
    )
  const graph = 'views/cohorts/eu/arm64/v1/graph'
  expect(await views('channel.json')).toMatchObject({ files: expect.arrayContaining([graph]), closedViews: [] })
  const source = JSON.parse(await readFile('channel.json', 'utf8'))
  await writeFile('moved.json', JSON.stringify({ ...source, movedTo: 'us' }))
  expect(await views('moved.json')).toMatchObject({
    closedViews: [
      { path: 'views/cohorts/eu/SHA256SUMS', problems: [{ code: 'cohort-moved' }] },
      { path: graph, problems: [{ code: 'cohort-moved' }] },
    ],
  })
  await views('channel.json')
})

it('the phased channel of the page goes out where nothing was before, and permits whom it names', async () => {
  const publish = 'ringmaster manifest publish --to phased --root trust/1.root.json --online keys/online'
  const requests = '--request trust/targets.request.json --request bundles-1.request.json'
  expect(await run(`${publish} ${requests} --channel phased.json`)).toMatchObject({ code: 0, err: [] })
})

it('a first root is not finished before enough of its holders have signed', async () => {
  const holders = ['ann', 'ben'].flatMap((who) =>
    ['root', 'targets'].map((role) => `--${role}-key ${who}/${role}.pem.pub.json`),
  )
  const online = ['cohorts', 'snapshot', 'timestamp'].map((role) => `--${role}-key server/${role}.pem.pub.json`)
  const init = `ringmaster keys init-public ${[...holders, ...online].join(' ')} --bundles-key signer/bundles.pem.pub.json --out two`
  expect(await run(init)).toMatchObject({ code: 0, err: [] })
  await run('ringmaster keys sign two/root.request.json --key ann/root.pem')
  const { code, err } = await run('ringmaster keys finish two/root.request.json --out two/1.root.json')
  expect({ code, err: err.join() }).toEqual({ code: 1, err: expect.stringContaining('root') })
  await expect(readFile('two/1.root.json')).rejects.toThrow('ENOENT')
  const alone = init.replace('--root-key ben/root.pem.pub.json ', '').replace('--out two', '--out one')
  expect((await run(alone)).err).toEqual(['usage: expected at least 2 times the option --root-key, found 1'])
})

const NEXT = { version: '1.2.0', requirement: '< 1.2.0' }

it('an exact count goes out with the roster of the enrolled, and is refused without it', async () => {
  const source = JSON.parse(await readFile('channel.json', 'utf8'))
  const [first, second] = source.channel.releases
  const third = { ...second, ...NEXT, id: 'r3', schedule: NOW, phase: { kind: 'count', count: 2 } }
  const releases = [first, { ...second, next: 'r3' }, third]
  await writeFile('counted.json', JSON.stringify({ ...source, channel: { ...source.channel, releases } }))
  expect((await run(`${PUBLISH} --channel counted.json`)).err).toEqual([expect.stringMatching(/^roster-needed: /)])
  const store = directoryRoster('roster')
  await store.enrol(
    'eu',
    ['a', 'b', 'c', 'd', 'e'].map((pseudonym) => ({ pseudonym, tags: [] })),
  )
  expect(await run(`${PUBLISH} --channel counted.json --roster roster`)).toMatchObject({ code: 0, err: [] })
  const { out } = await run(
    'ringmaster cohort tally --to site --root trust/1.root.json --roster roster --cohort eu --json',
  )
  const tally = { release: 'r3', permitted: 2, enrolled: 5, left: 3 }
  expect(JSON.parse(out[0]!).tallies.at(-1)).toMatchObject(tally)
  await run(`${PUBLISH} --channel counted.json --roster roster --views`)
  expect(JSON.parse(await readFile('site/views/cohorts/eu/tally.json', 'utf8')).releases.at(-1)).toEqual(tally)
  await run(`${PUBLISH} --channel channel.json`)
})

it('a ramp in the past is refused, and one that is published already is issued again whatever the clock says', async () => {
  const source = JSON.parse(await readFile('channel.json', 'utf8'))
  const [first, second] = source.channel.releases
  const at = (hours: number) => new Date(Date.parse(NOW) + hours * 3_600_000).toISOString()
  const ramped = async (id: string, startsAt: string, endsAt: string) => {
    const phase = { kind: 'ramp', from: '0', to: '0.5', startsAt, endsAt }
    const releases = [first, { ...second, next: id }, { ...second, ...NEXT, id, schedule: NOW, phase }]
    await writeFile('ramped.json', JSON.stringify({ ...source, channel: { ...source.channel, releases } }))
  }
  const publishAt = (hours: number) => run(`${PUBLISH} --channel ramped.json`, at(hours))
  await ramped('r4', at(-100), at(-50))
  expect((await publishAt(0)).err).toEqual([
    expect.stringMatching(/^start-in-past: /),
    expect.stringMatching(/^ramp-over: /),
  ])
  await ramped('r4', at(0), at(2))
  expect(await publishAt(0)).toMatchObject({ code: 0, err: [] })
  expect(await publishAt(40)).toMatchObject({ code: 0, err: [] })
  await ramped('r5', at(0), at(2))
  expect((await publishAt(40)).err).toContainEqual(expect.stringMatching(/^ramp-over: /))
  await run(`${PUBLISH} --channel channel.json`)
})

it('a refused device says what it may still finish, and the exit code is that of a refusal', async () => {
  await run(
    'ringmaster resolve --base-url https://updates.example/ --cohort eu --state other --root trust/1.root.json --release-version 1.0.0',
  )
  host.answer('metadata/timestamp.json', Buffer.from('{}'))
  const text = await run('ringmaster resolve --base-url https://updates.example/ --cohort eu --state other')
  expect(text.code).toBe(1)
  expect(text.err.join('\n')).toContain('The bundle "Gateway@1.1.0" was verified before and may be finished')
  const json = await run('ringmaster resolve --base-url https://updates.example/ --cohort eu --state other --json')
  expect(JSON.parse(json.out[0]!)).toMatchObject({ status: 'refused', problems: [{ code: 'metadata-unreadable' }] })
  host.restore()
})

it('a host that is away is outside trouble', async () => {
  const away = 'http://127.0.0.1:9/'
  const { code } = await run(`ringmaster resolve --base-url ${away} --cohort eu --state third --root trust/1.root.json`)
  expect(code).toBe(3)
})
