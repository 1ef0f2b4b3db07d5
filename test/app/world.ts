import { manifestPermissions } from '../../src/app/permissions.ts'
import { EVENTS } from '../../src/webhooks/index.ts'
import { type Sandbox, startSandbox } from '../sandbox/sandbox.ts'

interface World {
  readonly members?: readonly string[]
  /** Whether the release repository is. */
  readonly isPrivate?: boolean
  /** The slugs of Apps beside ours that may do as much and hear of nothing. */
  readonly others?: readonly string[]
}

/** A local GitHub with a release repository, a product's repository, and the App installed on both. Ann owns them. */
export const startWorld = (
  configuration: string,
  { members = [], isPrivate = false, others = [] }: World = {},
): Promise<Sandbox> =>
  startSandbox({
    seed: {
      people: ['ann', ...members],
      organizations: [{ login: 'acme', owners: ['ann'], members }],
      repositories: [
        {
          name: 'acme/releases',
          private: isPrivate,
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
        ...others.map((slug) => ({
          slug,
          permissions: manifestPermissions(),
          events: [],
          installations: [{ account: 'acme' }],
        })),
      ],
    },
  })
