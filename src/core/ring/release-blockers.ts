import type { RingConfig } from '../config/schema.ts'
import { type Deciding, states } from '../decision.ts'
import { quoted } from '../problem.ts'
import { type OpenIndex, releaseKey } from '../release/open.ts'
import type { ReleaseState } from '../release/schema.ts'
import type { IgnoredCode } from '../signoff/ignored.ts'
import { peopleAsked } from './customers.ts'
import { type Freezes, freezesOf } from './freezes.ts'
import type { Blocker, BlockerCode, GateItem } from './schema.ts'

/** What two people let pass for a release, by the codes that stood. */
export interface OverrideUsed {
  readonly release: string
  readonly override: string
  readonly codes: BlockerCode[]
}

/**
 * What people may decide to pass over, two of them together. Never what the thing is: an unknown version, another
 * commit or a mere claim stays out whoever wants it in.
 */
export const OVERRIDABLE: readonly BlockerCode[] = [
  'signoff-pending',
  'signoff-vetoed',
  'signoff-blocked',
  'distinct-people',
  'held',
  'no-go',
  'outside-window',
  'frozen',
  'previous-ring',
]

interface Question {
  readonly item: GateItem
  readonly ring: RingConfig
  readonly environment: string
  /** What stands against the version whatever its release says. */
  readonly around: readonly Blocker[]
  readonly freezes: Freezes
  readonly open: OpenIndex
  readonly now: string
}

interface Found {
  readonly blockers: readonly Blocker[]
  readonly releases: readonly string[]
  readonly overrides: readonly OverrideUsed[]
}

export const nameOf = (item: GateItem): string => quoted(`${item.product}@${item.version}`)

/** Everything against a version in the releases that hold it: one of them that lets it in is enough. */
export function* releaseBlockers(question: Question): Deciding<Found> {
  const { item, ring, around, open } = question
  const releases = (yield* states<ReleaseState>(releasesWith([item], open).map(releaseKey))).filter(
    (release) => release !== undefined,
  )
  if (releases.length === 0) {
    const missing = ring.gate?.signoff ? [notInARelease(item)] : []
    return { blockers: [...around, ...frozen(question, null), ...missing], releases: [], overrides: [] }
  }
  const findings = releases.map((release) => ofRelease(release, question))
  /** A release that adds nothing to what stands anyway lets in; one that needs no override is taken first. */
  const passed = findings.filter((finding) => finding.blockers.every((blocker) => around.includes(blocker)))
  const unaided = passed.filter((finding) => finding.overrides.length === 0)
  const chosen = unaided.length > 0 ? unaided : passed.length > 0 ? passed : findings
  const isAsked = ring.gate?.signoff === true || chosen !== unaided
  return {
    blockers: unique(chosen.flatMap((finding) => finding.blockers)),
    releases: isAsked ? chosen.map((finding) => finding.id) : [],
    overrides: chosen === findings ? [] : chosen.flatMap((finding) => finding.overrides),
  }
}

/** The open releases that hold one of these versions at least. */
export const releasesWith = (items: readonly GateItem[], open: OpenIndex): string[] => {
  const wanted = new Set(items.map((item) => JSON.stringify([item.product, item.version])))
  return open.releases
    .filter((release) => release.items.some((entry) => wanted.has(JSON.stringify([entry.product, entry.version]))))
    .map((release) => release.id)
}

const notInARelease = (item: GateItem): Blocker => ({
  code: 'not-in-a-release',
  message: `${nameOf(item)} is in no open release`,
  hint: `Add it on a release issue: /add ${item.product}@${item.version}`,
})

const unique = (blockers: readonly Blocker[]): Blocker[] => [
  ...new Map(blockers.map((blocker) => [`${blocker.code} ${blocker.message}`, blocker])).values(),
]

function ofRelease(release: ReleaseState, question: Question) {
  const standing = [
    ...question.around,
    ...frozen(question, release.id),
    ...(question.ring.gate?.signoff ? signoffBlockers(release, question) : []),
    ...stops(release, question),
  ]
  const { id } = release
  const override = overrideFor(release, question)
  if (override === undefined) return { id, blockers: standing, overrides: [] }
  const passedOver = standing.filter((blocker) => OVERRIDABLE.includes(blocker.code))
  const codes = [...new Set(passedOver.map((blocker) => blocker.code))]
  return {
    id,
    blockers: standing.filter((blocker) => !passedOver.includes(blocker)),
    overrides: codes.length === 0 ? [] : [{ release: id, override: override.id, codes }],
  }
}

/** The override of a release that is in force for an environment now. */
const overrideFor = ({ conduct }: ReleaseState, { environment, now }: Question) =>
  conduct.overrides.find(
    (entry) =>
      entry.environment === environment && entry.confirmed !== null && Date.parse(entry.expiresAt) > Date.parse(now),
  )

function frozen({ freezes, environment }: Question, release: string | null): Blocker[] {
  return freezesOf(freezes, environment)
    .filter((freeze) => !freeze.exceptions.some((exception) => exception.release === release))
    .map((freeze) => ({
      code: 'frozen',
      message: `${freeze.environment === environment ? quoted(environment) : 'every environment'} is frozen since ${freeze.at}: ${freeze.reason}`,
      hint: `It clears with /unfreeze ${freeze.environment}, or for one release with /except.`,
    }))
}

/** What people stopped a release with, and the window they gave it. */
function stops({ issue, conduct }: ReleaseState, { item, now }: Question): Blocker[] {
  const subject = `release #${issue} with ${nameOf(item)}`
  const { hold, judgement, details } = conduct
  return [
    ...(hold === null
      ? []
      : [
          {
            code: 'held' as const,
            message: `${subject} is held by ${hold.by?.login ?? 'Ringmaster'}: ${hold.reason}`,
            hint: 'It clears with /unhold on the release issue.',
          },
        ]),
    ...(judgement?.kind === 'no-go'
      ? [
          {
            code: 'no-go' as const,
            message: `${subject} is a no-go, says ${judgement.by?.login ?? 'nobody'}: ${judgement.reason ?? ''}`,
            hint: 'It clears with /go on the release issue.',
          },
        ]
      : []),
    ...(isInWindow(details.window, now)
      ? []
      : [
          {
            code: 'outside-window' as const,
            message: `${subject} may go out in ${details.window ?? ''} only`,
            hint: 'It clears when the window opens; /set window changes it.',
          },
        ]),
  ]
}

/** Whether an instant is in a window (`START/END`); without a window, always. What cannot be read is shut. */
export function isInWindow(window: string | null, now: string): boolean {
  if (window === null) return true
  const [start = '', end = ''] = window.split('/')
  const nowMs = Date.parse(now)
  return Date.parse(start) <= nowMs && nowMs < Date.parse(end)
}

const SIGNOFF_BLOCKERS = {
  pending: { code: 'signoff-pending', hint: 'The check run on the proposal says who is missing.' },
  vetoed: { code: 'signoff-vetoed', hint: 'It clears when whoever objected approves the current content.' },
  blocked: { code: 'signoff-blocked', hint: 'The check run on the proposal says what can never be filled.' },
} as const

/** Why the signatures of a release do not let its versions in; none when it is signed off by enough people. */
function signoffBlockers(release: ReleaseState, { item, ring }: Question): Blocker[] {
  if (release.status !== 'in_progress') {
    return [
      {
        code: 'release-not-started',
        message: `release #${release.issue} with ${nameOf(item)} is ${release.status.replace('_', ' ')}`,
        hint: 'Say /start on the release issue when its composition is ready.',
      },
    ]
  }
  const status = release.signoff?.status ?? 'pending'
  if (status === 'approved') return tooFewPeople(release, ring, item)
  const missing = (release.signoff?.parties ?? [])
    .filter((party) => !party.optional && party.filledBy.length < party.seats)
    .map((party) => party.party)
  const { code, hint } = SIGNOFF_BLOCKERS[status]
  const who = missing.length > 0 ? `, missing ${missing.join(', ')}` : ''
  return [{ code, hint, message: `release #${release.issue} with ${nameOf(item)} is not signed off: ${status}${who}` }]
}

function tooFewPeople({ issue, signoff }: ReleaseState, ring: RingConfig, item: GateItem): Blocker[] {
  const wanted = peopleAsked(ring)
  /** Whoever approved when every seat was taken is one person more, all the same. */
  const beside = (signoff?.ignored ?? []).filter(({ code }) => code === ('no-seat-left' satisfies IgnoredCode))
  const people = new Set([...(signoff?.evidence ?? []), ...beside].flatMap(({ login }) => login?.toLowerCase() ?? []))
  if (wanted <= 1 || people.size >= wanted) return []
  return [
    {
      code: 'distinct-people',
      message: `release #${issue} with ${nameOf(item)} is signed by ${people.size} different people, and ring ${ring.ring} asks for ${wanted}`,
      hint: 'Another member of a party approves the proposal, also where every seat is taken; gate.distinctPeople of the ring says how many.',
    },
  ]
}
