import { draft } from '../catalogue.ts'
import { type Deciding, type Decision, state, states } from '../decision.ts'
import { type IssueState, issueKey } from '../process/issue.ts'
import type { Request } from '../request.ts'
import { EVERY_ENVIRONMENT } from '../ring/freezes.ts'
import { OPEN_KEY, type OpenIndex, releaseKey } from './open.ts'
import type { ReleaseState } from './schema.ts'

type CheckForged = Extract<Request, { kind: 'check-forged' }>
type StatusForged = Extract<Request, { kind: 'status-forged' }>
type CommentTouched = Extract<Request, { kind: 'comment-touched' }>
type BranchPushed = Extract<Request, { kind: 'branch-pushed' }>
const nothing: Decision<null> = { kind: 'accept', events: [], answer: null }

/** The alarm of somebody else's push to our branches: it froze everything, and closes with that. */
export const PUSHED_ALARM = 'pushed'

const restOf = (request: CheckForged | StatusForged | CommentTouched | BranchPushed) => ({
  at: request.at,
  actor: request.actor,
  source: request.source,
  trust: 'platform' as const,
})

/** What was forged, by whom, its own slot, and a sentence for people. */
function forgeryIn(request: CheckForged | StatusForged) {
  switch (request.kind) {
    case 'check-forged': {
      const { checkRunId, name, app } = request
      const reason = `the App ${app} made a check run under the name ${name} on its proposal`
      return { by: app, slot: `forged:${request.repository.id}/${checkRunId}`, reason }
    }
    case 'status-forged': {
      const { statusId, name, by } = request
      const reason = `${by} set a commit status under the name ${name} on its proposal`
      return { by, slot: `forged:${request.repository.id}/status-${statusId}`, reason }
    }
  }
}

/**
 * A check run under our name that another App made, or a commit status that anybody set. On the proposal of an open
 * release either could pass for a sign-off: the release is held until somebody has looked.
 */
export function* decideForged(request: CheckForged | StatusForged): Deciding<Decision<null>> {
  const open = yield* state<OpenIndex>(OPEN_KEY)
  const releases = yield* states<ReleaseState>((open?.releases ?? []).map((entry) => releaseKey(entry.id)))
  const release = releases.find((entry) => entry?.proposal?.contents.some(({ commit }) => commit === request.sha))
  if (!release) return nothing
  const { kind, url } = request
  /** A sweep finds it as long as it stands: whoever unheld the release since has looked at it. */
  if (release.conduct.interference.some((seen) => seen.what === kind && seen.url === url && url !== '')) return nothing
  const { by, slot, reason } = forgeryIn(request)
  return {
    kind: 'accept',
    answer: null,
    events: [
      draft('evidence.changed', { release: release.id, what: kind, by, url }, { ...restOf(request), key: slot }),
      draft(
        'release.held',
        { release: release.id, reason: reason.slice(0, 300) },
        { ...restOf(request), key: `${slot}:held`, actor: null },
      ),
    ],
  }
}

/** Somebody edited or deleted a comment of ours: it is named, and what should stand there is looked at again. */
export function* decideCommentTouched(request: CommentTouched): Deciding<Decision<null>> {
  const { repository, issue, comment, change, by, url } = request
  const key = issueKey(repository.id, issue)
  const known = yield* state<IssueState>(key)
  const release = known?.release ?? null
  return {
    kind: 'accept',
    answer: null,
    distrust: [key, ...(release === null ? [] : [releaseKey(release)])],
    events: [
      draft(
        'evidence.changed',
        { release, what: change === 'edited' ? 'comment-edited' : 'comment-deleted', by, url },
        { ...restOf(request), key: `comment:${repository.id}/${comment}:${change}:${request.at}` },
      ),
    ],
  }
}

/** Somebody else pushed to a branch that only Ringmaster writes: nothing goes anywhere until somebody has looked. */
export function* decideBranchPushed(request: BranchPushed): Deciding<Decision<null>> {
  const { repository, branch, by, commit } = request
  /** With the delivery: the same commit pushed once more, or a second deletion, freezes once more. */
  const slot = `pushed:${repository.id}/${branch}:${commit}:${request.source.delivery ?? request.at}`
  const rest = restOf(request)
  const message = `${by} pushed ${commit.slice(0, 12)} to the branch ${branch}, which only Ringmaster writes.`
  return {
    kind: 'accept',
    answer: null,
    events: [
      draft(
        'evidence.changed',
        { release: null, what: 'branch-pushed', by, url: request.source.url ?? null },
        { ...rest, key: slot },
      ),
      draft(
        'environment.frozen',
        { environment: EVERY_ENVIRONMENT, reason: message },
        { ...rest, key: `${slot}:frozen`, actor: null },
      ),
      draft(
        'alarm.raised',
        {
          alarm: PUSHED_ALARM,
          code: 'branch-pushed',
          message: `${message} Every environment is frozen. Run ringmaster ledger verify, put the branch right, then say /unfreeze ${EVERY_ENVIRONMENT}.`,
        },
        { ...rest, key: `${slot}:alarm` },
      ),
    ],
  }
}
