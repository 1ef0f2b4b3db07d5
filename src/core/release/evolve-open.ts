import type { TypedEvent } from '../catalogue.ts'
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
      return settled(open, event.data.subject, event.data.output)
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

/** The outputs that end something, by the end of their name. */
function settled(open: OpenIndex, subject: string, output: string): OpenIndex {
  if (output.startsWith('reply/')) {
    return { ...open, replies: open.replies.filter((reply) => output !== `reply/${reply.comment}`) }
  }
  if (subject.startsWith('refused/')) return { ...open, refusals: without(open.refusals ?? [], output) }
  if (subject.startsWith('build-slot/')) return { ...open, numbers: without(open.numbers ?? [], subject) }
  if (output.startsWith('cut/') && output.endsWith('/outcome')) {
    return { ...open, cuts: (open.cuts ?? []).filter(({ cut }) => output !== `cut/${cut}/outcome`) }
  }
  if (subject.startsWith('gate/') && output.endsWith('/answer')) {
    const asked = open.askedAnew?.find(({ gate }) => gate === subject)
    const isEarlier = asked !== undefined && output !== `${subject}/${asked.deploymentId}/answer`
    return isEarlier ? open : withoutGate(open, subject)
  }
  if (subject.startsWith('release/') && output.endsWith('/notes')) {
    return { ...open, telling: (open.telling ?? []).filter((id) => `release/${id}` !== subject) }
  }
  if (subject.startsWith('release/') && output.endsWith('/proposal-end')) {
    return { ...open, ending: open.ending.filter((id) => `release/${id}` !== subject) }
  }
  return open
}
