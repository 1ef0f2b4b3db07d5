import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { parse } from 'yaml'
import { manifestPermissions, PERMISSIONS } from '../../src/app/permissions.ts'
import { EXIT_OF } from '../../src/cli/command.ts'
import { REMEDIES } from '../../src/cli/ledger-remedies.ts'
import { BLOCKER_CODES } from '../../src/core/ring/schema.ts'
import { INTEGRITY_CODES } from '../../src/ledger/trouble.ts'
import { EVENTS } from '../../src/webhooks/index.ts'
import { PAGES } from './pages.ts'

const page = (path: string): string => readFileSync(path, 'utf8')
const codesOf = (text: string): string[] => [...text.matchAll(/^\| `([a-z-]+)` \| /gm)].map(([, code = '']) => code)
const core = readdirSync('src/core', { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .map((path) => ({ path, text: page(`src/core/${path}`) }))

describe('docs/gates.md', () => {
  const table = page('docs/gates.md').split('<!-- blockers -->')[1]?.split('<!-- /blockers -->')[0] ?? ''

  it('explains every blocker, in the order of the code', () => {
    expect(codesOf(table)).toEqual([...BLOCKER_CODES])
  })

  it.each(BLOCKER_CODES)('says of %s what clears it, or that nothing raises it', (code) => {
    const row = table.split('\n').find((line) => line.startsWith(`| \`${code}\` | `)) ?? ''
    const [, , clears = ''] = row.slice(2, -1).split(' |')
    const isRaised = core.some(({ path, text }) => path !== 'ring/schema.ts' && text.includes(`'${code}'`))
    expect({ isRaised, isSaid: !row.includes('raises it nowhere') }).toEqual({ isRaised, isSaid: isRaised })
    expect(clears.trim() !== '').toBe(isRaised)
  })
})

describe('docs/ledger.md', () => {
  it('explains every code that closes the ledger, and the one of a decision that differs', () => {
    const text = page('docs/ledger.md').split('## Verify it')[1]?.split('## Every type')[0] ?? ''
    expect(codesOf(text)).toEqual([...INTEGRITY_CODES, 'decision-differs'])
    const told = [...text.matchAll(/^\| `([a-z-]+)` \| .* \| (.*) \|$/gm)].map(([, code, todo]) => [code, todo])
    expect(Object.fromEntries(told)).toEqual(REMEDIES)
  })
})

describe('docs/operations.md', () => {
  const table = page('docs/operations.md').split('<!-- alarms -->')[1]?.split('<!-- /alarms -->')[0] ?? ''
  const sources = readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => page(`src/${path}`))
  const found = (pattern: RegExp) => sources.flatMap((text) => [...text.matchAll(pattern)].map(([, said = '']) => said))

  it('has a remedy for every alarm that is raised', () => {
    const raised = [
      ...found(/'alarm\.raised',\s*\{[^}]*?code: '([a-z-]+)'/g),
      ...found(/\btell\([^,()]+, '([a-z-]+)', /g),
      ...found(/alarm: `(?:brake\/|refusals\/|unsayable:)[^`]+`,\s*code: '([a-z-]+)'/g),
    ]
    expect(codesOf(table).sort()).toEqual([...new Set(raised)].sort())
  })

  it('has a remedy for every alarm with a title of its own', () => {
    const titles = found(/title: 'Ringmaster alarm: ([^']+)'/g)
    expect(titles.length).toBeGreaterThan(1)
    expect(titles.filter((title) => !table.includes(`\n| ${title} |`))).toEqual([])
  })
})

describe('docs/configuration.md', () => {
  it('explains every code of a configuration that is refused', () => {
    const text = page('docs/configuration.md').split('## What is checked')[1]?.split('## Roles')[0] ?? ''
    const used = ['parse', 'rules', 'proposal-rules'].flatMap((name) =>
      [...page(`src/core/config/${name}.ts`).matchAll(/code: '([a-z-]+)'/g)].map(([, code = '']) => code),
    )
    expect(codesOf(text).sort()).toEqual([...new Set(used)].sort())
  })
})

describe('docs/cli.md', () => {
  it('has every exit code', () => {
    const codes = [...page('docs/cli.md').matchAll(/^\| ([0-9]+) \| /gm)].map(([, code]) => Number(code))
    expect(codes).toEqual([0, ...Object.values(EXIT_OF), 70])
  })
})

describe('app.yml', () => {
  const manifest = parse(page('app.yml')) as { default_permissions: object; default_events: readonly string[] }

  it('asks for exactly the permissions that a feature needs', () => {
    expect(manifest.default_permissions).toEqual(manifestPermissions())
    expect(new Set(PERMISSIONS.map(({ feature }) => feature)).size).toBe(PERMISSIONS.length)
  })

  it('subscribes to exactly the events that are read', () => {
    expect([...manifest.default_events].sort()).toEqual(EVENTS)
  })
})

describe('docs/decisions', () => {
  const files = readdirSync('docs/decisions').filter((name) => name !== 'README.md')

  it('are numbered without a gap and listed', () => {
    const list = page('docs/decisions/README.md')
    expect(files.map((name) => Number(name.slice(0, 4)))).toEqual(files.map((_name, at) => at + 1))
    expect(files.filter((name) => !list.includes(`](${name})`))).toEqual([])
  })

  it.each(files)('say context, decision and consequences: %s', (name) => {
    const headings = [...page(`docs/decisions/${name}`).matchAll(/^## (.+)$/gm)].map(([, title]) => title)
    expect(headings).toEqual(['Context', 'Decision', 'Consequences'])
  })
})

describe('docs/glossary.md', () => {
  const words = [...page('docs/glossary.md').matchAll(/^\| ([^|]+) \| /gm)]
    .flatMap(([, cell = '']) => cell.split(', '))
    .filter((word) => word !== 'Word' && word !== '---')

  it('has each word once', () => {
    expect(words.filter((word, at) => words.indexOf(word) !== at)).toEqual([])
    expect(words.length).toBeGreaterThan(60)
  })
})

describe('the pages', () => {
  const mentioned = PAGES.flatMap(({ path, text }) =>
    [...text.matchAll(/`((?:src|test|schemas|scripts|docs|\.github)\/[A-Za-z0-9_./-]+)`/g)].map(
      ([, file = '']) => [`${path}: ${file}`, file] as const,
    ),
  ).filter(([, file]) => file !== '.github/ringmaster.yml')

  it.each(mentioned)('name files that exist: %s', (_name, file) => {
    expect(existsSync(file)).toBe(true)
  })

  it.each(PAGES.map(({ path, text }) => [path, text] as const))(
    'promise nothing that is not there: %s',
    (_path, text) => {
      expect(text).not.toMatch(/\bTO-?DO\b|coming soon|placeholder|\bFIXME\b|lorem/i)
    },
  )
})

describe('.github', () => {
  it('runs everything on each Node that is supported, with a token that only reads', () => {
    const workflow = parse(page('.github/workflows/ci.yml')) as {
      permissions: object
      jobs: Record<string, { strategy: { matrix: { node: number[] } }; steps: { uses?: string; run?: string }[] }>
    }
    const job = workflow.jobs['all']
    expect(workflow.permissions).toEqual({ contents: 'read' })
    expect(job?.strategy.matrix.node).toEqual([20, 22, 24])
    const [installing, ...commands] = job?.steps.flatMap((step) => (step.run ? [step.run] : [])) ?? []
    expect(installing).toMatch(/apt-get install .*redis-server$/)
    expect(commands).toEqual(['npm ci', 'npm test', 'npm run all'])
    for (const { uses } of job?.steps ?? []) expect(uses ?? 'actions/x@v1').toMatch(/^actions\/[a-z-]+@v[0-9]+$/)
  })

  it('has a form whose fields have ids of their own', () => {
    const form = parse(page('.github/ISSUE_TEMPLATE/release.yml')) as {
      name: string
      body: { type: string; id?: string }[]
    }
    const ids = form.body.flatMap((field) => (field.id ? [field.id] : []))
    expect(new Set(ids).size).toBe(form.body.filter((field) => field.type !== 'markdown').length)
  })
})
