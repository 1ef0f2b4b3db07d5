import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { type Context, createNodeMiddleware, Probot, ProbotOctokit } from 'probot'
import { type Sandbox, startSandbox } from './sandbox.ts'
import { acme } from './seeds.ts'

const repo = { owner: 'acme', repo: 'app' }
let sandbox: Sandbox
let server: Server

/** Probot as it is, but for the pauses it keeps between writes. */
beforeAll(async () => {
  sandbox = await startSandbox({ seed: acme })
  const { id: appId, privateKey, webhookSecret: secret } = sandbox.app('ringmaster')
  const Octokit = ProbotOctokit.defaults({ throttle: { enabled: false }, retry: { enabled: false } })
  const probot = new Probot({ appId, privateKey, secret, baseUrl: sandbox.origin, Octokit, logLevel: 'fatal' })
  const listen = (app: Probot) => {
    app.on('issue_comment.created', async (context: Context<'issue_comment.created'>) => {
      if (context.isBot) return
      const { repository } = await context.octokit.graphql<{ repository: { ref: { target: { oid: string } } } }>(
        '{ repository(owner: "acme", name: "app") { ref(qualifiedName: "refs/heads/main") { target { oid } } } }',
      )
      await context.octokit.rest.issues.createComment(
        context.issue({ body: `main is at ${repository.ref.target.oid}` }),
      )
    })
  }
  server = createServer(await createNodeMiddleware(listen, { probot, webhooksPath: '/hook' }))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  sandbox.app('ringmaster').setWebhookUrl(`http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`)
})
afterAll(async () => {
  await sandbox.stop()
  server.closeAllConnections()
  server.close()
})

it('lets Probot hear a comment and answer it', async () => {
  const person = sandbox.as('bob').octokit.rest
  const { data: issue } = await person.issues.create({ ...repo, title: 'v2' })
  await person.issues.createComment({ ...repo, issue_number: issue.number, body: '/status' })
  await sandbox.webhooks.settled()
  const { data } = await person.issues.listComments({ ...repo, issue_number: issue.number })
  const head = await sandbox.repository('acme/app').head()
  expect(data.map(({ user, body }) => [user?.login, body])).toEqual([
    ['bob', '/status'],
    ['ringmaster[bot]', `main is at ${head}`],
  ])
  expect(
    sandbox.webhooks.attempts.filter(({ event }) => event === 'issue_comment').map(({ status }) => status),
  ).toEqual(['OK', 'OK'])
  expect(sandbox.violations).toEqual([])
})

it('lets Probot refuse a body that was not signed with its secret', async () => {
  const { webhookSecret } = sandbox.app('ringmaster')
  sandbox.world.store.apps.get(sandbox.app('ringmaster').id)!.webhookSecret = 'another'
  await sandbox.as('bob').octokit.rest.issues.createComment({ ...repo, issue_number: 1, body: 'forged' })
  await sandbox.webhooks.settled()
  sandbox.world.store.apps.get(sandbox.app('ringmaster').id)!.webhookSecret = webhookSecret
  expect(sandbox.webhooks.attempts.at(-1)?.statusCode).toBe(400)
})
