import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { parse } from 'yaml'
import { z } from 'zod'
import { runWorkflows } from './actions.ts'
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

async function describeSandbox(sandbox: Sandbox, webhookUrl: string): Promise<string> {
  const app = sandbox.app('ringmaster')
  const key = join(sandbox.world.directory, 'ringmaster.pem')
  await writeFile(key, app.privateKey, { mode: 0o600 })
  const people = ['ann', 'bob', 'cleo'].map((login) => `  ${login.padEnd(5)} ${sandbox.as(login).token}`)
  return [
    `REST       ${sandbox.origin}`,
    `GraphQL    ${sandbox.graphqlUrl}`,
    `git        git clone ${sandbox.repository('acme/api').cloneUrl(sandbox.as('bob').token)}`,
    `webhooks   go to ${webhookUrl}`,
    'tokens',
    ...people,
    'variables of the App',
    `  GITHUB_API_URL=${sandbox.origin} APP_ID=${app.id} WEBHOOK_SECRET=${app.webhookSecret} \\`,
    `  PRIVATE_KEY_PATH=${key} RINGMASTER_REPOSITORY=acme/releases`,
    'Ctrl-C stops it and removes everything.',
    '',
  ].join('\n')
}

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    'webhook-url': { type: 'string', default: 'http://127.0.0.1:3000/api/github/webhooks' },
  },
})
const webhookUrl = values['webhook-url']
const sandbox = await startSandbox({ port: Number(values.port), seed: seedOf(webhookUrl) })
runWorkflows(sandbox)
process.stdout.write(await describeSandbox(sandbox, webhookUrl))

let isStopping = false
const stop = (): void => {
  if (isStopping) return
  isStopping = true
  void sandbox.stop()
}
process.on('SIGINT', stop)
process.on('SIGTERM', stop)
