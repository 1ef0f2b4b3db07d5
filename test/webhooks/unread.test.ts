import { describe, expect, it } from '@jest/globals'
import { Intake } from '../../src/app/intake.ts'
import { requestsOf } from '../../src/webhooks/index.ts'
import { unreadIn } from '../../src/webhooks/unread.ts'
import {
  bent,
  buildRecord,
  delivered,
  fenced,
  installation,
  numberQuestion,
  PAYLOADS,
  RELEASES_ID,
} from './payloads.ts'

const check = (name: string, text: string | null, repository = 78) =>
  delivered(
    'check_run',
    bent(PAYLOADS.check_run, {
      'check_run.name': name,
      'check_run.output.text': text,
      'repository.id': repository,
    } as never),
  )
const deployment = (payload: unknown, task = 'ringmaster') =>
  delivered(
    'deployment_status',
    bent(PAYLOADS.deployment_status, { 'deployment.task': task, 'deployment.payload': payload }),
  )
const ARTIFACT = { name: 'app', size: 1, sha256: 'a'.repeat(64), url: 'https://files.test/app' }
/** Within the bytes of metadata; written out, for what writes it may go no deeper than what reads it. */
const DEEP = `{"a":${'['.repeat(9_000)}${']'.repeat(9_000)}}`
const BUILD = 'ringmaster/build user-service'

describe('a record that bears our name and does not read', () => {
  it.each([
    ['without a record', check(BUILD, null), /a record of a build in the check run ".*user-service" of acme\/platform/],
    ['with an odd version', check(BUILD, fenced({ ...buildRecord, version: 'a b' })), /found "version: /],
    [
      'with metadata thousands of levels deep',
      check(
        BUILD,
        fenced({ ...buildRecord, artifacts: [{ ...ARTIFACT, customMetadata: 'DEEP' }] }).replace('"DEEP"', DEEP),
      ),
      /found "artifacts\.0\.customMetadata: .*at most 64 levels/,
    ],
    ['of another schema', check(BUILD, fenced({ ...buildRecord, schema: 'ringmaster/build/9' })), /found "schema: /],
    ['of another product', check('ringmaster/build api', fenced(buildRecord)), /the product of its name.*user-service/],
    ['that asks for a number', check('ringmaster/next-build api', null), /a question for a build number/],
    [
      'that asks for a number of another product',
      check('ringmaster/next-build api', fenced({ ...numberQuestion, product: 'web' })),
      /the product of its name.*web/,
    ],
    ['of bundles', check('ringmaster/bundles', 'words', RELEASES_ID), /a signed request of bundles/],
    ['of a deployment', deployment({ product: 'api' }), /a record of a deployment in deployment 8 of acme\/platform/],
    ['of a deployment in broken JSON', deployment('{'), /a record of a deployment/],
  ])('%s asks for nothing and is named', (_, delivery, message) => {
    expect(requestsOf(delivery, installation)).toEqual([])
    expect(unreadIn(delivery, installation)).toMatchObject({
      code: 'record-unread',
      message: expect.stringMatching(message),
    })
  })

  it.each([
    ['a sound record', check(BUILD, fenced(buildRecord))],
    ['a check run of somebody else', check('lint', null)],
    ['a hand-over anywhere else', check('ringmaster/bundles', 'words', 78)],
    ['a deployment of another tool', deployment({ product: 'api' }, 'deploy')],
    ['an event of another kind', delivered('push', PAYLOADS.push)],
  ])('is none of %s', (_, delivery) => {
    expect(unreadIn(delivery, installation)).toBeNull()
  })

  it.each(['delivered', 'found by a sweep'])('is told to whoever reads the log when it is %s', async (way) => {
    const lines: [Record<string, unknown>, string][] = []
    const log = {
      info: () => {},
      error: (data: Record<string, unknown>, text: string) => void lines.push([data, text]),
    }
    const engine = { submit: async () => ({ kind: 'accept', answer: null }) as const }
    const intake = new Intake({ engine, installation, log, refine: async (request) => request })
    const delivery = check(BUILD, null)
    if (way === 'delivered') await intake.handle(delivery)
    else await intake.handleFound(delivery, delivery.receivedAt)
    expect(lines).toMatchObject([
      [{ code: 'record-unread' }, expect.stringMatching(/^a record was left out: expected/)],
    ])
  })
})
