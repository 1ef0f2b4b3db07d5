import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect as dial, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { connect } from '../../src/action/github-client.ts'

const VARIABLES = ['GITHUB_API_URL', 'http_proxy', 'https_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'no_proxy', 'NO_PROXY']
const API = 'http://ghe.test/api/v3'

const asked: string[] = []
const tunnelled: string[] = []
const sockets = new Set<Socket>()
const before = new Map(VARIABLES.map((name) => [name, process.env[name]]))
let github: Server
let proxy: Server

const listening = (server: Server): Promise<number> =>
  new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)))

beforeAll(async () => {
  github = createServer((request, response) => {
    asked.push(`${request.method} ${request.headers.host}${request.url}`)
    response.setHeader('content-type', 'application/json').end('{"id":7}')
  })
  const port = await listening(github)
  proxy = createServer().on('connect', (request, socket) => {
    tunnelled.push(String(request.url))
    const onward = dial(port, '127.0.0.1', () => socket.write('HTTP/1.1 200 OK\r\n\r\n'))
    sockets.add(onward)
    onward.pipe(socket as Socket).pipe(onward)
  })
  for (const server of [github, proxy]) server.on('connection', (socket) => sockets.add(socket))
  for (const name of VARIABLES) delete process.env[name]
  process.env['GITHUB_API_URL'] = API
  process.env['http_proxy'] = `http://127.0.0.1:${await listening(proxy)}`
})

afterAll(async () => {
  for (const [name, value] of before) {
    if (value === undefined) delete process.env[name]
    else process.env[name] = value
  }
  for (const socket of sockets) socket.destroy()
  await Promise.all([github, proxy].map((server) => new Promise((resolve) => server.close(resolve))))
})

describe('behind a proxy', () => {
  it('requests go through it', async () => {
    const clock = { nowMs: () => 0, sleep: async () => {} }
    const client = await connect(API, 'token', clock)
    const { data } = await client.octokit.request('GET /repos/{owner}/{repo}', { owner: 'acme', repo: 'api' })
    expect(data).toEqual({ id: 7 })
    expect(asked).toEqual(['GET ghe.test/api/v3/repos/acme/api'])
    expect(tunnelled).toEqual(['ghe.test:80'])
  })
})
