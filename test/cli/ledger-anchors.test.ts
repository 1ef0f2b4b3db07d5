import { describe, expect, it } from '@jest/globals'
import { anchorsOnGitHub } from '../../src/cli/ledger-anchors.ts'
import { memoryBranch, memoryStore } from '../../src/ledger/memory.ts'
import type { LedgerStore } from '../../src/ledger/store.ts'
import { gateRequested, play, stage, started } from '../engine/stage.ts'
import { API, github, useNock } from '../github/stage.ts'

useNock()

const io = { env: { GITHUB_TOKEN: 'token', GITHUB_API_URL: API }, now: '2026-11-20T12:00:00Z' }
const APP = '7+ringmaster[bot]@users.noreply.github.com'
const digest = `sha256:${'b'.repeat(64)}`
const said = (seq: number): string => `Log head \`${seq}:${digest}\``

/** A log with one gate, begun under one address and gone on with under another. */
async function logBy(email: string, later = email): Promise<LedgerStore> {
  const branch = memoryBranch()
  const first = stage({ store: memoryStore(branch, { name: 'first', email }) })
  await started(first)
  await first.engine.close()
  const store = memoryStore(branch, { name: 'later', email: later })
  const second = stage({ store })
  await play(second, gateRequested())
  await second.engine.close()
  return store
}

/** Two Apps and a person say something of the log at the same places. */
function outside(): void {
  const check = (id: number, slug: string) => ({ id, app: { slug }, html_url: null, output: { summary: said(id) } })
  const answer = (login: string, seq: number) => ({ user: { login }, comment: said(seq) })
  github()
    .get('/repos/acme/releases/pulls')
    .query(true)
    .reply(200, [{ head: { sha: 'a1' } }])
  github()
    .get('/repos/acme/releases/commits/a1/check-runs')
    .query(true)
    .reply(200, { total_count: 2, check_runs: [check(1, 'ringmaster'), check(4711, 'github-actions')] })
  github()
    .get('/repos/acme/platform/actions/runs/600/approvals')
    .reply(200, [answer('mallory', 4712), answer('ringmaster[bot]', 2), answer('github-actions[bot]', 4713)])
}

const seqs = async (store: LedgerStore, author?: string) =>
  (await anchorsOnGitHub(store, { repo: 'acme/releases', author }, io))?.anchors.map(({ seq }) => seq)

describe('the anchors of a log on GitHub', () => {
  it.each([
    ['made its first commit', undefined, [1, 2]],
    ['is named as its author', '9+github-actions[bot]@users.noreply.github.com', [4711, 4713]],
  ])('are those of the App alone that %s', async (_, author, wanted) => {
    const store = await logBy(APP, '8+other[bot]@users.noreply.github.com')
    outside()
    expect(await seqs(store, author)).toEqual(wanted)
  })

  it.each([
    ['a person', 'ann@example.com', undefined],
    ['a person who is named', APP, 'ann@example.com'],
  ])('are none where it is by %s, and that is said', async (_, email, author) => {
    const found = await anchorsOnGitHub(await logBy(email), { repo: 'acme/releases', author }, io)
    expect(found).toMatchObject({ anchors: [], unread: [expect.stringContaining('the log is by "ann@example.com"')] })
  })
})
