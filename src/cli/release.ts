import { readPolicy } from '../core/config/in-force.ts'
import type { SignoffConfiguration } from '../core/config/schema.ts'
import { factKey } from '../core/decision.ts'
import type { FactAnswer, FactQuery } from '../core/facts.ts'
import { model } from '../core/model.ts'
import { RingmasterError } from '../core/problem.ts'
import { releaseKey } from '../core/release/open.ts'
import { decideReleaseReview } from '../core/release/review.ts'
import { ReleaseId, type ReleaseState, type SignoffRecord } from '../core/release/schema.ts'
import { partiesOf, teamOf } from '../core/release/signers.ts'
import { settleAt, settleView } from '../engine/settle.ts'
import type { EpochBranch } from '../ledger/epoch.ts'
import { openLedger } from '../ledger/ledger.ts'
import { readEpochs } from '../ledger/read-log.ts'
import { VERSION } from '../version.ts'
import { type CliCommand, needed, optionsOf, usageError } from './command.ts'
import { epochsToRead, storeToRead } from './ledger-store.ts'

interface RecordedFact {
  readonly query: FactQuery
  readonly answer: FactAnswer
}

/** The facts of the newest decision about the signatures of a release: reviews and teams as they were then. */
async function newestFacts(epochs: readonly EpochBranch[], release: string): Promise<readonly RecordedFact[]> {
  let facts: readonly RecordedFact[] = []
  for await (const { event } of readEpochs(epochs, { release, type: 'signoff.decided' }))
    facts = (event.data as { facts: readonly RecordedFact[] }).facts
  return facts
}

/** The same facts, with approvals of the proposal's head that nobody has given. */
function supposing(
  facts: readonly RecordedFact[],
  logins: readonly string[],
  head: string,
  at: string,
): RecordedFact[] {
  return facts.map(({ query, answer }) => {
    if (answer.kind !== 'reviews' || typeof answer.reviews === 'string') return { query, answer }
    const highest = Math.max(0, ...answer.reviews.map((review) => review.id))
    const supposed = logins.map((login, index) => ({
      id: highest + index + 1,
      user: { login, id: 0, type: 'User' },
      state: 'APPROVED',
      commit: head,
      at,
    }))
    return { query, answer: { kind: 'reviews', reviews: [...answer.reviews, ...supposed] } }
  })
}

const refused = (code: string, message: string, hint: string): RingmasterError =>
  new RingmasterError('refused', { code, message, hint })

export const simulateSignoff: CliCommand = {
  name: 'release simulate-signoff',
  usage:
    'ringmaster release simulate-signoff --repo DIR|OWNER/NAME --release ID [--branch NAME] [--approve LOGIN]… [--at TIME] [--json]',
  summary:
    'Say where the signatures of a release stand, and what further approvals would make of them; of a draft, who has to sign.',
  async run(args, io) {
    const values = optionsOf(simulateSignoff, args, {
      repo: { type: 'string' },
      branch: { type: 'string' },
      release: { type: 'string' },
      approve: { type: 'string', multiple: true },
      at: { type: 'string' },
    })
    const repo = needed(values.repo, 'repo', simulateSignoff)
    const id = ReleaseId.safeParse(needed(values.release, 'release', simulateSignoff))
    if (!id.success) throw usageError('expected the id of a release such as r12 for --release', simulateSignoff)
    const at = instantOf(values.at ?? io.now)
    const epochs = await epochsToRead({ repo, branch: values.branch }, io)
    const view = await openLedger({
      store: epochs.at(-1)?.store ?? (await storeToRead({ repo, branch: values.branch }, io)),
      model,
      clock: () => io.now,
      newId: () => {
        throw new Error('a reader makes no commits')
      },
      writer: { version: VERSION },
    }).view()
    const release = (await view.state(releaseKey(id.data))) as ReleaseState | undefined
    if (!release)
      throw refused('no-release', `expected a release ${id.data}, found none`, 'ringmaster ledger log names them.')
    if (release.status === 'draft') {
      if (values.approve) throw refused('not-started', ...NOBODY_KNOWN)
      const policy = await settleView(() => readPolicy(release.policyDigest), view)
      if (policy === null) throw refused('policy-unreadable', ...POLICY_GONE)
      const needs = needsOf(release, policy.configuration.signoff)
      if (io.json) io.out(JSON.stringify({ release: id.data, at, supposed: [], signoff: null, ...needs }))
      else for (const line of draftLines(needs)) io.out(line)
      return 1
    }
    if (release.status !== 'in_progress' || !release.proposal)
      throw refused('not-started', `expected a started release, found it ${release.status}`, 'Say /start on its issue.')
    const facts = await newestFacts(epochs, id.data)
    if (facts.length === 0)
      throw refused(
        'not-decided',
        'expected a decision about its signatures, found none yet',
        'The App decides at its next sweep.',
      )
    const known = supposing(facts, values.approve ?? [], release.proposal.head, at)
    const request = { kind: 'release-review', release: id.data, at, actor: null, source: { kind: 'cli' } } as const
    const decision = await settleAt(() => decideReleaseReview(request), view, {
      memory: new Map(known.map(({ query, answer }) => [factKey(query), answer])),
      source: async (query) => {
        throw refused(
          'fact-unknown',
          `the newest decision did not ask for ${query.kind}`,
          'The App decides at its next sweep.',
        )
      },
    })
    const decided = decision.events.find((event) => event.type === 'signoff.decided')
    const record = decided ? (decided.data as { signoff: SignoffRecord }).signoff : release.signoff
    if (!record) throw refused('not-decided', 'expected a decision about its signatures, found none', 'Try again.')
    if (io.json) io.out(JSON.stringify({ release: id.data, at, supposed: values.approve ?? [], signoff: record }))
    else for (const line of linesOf(record)) io.out(line)
    return record.status === 'approved' ? 0 : 1
  },
}

const NOBODY_KNOWN = [
  'expected a started release for --approve, found a draft: the members of its teams are not in the log yet',
  'Leave --approve out to read who would have to sign, or say /why if @login on its issue.',
] as const

const POLICY_GONE = [
  'expected the configuration that the release was opened under, found that it cannot be read',
  'See ringmaster ledger verify.',
] as const

/** What the signatures of a draft will take, as far as its configuration says it. */
interface Needs {
  readonly parties: readonly {
    readonly party: string
    readonly optional: boolean
    readonly seats: number
    readonly team: string | null
    readonly users: readonly string[]
    readonly after: readonly string[]
  }[]
  /** Who may not sign what they changed. */
  readonly excluded: readonly string[]
}

const needsOf = (release: ReleaseState, signoff: SignoffConfiguration): Needs => ({
  parties: partiesOf(release, signoff).map((party) => ({
    party: party.name,
    optional: party.optional,
    seats: party.seats,
    team: teamOf(party, release.repository.fullName) ?? null,
    users: party.users,
    after: party.after ?? [],
  })),
  excluded: signoff.authorMaySign ? [] : release.editors,
})

function draftLines({ parties, excluded }: Needs): string[] {
  const who = ({ team, users }: Needs['parties'][number]) =>
    [...(team === null ? [] : [`members of ${team}`]), ...users].join(', ')
  return [
    'Sign-off: not started; /start on its issue opens the proposal that is approved',
    ...parties.map((party) => {
      const after = party.after.length === 0 ? '' : `, after ${party.after.join(', ')}`
      return shown(
        `${party.party}${party.optional ? ' (optional)' : ''}: 0 of ${party.seats}; signs: ${who(party)}${after}`,
      )
    }),
    ...(excluded.length === 0 ? [] : [shown(`may not sign, having changed it: ${excluded.join(', ')}`)]),
  ]
}

function instantOf(text: string): string {
  const ms = Date.parse(text)
  if (Number.isNaN(ms)) throw usageError(`expected a time for --at, found ${JSON.stringify(text)}`, simulateSignoff)
  return new Date(ms).toISOString()
}

/** Names come from outside: each line is made visible. */
const shown = (text: string): string => JSON.stringify(text).slice(1, -1)

function linesOf(record: SignoffRecord): string[] {
  return [
    `Sign-off: ${record.status}`,
    ...record.parties.map(({ party, optional, seats, filledBy, couldFill }) => {
      const left = filledBy.length < seats ? `; could sign: ${couldFill.join(', ') || 'nobody'}` : ''
      return shown(
        `${party}${optional ? ' (optional)' : ''}: ${filledBy.length} of ${seats} (${filledBy.join(', ') || 'none'})${left}`,
      )
    }),
    ...record.vetoes.map((login) => shown(`objection: ${login}`)),
    ...record.problems.map((problem) => shown(`problem: ${problem}`)),
    ...record.ignored.map(({ login, why }) => shown(`does not count: ${login ?? 'a deleted account'}: ${why}`)),
  ]
}

export const RELEASE_COMMANDS: readonly CliCommand[] = [simulateSignoff]
