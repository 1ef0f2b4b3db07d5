import { readFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { parse } from 'yaml'
import { withBlocks } from '../../scripts/generated-blocks.ts'
import { generatedFiles } from '../../scripts/generated-files.ts'
import { ChannelSource } from '../../src/core/manifest/source.ts'

const files = [...generatedFiles('.')]
const schemaOf = (name: string): object => JSON.parse(readFileSync(`schemas/${name}.json`, 'utf8')) as object
const validatorOf = (name: string) => new Ajv2020({ strict: false, validateFormats: false }).compile(schemaOf(name))

describe('what is generated', () => {
  it.each(files)('is committed as the code makes it now: %s (else: npm run schemas)', (path, text) => {
    expect(readFileSync(path, 'utf8')).toBe(text)
  })

  it('comes out the same when it is generated again', () => {
    expect([...generatedFiles('.')]).toEqual(files)
  })

  it('refuses a block that nothing makes, and leaves what is beside the markers alone', () => {
    const sources = { appManifest: readFileSync('app.yml', 'utf8') }
    const block = (name: string, text: string) => `a\n<!-- generated:${name} -->\n${text}<!-- /generated -->\nb`
    expect(() => withBlocks(block('constructor', ''), sources)).toThrow('"constructor"')
    const once = withBlocks(block('events', 'old\n'), sources)
    expect(once).toMatch(/^a\n<!-- generated:events -->\n\n- `check_run`\n[\s\S]*\n\n<!-- \/generated -->\nb$/)
    expect(withBlocks(once, sources)).toBe(once)
  })
})

describe('the JSON Schema of the configuration', () => {
  const validate = validatorOf('configuration')
  const example = (): Record<string, unknown> =>
    parse(readFileSync('.github/ringmaster.example.yml', 'utf8')) as Record<string, unknown>

  it('takes the example', () => {
    expect(validate(example()) || validate.errors).toBe(true)
  })

  it.each([
    ['an unknown key', { surprise: 1 }],
    ['no products', { products: [] }],
    ['a ring as a number', { rings: [{ ring: 1, label: 'x', environments: ['x'] }] }],
    ['an unknown role', { roles: [{ role: 'king', users: ['ann'] }] }],
  ])('refuses %s', (_what, change) => {
    expect(validate({ ...example(), ...change })).toBe(false)
  })
})

describe('the JSON Schema of a ledger event', () => {
  const validate = validatorOf('ledger-event')
  const page = readFileSync('docs/ledger.md', 'utf8')
  const example = (): Record<string, unknown> => {
    const line = /```json\n(.*)\n```/.exec(page)?.[1] ?? ''
    return JSON.parse(line) as Record<string, unknown>
  }

  it('takes the event that the page shows, but for its shortened digest', () => {
    expect(validate({ ...example(), prev: `sha256:${'0'.repeat(64)}` }) || validate.errors).toBe(true)
    expect(validate(example())).toBe(false)
  })

  it('has every member in the table of the page', () => {
    const { properties } = schemaOf('ledger-event') as { properties: object }
    const rows = [...page.matchAll(/^\| `([a-z]+)` \| /gm)].map(([, name]) => name)
    expect(rows.slice(0, Object.keys(properties).length)).toEqual(Object.keys(properties))
  })
})

describe('the JSON Schema of a channel file', () => {
  const validate = validatorOf('channel-file')
  const page = readFileSync('docs/keys.md', 'utf8')
  const example = (): ChannelSource =>
    JSON.parse(/```json channel\.json\n([\s\S]*?)\n```/.exec(page)?.[1] ?? '') as ChannelSource
  const withLatest = (member: object) => {
    const { channel, ...rest } = example()
    const releases = channel.releases.map((release, at) => (at === 1 ? { ...release, ...member } : release))
    return { ...rest, channel: { ...channel, releases } }
  }
  /** The schema and what reads the file say the same. */
  const takes = (file: unknown): boolean => {
    const isTaken = validate(file)
    expect(ChannelSource.safeParse(file).success).toBe(isTaken)
    return isTaken
  }

  it('takes the file that the page shows, and the members that its reference page shows', () => {
    expect(takes(example())).toBe(true)
    const shown = /```json\n(.*)\n```/.exec(readFileSync('docs/channel-file.md', 'utf8'))?.[1] ?? ''
    expect(takes(withLatest(JSON.parse(shown) as object))).toBe(true)
  })

  it.each([
    ['disabled without a reason', { disabled: {} }],
    ['disabled as a word', { disabled: true }],
    ['a phase of no kind', { phase: { share: '0.25' } }],
    ['an unknown member', { label: 'x' }],
  ])('refuses %s', (_what, member) => {
    expect(takes(withLatest(member))).toBe(false)
  })
})
