import { describe, expect, it } from '@jest/globals'
import { checkActivity, createGuard } from '../../src/app/guard.ts'
import type { RingmasterError } from '../../src/core/problem.ts'
import type { Ledger } from '../../src/ledger/ledger.ts'
import { app, BOT, failure, github, RELEASES, useNock } from '../github/stage.ts'

useNock()

const repo = '/repos/acme/releases'
const branch = 'ringmaster-data'
const [HEAD, BEFORE, OWN, FORK] = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(40)) as [
  string,
  string,
  string,
  string,
]
const message = 'ledger: event 7, gate.requested\n\n\nOperation: 01JD\nskip-checks: true\n'

interface Made {
  readonly message?: string
  readonly author?: string
  readonly committer?: string | null
  readonly verified?: boolean
}

/** A commit of the log as GitHub shows it, bent. */
const made = (sha: string, more: Made = {}) => ({
  sha,
  commit: { message: more.message ?? message, verification: { verified: more.verified ?? true } },
  author: { login: more.author ?? BOT },
  committer: more.committer === null ? null : { login: more.committer ?? 'web-flow' },
})
const strangers = (count: number) => Array.from({ length: count }, () => made('f'.repeat(40), { author: 'ann' }))

/** The branch was forced from `BEFORE` to its head, which is to it what is said. */
function forced(status: 'behind' | 'diverged' | null) {
  github()
    .get(`${repo}/git/ref/${encodeURIComponent(`heads/${branch}`)}`)
    .reply(200, { object: { sha: HEAD } })
  const rewrite = { before: BEFORE, after: HEAD, actor: { login: 'ann' }, timestamp: '2026-11-20T10:00:00Z' }
  for (const [activity_type, found] of [
    ['force_push', [rewrite]],
    ['branch_deletion', []],
  ] as const)
    github()
      .get(`${repo}/activity`)
      .query({ ref: `refs/heads/${branch}`, activity_type, per_page: 30 })
      .optionally(activity_type === 'branch_deletion')
      .reply(200, found)
  compares(BEFORE, status)
}

const compares = (commit: string, status: 'ahead' | 'behind' | 'diverged' | null) =>
  github()
    .get(`${repo}/compare/${commit}...${HEAD}`)
    .query({ per_page: 1 })
    .reply(
      ...((status === null
        ? [404, { message: `No common ancestor between ${commit} and ${HEAD}.` }]
        : [200, { status, merge_base_commit: { sha: FORK } }]) as [number, object]),
    )

const lists = (page: number, found: readonly object[]) =>
  github().get(`${repo}/commits`).query({ sha: BEFORE, path: 'head.json', per_page: 100, page }).reply(200, found)

const check = (isEnterprise = false) =>
  checkActivity({ ...app, isEnterprise }, RELEASES.fullName, branch, { info: () => {}, error: () => {} })

describe('what was forced off the branch of the log', () => {
  it.each<[string, Made]>([
    ['is signed by GitHub', {}],
    ['was made in the name of the App alone', { committer: BOT }],
    ['names no committer that GitHub knows', { committer: null }],
  ])('is missed where the newest commit of the App, which %s, is no longer held', async (_, more) => {
    forced('behind')
    lists(1, [...strangers(3), made(OWN, more)])
    compares(OWN, 'behind')
    expect(await failure(check())).toMatchObject({ code: 'ledger-rewound', message: expect.stringContaining(OWN) })
  })

  it('is found behind many commits of others', async () => {
    forced('diverged')
    lists(1, strangers(100))
    lists(2, [...strangers(5), made(OWN)])
    compares(OWN, 'diverged')
    expect(await failure(check())).toMatchObject({ code: 'ledger-forked', message: expect.stringContaining(OWN) })
  })

  it.each<[string, Made]>([
    ['nobody signed', { verified: false }],
    ['a person signed', { committer: 'mallory' }],
    ['is another one’s', { author: 'mallory' }],
    ['is no commit of a log', { message: 'Propose r12' }],
  ])('is let go where what bears the name of the App %s', async (_, more) => {
    forced('behind')
    lists(1, [made(OWN, more)])
    await check()
  })

  it('is missed without a signature on an Enterprise Server, which keeps none', async () => {
    forced('behind')
    lists(1, [made(OWN, { verified: false, committer: BOT })])
    compares(OWN, 'behind')
    expect(await failure(check(true))).toMatchObject({ code: 'ledger-rewound' })
  })

  it.each<[string, 'diverged' | null, string | undefined]>([
    ['is missed', 'diverged', 'ledger-forked'],
    ['is let go as something else', null, undefined],
  ])('%s where the commits of others do not end, by whether the branch has any of it', async (_, status, code) => {
    forced(status)
    for (let page = 1; page <= 10; page += 1) lists(page, strangers(100))
    expect((await failure(check())).code).toBe(code)
  })

  it('is missed where GitHub shows no commits of it any more', async () => {
    forced(null)
    github().get(`${repo}/commits`).query(true).reply(404, { message: 'Not Found' })
    expect(await failure(check())).toMatchObject({ code: 'ledger-replaced' })
  })
})

describe('a closed branch of the log', () => {
  /** What is wrong is looked at every five seconds, until nothing can be shown late any more. */
  const LOOKS = 7

  it.each<[string, Made, string | undefined]>([
    ['holds where the App closed it', {}, undefined],
    ['is gone on with by what bears the name of the App alone', { verified: false }, 'foreign-author'],
  ])('%s', async (_, more, code) => {
    let trouble: RingmasterError | undefined
    const distrust = (error: RingmasterError) => {
      trouble = error
    }
    const ledger = { refresh: async () => {}, distrust, trouble: undefined } as unknown as Ledger
    const guard = createGuard({
      ...{
        app: { ...app, isEnterprise: false },
        ledger,
        repository: RELEASES,
        branches: () => [branch, `${branch}-2`],
      },
      raise: async () => ({ remote: null }),
      nowMs: () => 0,
      delay: async () => {},
      log: { info: () => {}, error: () => {} },
    })
    const ref = (name: string) => `${repo}/git/ref/${encodeURIComponent(`heads/${name}`)}`
    github()
      .get(ref(branch))
      .times(code === undefined ? 2 : LOOKS)
      .reply(200, { object: { sha: HEAD } })
    github()
      .get(`${repo}/commits/${HEAD}`)
      .times(code === undefined ? 1 : LOOKS)
      .reply(200, made(HEAD, more))
    if (code === undefined) {
      github()
        .get(ref(`${branch}-2`))
        .reply(200, { object: { sha: OWN } })
      github().get(`${repo}/activity`).query(true).times(4).reply(200, [])
    }
    await guard.check()
    expect(trouble?.code).toBe(code)
  })
})
