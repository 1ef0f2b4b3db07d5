/** An error of GraphQL as GitHub gives it: HTTP 200 with a `type` beside the message. */
export class GraphqlRefusal extends Error {
  readonly type: string
  constructor(type: string, message: string) {
    super(message)
    this.type = type
  }
}

/** The sandbox lacks this field; recorded, so that a test that meets it fails. */
export class NotImplemented extends Error {}
