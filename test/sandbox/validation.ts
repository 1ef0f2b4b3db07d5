import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { Ajv, type ValidateFunction } from 'ajv'
import formats from 'ajv-formats'

export interface Violation {
  readonly kind: 'request' | 'answer' | 'unknown-route' | 'not-implemented'
  /** `GET /repos/{owner}/{repo}` or what was asked for. */
  readonly operation: string
  readonly problems: readonly string[]
}

type Json = Readonly<Record<string, unknown>>

/** Checks against GitHub's OpenAPI description; each answer lists the problems, empty = accepted. */
export interface Validation {
  knows(method: string, path: string): boolean
  /** Whether GitHub's description says that the operation notifies people (`x-github.triggersNotification`). */
  notifies(method: string, path: string): boolean
  request(method: string, path: string, query: URLSearchParams, body: Json | undefined): string[]
  answer(method: string, path: string, status: number, body: unknown): string[]
}

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)
const member = (value: unknown, key: string): unknown => (isObject(value) ? value[key] : undefined)
const schemaId = (name: string) => `component:${name}`

/** OpenAPI 3.0 → JSON Schema: `nullable`, and `oneOf` that GitHub writes where several branches may match. */
function toJsonSchema(node: unknown, refs: Set<string>): unknown {
  if (Array.isArray(node)) return node.map((item) => toJsonSchema(item, refs))
  if (!isObject(node)) return node
  const ref = node['$ref']
  if (typeof ref === 'string') {
    const name = ref.slice('#/components/schemas/'.length)
    refs.add(name)
    const target = { $ref: schemaId(name) }
    return node['nullable'] === true ? { anyOf: [{ type: 'null' }, target] } : target
  }
  const converted = Object.fromEntries(
    Object.entries(node)
      .filter(([key]) => !ignored.has(key))
      .map(([key, value]) =>
        key === 'properties' && isObject(value)
          ? [key, Object.fromEntries(Object.entries(value).map(([name, one]) => [name, toJsonSchema(one, refs)]))]
          : key === 'enum' || key === 'required'
            ? [key, value]
            : [key === 'oneOf' || isChoiceInDisguise(key, value) ? 'anyOf' : key, toJsonSchema(value, refs)],
      ),
  )
  return node['nullable'] === true ? { anyOf: [{ type: 'null' }, converted] } : converted
}
/** An erratum of the description: an installation's account is said to be a user *and* an enterprise. */
const isChoiceInDisguise = (key: string, value: unknown): boolean =>
  key === 'allOf' &&
  Array.isArray(value) &&
  value.length > 1 &&
  value.some((one) => member(one, 'title') === 'Enterprise')

const ignored = new Set([
  'nullable',
  'description',
  'example',
  'examples',
  'default',
  'title',
  'deprecated',
  'discriminator',
])

let parsed: Json | undefined
const description = (): Json => {
  const file = createRequire(import.meta.url).resolve('@octokit/openapi/generated/api.github.com.json')
  parsed ??= JSON.parse(readFileSync(file, 'utf8')) as Json
  return parsed
}

let shared: Validation | undefined
/** One per process: compiled validators are kept. Reads the description when first asked. */
export const sharedValidation = (): Validation => {
  shared ??= createValidation()
  return shared
}

function createValidation(): Validation {
  const options = { strict: false, validateSchema: false, inlineRefs: false, allErrors: true, logger: false } as const
  const strict = new Ajv(options)
  const coercing = new Ajv({ ...options, coerceTypes: 'array' })
  const compilers = [strict, coercing].map((ajv) => {
    formats.default(ajv)
    const added = new Set<string>()
    const add = (names: Set<string>) => {
      for (const name of names) {
        if (added.has(name)) continue
        added.add(name)
        const refs = new Set<string>()
        const schemas = member(description()['components'], 'schemas')
        ajv.addSchema(toJsonSchema(member(schemas, name), refs) as object, schemaId(name))
        add(refs)
      }
    }
    return (schema: unknown): ValidateFunction => {
      const refs = new Set<string>()
      const converted = toJsonSchema(schema, refs)
      add(refs)
      return ajv.compile(converted as object)
    }
  })
  const [compile, compileCoercing] = compilers as [(typeof compilers)[0], (typeof compilers)[0]]

  const deref = (node: unknown): unknown => {
    const ref = member(node, '$ref')
    if (typeof ref !== 'string') return node
    return ref.slice(2).split('/').reduce<unknown>(member, description())
  }
  const operationOf = (method: string, path: string) =>
    member(member(description()['paths'], path), method.toLowerCase())
  const cache = new Map<string, ValidateFunction | undefined>()
  const cached = (key: string, make: () => ValidateFunction | undefined) => {
    if (!cache.has(key)) cache.set(key, make())
    return cache.get(key)
  }
  const problemsOf = (where: string, check: ValidateFunction | undefined, value: unknown): string[] => {
    if (!check || check(value)) return []
    const errors = (check.errors ?? []).slice(0, 8)
    return errors.map(
      (error) => `${where}${error.instancePath} ${error.message ?? 'is not accepted'} ${JSON.stringify(error.params)}`,
    )
  }
  const jsonSchemaOf = (content: unknown): unknown => {
    const [, media] = Object.entries(isObject(content) ? content : {}).find(([type]) => type.includes('json')) ?? []
    return member(media, 'schema')
  }
  const parametersOf = (method: string, path: string): Json[] => {
    const listed = member(operationOf(method, path), 'parameters')
    return (Array.isArray(listed) ? listed : []).map(deref).filter(isObject)
  }

  return {
    knows: (method, path) => operationOf(method, path) !== undefined,
    notifies: (method, path) => member(member(operationOf(method, path), 'x-github'), 'triggersNotification') === true,
    request(method, path, query, body) {
      const key = `${method} ${path}`
      const parameters = parametersOf(method, path).filter((one) => one['in'] === 'query')
      const checkQuery = cached(`${key} query`, () =>
        compileCoercing({
          type: 'object',
          properties: Object.fromEntries(parameters.map((one) => [String(one['name']), one['schema']])),
          required: parameters.filter((one) => one['required'] === true).map((one) => one['name']),
          additionalProperties: false,
        }),
      )
      const requestBody = deref(member(operationOf(method, path), 'requestBody'))
      const schema = jsonSchemaOf(member(requestBody, 'content'))
      const checkBody = cached(`${key} body`, () => (schema === undefined ? undefined : compile(schema)))
      const isMissing = body === undefined && member(requestBody, 'required') === true
      return [
        ...problemsOf('query', checkQuery, Object.fromEntries(query)),
        ...(isMissing ? ['body is required'] : body === undefined ? [] : problemsOf('body', checkBody, body)),
        ...unknownMembers(deref(schema), body).map((name) => `body/${name} is not described`),
      ]
    },
    answer(method, path, status, body) {
      const responses = member(operationOf(method, path), 'responses')
      const response = deref(member(responses, String(status)))
      if (response === undefined) return status < 400 ? [`status ${status} is not described`] : []
      const schema = jsonSchemaOf(member(response, 'content'))
      const check = cached(`${method} ${path} ${status}`, () => (schema === undefined ? undefined : compile(schema)))
      if (schema === undefined && body !== undefined) return [`status ${status} is described without a body`]
      return problemsOf('answer', check, body)
    },
  }
}

/** GitHub ignores members it does not know, which hides misspelt ones: here they are problems. */
function unknownMembers(schema: unknown, body: Json | undefined): string[] {
  const properties = member(schema, 'properties')
  const isOpen = member(schema, 'additionalProperties') !== undefined
  const isChoice = ['oneOf', 'anyOf', 'allOf'].some((key) => member(schema, key) !== undefined)
  if (body === undefined || !isObject(properties) || isOpen || isChoice) return []
  return Object.keys(body).filter((name) => !Object.hasOwn(properties, name))
}
