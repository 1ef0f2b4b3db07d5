import type { z } from 'zod'
import { type Place, valueAt } from './place.ts'
import type { Finding } from './rules.ts'
import { Configuration } from './schema.ts'

/** What can be read of a configuration that does not fit the schema: enough for its rules to be looked at. */
export interface Salvaged {
  readonly configuration: Configuration
  /** The place in the file of a place in what was salvaged, where items before it were left out. */
  readonly placeOf: (place: Place) => Place
  /** Whether a rule is broken by what the file says, and not only by what was left out. */
  readonly holds: (finding: Finding) => boolean
}

/** Each round takes away what the schema refuses; an item may need one for each of its depths. */
const MOST_ROUNDS = 12

interface Left {
  /** The indexes that the items of a list had before some were taken out. */
  readonly indexes: WeakMap<object, readonly number[]>
  /** The places, in the file, of what was left out. */
  readonly places: Place[]
  /** Every text that stood in what was left out of a section: names that others may refer to. */
  readonly texts: Map<PropertyKey, Set<string>>
  /** Sections of which nothing could be read, so that nobody knows which names they have. */
  readonly unread: Set<PropertyKey>
}

/** Reads what fits of each section; what does not is left out, the smallest part of it that can be. */
export function salvage(value: unknown): Salvaged {
  const copy: unknown = structuredClone(value)
  const left: Left = { indexes: new WeakMap(), places: [], texts: new Map(), unread: new Set() }
  const { products, rings, signoff, checklist, completion, roles, cohorts } = Configuration.shape
  const section = <S extends z.ZodType>(key: string, schema: S, otherwise: z.infer<S>): z.infer<S> => {
    const read = prune(schema, copy, [key], left)
    if (read.ok) return read.value
    left.unread.add(key)
    return otherwise
  }
  const configuration: Configuration = {
    schemaVersion: 1,
    products: section('products', products, []),
    rings: section('rings', rings, []),
    signoff: section('signoff', signoff, { parties: [], authorMaySign: false, dismissers: [], profiles: [] }),
    checklist: section('checklist', checklist, []),
    completion: section('completion', completion, { environments: [], notes: false }),
    roles: section('roles', roles, []),
    cohorts: section('cohorts', cohorts, []),
  }
  const placeOf = (place: Place): Place => original(copy, place, left)
  return {
    configuration,
    placeOf,
    holds: ({ code, path, among }) => {
      if (among !== undefined)
        return !left.unread.has(among) && !left.texts.get(among)?.has(String(valueAt(configuration, path)))
      if (!NEEDS_THE_WHOLE.has(code)) return true
      const place = placeOf(path)
      return !left.places.some((gone) => place.every((key, index) => gone[index] === key))
    },
  }
}

/** Rules that miss something: it may be what was left out. */
const NEEDS_THE_WHOLE: ReadonlySet<Finding['code']> = new Set(['nobody', 'incomplete-step'])

type Read<T> = { readonly ok: true; readonly value: T } | { readonly ok: false }

function prune<S extends z.ZodType>(schema: S, copy: unknown, place: Place, left: Left): Read<z.infer<S>> {
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const parsed = schema.safeParse(valueAt(copy, place))
    if (parsed.success) return { ok: true, value: parsed.data }
    if (!takeAway(copy, place, parsed.error.issues, left)) return { ok: false }
  }
  return { ok: false }
}

/** Takes away everything that is refused; false where nothing of the section would be left. */
function takeAway(copy: unknown, section: Place, issues: readonly z.core.$ZodIssue[], left: Left): boolean {
  const gone = new Map<object, Set<PropertyKey>>()
  for (const issue of issues) {
    const place = [...section, ...issue.path]
    const isMissing = valueAt(copy, place) === undefined
    const refused =
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => [...place, key])
        : [isMissing ? place.slice(0, -1) : place]
    for (const each of refused) {
      const holder = valueAt(copy, each.slice(0, -1))
      const key = each.at(-1)
      if (each.length <= section.length || key === undefined || holder === null || typeof holder !== 'object')
        return false
      if (gone.get(holder)?.has(key)) continue
      gone.set(holder, (gone.get(holder) ?? new Set()).add(key))
      if (issue.code === 'unrecognized_keys') continue
      left.places.push(original(copy, each, left))
      gatherTexts(valueAt(copy, each), textsOf(section, left))
    }
  }
  for (const [holder, keys] of gone) {
    if (Array.isArray(holder)) withoutItems(holder, keys, left)
    else for (const key of keys) Reflect.deleteProperty(holder, key)
  }
  return true
}

function textsOf([section = '']: Place, { texts }: Left): Set<string> {
  const known = texts.get(section) ?? new Set()
  texts.set(section, known)
  return known
}

function withoutItems(list: unknown[], gone: ReadonlySet<PropertyKey>, { indexes }: Left): void {
  const before = indexes.get(list) ?? list.map((_, index) => index)
  const kept = list.flatMap((item, index) => (gone.has(index) ? [] : [{ item, index: before[index] ?? index }]))
  indexes.set(
    list,
    kept.map(({ index }) => index),
  )
  list.splice(0, list.length, ...kept.map(({ item }) => item))
}

function original(copy: unknown, place: Place, { indexes }: Left): Place {
  let current: unknown = copy
  return place.map((key) => {
    const at = typeof current === 'object' && current !== null ? indexes.get(current)?.[Number(key)] : undefined
    current = valueAt(current, [key])
    return at ?? key
  })
}

/** Each object once: one may hold itself by an alias. */
function gatherTexts(value: unknown, texts: Set<string>): void {
  const seen = new Set<object>()
  const todo: unknown[] = [value]
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    if (next === null) continue
    if (typeof next !== 'object') texts.add(String(next))
    else if (!seen.has(next)) {
      seen.add(next)
      for (const item of Object.values(next)) todo.push(item)
    }
  }
}
