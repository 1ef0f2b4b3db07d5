import { draft } from '../catalogue.ts'
import { type Deciding, type Decision, fact, state } from '../decision.ts'
import type { EventDraft } from '../event.ts'
import { sha256 } from '../json.ts'
import type { Request } from '../request.ts'
import { compositionDigest, releasePath } from './composition.ts'
import { OPEN_KEY, type OpenIndex, releaseKey } from './open.ts'
import type { ReleaseState } from './schema.ts'

type ProposalSeen = Extract<Request, { kind: 'proposal-seen' }>
const nothing: Decision<null> = { kind: 'accept', events: [], answer: null }

/**
 * What the pull request of a release shows now. Its file is read at the commit: who pushed it does not matter to what
 * counts, and is said. What is said late of one that is merged by now changes nothing, and of a pull request before the
 * known one only that it was there: who objected on it is heard.
 */
export function* decideProposalSeen(request: ProposalSeen): Deciding<Decision<null>> {
  const release = yield* state<ReleaseState>(releaseKey(request.release))
  if (!release) return nothing
  const { number, url, head, author, merged, repository } = request
  const known = release.proposal
  if (known && known.number === number && known.merged && !merged) return nothing
  if (known && known.number > number && release.earlier?.includes(number)) return nothing
  const headDigest = yield* digestAt(request, known?.number === number ? known.contents : [])
  const isKnown =
    known?.number === number && known.head === head && known.headDigest === headDigest && known.merged === merged
  const isRight = headDigest === compositionDigest(release)
  const isEarlier = known !== null && known.number > number
  const events = [
    ...(isKnown
      ? []
      : [
          draft(
            'proposal.seen',
            { release: release.id, repository, number, url, head, headDigest, author, merged },
            {
              /** With the time: a branch that is pushed back to a commit shows it once more. */
              key: `proposal:${repository.id}/${number}:${head}:${headDigest.slice(0, 23)}:${merged}:${request.at}`,
              ...restOf(request),
            },
          ),
        ]),
    ...(isEarlier
      ? []
      : [...interferenceWith(release, request, isRight), ...(yield* restored(release, request, isRight))]),
  ]
  /** Nothing counts on a proposal that cannot be read; it is looked at again. */
  const isEarly = headDigest === UNREADABLE
  return { kind: 'accept', answer: null, events, ...(isEarly ? { isEarly } : {}) }
}

const UNREADABLE = 'unreadable'

/** The digest of the release's file at the head, which never changes: what is known of a commit is not read again. */
function* digestAt(
  { repository, release, head }: ProposalSeen,
  contents: readonly { readonly commit: string; readonly digest: string }[],
): Deciding<string> {
  const known = contents.find(({ commit, digest }) => commit === head && digest !== UNREADABLE)
  if (known) return known.digest
  const file = yield* fact({ kind: 'file', repository: repository.fullName, commit: head, path: releasePath(release) })
  return file.text === null ? 'absent' : file.text === UNREADABLE ? UNREADABLE : sha256(file.text)
}

const restOf = (request: ProposalSeen) => ({
  at: request.at,
  actor: request.actor,
  source: request.source,
  trust: 'platform' as const,
})

export const proposalAlarm = (release: string): string => `proposal:${release}`

/** Somebody else pushed to the proposal, or merged it: it is named, and stops what it may have changed. */
function interferenceWith(release: ReleaseState, request: ProposalSeen, isRight: boolean): EventDraft[] {
  const { interference, head, url } = request
  if (interference === undefined || release.status !== 'in_progress') return []
  const { what, by } = interference
  const slot = `${what}:${release.id}:${head}:${request.at}`
  const rest = restOf(request)
  return [
    draft('evidence.changed', { release: release.id, what, by, url }, { key: slot, ...rest }),
    ...(what === 'proposal-merged'
      ? [
          draft(
            'release.held',
            { release: release.id, reason: `${by} merged the proposal by hand before the release was complete` },
            { ...rest, key: `${slot}:held`, actor: null },
          ),
        ]
      : []),
    ...(what === 'proposal-pushed' && !isRight
      ? [
          draft(
            'alarm.raised',
            {
              alarm: proposalAlarm(release.id),
              code: 'proposal-pushed',
              message: `${by} pushed to the proposal of release #${release.issue}. No approval counts until it shows the composition again; Ringmaster restores it.`,
            },
            { ...rest, key: `${slot}:alarm` },
          ),
        ]
      : []),
  ]
}

/** The alarm ends when the proposal shows the composition again. */
function* restored(release: ReleaseState, request: ProposalSeen, isRight: boolean): Deciding<EventDraft[]> {
  if (!isRight || !release.conduct.interference.some((entry) => entry.what === 'proposal-pushed')) return []
  const open = yield* state<OpenIndex>(OPEN_KEY)
  const alarm = proposalAlarm(release.id)
  if (!open?.alarms.some((entry) => entry.alarm === alarm && entry.isOpen)) return []
  return [draft('alarm.cleared', { alarm }, { key: `${alarm}:cleared:${request.at}`, ...restOf(request) })]
}
