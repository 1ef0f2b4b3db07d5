import { readFile } from 'node:fs/promises'
import { describe, expect, it } from '@jest/globals'
import { parse } from 'yaml'
import { manifestPermissions, PERMISSIONS } from '../../src/app/permissions.ts'
import { VERSION } from '../../src/version.ts'
import { EVENTS } from '../../src/webhooks/index.ts'

const manifest = async (): Promise<Record<string, unknown>> => parse(await readFile('app.yml', 'utf8'))

describe('the manifest of the App', () => {
  it('asks for the permissions that features need, and for no more', async () => {
    expect((await manifest())['default_permissions']).toEqual(manifestPermissions())
  })

  it('asks for the strongest access of each permission', () => {
    for (const { permission, access } of PERMISSIONS) {
      const asked = manifestPermissions()[permission]
      expect([access, 'write']).toContain(asked)
    }
    const writing = PERMISSIONS.filter(({ access }) => access === 'write').map(({ permission }) => permission)
    for (const [permission, access] of Object.entries(manifestPermissions())) {
      expect(access).toBe(writing.includes(permission) ? 'write' : 'read')
    }
  })

  it('subscribes to the events that are listened to, each once', async () => {
    expect((await manifest())['default_events']).toEqual(EVENTS)
    expect(new Set(EVENTS).size).toBe(EVENTS.length)
  })

  it('asks for no event without a permission that GitHub demands for it', async () => {
    const needed: Readonly<Record<string, string>> = {
      check_run: 'checks',
      deployment_protection_rule: 'deployments',
      deployment_status: 'deployments',
      issue_comment: 'issues',
      pull_request: 'pull_requests',
      pull_request_review: 'pull_requests',
      push: 'contents',
      status: 'statuses',
      workflow_run: 'actions',
    }
    for (const event of EVENTS) expect(Object.keys(manifestPermissions())).toContain(needed[event])
  })

  it('is private, and sends its webhooks where the server listens', async () => {
    expect(await manifest()).toMatchObject({
      public: false,
      hook_attributes: { url: expect.stringMatching(/\/api\/github\/webhooks$/) },
    })
  })

  it('can neither administer nor change workflows', () => {
    expect(Object.keys(manifestPermissions())).not.toEqual(expect.arrayContaining(['administration']))
    expect(Object.keys(manifestPermissions())).not.toEqual(expect.arrayContaining(['workflows']))
  })
})

it('the version of the program is the package’s', async () => {
  expect(VERSION).toBe((JSON.parse(await readFile('package.json', 'utf8')) as { version: string }).version)
})
