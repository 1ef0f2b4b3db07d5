import { describe, expect, it } from '@jest/globals'
import { branchProtection, rulesetBody } from '../../src/github/rulesets.ts'
import { app, failure, github, linkTo, useNock } from './stage.ts'

useNock()

const path = '/repos/acme/releases/rules/branches/ringmaster-data?per_page=100'
const rules = (...types: string[]) => types.map((type) => ({ type, ruleset_id: 1 }))
const isProtected = async () => branchProtection(await app.forRepository(''), 'acme/releases', 'ringmaster-data')

describe('the protection of the data branch', () => {
  it.each<[string, string[], boolean]>([
    ['holds with the three rules', ['update', 'deletion', 'non_fast_forward'], true],
    ['holds with more', ['creation', 'non_fast_forward', 'deletion', 'update'], true],
    ['fails without update', ['deletion', 'non_fast_forward'], false],
    ['fails without deletion', ['update', 'non_fast_forward'], false],
    ['fails without non_fast_forward', ['update', 'deletion'], false],
    ['fails without any', [], false],
  ])('%s', async (_, types, expected) => {
    github()
      .get(path)
      .reply(200, rules(...types))
    expect(await isProtected()).toBe(expected)
  })

  it('is read to the last page', async () => {
    github().get(path).reply(200, rules('update', 'deletion'), linkTo('/page-2'))
    github().get('/page-2').reply(200, rules('non_fast_forward'))
    expect(await isProtected()).toBe(true)
  })

  it.each([403, 404])('is none where GitHub answers %d', async (status) => {
    github().get(path).reply(status, { message: 'no' })
    expect(await isProtected()).toBe(false)
  })

  it('is not known when GitHub has trouble', async () => {
    github().get(path).reply(502, { message: 'Server Error' })
    expect(await failure(isProtected())).toMatchObject({ code: 'github-failed' })
  })

  it('is asked for with the App as the only one who passes', () => {
    const body = rulesetBody(4711, ['ringmaster-data', 'ringmaster-releases'])
    expect(body).toMatchObject({
      enforcement: 'active',
      conditions: { ref_name: { include: ['refs/heads/ringmaster-data', 'refs/heads/ringmaster-releases'] } },
      bypass_actors: [{ actor_id: 4711, actor_type: 'Integration', bypass_mode: 'always' }],
    })
    expect(body.rules.map(({ type }) => type)).toEqual(['update', 'deletion', 'non_fast_forward'])
  })
})
