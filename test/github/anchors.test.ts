import { describe, expect, it } from '@jest/globals'
import { findAnchors } from '../../src/github/anchors.ts'

const digest = (digit: string): string => `sha256:${digit.repeat(64)}`
const bot = { login: 'ringmaster[bot]' }
const RUNS = [
  { repository: 'acme/platform', runId: 600 },
  { repository: 'acme/secret', runId: 601 },
]

/** GitHub with one proposal, checks of two Apps on it, and answers to one run, by several; the other run is not for us. */
const octokit = {
  /** All pages, of which others fill the first. */
  paginate: async (_route: string) => {
    const check = (slug: string, seq: number) => ({
      id: seq,
      app: { slug },
      html_url: null,
      output: { summary: `Content, log head \`${seq}:${digest('a')}\`.` },
    })
    const forged = Array.from({ length: 100 }, (_, index) => check('copycat', 1_000 + index))
    return [...forged, check('ringmaster', 3), check('other', 4), { ...check('', 5), app: null }]
  },
  request: async (route: string, parameters: Record<string, unknown>) => {
    if (route.endsWith('/pulls')) return { data: [{ head: { sha: 'a1' } }, { head: { sha: 'a1' } }] }
    if (parameters['run_id'] === 601) throw Object.assign(new Error('Resource not accessible'), { status: 403 })
    return {
      data: [
        { user: bot, comment: `Waiting: api.\n\nLog head \`7:${digest('b')}\`, **unprotected log**.` },
        { user: { login: 'mallory' }, comment: `Fine. Log head \`4711:${digest('c')}\`` },
        { user: { login: 'ringmaster' }, comment: `Fine. Log head \`4712:${digest('c')}\`` },
        { user: null, comment: `Fine. Log head \`4713:${digest('c')}\`` },
        { user: bot, comment: 'fine, log head unknown' },
        { user: bot, comment: null },
      ],
    }
  },
} as never

describe('the anchors that stand on GitHub', () => {
  it('are those of checks and answers of the App, each with where it stands; what cannot be read is said', async () => {
    const found = await findAnchors(octokit, 'acme/releases', { app: 'ringmaster', runs: RUNS })
    expect(found).toEqual({
      anchors: [
        { seq: 3, digest: digest('a'), where: 'check run 3' },
        { seq: 7, digest: digest('b'), where: 'the answers to run 600 of acme/platform' },
      ],
      lookedAt: { commits: 1, runs: 2 },
      unread: [expect.stringContaining('list the answers to a run of acme/secret')],
    })
  })

  it('are those of the App that is asked for', async () => {
    const { anchors } = await findAnchors(octokit, 'acme/releases', { app: 'other', runs: RUNS })
    expect(anchors.map(({ seq }) => seq)).toEqual([4])
  })
})
