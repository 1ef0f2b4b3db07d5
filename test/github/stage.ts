import { afterEach, beforeEach, expect } from '@jest/globals'
import { Octokit } from '@octokit/rest'
import nock from 'nock'
import type { GitHubApp } from '../../src/github/client.ts'
import type { OutputKind, OutputOf } from '../../src/render/output.ts'

export const API = 'https://api.github.test'
export const RELEASES = { id: 77, fullName: 'acme/releases' }
export const BOT = 'ringmaster[bot]'
export const APP_ID = 4711

const quiet = () => {}
const octokit = new Octokit({
  baseUrl: API,
  log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
})

/** The App with clients that need no token. */
export const app: GitHubApp = {
  asApp: octokit,
  profile: async () => ({ id: APP_ID, slug: 'ringmaster', botLogin: BOT }),
  forRepository: async () => octokit,
}

/** Nothing but the interceptors of a test answers, and all of them have to be used. */
export function useNock(): void {
  beforeEach(() => {
    nock.disableNetConnect()
  })
  afterEach(() => {
    const unused = nock.pendingMocks()
    nock.cleanAll()
    expect(unused).toEqual([])
  })
}

export const github = () => nock(API)

type Rest<K extends OutputKind> = Omit<OutputOf<K>, 'kind' | 'subject' | 'repository' | 'key'> & { key?: string }

/** An output of a release of ours. */
export const output = <K extends OutputKind>(kind: K, rest: Rest<K>): OutputOf<K> =>
  ({ kind, key: 'r12/board', subject: 'release/r12', repository: RELEASES, ...rest }) as unknown as OutputOf<K>

/** A page's `Link` header to the next one. */
export const linkTo = (path: string) => ({ link: `<${API}${path}>; rel="next"` })

/** The code and the first words of what a promise rejects with. */
export const failure = (work: Promise<unknown>): Promise<{ code?: string; message: string }> =>
  work.then(
    () => ({ message: 'nothing failed' }),
    (error) => ({ code: error.code, message: error.message }),
  )
