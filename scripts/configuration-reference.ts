import { z } from 'zod'
import { Configuration } from '../src/core/config/schema.ts'
import { code, markdownTable } from './markdown-table.ts'

/** The parts of a JSON Schema that the reference shows. */
interface Schema {
  readonly type?: string
  readonly description?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly items?: Schema
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly default?: unknown
  readonly minimum?: number
  readonly maximum?: number
  readonly maxLength?: number
  readonly maxItems?: number
  readonly $ref?: string
}

interface Section {
  readonly name: string
  readonly schema: Schema
}

const anchorOf = (name: string): string =>
  `#${name
    .toLowerCase()
    .replaceAll(/[^a-z0-9 -]/g, '')
    .replaceAll(' ', '-')}`

const range = (schema: Schema): string =>
  schema.minimum === undefined ? '' : `, ${schema.minimum} to ${schema.maximum ?? 'any'}`

/** What may be written for a key, in words. */
function valueText(schema: Schema, section: string): string {
  if (schema.$ref?.startsWith('#/$defs/audience')) return '[audience](#audiences)'
  if (schema.const !== undefined) return code(String(schema.const))
  if (schema.enum) return schema.enum.map((value) => code(String(value))).join(', ')
  if (schema.properties) return `[${section}](${anchorOf(section)})`
  if (schema.items) {
    const most = schema.maxItems === undefined ? '' : ` of at most ${schema.maxItems}`
    return `list${most}: ${valueText(schema.items, section)}`
  }
  if (schema.type === 'integer') return `whole number${range(schema)}`
  if (schema.type === 'boolean') return 'true or false'
  return schema.maxLength === undefined ? 'text' : `text, at most ${schema.maxLength} characters`
}

/** Every object of the schema with the path that leads to it, the outermost first. */
function sectionsOf(name: string, schema: Schema): Section[] {
  const path = (key: string): string => (name === '' ? key : `${name}.${key}`)
  const inner = Object.entries(schema.properties ?? {}).flatMap(([key, value]) =>
    value.items?.properties
      ? sectionsOf(path(`${key}[]`), value.items)
      : value.properties
        ? sectionsOf(path(key), value)
        : [],
  )
  return [{ name, schema }, ...inner]
}

function sectionText({ name, schema }: Section): string {
  const path = (key: string, value: Schema): string =>
    `${name === '' ? '' : `${name}.`}${key}${value.items?.properties ? '[]' : ''}`
  const rows = Object.entries(schema.properties ?? {}).map(([key, value]) => {
    const isNeeded = schema.required?.includes(key) === true
    const preset = value.default === undefined ? '' : code(JSON.stringify(value.default))
    return [code(key), isNeeded ? 'yes' : preset, valueText(value, path(key, value)), value.description ?? '']
  })
  return `### ${name === '' ? 'The file' : name}\n\n${markdownTable(['Key', 'Needed, or default', 'Value', 'Meaning'], rows)}`
}

/** The configuration reference: a table for each object of the file, read from its schema. */
export const configurationReference = (): string =>
  sectionsOf('', z.toJSONSchema(Configuration, { io: 'input' }) as Schema)
    .map(sectionText)
    .join('\n\n')
