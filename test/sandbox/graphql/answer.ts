import {
  type DocumentNode,
  execute,
  type GraphQLError,
  type GraphQLFieldResolver,
  Kind,
  parse,
  specifiedRules,
  validate,
} from 'graphql'
import type { FaultKind } from '../faults.ts'
import { type Identity, labelOf } from '../identity.ts'
import { type Answer, Refusal } from '../router.ts'
import type { World } from '../world.ts'
import { mutationRoot } from './mutations.ts'
import { queryRoot } from './objects.ts'
import { GraphqlRefusal, NotImplemented } from './refusal.ts'
import { gitHubSchema } from './schema.ts'

export interface Scope {
  readonly world: World
  readonly identity: Identity
  /** Refs are read as they were half a minute ago (the `lag` fault). */
  readonly isLagging: boolean
  /** Texts of blobs come cut in half (the `truncated-blob` fault). */
  readonly isCut: boolean
}

interface Request {
  readonly query: string
  readonly variables: Readonly<Record<string, unknown>>
  readonly operationName: string | undefined
}

/** Answers one GraphQL request on GitHub's schema: what the schema does not have is an error here too. */
export async function answerGraphql(
  world: World,
  identity: Identity,
  text: string,
  trace: { fields: readonly string[] },
): Promise<Answer> {
  if (identity.kind === 'anonymous' || identity.kind === 'app') {
    throw new Refusal(401, 'This endpoint requires you to be authenticated.')
  }
  const request = readRequest(text)
  let document: DocumentNode
  try {
    document = parse(request.query)
  } catch (error) {
    return refusedRequest(world, identity, [error as GraphQLError])
  }
  trace.fields = topFields(document)
  const schema = await gitHubSchema()
  const invalid = validate(schema, document, specifiedRules)
  if (invalid.length > 0) return refusedRequest(world, identity, invalid)
  const isMutation = document.definitions.some(
    (one) => one.kind === Kind.OPERATION_DEFINITION && one.operation === 'mutation',
  )
  const asked = { route: 'POST /graphql', text }
  const isHit = (kind: FaultKind) => !isMutation && world.faults.take([kind], asked) !== undefined
  const scope: Scope = { world, identity, isLagging: isHit('lag'), isCut: isHit('truncated-blob') }
  const result = await execute({
    schema,
    document,
    rootValue: isMutation ? mutationRoot(scope, text) : queryRoot(scope),
    variableValues: request.variables,
    operationName: request.operationName,
    fieldResolver,
  })
  const errors = (result.errors ?? []).map((error) => errorBody(world, error))
  return {
    status: 200,
    body: { ...(result.data === undefined ? {} : { data: result.data }), ...(errors.length > 0 ? { errors } : {}) },
  }
}

function readRequest(text: string): Request {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    throw new Refusal(400, 'Problems parsing JSON')
  }
  const { query, variables, operationName } = (body ?? {}) as Record<string, unknown>
  if (typeof query !== 'string') throw new Refusal(400, 'A query attribute must be specified and must be a string.')
  return {
    query,
    variables: typeof variables === 'object' && variables !== null ? (variables as Record<string, unknown>) : {},
    operationName: typeof operationName === 'string' ? operationName : undefined,
  }
}

const topFields = (document: DocumentNode): string[] =>
  document.definitions.flatMap((one) =>
    one.kind === Kind.OPERATION_DEFINITION
      ? one.selectionSet.selections.flatMap((field) => (field.kind === Kind.FIELD ? [field.name.value] : []))
      : [],
  )

function refusedRequest(world: World, identity: Identity, errors: readonly GraphQLError[]): Answer {
  const problems = errors.map((error) => error.message)
  world.violations.push({ kind: 'request', operation: `POST /graphql by ${labelOf(identity)}`, problems })
  return { status: 200, body: { errors: errors.map((error) => error.toJSON()) } }
}

/** A member of the source, or its answer to the arguments; one that is not there is named instead of being null. */
const fieldResolver: GraphQLFieldResolver<unknown, unknown> = (source, args, _context, info) => {
  const member = typeof source === 'object' && source !== null ? Reflect.get(source, info.fieldName) : undefined
  if (member === undefined && !(typeof source === 'object' && source !== null && info.fieldName in source)) {
    throw new NotImplemented(`${info.parentType.name}.${info.fieldName}`)
  }
  return typeof member === 'function' ? (member as (args: unknown) => unknown)(args) : member
}

function errorBody(world: World, error: GraphQLError): Record<string, unknown> {
  const { originalError, message, path, locations } = error
  if (originalError instanceof GraphqlRefusal) return { type: originalError.type, path, locations, message }
  if (originalError instanceof Refusal)
    return { type: originalError.status === 403 ? 'FORBIDDEN' : 'UNPROCESSABLE', path, locations, message }
  const isMissing = originalError instanceof NotImplemented
  // An error without an original one is the schema's: a variable or a value of the wrong type.
  const kind = isMissing ? 'not-implemented' : originalError ? 'answer' : 'request'
  world.violations.push({
    kind,
    operation: 'POST /graphql',
    problems: [message, ...(originalError && !isMissing ? [String(originalError.stack)] : [])],
  })
  return { path, locations, message }
}
