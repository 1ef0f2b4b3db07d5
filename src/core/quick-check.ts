import type { z } from 'zod'

/** Says yes only to values that zod accepts. Its no means nothing: then zod is asked. */
export type QuickCheck = (value: unknown) => boolean

type Schema = z.core.$ZodType

const INHERITED: ReadonlySet<string> = new Set(Object.getOwnPropertyNames(Object.prototype))

/** What zod calls a format is more than a pattern for some; these are their pattern and nothing else. */
const PATTERN_FORMATS: ReadonlySet<string> = new Set(['regex', 'datetime'])

const patternOf = (def: { readonly format?: string; readonly pattern?: RegExp | undefined }): RegExp | undefined => {
  const { format = '', pattern } = def
  const keepsPlace = pattern?.global === true || pattern?.sticky === true
  return PATTERN_FORMATS.has(format) && !keepsPlace ? pattern : undefined
}

/** Asked only of values of the schema's own type. */
type Limit = (value: never) => boolean

/** One of a schema's own checks, for a value of its type; undefined for a kind that only zod knows. */
function limitOf(check: z.core.$ZodCheck<never>): Limit | undefined {
  const { def } = (check as unknown as z.core.$ZodChecks)._zod
  switch (def.check) {
    case 'string_format': {
      const pattern = patternOf(def)
      return pattern && ((value: string) => pattern.test(value))
    }
    // zod counts the characters of a text: at most as many as its units, and at least half.
    case 'min_length':
      return (value: string | unknown[]) =>
        value.length >= (typeof value === 'string' ? 2 * def.minimum - 1 : def.minimum)
    case 'max_length':
      return (value: string | unknown[]) => value.length <= def.maximum
    case 'greater_than': {
      const { value: limit, inclusive } = def
      if (typeof limit !== 'number') return undefined
      return inclusive ? (value: number) => value >= limit : (value: number) => value > limit
    }
    case 'less_than': {
      const { value: limit, inclusive } = def
      if (typeof limit !== 'number') return undefined
      return inclusive ? (value: number) => value <= limit : (value: number) => value < limit
    }
    default:
      return undefined
  }
}

/** A check of the type and then of everything that the schema adds to it. */
function limited(schema: Schema, isType: QuickCheck): QuickCheck | undefined {
  let check: QuickCheck = isType
  for (const own of schema._zod.def.checks ?? []) {
    const limit = limitOf(own) as ((value: unknown) => boolean) | undefined
    if (!limit) return undefined
    const before = check
    check = (value) => before(value) && limit(value)
  }
  return check
}

const isText = (value: unknown): value is string => typeof value === 'string'

function textCheck(schema: Schema, def: z.core.$ZodStringDef & { readonly check?: string }): QuickCheck | undefined {
  if (def.coerce) return undefined
  if (def.check === undefined) return limited(schema, isText)
  const pattern = patternOf(def as { format?: string; pattern?: RegExp })
  return pattern && limited(schema, (value) => isText(value) && pattern.test(value))
}

function numberCheck(schema: Schema, def: z.core.$ZodNumberDef & { readonly format?: string }): QuickCheck | undefined {
  if (def.coerce) return undefined
  if (def.format === undefined) return limited(schema, Number.isFinite)
  return def.format === 'safeint' ? limited(schema, Number.isSafeInteger) : undefined
}

function objectCheck(def: z.core.$ZodObjectDef): QuickCheck | undefined {
  const names = Object.keys(def.shape)
  if (names.some((name) => INHERITED.has(name))) return undefined
  const isStrict = def.catchall?._zod.def.type === 'never'
  if (def.catchall && !isStrict) return undefined
  const members = names.map((name) => {
    const schema = def.shape[name] as Schema
    return { name, check: quickCheck(schema), isOptional: schema._zod.def.type === 'optional' }
  })
  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
    const object = value as Record<string, unknown>
    let known = 0
    for (const { name, check, isOptional } of members) {
      const member = object[name]
      if (member === undefined) {
        // A member that is there and undefined is left to zod.
        if (!isOptional || name in object) return false
        continue
      }
      known += 1
      if (!check(member)) return false
    }
    if (!isStrict) return true
    for (const _ in object) known -= 1
    return known === 0
  }
}

function arrayCheck(schema: Schema, def: z.core.$ZodArrayDef): QuickCheck | undefined {
  const element = quickCheck(def.element)
  return limited(schema, (value) => {
    if (!Array.isArray(value)) return false
    for (const item of value) if (!element(item)) return false
    return true
  })
}

function build(schema: Schema): QuickCheck | undefined {
  const { def } = (schema as z.core.$ZodTypes)._zod
  if (def.type === 'string') return textCheck(schema, def)
  if (def.type === 'number') return numberCheck(schema, def)
  if (def.type === 'array') return arrayCheck(schema, def)
  if ((def.checks ?? []).length > 0) return undefined
  switch (def.type) {
    case 'object':
      return objectCheck(def)
    case 'nullable': {
      const inner = quickCheck(def.innerType)
      return (value) => value === null || inner(value)
    }
    case 'optional':
      return quickCheck(def.innerType)
    case 'union': {
      const options = def.options.map(quickCheck)
      return (value) => options.some((option) => option(value))
    }
    case 'enum':
    case 'literal': {
      const { values } = schema._zod
      return values && ((value) => values.has(value as z.core.util.Primitive))
    }
    case 'boolean':
      return def.coerce ? undefined : (value) => typeof value === 'boolean'
    case 'null':
      return (value) => value === null
    case 'unknown':
      return () => true
    default:
      return undefined
  }
}

const known = new WeakMap<Schema, QuickCheck>()

/**
 * A check made from what zod knows of a schema, so that zod stays the only source of the type: many times faster than
 * asking zod, because it copies nothing and explains nothing. What it does not know of a schema it leaves to zod.
 */
export function quickCheck(schema: Schema): QuickCheck {
  const made = known.get(schema)
  if (made) return made
  const check = build(schema) ?? ((value) => (schema as z.ZodType).safeParse(value).success)
  known.set(schema, check)
  return check
}
