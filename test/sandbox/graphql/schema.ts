import { buildSchema, type GraphQLSchema } from 'graphql'

let built: Promise<GraphQLSchema> | undefined

/** GitHub's own schema, loaded when first asked for and then kept: it takes a quarter of a second. */
export function gitHubSchema(): Promise<GraphQLSchema> {
  built ??= import('@octokit/graphql-schema').then(({ schema }) =>
    buildSchema(schema.idl, { assumeValid: true, assumeValidSDL: true, noLocation: true }),
  )
  return built
}
