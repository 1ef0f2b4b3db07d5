import { parse } from 'yaml'
import { VARIABLES } from '../src/app/environment.ts'
import { PERMISSIONS } from '../src/app/permissions.ts'
import { ROLES_OF } from '../src/core/access/decide.ts'
import { ROLES } from '../src/core/access/schema.ts'
import { CATALOGUE } from '../src/core/catalogue.ts'
import type { CommandEntry, Place } from '../src/core/command/entry.ts'
import { COMMANDS } from '../src/core/command/table.ts'
import { OWN_BRANCHES } from '../src/core/own-branches.ts'
import { sweepTable } from '../src/engine/sweeps.ts'
import { rulesetBody } from '../src/github/rulesets.ts'
import { slotTable } from '../src/render/slots.ts'
import { EVENTS } from '../src/webhooks/index.ts'
import { CONFIGURATION } from '../test/e2e/story/seed.ts'
import { CLI_COMMANDS } from './cli-commands.ts'
import { code, fenced, markdownTable } from './markdown-table.ts'
import { channelReference, configurationReference } from './schema-reference.ts'

/** What the blocks are made of that is no code: the App's manifest, as text. */
export interface Sources {
  readonly appManifest: string
}

interface AppManifest {
  readonly name: string
  readonly description: string
  readonly default_permissions: Readonly<Record<string, string>>
  readonly default_events: readonly string[]
}

const variables = (): string =>
  markdownTable(
    ['Variable', 'Needed', 'Meaning'],
    VARIABLES.map(({ name, required, meaning }) => [code(name), required ? 'yes' : '', meaning]),
  )

const WHERE = { release: 'release repository', products: 'product repositories', organization: 'organization' } as const

const permissions = (): string =>
  markdownTable(
    ['What for', 'Permission', 'Access', 'Used in'],
    PERMISSIONS.map(({ feature, permission, access, where }) => [feature, code(permission), access, WHERE[where]]),
  )

const events = (): string => EVENTS.map((event) => `- ${code(event)}`).join('\n')

/** The address that opens GitHub's form for a new App with everything but the secret filled in. */
function registration({ appManifest }: Sources): string {
  const manifest = parse(appManifest) as AppManifest
  const query = [
    ['name', manifest.name],
    ['description', manifest.description],
    ['url', 'https://ringmaster.example.org'],
    ['public', 'false'],
    ['webhook_active', 'true'],
    ['webhook_url', 'https://ringmaster.example.org/api/github/webhooks'],
    ...Object.entries(manifest.default_permissions),
    ...manifest.default_events.map((event) => ['events[]', event]),
  ].map(([name = '', value = '']) => `${name}=${encodeURIComponent(value)}`)
  return fenced('text', `https://github.com/organizations/ORG/settings/apps/new?${query.join('&')}`)
}

/** Stands for the id of the reader's App. */
const APP_ID = 123456

const ruleset = (): string => fenced('json', JSON.stringify(rulesetBody(APP_ID, OWN_BRANCHES), null, 2))

const roles = (permission: keyof typeof ROLES_OF | 'read'): string =>
  permission === 'read' ? 'everybody who can read the issue' : ROLES_OF[permission].map(code).join(', ')

const PLACES: Readonly<Record<Place, string>> = {
  'release-issue': 'release issue',
  proposal: 'proposal',
  'any-issue': 'any issue',
}

const placesOf = (places: readonly Place[]): string =>
  places.length === Object.keys(PLACES).length ? 'anywhere' : places.map((place) => PLACES[place]).join(', ')

const commands = (): string =>
  markdownTable(
    ['Command', 'What it does', 'Where', 'Who may'],
    Object.values<CommandEntry<string, object>>(COMMANDS).map(({ usage, help, where, permission, ofParty }) => [
      code(usage),
      help,
      placesOf(where),
      ofParty ? 'members of a party' : roles(permission),
    ]),
  )

const rolesTable = (): string =>
  markdownTable(
    ['Role', 'May'],
    ROLES.map((role) => [
      code(role),
      Object.entries(ROLES_OF)
        .filter(([, holders]) => (holders as readonly string[]).includes(role))
        .map(([permission]) => code(permission))
        .join(', '),
    ]),
  )

const eventTypes = (): string =>
  markdownTable(
    ['Type', 'Members of `data`'],
    Object.entries(CATALOGUE).map(([type, schema]) => [code(type), Object.keys(schema.shape).map(code).join(', ')]),
  )

const cli = (): string =>
  CLI_COMMANDS.map(({ name, summary, usage }) => `### ${name}\n\n${summary}\n\n${fenced('text', usage)}`).join('\n\n')

const storyConfiguration = (): string => fenced('yaml', CONFIGURATION)

/** Name of a block → its text. A page holds it between `<!-- generated:NAME -->` and `<!-- /generated -->`. */
export const BLOCKS: Readonly<Record<string, (sources: Sources) => string>> = {
  variables,
  permissions,
  events,
  registration,
  ruleset,
  commands,
  roles: rolesTable,
  'event-types': eventTypes,
  cli,
  sweeps: sweepTable,
  slots: slotTable,
  configuration: configurationReference,
  'channel-file': channelReference,
  'story-configuration': storyConfiguration,
}

const MARKED = /<!-- generated:([a-z-]+) -->\n[\s\S]*?<!-- \/generated -->/g

/** A page with every generated block as the code has it now. Throws for a block that nothing makes. */
export const withBlocks = (page: string, sources: Sources): string =>
  page.replace(MARKED, (_whole, name: string) => {
    const make = Object.hasOwn(BLOCKS, name) ? BLOCKS[name] : undefined
    if (!make) throw new Error(`expected one of ${Object.keys(BLOCKS).join(', ')}, found the block "${name}"`)
    return `<!-- generated:${name} -->\n\n${make(sources)}\n\n<!-- /generated -->`
  })
