import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Problem, quoted } from '../core/problem.ts'
import type { Log } from '../engine/ports.ts'
import { jsonOf, readBody } from './read-body.ts'

/** What GitHub sent us, and signed. */
export interface SignedDelivery {
  readonly id: string
  readonly event: string
  readonly payload: unknown
}

export interface WebhookDoorOptions {
  /** Whether a body is signed (`x-hub-signature-256`) with the webhook secret. */
  readonly verify: (body: string, signature: string) => Promise<boolean>
  /** Takes what is genuine. */
  readonly take: (delivery: SignedDelivery) => Promise<void> | void
  readonly log: Log
}

interface Refusal {
  readonly status: 400 | 401 | 405 | 413 | 415
  readonly problem: Problem
}

/** GitHub sends no payload above 25 MB (docs.github.com, "Webhook events and payloads"). */
const MAX_BODY_BYTES = 25 * 1_000_000

/**
 * Answers POST requests at the webhook path: 200 for what is signed with our secret, else a refusal as JSON {code,
 * message, hint} and one line in the log, with nothing of the body in either. Never throws.
 */
export const webhookDoor =
  ({ verify, take, log }: WebhookDoorOptions) =>
  async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    /** A socket is gone once a body was left unread. */
    const from = request.socket.remoteAddress
    try {
      const read = await deliveryOf(request, verify)
      if ('problem' in read) {
        log.error({ code: read.problem.code, from }, `a webhook was refused: ${read.problem.message}`)
        /** A body that was not read to its end leaves the connection unusable. */
        response
          .writeHead(read.status, { 'content-type': 'application/json', connection: 'close' })
          .end(JSON.stringify(read.problem))
        return
      }
      await take(read)
      response.writeHead(200, { 'content-type': 'text/plain' }).end('ok\n')
    } catch (error) {
      log.error({ error: String(error) }, 'a webhook could not be taken; it is read again from the delivery log')
      response.writeHead(500).end()
    }
  }

async function deliveryOf(
  request: IncomingMessage,
  verify: WebhookDoorOptions['verify'],
): Promise<SignedDelivery | Refusal> {
  if (request.method !== 'POST')
    return refused(405, 'webhook-method', `expected a POST request, found ${request.method}`)
  const missing = ['x-github-event', 'x-github-delivery', 'x-hub-signature-256'].filter(
    (name) => !request.headers[name],
  )
  if (missing.length > 0) {
    const isUnsigned = missing.includes('x-hub-signature-256')
    return refused(
      isUnsigned ? 401 : 400,
      isUnsigned ? 'webhook-unsigned' : 'webhook-header',
      `expected the headers that GitHub sends, found no ${missing.join(', ')}`,
      isUnsigned ? SECRET : ONLY_GITHUB,
    )
  }
  const type = request.headers['content-type'] ?? ''
  if (!/^application\/json\b/i.test(type))
    return refused(
      415,
      'webhook-type',
      `expected the content type application/json, found ${type === '' ? 'none' : quoted(type)}`,
      'Choose application/json in the settings of the webhook.',
    )
  const body = await readBody(request, MAX_BODY_BYTES)
  if (body === undefined) return refused(413, 'webhook-size', `expected at most ${MAX_BODY_BYTES} bytes, found more`)
  if (body === '' || !(await verify(body, String(request.headers['x-hub-signature-256']))))
    return refused(
      401,
      'webhook-signature',
      'expected a body signed with the webhook secret of this server, found a signature that does not fit',
      SECRET,
    )
  const payload = jsonOf(body)
  if (payload === undefined) return refused(400, 'webhook-json', 'expected JSON, found a body that is none')
  return {
    id: String(request.headers['x-github-delivery']),
    event: String(request.headers['x-github-event']),
    payload,
  }
}

const SECRET = 'Give WEBHOOK_SECRET the value that stands in the settings of the GitHub App.'

const ONLY_GITHUB = 'Only GitHub sends webhooks here.'

const refused = (status: Refusal['status'], code: string, message: string, hint = ONLY_GITHUB): Refusal => ({
  status,
  problem: { code, message, hint },
})
