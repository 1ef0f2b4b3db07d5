import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { type SignedDelivery, webhookDoor } from '../../src/app/webhook-door.ts'

const SECRET_TEXT = 'what-nobody-may-read'
const logged: { readonly level: string; readonly data: object; readonly message: string }[] = []
const taken: SignedDelivery[] = []
let isBroken = false

const door = webhookDoor({
  verify: async (_, signature) => signature === 'sha256=right',
  take: (delivery) => {
    if (isBroken) throw new Error('no room')
    taken.push(delivery)
  },
  log: {
    info: (data, message) => void logged.push({ level: 'info', data, message }),
    error: (data, message) => void logged.push({ level: 'error', data, message }),
  },
})
const server = createServer((request, response) => void door(request, response))

beforeAll(() => new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve)))
afterAll(() => new Promise((resolve) => void server.close(resolve)))
beforeEach(() => {
  logged.length = 0
  taken.length = 0
  isBroken = false
})

const send = (signature: string, type = 'application/json; charset=utf-8') =>
  fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, {
    method: 'POST',
    body: JSON.stringify({ text: SECRET_TEXT }),
    headers: {
      'content-type': type,
      'x-github-event': 'push',
      'x-github-delivery': 'd1',
      'x-hub-signature-256': signature,
    },
  })

describe('the door of webhooks', () => {
  it('takes what is signed', async () => {
    expect((await send('sha256=right')).status).toBe(200)
    expect(taken).toEqual([{ id: 'd1', event: 'push', payload: { text: SECRET_TEXT } }])
    expect(logged).toEqual([])
  })

  it('writes one line about what is not, with where it came from and nothing of what it says', async () => {
    const response = await send('sha256=wrong')
    expect(response.status).toBe(401)
    expect(taken).toEqual([])
    expect(logged).toEqual([
      {
        level: 'error',
        data: { code: 'webhook-signature', from: expect.stringContaining('127.0.0.1') },
        message: expect.stringMatching(/^a webhook was refused: expected .+, found a signature that does not fit$/),
      },
    ])
    expect(await response.text()).not.toContain(SECRET_TEXT)
  })

  it.each([
    ['application/x-www-form-urlencoded', 'found "application/x-www-form-urlencoded"'],
    ['', 'found none'],
  ])('quotes the content type %j that it does not take', async (type, found) => {
    const response = await send('sha256=right', type)
    expect(response.status).toBe(415)
    expect(await response.json()).toMatchObject({
      code: 'webhook-type',
      message: `expected the content type application/json, ${found}`,
    })
    expect(taken).toEqual([])
  })

  it('asks for it again where it could not be taken', async () => {
    isBroken = true
    expect((await send('sha256=right')).status).toBe(500)
    expect(logged).toMatchObject([{ data: { error: 'Error: no room' } }])
  })
})
