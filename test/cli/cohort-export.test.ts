import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { cohortExport } from '../../src/cli/cohort-export.ts'
import { ledgerVerify } from '../../src/cli/ledger-verify.ts'
import { ChannelSource } from '../../src/core/manifest/source.ts'
import { model } from '../../src/core/model.ts'
import { gitStore } from '../../src/ledger/git.ts'
import { openLedger } from '../../src/ledger/ledger.ts'
import { asked, build, configuredWorld, EDGE, minute, recorded, type World } from '../core/decided.ts'
import { runCommand } from './stage.ts'

const ARTIFACT = { name: 'fw', size: 3, sha256: 'a'.repeat(64), url: 'https://example.test/fw' }
const REQUEST = '{"a":"signed request"}'
let directory: string

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ringmaster-export-'))
})
afterAll(() => rm(directory, { recursive: true }))

/** A version that reached the customers' ring, and what is signed of it. */
function offered(signed: readonly string[]): World {
  const world = configuredWorld((text) => text.replace(/ {4}gate: .*\n/, ''))
  const of = { product: 'firmware', version: '1.0.0' }
  world.ask(build({ repository: EDGE, record: { artifacts: [ARTIFACT], ...of } }))
  world.ask(recorded({ repository: EDGE, environment: 'production', ...of, statusId: 1, at: minute(1) }))
  world.ask({ kind: 'ring-reached', ...of, environment: 'production', ...asked, at: minute(30) })
  world.ask({ kind: 'bundles-signed', document: REQUEST, version: 1, bundles: [...signed], isVerified: true, ...asked })
  return world
}

/** The same world as a ledger in a repository. */
async function repositoryOf(world: World, name: string): Promise<string> {
  const repo = join(directory, name)
  execFileSync('git', ['init', '-q', '--bare', repo])
  const clock = () => minute(60)
  const author = { name: 'ringmaster', email: 'ringmaster@example.invalid' }
  let ids = 0
  const ledger = openLedger({
    store: gitStore({ directory: repo, branch: 'ringmaster-data', author, clock }),
    model,
    clock,
    newId: () => `01${String(ids++).padStart(24, '0')}`,
    writer: { version: '0.1.0' },
  })
  const events = world.log.map(({ seq: _, prev: __, ...draft }) => draft)
  const documents = [...world.documents].flatMap(([path, text]) => (text === undefined ? [] : [{ path, text }]))
  await ledger.append(async () => ({ result: null, events, documents }))
  await ledger.close()
  return repo
}

it('what the log offers becomes a channel file that publishing takes, with its salts and the signed bundles', async () => {
  const world = offered(['firmware@1.0.0'])
  const out = join(directory, 'carry')
  const told = await runCommand(cohortExport, ['--repo', await repositoryOf(world, 'a.git'), '--out', out], true)
  expect(told.json()).toMatchObject({
    cohorts: [{ cohort: 'fleet', path: join(out, 'fleet.json'), releases: 1, validHours: 168 }],
    request: join(out, 'bundles.request.json'),
    left: [],
  })
  const source = ChannelSource.parse(JSON.parse(await readFile(join(out, 'fleet.json'), 'utf8')))
  const cohort = world.state<{ releases: unknown; salts: unknown; bundles: unknown }>('cohort/fleet')
  expect(source).toMatchObject({
    bundles: cohort?.bundles,
    salts: cohort?.salts,
    channel: { releases: cohort?.releases },
  })
  expect(source.salts).toHaveLength(1)
  expect(await readFile(join(out, 'bundles.request.json'), 'utf8')).toBe(REQUEST)
})

it.each<[string, (file: string) => string]>([
  ['other', (file) => `M 100644 inline ${file}\ndata 2\n{}\n`],
  ['missing', (file) => `D ${file}\n`],
])('signed bundles that are %s than the log names are named, and not carried anywhere', async (name, change) => {
  const repo = await repositoryOf(offered(['firmware@1.0.0']), `${name}.git`)
  const git = (words: readonly string[], input = '') =>
    execFileSync('git', [`--git-dir=${repo}`, ...words], { input, encoding: 'utf8' })
  const file = git(['ls-tree', '-r', '--name-only', 'ringmaster-data', 'bundles/']).trim()
  const ref = 'refs/heads/ringmaster-data'
  const by = 'ringmaster <ringmaster@example.invalid> 1795000000 +0000'
  git(['fast-import', '--quiet'], `commit ${ref}\ncommitter ${by}\ndata 4\nedit\nfrom ${ref}^0\n${change(file)}\n`)
  const out = join(directory, name)
  const told = await runCommand(cohortExport, ['--repo', repo, '--out', out])
  expect(told.problems).toEqual(['ledger-damaged'])
  expect(existsSync(out)).toBe(false)
  const verified = await runCommand(ledgerVerify, ['--repo', repo])
  expect(verified.err.join('\n')).toMatch(new RegExp(`^ledger-damaged: ${file}: expected sha256:`, 'm'))
})

it('a cohort whose bundles nobody has signed is left out, and named', async () => {
  const repo = await repositoryOf(offered([]), 'b.git')
  const told = await runCommand(cohortExport, ['--repo', repo, '--out', join(directory, 'nothing')])
  expect(told.out.join('\n')).toContain('"fleet": left out')
})
