import type { ReleaseState, SignoffRecord } from '../core/release/schema.ts'
import { interferenceLines } from './conduct.ts'
import { escapeMarkdown, fairShares, foldLines, foldNames, MAX_BODY, markdownTable, truncate } from './text.ts'

/** Party → its team, as organization/team-slug. */
export type PartyTeams = ReadonlyMap<string, string>

const WORDS = {
  blocked: 'sign-off blocked',
  vetoed: 'vetoed',
  pending: 'sign-off pending',
  approved: 'signed off',
} as const satisfies Record<SignoffRecord['status'], string>

const missingSeats = (party: SignoffRecord['parties'][number]): number =>
  Math.max(0, party.seats - party.filledBy.length)

const missingParties = (signoff: SignoffRecord): string[] =>
  signoff.parties.filter((party) => !party.optional && missingSeats(party) > 0).map((party) => party.party)

/** Where the signatures of a release stand, in a few words for a line. */
export function signoffLine(release: ReleaseState): string {
  if (release.status === 'draft') return 'not started'
  if (!release.signoff) return 'sign-off pending'
  const missing = missingParties(release.signoff)
  const who =
    release.signoff.status === 'pending' && missing.length > 0
      ? `: ${missing.map(escapeMarkdown).join(', ')} missing`
      : ''
  return `${WORDS[release.signoff.status]}${who}`
}

/** GitHub takes 255 characters. */
const MAX_TITLE = 250

/** The title of the sign-off check run. */
export const signoffTitle = (signoff: SignoffRecord | null): string => {
  if (!signoff) return 'Waiting for the first decision'
  const missing = missingParties(signoff)
  if (signoff.status === 'pending')
    return truncate(`Missing: ${missing.join(', ') || 'a proposal that shows the current composition'}`, MAX_TITLE)
  if (signoff.status === 'vetoed') return truncate(`Vetoed by ${signoff.vetoes.join(', ')}`, MAX_TITLE)
  return { blocked: 'Can not be signed off as it stands', approved: 'Signed off' }[signoff.status]
}

export const signoffConclusion = (signoff: SignoffRecord | null): 'success' | 'failure' | null => {
  if (!signoff || signoff.status === 'pending') return null
  return signoff.status === 'approved' ? 'success' : 'failure'
}

/**
 * Every party with who signed, what is missing and who could still sign; then what does not count, and why. Nothing is
 * left out of it but what GitHub has no room for; then the longest lists are cut, and say by how much. `teams` has the
 * team of each party that names one: where nobody could sign, it may be missing, or not what was meant.
 */
export function renderSignoff(
  release: ReleaseState,
  anchor: string,
  unprotected: boolean,
  teams: PartyTeams = new Map(),
): string {
  const { signoff } = release
  if (!signoff) return 'The parties have not been asked yet.'
  const foot = [
    '',
    `Content \`${signoff.digest}\` under policy \`${signoff.policyDigest}\`, log head \`${anchor}\`.`,
    ...(unprotected ? ['', '**Unprotected log:** no ruleset guards the data branch.'] : []),
  ]
  const list = (title: string, lines: readonly string[]): string[] =>
    lines.length === 0 ? [] : ['', `**${title}**`, '', ...lines.map((line) => `- ${line}`)]
  const whole = partyTable(signoff.parties, teams)
  const lists = [
    list(
      'Objections',
      signoff.vetoes.map(
        (login) =>
          `${escapeMarkdown(login)} asked for changes: it clears when that person approves the current content`,
      ),
    ),
    list('Problems', signoff.problems.map(escapeMarkdown)),
    list('Touched by others', interferenceLines(release.conduct)),
    list('Does not count', ignoredLines(signoff.ignored)),
  ].filter((lines) => lines.length > 0)
  const wanted = [whole, ...lists].map((lines) => lines.join('\n').length + 1)
  const [ofTable = 0, ...ofLists] = fairShares(wanted, MAX_BODY - foot.join('\n').length).map((share) => share - 1)
  const isWhole = whole.join('\n').length <= ofTable
  return [
    ...(isWhole ? whole : foldLines(partyTable(signoff.parties, teams, ofTable), ofTable, '| ')),
    ...lists.flatMap((lines, index) => foldLines(lines, ofLists[index] ?? 0, '- ')),
    ...foot,
  ].join('\n')
}

/** The parties as a table, with as many names as keep to a length. */
function partyTable(
  parties: SignoffRecord['parties'],
  teams: PartyTeams,
  maxLength = Number.POSITIVE_INFINITY,
): string[] {
  const nobodyOf = (party: string): string => {
    const team = teams.get(party)
    return team === undefined ? 'nobody' : `nobody (team ${escapeMarkdown(team)})`
  }
  const rowOf = (party: SignoffRecord['parties'][number], filledBy: string, couldFill: string): string[] => [
    `${escapeMarkdown(party.party)}${party.optional ? ' (optional)' : ''}`,
    `${party.filledBy.length} of ${party.seats}`,
    filledBy || '—',
    String(missingSeats(party) || '—'),
    couldFill || (missingSeats(party) === 0 ? '—' : nobodyOf(party.party)),
  ]
  const table = (rows: readonly (readonly string[])[]): string =>
    markdownTable(['Party', 'Seats', 'Signed by', 'Missing', 'Could still sign'], rows)
  const names = parties.map((party) => [
    party.filledBy.map(escapeMarkdown),
    missingSeats(party) === 0 ? [] : party.couldFill.map(escapeMarkdown),
  ])
  const frame = table(parties.map((party) => rowOf(party, '', ''))).length
  const wanted = names.flat().map((cell) => cell.join(', ').length)
  const shares = fairShares(wanted, maxLength - frame)
  const rows = parties.map((party, index) => {
    const [filledBy = '', couldFill = ''] = (names[index] ?? []).map((cell, column) =>
      foldNames(cell, shares[2 * index + column] ?? 0),
    )
    return rowOf(party, filledBy, couldFill)
  })
  return table(rows).split('\n')
}

/** A line for each person and reason: several reviews that do not count for the same reason are one line. */
function ignoredLines(ignored: SignoffRecord['ignored']): string[] {
  const counts = new Map<string, number>()
  for (const { login, why } of ignored) {
    const line = `${login === null ? 'a deleted account' : escapeMarkdown(login)}: ${escapeMarkdown(why)}`
    counts.set(line, (counts.get(line) ?? 0) + 1)
  }
  return [...counts].map(([line, count]) => (count === 1 ? line : `${line} (${count} reviews)`))
}
