import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { gitHubApp, splitName } from '../../src/github/client.ts'
import { API, failure, github, useNock } from './stage.ts'

useNock()

const { privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
})
const opened = () => gitHubApp({ appId: 4711, privateKey, apiUrl: API })
const installation = (id: number) => ({ id, permissions: {}, events: [] })
const token = { token: 'ghs_x', expires_at: '2999-01-01T00:00:00Z', permissions: {} }

describe('the clients of the App', () => {
  it('act with the installation of each account, asked for once', async () => {
    const app = opened()
    github().get('/repos/acme/releases/installation').reply(200, installation(3))
    github().post('/app/installations/3/access_tokens').reply(201, token)
    github().get('/repos/acme/releases').matchHeader('authorization', 'token ghs_x').reply(200, { id: 77 })
    const [first, second] = await Promise.all([app.forRepository('acme/releases'), app.forRepository('Acme/other')])
    expect(first).toBe(second)
    expect((await first.request('GET /repos/{owner}/{repo}', splitName('acme/releases'))).data).toEqual({ id: 77 })
  })

  it('ask again when the App was not installed before', async () => {
    const app = opened()
    github().get('/repos/acme/releases/installation').reply(404, { message: 'Not Found' })
    expect(await failure(app.forRepository('acme/releases'))).toMatchObject({
      code: 'github-not-found',
      message: expect.stringContaining('could not find the installation of acme/releases'),
    })
    github().get('/repos/acme/releases/installation').reply(200, installation(3))
    await expect(app.forRepository('acme/releases')).resolves.toBeDefined()
  })

  it('know who they are, and ask again when they could not', async () => {
    const app = opened()
    github().get('/app').times(3).reply(500, { message: 'oops' })
    expect(await failure(app.profile())).toMatchObject({ code: 'github-failed' })
    github().get('/app').reply(200, { id: 4711, slug: 'ringmaster' })
    expect(await app.profile()).toEqual({ id: 4711, slug: 'ringmaster', botLogin: 'ringmaster[bot]' })
    expect(await app.profile()).toEqual(await app.profile())
  })
})
