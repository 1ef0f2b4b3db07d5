import { manifestPermissions } from '../../src/app/permissions.ts'
import { EVENTS } from '../../src/webhooks/index.ts'
import { type Sandbox, startSandbox } from '../sandbox/sandbox.ts'

export const PRODUCTS = 200
export const REPOSITORIES = 60
export const ENVIRONMENTS = ['dev', 'integration', 'qa', 'perf', 'alpha', 'beta', 'staging', 'production'] as const

export const releases = { owner: 'acme', repo: 'releases' } as const
export const plain = { owner: 'acme', repo: 'plain' } as const
export const RELEASES = 'acme/releases'

/** The product whose jobs run every step of the Action; it is deployed by nothing else. */
export const STEPPED = 'stepped'

export const nameOf = (product: number): string => `product-${product}`
export const repositoryOf = (product: number): string => `repository-${product % REPOSITORIES}`

const range = (length: number): readonly number[] => Array.from({ length }, (_, index) => index)

const CONFIGURATION = `schemaVersion: 1
products:
  - { name: ${STEPPED}, repository: acme/${repositoryOf(0)}, scheme: semver-build }
${range(PRODUCTS)
  .map((product) => `  - { name: ${nameOf(product)}, repository: acme/${repositoryOf(product)} }`)
  .join('\n')}
rings:
${ENVIRONMENTS.map((name, index) => `  - { ring: "${index}", label: ${name}, environments: [${name}] }`).join('\n')}
signoff:
  parties:
    - { name: Engineering, users: [ann] }
completion:
  environments: [production]
roles:
  - { role: admin, users: [ann] }
`

export const startWorld = (): Promise<Sandbox> =>
  startSandbox({
    seed: {
      people: ['ann'],
      organizations: [{ login: 'acme', owners: ['ann'], members: [] }],
      repositories: [
        { name: RELEASES, commits: [{ message: 'Configure', files: { '.github/ringmaster.yml': CONFIGURATION } }] },
        { name: 'acme/plain', commits: [{ message: 'Begin', files: { 'README.md': 'events' } }] },
        ...range(REPOSITORIES).map((index) => ({
          name: `acme/${repositoryOf(index)}`,
          commits: [{ message: 'feat: begin', files: { 'README.md': 'product' } }],
        })),
      ],
      apps: [
        {
          slug: 'ringmaster',
          permissions: manifestPermissions(),
          events: [...EVENTS],
          installations: [{ account: 'acme' }],
        },
        {
          slug: 'plain',
          permissions: { contents: 'write' },
          events: [],
          installations: [{ account: 'acme', repositories: ['acme/plain'] }],
        },
      ],
    },
  })
