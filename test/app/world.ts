import { manifestPermissions } from '../../src/app/permissions.ts'
import { EVENTS } from '../../src/webhooks/index.ts'
import { type Sandbox, startSandbox } from '../sandbox/sandbox.ts'

/** A local GitHub with a release repository, a product's repository, and the App installed on both. Ann owns them. */
export const startWorld = (configuration: string, { members = [] as readonly string[] } = {}): Promise<Sandbox> =>
  startSandbox({
    seed: {
      people: ['ann', ...members],
      organizations: [{ login: 'acme', owners: ['ann'], members }],
      repositories: [
        {
          name: 'acme/releases',
          commits: [{ message: 'Configure', files: { '.github/ringmaster.yml': configuration } }],
        },
        { name: 'acme/platform', commits: [{ message: 'feat: begin', files: { 'a.txt': 'a' } }] },
      ],
      apps: [
        {
          slug: 'ringmaster',
          permissions: manifestPermissions(),
          events: [...EVENTS],
          installations: [{ account: 'acme' }],
        },
      ],
    },
  })
