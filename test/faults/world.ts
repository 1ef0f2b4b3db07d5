import { manifestPermissions } from '../../src/app/permissions.ts'
import { EVENTS } from '../../src/webhooks/index.ts'
import type { Sandbox } from '../sandbox/sandbox.ts'
import { startSandbox } from '../sandbox/sandbox.ts'

export const releases = { owner: 'acme', repo: 'releases' }

/** The repositories that products are built in; one story at a time plays in each. */
export const REPOSITORIES = 4

/**
 * A story has four commands, and a person is heard thirty times in ten minutes: enough for eighteen stories a minute.
 * Coprime to the repositories, so that the stories of each go round all managers.
 */
const MANAGERS = 25

/** What one story is about; a later story of the same repository has a product of its own. */
export interface Subject {
  readonly product: string
  readonly repo: string
  /** Who gives the commands: stories are told faster than one person may speak. */
  readonly manager: string
}

export const subjectOf = (story: number): Subject => ({
  product: `service-${story}`,
  repo: `platform-${((story - 1) % REPOSITORIES) + 1}`,
  manager: `manager-${((story - 1) % MANAGERS) + 1}`,
})

const managers = Array.from({ length: MANAGERS }, (_, index) => `manager-${index + 1}`)
const numbers = Array.from({ length: REPOSITORIES }, (_, index) => index + 1)

const CONFIGURATION = `schemaVersion: 1
products:
${numbers.map((number) => `  - { name: service-${number}, repository: acme/platform-${number} }`).join('\n')}
rings:
  - { ring: "0", label: integration, environments: [integration] }
  - { ring: "4", label: production, environments: [production], gate: { signoff: true, previousRing: false } }
signoff:
  parties:
    - { name: Engineering, users: [eve] }
completion:
  environments: [production]
roles:
  - { role: admin, users: [ann] }
  - { role: release_manager, users: [${managers.join(', ')}] }
`

const SEED = {
  people: ['ann', 'eve', ...managers],
  organizations: [{ login: 'acme', owners: ['ann'], members: ['eve', ...managers] }],
  repositories: [
    {
      name: 'acme/releases',
      collaborators: Object.fromEntries(['eve', ...managers].map((login) => [login, 'write' as const])),
      commits: [{ message: 'Configure', files: { '.github/ringmaster.yml': CONFIGURATION } }],
    },
    ...numbers.map((number) => ({
      name: `acme/platform-${number}`,
      commits: [{ message: 'feat: begin', files: { 'a.txt': `${number}` } }],
    })),
  ],
  apps: [
    {
      slug: 'ringmaster',
      permissions: manifestPermissions(),
      events: [...EVENTS],
      installations: [{ account: 'acme' }],
    },
  ],
}

/** A local GitHub where the production environments of all products ask the App. */
export async function startWorld(): Promise<Sandbox> {
  const sandbox = await startSandbox({ seed: SEED })
  const { rest } = sandbox.as('ann').octokit
  for (const number of numbers) {
    const production = { owner: 'acme', repo: `platform-${number}`, environment_name: 'production' }
    await rest.repos.createOrUpdateEnvironment(production)
    await rest.repos.createDeploymentProtectionRule({ ...production, integration_id: sandbox.app('ringmaster').id })
  }
  return sandbox
}
