import { quoted, RingmasterError } from '../core/problem.ts'
import type { Log, Outlets } from '../engine/ports.ts'
import { branchHead } from '../github/branches.ts'
import { type GovernedApp, splitName } from '../github/client.ts'
import { outside, outsideOrNull } from '../github/trouble.ts'
import { HEAD_PATH } from '../ledger/codec.ts'
import { type Divergence, divergenceError } from '../ledger/divergence.ts'
import { READ_LAG_MS } from '../ledger/github.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { branchOf, type IntegrityCode, integrityError, integrityProblem, isIntegrityError } from '../ledger/trouble.ts'
import { escapeMarkdown } from '../render/text.ts'

/** The App, and whether GitHub signs what it commits. */
type Writer = Pick<GovernedApp, 'forRepository' | 'profile' | 'isEnterprise'>

export interface GuardOptions {
  readonly app: Writer
  readonly ledger: Ledger
  readonly repository: { readonly id: number; readonly fullName: string }
  /** The branches of the log, oldest first; the last one is written. */
  readonly branches: () => readonly string[]
  readonly raise: Outlets['alarm']
  readonly nowMs: () => number
  readonly delay: (milliseconds: number) => Promise<void>
  readonly log: Log
}

/** Looks whether the branch of the log is still what it was, and says so outside when it is not. */
export interface Guard {
  /** False when the branch cannot be trusted: then nothing may be decided or written. Throws for outside trouble. */
  check(): Promise<boolean>
}

/** How often GitHub is asked who moved the branch. */
const ACTIVITY_EVERY_MS = 10 * 60_000
/** How often the alarm is looked at while it stands. */
const ALARM_EVERY_MS = ACTIVITY_EVERY_MS
/** How often something wrong is looked at again that may only be shown late. */
const LOOK_AGAIN_MS = 5_000
const REWRITES_PER_PAGE = 30
/** Each costs a comparison. More of one branch than anybody makes by hand, so that none hides behind others. */
const MOST_REWRITES = 300
/** Below a rewritten head, for the App's own. */
const COMMITS_PER_PAGE = 100
const MOST_PAGES = 10
const KEY = 'alarm/ledger-integrity'

/**
 * The log cannot hold the alarm about itself, so it goes straight to its outlet, which finds it again by its marker.
 * It closes when the branch is whole again.
 */
export function createGuard(options: GuardOptions): Guard {
  const { app, ledger, repository, branches, raise, nowMs, delay, log } = options
  let lookedAtMs = Number.NEGATIVE_INFINITY
  /** What the alarm was last told, and when; undefined while it is not known what stands outside. */
  let told: string | null | undefined
  let toldMs = Number.NEGATIVE_INFINITY

  async function tell(error: RingmasterError | null): Promise<void> {
    const message = error?.message ?? null
    /** Somebody may have closed it, who is told again that it still holds. */
    if (told === message && (error === null || nowMs() - toldMs < ALARM_EVERY_MS)) return
    await raise(
      {
        kind: 'alarm',
        subject: 'index/open',
        key: KEY,
        repository,
        title: 'Ringmaster alarm: the log cannot be trusted',
        body: error
          ? alarmText(error, branchOf(error) ?? branches().at(-1) ?? '')
          : 'The log is whole again; Ringmaster has gone on.',
        isOpen: error !== null,
      },
      null,
    )
    told = message
    toldMs = nowMs()
  }

  /** What was put back a moment ago may still be shown as it was: what is wrong is believed once it is beyond that. */
  async function beyondLag(look: () => Promise<void>): Promise<void> {
    for (let waitedMs = 0; ; waitedMs += LOOK_AGAIN_MS) {
      try {
        return await look()
      } catch (error) {
        if (!isIntegrityError(error) || waitedMs >= READ_LAG_MS) throw error
      }
      await delay(LOOK_AGAIN_MS)
    }
  }

  /** A new epoch that does not begin was interrupted, or its branch was deleted: then its activity says so. */
  async function refresh(): Promise<void> {
    try {
      await ledger.refresh()
    } catch (error) {
      const unopened = error instanceof RingmasterError && error.code === 'epoch-unopened' ? branchOf(error) : undefined
      if (unopened !== undefined) await checkActivity(app, repository.fullName, unopened, log)
      throw error
    }
  }

  return {
    async check() {
      try {
        if (!ledger.trouble) await refresh()
        if (!ledger.trouble && nowMs() - lookedAtMs >= ACTIVITY_EVERY_MS) {
          const [written, ...closed] = [...branches()].reverse()
          for (const branch of closed) await beyondLag(() => checkClosed(app, repository.fullName, branch))
          for (const branch of [...closed, written ?? ''])
            await beyondLag(() => checkActivity(app, repository.fullName, branch, log))
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

/** That nobody went on with a branch that was closed: the ledger looks at it at a start alone. */
async function checkClosed(app: Writer, fullName: string, branch: string): Promise<void> {
  const octokit = await app.forRepository(fullName)
  const isOwn = await ownCommits(app)
  const head = await branchHead(octokit, fullName, branch)
  if (head === null || !(await isForeign(octokit, fullName, head, isOwn))) return
  const message = `${fullName}@${branch}: expected a closed branch, found that somebody else committed ${head} to it`
  throw integrityError(integrityProblem('foreign-author', message, { branch }))
}

/**
 * What the branch lost: throws `ledger-rewound`, `ledger-forked`, `ledger-replaced` or `ledger-missing` for heads of the App's
 * that were forced away or deleted and are no longer part of it.
 */
export async function checkActivity(app: Writer, fullName: string, branch: string, log: Log): Promise<void> {
  const octokit = await app.forRepository(fullName)
  const at = splitName(fullName)
  const isOwn = await ownCommits(app)
  const head = await outsideOrNull(`read the branch ${branch}`, () =>
    octokit.request('GET /repos/{owner}/{repo}/git/ref/{ref}', { ...at, ref: `heads/${branch}` }),
  )
  const known = new Map<string, Promise<Divergence | Held | null>>()
  const compared = (commit: string): Promise<Divergence | Held | null> => {
    const there =
      known.get(commit) ??
      (head === null ? Promise.resolve(null) : comparedTo(octokit, fullName, commit, head.data.object.sha))
    known.set(commit, there)
    return there
  }
  for (const activity_type of ['force_push', 'branch_deletion'] as const) {
    const rewrites = await outside(`read the activity of ${branch}`, () =>
      rewritesOf(octokit, fullName, branch, activity_type),
    )
    if (rewrites.length === MOST_REWRITES)
      log.error({ branch, activity_type }, `only the newest ${MOST_REWRITES} rewrites of the branch were looked at`)
    const looked = new Set<string>()
    for (const { before, after, actor, timestamp } of rewrites) {
      if (looked.has(before)) continue
      looked.add(before)
      const there = await compared(before)
      if (there?.kind === 'held') continue
      const own = await newestOwn(octokit, fullName, before, { isOwn, isRelated: there?.kind !== 'replaced' })
      const found = own === null ? HELD : await compared(own)
      if (found?.kind === 'held') continue
      const who = quoted(actor?.login ?? 'somebody')
      const did = activity_type === 'force_push' ? `forced it to ${after}` : 'deleted it'
      const why = `expected it to hold commit ${own}, found that ${who} ${did} at ${timestamp}`
      throw found === null
        ? integrityError(integrityProblem('ledger-missing', `${fullName}@${branch}: ${why}`, { branch }))
        : divergenceError(`${fullName}@${branch}`, found, why, { branch })
    }
  }
}

type Client = Awaited<ReturnType<Writer['forRepository']>>

/** The newest rewrites of a branch of one kind, newest first. */
async function rewritesOf(
  octokit: Client,
  fullName: string,
  branch: string,
  activity_type: 'force_push' | 'branch_deletion',
) {
  const asked = { ref: `refs/heads/${branch}`, activity_type, per_page: REWRITES_PER_PAGE }
  const pages = octokit.paginate.iterator('GET /repos/{owner}/{repo}/activity', { ...splitName(fullName), ...asked })
  const found = []
  for await (const { data } of pages) {
    found.push(...data)
    if (found.length >= MOST_REWRITES) break
  }
  return found.slice(0, MOST_REWRITES)
}

interface Held {
  readonly kind: 'held'
}

const HELD: Held = { kind: 'held' }

/** What a commit that was on the branch is to its head: held by it, or how the branch left it behind. */
async function comparedTo(octokit: Client, fullName: string, commit: string, head: string): Promise<Divergence | Held> {
  const compared = await outsideOrNull('compare commits of the log', () =>
    octokit.request('GET /repos/{owner}/{repo}/compare/{basehead}', {
      ...splitName(fullName),
      basehead: `${commit}...${head}`,
      per_page: 1,
    }),
  )
  switch (compared?.data.status) {
    case 'ahead':
    case 'identical':
      return HELD
    case 'behind':
      return { kind: 'truncated' }
    case 'diverged':
      return { kind: 'forked', from: compared.data.merge_base_commit.sha }
    default:
      return { kind: 'replaced' }
  }
}

/** A commit as GitHub lists it. */
interface Shown {
  readonly commit: { readonly message: string; readonly verification?: { readonly verified: boolean } }
  readonly author: { readonly login?: string } | null
  readonly committer: { readonly login?: string } | null
}

type IsOwn = (commit: Shown) => boolean

/** The trailer of every commit of a log; see `commitMessage`. */
const OPERATION = /^Operation: \S+\s*$/m

/** Whom GitHub names as the committer of what it signs itself, beside an App. */
const GITHUB = 'web-flow'

/**
 * Which commits the App made for a log. GitHub knows the author by an e-mail address, which anybody can write, so its
 * signature has to vouch for it: not that of a person, who may sign what bears another author.
 */
async function ownCommits(app: Writer): Promise<IsOwn> {
  const { botLogin } = await app.profile()
  const isVouchedFor = ({ commit, committer }: Shown): boolean =>
    commit.verification?.verified === true && [undefined, GITHUB, botLogin].includes(committer?.login)
  return (shown) =>
    shown.author?.login === botLogin &&
    (app.isEnterprise || isVouchedFor(shown)) &&
    OPERATION.test(shown.commit.message)
}

/**
 * The App's newest commit of a log up to one that was on the branch, each of which writes the head of the log; null where all
 * of it is something else: putting the branch back loses that, and rightly so. The commit itself where nothing can be read of
 * it, or too much stands on the App's; of a history that has nothing to do with the branch (`isRelated`), none of that does.
 */
async function newestOwn(
  octokit: Client,
  fullName: string,
  commit: string,
  { isOwn, isRelated }: { readonly isOwn: IsOwn; readonly isRelated: boolean },
): Promise<string | null> {
  const asked = { sha: commit, path: HEAD_PATH, per_page: COMMITS_PER_PAGE }
  for (let page = 1; page <= MOST_PAGES; page += 1) {
    const found = await outsideOrNull('list the commits of the log', () =>
      octokit.request('GET /repos/{owner}/{repo}/commits', { ...splitName(fullName), ...asked, page }),
    )
    if (found === null) return commit
    const own = found.data.find(isOwn)
    if (own !== undefined) return own.sha
    if (found.data.length < COMMITS_PER_PAGE) return null
  }
  return isRelated ? commit : null
}

/** Whether a commit is somebody else's. */
async function isForeign(octokit: Client, fullName: string, commit: string, isOwn: IsOwn): Promise<boolean> {
  const found = await outsideOrNull('read a commit of the log', () =>
    octokit.request('GET /repos/{owner}/{repo}/commits/{ref}', { ...splitName(fullName), ref: commit }),
  )
  return found !== null && !isOwn(found.data)
}

/** What happened, and which commit is the good one. */
const STORIES: { readonly [C in IntegrityCode]?: { readonly what: string; readonly good: string } } = {
  'ledger-damaged': {
    what: 'It was **edited**: a file of it is not what was recorded.',
    good: 'the parent of the commit that changed a file of the past: `git log --diff-filter=MD -- events` lists such commits; those of `ringmaster ledger redact` say so and are none.',
  },
  'ledger-missing': {
    what: 'It was **deleted**, or holds no log any more.',
    good: 'the last one that the activity log shows for it, or that of a backup.',
  },
  'ledger-rewound': {
    what: 'It was **truncated**: it ends before what was recorded last. What is there is true, and not all.',
    good: 'the one that it was set back from (`before` in the activity log, or the last one by the App under it), never an older one.',
  },
  'ledger-replaced': {
    what: 'It was **replaced**: its history is not the one that was seen.',
    good: 'the last one of the history before (`before` in the activity log).',
  },
  'ledger-forked': {
    what: 'It was **forked**: up to one commit it is the log that was seen, and from there on another. Two histories exist; one of them is what Ringmaster recorded.',
    good: 'the last one of the branch that check runs and gate answers name, not of the other; what only the other one holds was never decided.',
  },
  'foreign-author': {
    what: 'Somebody else **wrote** to it.',
    good: 'the last one by the App before the commit that is named above.',
  },
}

const alarmText = (error: RingmasterError, branch: string): string => {
  const { what, good } = STORIES[error.code as IntegrityCode] ?? {
    what: 'It cannot be read as a log by this version.',
    good: 'the last one that `ringmaster ledger verify` finds no problem with; where a newer version wrote it, update instead.',
  }
  return [
    'The branch of the log is not what Ringmaster left there. Until it is whole again, gates wait, no command is answered and nothing is written.',
    '',
    what,
    '',
    ...error.problems.map(({ code, message }) => `- \`${code}\`: ${escapeMarkdown(message)}`),
    '',
    '**To recover**',
    '',
    'Each line of it stands in `docs/operations.md`, *Restoring the log*.',
    '',
    '1. Stop Ringmaster.',
    `2. Find the last good commit of \`${branch}\` in the activity log of this repository: ${good} Every sign-off check run and gate answer names the log head of its time as SEQ:DIGEST.`,
    '3. In a clone, `git fetch origin COMMIT && git branch restored COMMIT`, and check it: `ringmaster ledger verify --repo . --branch restored --author EMAIL --anchor SEQ:DIGEST`, with the newest log head there is and the address that the App commits under.',
    `4. As an admin, switch the ruleset off, put the branch back by \`git push --force origin COMMIT:refs/heads/${branch}\`, and switch it on again.`,
    '5. Start Ringmaster. It reads on from where the log ends, and closes this issue. Your push counts as `branch-pushed`: everything stays frozen until somebody says `/unfreeze *`.',
  ].join('\n')
}
