import { z } from 'zod'
import { Configuration } from '../src/core/config/schema.ts'
import { ChannelSource } from '../src/core/manifest/source.ts'
import { code, markdownTable } from './markdown-table.ts'

/** The parts of a JSON Schema that the reference shows. */
interface Schema {
  readonly type?: string
  readonly format?: string
  readonly description?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly items?: Schema
  readonly oneOf?: readonly Schema[]
  readonly anyOf?: readonly Schema[]
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
  /** The path of its members, where it is one of several forms of an object. */
  readonly at?: string
  readonly schema: Schema
}

const anchorOf = (name: string): string =>
  `#${name
    .toLowerCase()
    .replaceAll(/[^a-z0-9 -]/g, '')
    .replaceAll(' ', '-')}`

const range = (schema: Schema): string =>
  schema.minimum === undefined ? '' : `, ${schema.minimum} to ${schema.maximum ?? 'any'}`

/** The word that tells one form of an object from the others. */
const kindOf = ({ properties }: Schema): string => String(properties?.['kind']?.const)

/** A section of its own for each form that an object may have. */
const formName = (section: string, form: Schema): string => `${section}: ${kindOf(form)}`

const FORMATS: Readonly<Record<string, string>> = { 'date-time': 'instant', uri: 'address' }

/** What may be written for a key, in words. */
function valueText(schema: Schema, section: string): string {
  if (schema.anyOf)
    return schema.anyOf.map((one) => (one.type === 'null' ? 'null' : valueText(one, section))).join(' or ')
  if (schema.oneOf)
    return schema.oneOf.map((form) => `[${kindOf(form)}](${anchorOf(formName(section, form))})`).join(', ')
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
  if (schema.type === 'object') return 'object'
  const format = schema.format === undefined ? undefined : FORMATS[schema.format]
  if (format !== undefined) return format
  return schema.maxLength === undefined ? 'text' : `text, at most ${schema.maxLength} characters`
}

/** Every object of the schema with the path that leads to it, the outermost first. */
function sectionsOf(name: string, schema: Schema): Section[] {
  const inner = Object.entries(schema.properties ?? {}).flatMap(([key, value]) =>
    sectionsAt(pathOf(name, key, value), value),
  )
  return [{ name, schema }, ...inner]
}

/** What is in each form of an object is in the object: it gets one section, whichever forms have it. */
function sectionsAt(path: string, value: Schema): Section[] {
  const forms = value.oneOf ?? []
  const [object] = [value, value.items, ...(value.anyOf ?? [])].filter((one) => one?.properties)
  return [
    ...(object ? sectionsOf(path, object) : []),
    ...forms.map((form) => ({ name: formName(path, form), at: path, schema: form })),
    ...forms.flatMap((form) => sectionsOf(path, form).slice(1)),
  ]
}

const isList = ({ items }: Schema): boolean => items?.properties !== undefined

const pathOf = (name: string, key: string, value: Schema): string =>
  `${name === '' ? '' : `${name}.`}${key}${isList(value) ? '[]' : ''}`

function sectionText({ name, at = name, schema }: Section): string {
  const rows = Object.entries(schema.properties ?? {}).map(([key, value]) => {
    const isNeeded = schema.required?.includes(key) === true
    const preset = value.default === undefined ? '' : code(JSON.stringify(value.default))
    return [code(key), isNeeded ? 'yes' : preset, valueText(value, pathOf(at, key, value)), value.description ?? '']
  })
  return `### ${name === '' ? 'The file' : name}\n\n${markdownTable(['Key', 'Needed, or default', 'Value', 'Meaning'], rows)}`
}

/** A table for each object of a file, read from its schema. */
function referenceOf(schema: z.ZodType): string {
  const sections = sectionsOf('', z.toJSONSchema(schema, { io: 'input' }) as Schema)
  const once = new Map(sections.map((section) => [section.name, section]))
  return [...once.values()].map(sectionText).join('\n\n')
}

/** The configuration reference. */
export const configurationReference = (): string => referenceOf(Configuration)

/** The reference of a channel file. */
export const channelReference = (): string => referenceOf(ChannelSource)
