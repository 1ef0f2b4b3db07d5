import { manifestPermissions } from '../../../src/app/permissions.ts'
import { EVENTS } from '../../../src/webhooks/index.ts'
import type { CommitSeed, Seed } from '../../sandbox/seed.ts'

/** What of the seeded history a test or a curious reader may change: everything after follows from it. */
export interface StorySettings {
  /** The newest commit of the firmware that devices install. */
  readonly firmwareCommit: string
  /** More lines for the cohort in the configuration, such as `firstPhase: nobody`. */
  readonly cohortLines?: readonly string[]
}

export const STORY_SETTINGS: StorySettings = { firmwareCommit: 'fix: keep the clock when the network is away' }

export const RELEASE_REPOSITORY = 'acme/releases'
export const COHORT = 'fleet-7f3a'
export const APP_SLUG = 'ringmaster'

export const configuration = (cohortLines: readonly string[] = []): string => `schemaVersion: 1
products:
  - name: user-service
    repository: acme/platform
    path: services/user
  - name: auth-service
    repository: acme/platform
    path: services/auth
  - name: edge-firmware
    repository: acme/edge
rings:
  - ring: "0"
    label: integration
    environments: [integration]
    audience: the team
    purpose: integration and functional tests
  - ring: "3"
    label: beta
    environments: [beta]
    audience: preview customers
    purpose: let some customers prepare
  - ring: "4"
    label: production
    environments: [production]
    audience: all customers
    purpose: general availability
    gate: { signoff: true, previousRing: true }
    cohorts: [${COHORT}]
signoff:
  parties:
    - { name: Engineering, team: acme/engineering }
    - { name: QA, team: acme/qa }
checklist:
  - { id: versions, text: Every product has its version, machine: versions-recorded }
  - { id: signed, text: The parties have signed, machine: signed-off }
  - { id: rollback-plan, text: Prepare the rollback plan }
  - { id: live, text: Every version is live, machine: deployed, environment: production }
completion:
  environments: [production]
roles:
  - { role: admin, teams: [acme/release-managers] }
  - { role: release_manager, teams: [acme/release-managers] }
cohorts:
  - id: ${COHORT}
    product: edge-firmware
    requirement: ">= 1.0.0"
${cohortLines.map((line) => `    ${line}\n`).join('')}`

export const CONFIGURATION = configuration()

const platform: readonly CommitSeed[] = [
  {
    message: 'feat: serve users',
    files: { 'services/user/main.js': 'export const users = 1\n' },
    author: 'dora',
    tag: 'user-service/v1.1.0',
  },
  {
    message: 'feat: check passwords',
    files: { 'services/auth/main.js': 'export const auth = 1\n' },
    author: 'dora',
    tag: 'auth-service/v2.0.0',
  },
  {
    message: 'feat(user): let people take their data with them',
    files: { 'services/user/main.js': 'export const users = 2\n' },
    author: 'dora',
  },
  {
    message: 'fix(auth): refuse tokens that have expired',
    files: { 'services/auth/main.js': 'export const auth = 2\n' },
    author: 'dora',
  },
]

/** Three products in two repositories, a release repository of its own, and the people who work on them. */
export const storySeed = (settings: StorySettings): Seed => ({
  people: ['olga', 'ann', 'eve', 'quinn', 'dora', 'mallory'],
  organizations: [
    {
      login: 'acme',
      owners: ['olga'],
      members: ['ann', 'eve', 'quinn', 'dora'],
      teams: [
        { slug: 'release-managers', members: ['ann'] },
        { slug: 'engineering', members: ['eve'] },
        { slug: 'qa', members: ['quinn'] },
      ],
    },
  ],
  repositories: [
    { name: 'acme/platform', collaborators: { dora: 'write' }, commits: platform },
    {
      name: 'acme/edge',
      collaborators: { dora: 'write' },
      commits: [
        {
          message: 'feat: measure',
          files: { 'main.c': 'int main(void) { return 0; }\n' },
          author: 'dora',
          tag: 'v3.0.0',
        },
        { message: settings.firmwareCommit, files: { 'main.c': 'int main(void) { return 1; }\n' }, author: 'dora' },
      ],
    },
    {
      name: RELEASE_REPOSITORY,
      private: true,
      collaborators: { ann: 'write', eve: 'write', quinn: 'write', dora: 'read', mallory: 'read' },
      commits: [
        {
          message: 'Configure the releases',
          files: { '.github/ringmaster.yml': configuration(settings.cohortLines) },
          author: 'olga',
        },
      ],
    },
  ],
  apps: [
    {
      slug: APP_SLUG,
      owner: 'acme',
      permissions: manifestPermissions(),
      events: [...EVENTS],
      installations: [{ account: 'acme' }],
    },
  ],
})
