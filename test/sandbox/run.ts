import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { parse } from 'yaml'
import { z } from 'zod'
import { runWorkflows } from './actions.ts'
import { readRunOptions, UsageError } from './run-options.ts'
import { onInterruption } from './run-until.ts'
import { type Sandbox, startSandbox } from './sandbox.ts'
import type { RepositorySeed, Seed } from './seed.ts'

const Manifest = z.looseObject({
  default_permissions: z.record(z.string(), z.enum(['read', 'write', 'admin'])),
  default_events: z.array(z.string()),
})

/** One company: ann owns it, bob writes, cleo is QA; two product repositories and the release repository. */
function seedOf(webhookUrl: string): Seed {
  const manifest = Manifest.parse(parse(readFileSync('app.yml', 'utf8')))
  const product = (name: string): RepositorySeed => ({
    name: `acme/${name}`,
    private: true,
    teams: { eng: 'write' },
    commits: [
      { message: 'feat: begin', files: { 'README.md': `# ${name}\n` }, author: 'ann', tag: 'v1.0.0' },
      { message: 'fix: a first mistake', files: { 'CHANGES.md': '- mended\n' }, author: 'bob' },
    ],
  })
  return {
    people: ['ann', 'bob', 'cleo'],
    organizations: [
      {
        login: 'acme',
        owners: ['ann'],
        members: ['bob', 'cleo'],
        teams: [
          { slug: 'eng', members: ['bob'] },
          { slug: 'qa', members: ['cleo'] },
        ],
      },
    ],
    repositories: [
      product('api'),
      product('web'),
      {
        name: 'acme/releases',
        private: true,
        teams: { eng: 'write', qa: 'write' },
        commits: [{ message: 'docs: begin', files: { 'README.md': '# Releases\n' }, author: 'ann' }],
      },
    ],
    apps: [
      {
        slug: 'ringmaster',
        permissions: manifest.default_permissions,
        events: manifest.default_events,
        webhookUrl,
        installations: [{ account: 'acme' }],
      },
    ],
  }
}

const PEOPLE = [
  ['ann', 'owns the organization acme'],
  ['bob', 'in the team eng, which may write to every repository'],
  ['cleo', 'in the team qa, which may write to acme/releases'],
] as const

const REPOSITORIES = [
  ['acme/api', 'a product, tagged v1.0.0, with a fix after it'],
  ['acme/web', 'another one'],
  ['acme/releases', 'the release repository; it has no configuration yet'],
] as const

async function describeSandbox(sandbox: Sandbox, webhookUrl: string): Promise<string> {
  const app = sandbox.app('ringmaster')
  const key = join(sandbox.world.directory, 'ringmaster.pem')
  await writeFile(key, app.privateKey, { mode: 0o600 })
  const people = PEOPLE.map(([login, role]) => `  ${login.padEnd(5)} ${sandbox.as(login).token}   ${role}`)
  return [
    `REST       ${sandbox.origin}`,
    `GraphQL    ${sandbox.graphqlUrl}`,
    `git        git clone ${sandbox.repository('acme/api').cloneUrl(sandbox.as('bob').token)}`,
    `webhooks   go to ${webhookUrl}`,
    'repositories',
    ...REPOSITORIES.map(([name, what]) => `  ${name.padEnd(13)} ${what}`),
    'people and their tokens',
    ...people,
    'try it',
    `  curl -H "Authorization: Bearer ${sandbox.as('ann').token}" ${sandbox.origin}/repos/acme/releases`,
    'variables of the App',
    `  GITHUB_API_URL=${sandbox.origin} APP_ID=${app.id} WEBHOOK_SECRET=${app.webhookSecret} \\`,
    `  PRIVATE_KEY_PATH=${key} RINGMASTER_REPOSITORY=acme/releases`,
    'Ctrl+C stops it. Its state lives as long as it runs: repositories, issues and keys are lost then.',
    '',
  ].join('\n')
}

const USAGE = 'npm run sandbox -- [--port NUMBER] [--webhook-url URL]'

async function run(): Promise<number> {
  const options = readRunOptions(USAGE, process.argv.slice(2), {
    port: { type: 'string', default: '0' },
    'webhook-url': { type: 'string', default: 'http://127.0.0.1:3000/api/github/webhooks' },
    help: { type: 'boolean', short: 'h' },
  })
  const { port, 'webhook-url': webhookUrl } = options
  if (options.help) {
    process.stdout.write(`${USAGE}\n`)
    return 0
  }
  if (!/^[0-9]{1,5}$/.test(port) || Number(port) > 65_535)
    throw new UsageError(
      `expected a number from 0 to 65535 for --port, found ${JSON.stringify(port)}.\nUsage: ${USAGE}`,
    )
  if (!/^https?:\/\//.test(webhookUrl) || !URL.canParse(webhookUrl))
    throw new UsageError(
      `expected an http or https address for --webhook-url, found ${JSON.stringify(webhookUrl)}.\nUsage: ${USAGE}`,
    )
  const interruption = onInterruption()
  const sandbox = await startSandbox({ port: Number(port), seed: seedOf(webhookUrl) })
  try {
    runWorkflows(sandbox)
    process.stdout.write(await describeSandbox(sandbox, webhookUrl))
    await interruption.signal
  } finally {
    // Whoever tries it out by hand was answered there.
    sandbox.violations.length = 0
    await sandbox.stop()
  }
  return 0
}

run().then(
  (code) => process.exit(code),
  (error: unknown) => {
    const { code, message } = error as NodeJS.ErrnoException
    const isTaken = code === 'EADDRINUSE'
    process.stderr.write(
      `${isTaken ? 'expected the port of --port to be free, found another program there' : message}\n`,
    )
    process.exit(error instanceof UsageError ? 2 : isTaken ? 3 : 1)
  },
)
