import { quoted, type RingmasterError } from '../core/problem.ts'
import type { Log, Outlets } from '../engine/ports.ts'
import { type GitHubApp, splitName } from '../github/client.ts'
import { outside, outsideOrNull } from '../github/trouble.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { integrityError, integrityProblem, isIntegrityError } from '../ledger/trouble.ts'
import { escapeMarkdown } from '../render/text.ts'

export interface GuardOptions {
  readonly app: GitHubApp
  readonly ledger: Ledger
  readonly repository: { readonly id: number; readonly fullName: string }
  readonly branch: string
  readonly raise: Outlets['alarm']
  readonly nowMs: () => number
  readonly log: Log
}

/** Looks whether the branch of the log is still what it was, and says so outside when it is not. */
export interface Guard {
  /** False when the branch cannot be trusted: then nothing may be decided or written. Throws for outside trouble. */
  check(): Promise<boolean>
}

/** How often GitHub is asked who moved the branch. */
const ACTIVITY_EVERY_MS = 10 * 60_000
/** More rewrites of one branch than anybody looks through. */
const MOST_REWRITES = 30
const KEY = 'alarm/ledger-integrity'

/**
 * The log cannot hold the alarm about itself, so it goes straight to its outlet, which finds it again by its marker.
 * It closes when the branch is whole again.
 */
export function createGuard(options: GuardOptions): Guard {
  const { app, ledger, repository, branch, raise, nowMs, log } = options
  let lookedAtMs = Number.NEGATIVE_INFINITY
  /** What the alarm was last told; undefined while it is not known what stands outside. */
  let told: string | null | undefined

  async function tell(error: RingmasterError | null): Promise<void> {
    const message = error?.message ?? null
    if (told === message) return
    await raise(
      {
        kind: 'alarm',
        subject: 'index/open',
        key: KEY,
        repository,
        title: 'Ringmaster alarm: the log cannot be trusted',
        body: error ? alarmText(error, branch) : 'The log is whole again; Ringmaster has gone on.',
        isOpen: error !== null,
      },
      null,
    )
    told = message
  }

  return {
    async check() {
      try {
        if (!ledger.trouble) await ledger.refresh()
        if (!ledger.trouble && nowMs() - lookedAtMs >= ACTIVITY_EVERY_MS) {
          await checkActivity(app, repository.fullName, branch)
          lookedAtMs = nowMs()
        }
      } catch (error) {
        if (!isIntegrityError(error)) throw error
        ledger.distrust(error)
      }
      const trouble = ledger.trouble ?? null
      if (trouble) log.error({ problems: trouble.problems }, 'the log cannot be trusted: nothing is decided or written')
      await tell(trouble)
      return trouble === null
    },
  }
}

/** What the branch lost: heads that were forced away or deleted and are no longer part of it. */
async function checkActivity(app: GitHubApp, fullName: string, branch: string): Promise<void> {
  const octokit = await app.forRepository(fullName)
  const at = splitName(fullName)
  const { botLogin } = await app.profile()
  const head = await outsideOrNull(`read the branch ${branch}`, () =>
    octokit.request('GET /repos/{owner}/{repo}/git/ref/{ref}', { ...at, ref: `heads/${branch}` }),
  )
  for (const activity_type of ['force_push', 'branch_deletion'] as const) {
    const { data } = await outside(`read the activity of ${branch}`, () =>
      octokit.request('GET /repos/{owner}/{repo}/activity', {
        ...at,
        ref: `refs/heads/${branch}`,
        activity_type,
        per_page: MOST_REWRITES,
      }),
    )
    for (const { before, after, actor, timestamp } of data) {
      const isKept = head !== null && (await holds(octokit, fullName, before, head.data.object.sha))
      if (isKept || (await isForeign(octokit, fullName, before, botLogin))) continue
      const who = quoted(actor?.login ?? 'somebody')
      const did = activity_type === 'force_push' ? `forced it to ${after}` : 'deleted it'
      const message = `${fullName}@${branch}: expected it to hold commit ${before}, found that ${who} ${did} at ${timestamp}`
      throw integrityError(integrityProblem('ledger-rewound', message))
    }
  }
}

type Client = Awaited<ReturnType<GitHubApp['forRepository']>>

async function holds(octokit: Client, fullName: string, commit: string, head: string): Promise<boolean> {
  const compared = await outsideOrNull('compare commits of the log', () =>
    octokit.request('GET /repos/{owner}/{repo}/compare/{basehead}', {
      ...splitName(fullName),
      basehead: `${commit}...${head}`,
      per_page: 1,
    }),
  )
  return compared?.data.status === 'ahead' || compared?.data.status === 'identical'
}

/** Whether a commit is somebody else's: putting the branch back loses it, and rightly so. */
async function isForeign(octokit: Client, fullName: string, commit: string, botLogin: string): Promise<boolean> {
  const found = await outsideOrNull('read a commit of the log', () =>
    octokit.request('GET /repos/{owner}/{repo}/commits/{ref}', { ...splitName(fullName), ref: commit }),
  )
  return found !== null && found.data.author?.login !== botLogin
}

const alarmText = (error: RingmasterError, branch: string): string =>
  [
    'The branch of the log is not what Ringmaster left there. Until it is whole again, gates wait, no command is answered and nothing is written.',
    '',
    ...error.problems.map(({ code, message }) => `- \`${code}\`: ${escapeMarkdown(message)}`),
    '',
    '**To recover**',
    '',
    `1. Find the last good commit of \`${branch}\` in the activity log of this repository; every sign-off check run and gate answer names the log head of its time as SEQ:DIGEST.`,
    '2. Clone the repository, check that commit with `ringmaster ledger verify --repo DIR --anchor SEQ:DIGEST`.',
    `3. As somebody who may bypass the ruleset, put the branch back: \`git push --force origin COMMIT:refs/heads/${branch}\`.`,
    '4. Restart Ringmaster. It reads on from where the log ends, and closes this issue.',
  ].join('\n')
