import type { EventData, TypedEvent } from '../catalogue.ts'
import { issueKey } from '../process/issue.ts'
import { buildSlotKey } from '../product/build-line-schema.ts'
import { refusalOutput } from '../product/refusal-schema.ts'
import { type GateItem, gateKeyOf } from '../ring/schema.ts'
import { nothingOpen, type OpenIndex } from './open.ts'
import type { ReleaseMove } from './transitions.ts'

type OpenEvent = TypedEvent<
  | 'release.opened'
  | 'release.version_added'
  | 'release.version_removed'
  | ReleaseMove
  | 'notes.asked'
  | 'gate.requested'
  | 'gate.closed'
  | 'command.answered'
  | 'comment.noted'
  | 'cut.asked'
  | 'build.refused'
  | 'deployment.refused'
  | 'build-number.handed_out'
  | 'build-number.refused'
  | 'alarm.raised'
  | 'alarm.cleared'
  | 'output.settled'
>

const ALARMS_AT_HAND = 100

/** What is open, derived from the same events that open and close; ends stay until their outputs are known to be out. */
export function evolveOpen(state: OpenIndex | undefined, event: OpenEvent): OpenIndex {
  const open = state ?? nothingOpen
  switch (event.type) {
    case 'release.opened': {
      const { release: id, issue } = event.data
      if (open.releases.some((release) => release.id === id)) return open
      return { ...open, releases: [...open.releases, { id, issue, items: [] }] }
    }
    case 'release.version_added': {
      const { product, version } = event.data.item
      return recomposed(open, event.data.release, (items) => [...withoutProduct(items, product), { product, version }])
    }
    case 'release.version_removed':
      return recomposed(open, event.data.release, (items) => withoutProduct(items, event.data.product))
    case 'release.completed':
    case 'release.cancelled':
    case 'release.rolled_back': {
      const { release: id } = event.data
      const ending = open.ending.includes(id) ? open.ending : [...open.ending, id]
      return { ...open, releases: open.releases.filter((release) => release.id !== id), ending }
    }
    case 'release.started':
    case 'release.reopened':
      return open
    case 'notes.asked': {
      const { release } = event.data
      return { ...open, telling: [...without(open.telling ?? [], release), release] }
    }
    case 'gate.requested': {
      const { repository, runId, environment, deploymentId, replaces } = event.data
      const gate = gateKeyOf(repository.id, runId, environment)
      const waiting = open.gates.includes(gate) ? open : { ...open, gates: [...open.gates, gate] }
      if (replaces === undefined) return waiting
      const others = (open.askedAnew ?? []).filter((asked) => asked.gate !== gate)
      return { ...waiting, askedAnew: [...others, { gate, deploymentId }] }
    }
    case 'gate.closed':
      return withoutGate(open, event.data.gate)
    case 'command.answered': {
      const { repository, issue, comment, index, of } = event.data
      if (index + 1 < of || open.replies.some((reply) => reply.comment === comment)) return open
      return { ...open, replies: [...open.replies, { issue: issueKey(repository.id, issue), comment }] }
    }
    case 'comment.noted': {
      const { repository, issue, comment } = event.data
      const others = open.replies.filter((reply) => reply.comment !== comment)
      return { ...open, replies: [...others, { issue: issueKey(repository.id, issue), comment }] }
    }
    case 'cut.asked': {
      const { product, id } = event.data
      const others = (open.cuts ?? []).filter(({ cut }) => cut !== id)
      return { ...open, cuts: [...others, { product, cut: id }] }
    }
    case 'build.refused':
    case 'deployment.refused': {
      const output = refusalOutput(event.data.sha ?? '', event.data.repository.id)
      return { ...open, refusals: [...without(open.refusals ?? [], output), output] }
    }
    case 'build-number.handed_out':
    case 'build-number.refused': {
      const slot = buildSlotKey(event.data.product, event.data.run)
      return { ...open, numbers: [...without(open.numbers ?? [], slot), slot] }
    }
    case 'alarm.raised': {
      const { alarm, code, message } = event.data
      const others = open.alarms.filter((entry) => entry.alarm !== alarm)
      return { ...open, alarms: bounded([...others, { alarm, code, message, raisedAt: event.at, isOpen: true }]) }
    }
    case 'alarm.cleared':
      return {
        ...open,
        alarms: open.alarms.map((entry) => (entry.alarm === event.data.alarm ? { ...entry, isOpen: false } : entry)),
      }
    case 'output.settled':
      return settled(open, event.data)
  }
}

/** Alarms that have ended make room first; one that still holds is never forgotten. */
function bounded(alarms: OpenIndex['alarms']): OpenIndex['alarms'] {
  const ended = alarms.filter((entry) => !entry.isOpen)
  const dropped = new Set(ended.slice(0, Math.max(0, alarms.length - ALARMS_AT_HAND)))
  return alarms.filter((entry) => !dropped.has(entry))
}

const without = (outputs: readonly string[], output: string): string[] => outputs.filter((known) => known !== output)

const withoutGate = ({ askedAnew, ...open }: OpenIndex, key: string): OpenIndex => ({
  ...open,
  gates: open.gates.filter((gate) => gate !== key),
  ...(askedAnew === undefined ? {} : { askedAnew: askedAnew.filter(({ gate }) => gate !== key) }),
})

const withoutProduct = (items: readonly GateItem[], product: string): GateItem[] =>
  items.filter((item) => item.product !== product)

const recomposed = (open: OpenIndex, id: string, change: (items: readonly GateItem[]) => GateItem[]): OpenIndex => ({
  ...open,
  releases: open.releases.map((release) =>
    release.id === id ? { ...release, items: change(release.items) } : release,
  ),
})

interface End {
  /** Whether an output of a subject ends something of this kind, by their names. */
  readonly is: (subject: string, output: string) => boolean
  readonly after: (open: OpenIndex, subject: string, output: string) => OpenIndex
  /** Whether nothing of the subject is looked at any more after it: then all its other outputs have to be out before. */
  readonly isLast?: true
}

/** What is open until an output is known to be out. */
const ENDS: readonly End[] = [
  {
    is: (_subject, output) => output.startsWith('reply/'),
    after: (open, _subject, output) => ({
      ...open,
      replies: open.replies.filter((reply) => output !== `reply/${reply.comment}`),
    }),
  },
  {
    is: (subject) => subject.startsWith('refused/'),
    after: (open, _subject, output) => ({ ...open, refusals: without(open.refusals ?? [], output) }),
  },
  {
    is: (subject) => subject.startsWith('build-slot/'),
    after: (open, subject) => ({ ...open, numbers: without(open.numbers ?? [], subject) }),
  },
  {
    is: (_subject, output) => output.startsWith('cut/') && output.endsWith('/outcome'),
    after: (open, _subject, output) => ({
      ...open,
      cuts: (open.cuts ?? []).filter(({ cut }) => output !== `cut/${cut}/outcome`),
    }),
  },
  {
    is: (subject, output) => subject.startsWith('gate/') && output.endsWith('/answer'),
    after: (open, subject, output) => {
      const asked = open.askedAnew?.find(({ gate }) => gate === subject)
      const isEarlier = asked !== undefined && output !== `${subject}/${asked.deploymentId}/answer`
      return isEarlier ? open : withoutGate(open, subject)
    },
  },
  {
    is: (subject, output) => subject.startsWith('release/') && output.endsWith('/notes'),
    after: (open, subject) => ({
      ...open,
      telling: (open.telling ?? []).filter((id) => `release/${id}` !== subject),
    }),
  },
  {
    is: (subject, output) => subject.startsWith('release/') && output.endsWith('/proposal-end'),
    after: (open, subject) => ({ ...open, ending: open.ending.filter((id) => `release/${id}` !== subject) }),
    isLast: true,
  },
]

const endOf = (subject: string, output: string): End | undefined => ENDS.find(({ is }) => is(subject, output))

/** Whether something counts as open until an output of a subject is known to be out. */
export const endsWhatIsOpen = (subject: string, output: string): boolean => endOf(subject, output) !== undefined

/** Whether nothing of a subject counts as open any more once an output is known to be out. */
export const endsSubject = (subject: string, output: string): boolean => endOf(subject, output)?.isLast === true

const settled = (open: OpenIndex, { subject, output, isOutdated }: EventData<'output.settled'>): OpenIndex =>
  isOutdated ? open : (endOf(subject, output)?.after(open, subject, output) ?? open)
