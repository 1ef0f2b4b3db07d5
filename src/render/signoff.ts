import type { ReleaseState, SignoffRecord } from '../core/release/schema.ts'
import { interferenceLines } from './conduct.ts'
import { escapeMarkdown, foldLines, MAX_BODY, markdownTable, truncate } from './text.ts'

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

/** Every party with who signed, who could and what is missing; then what does not count, and why. */
export function renderSignoff(release: ReleaseState, anchor: string, unprotected: boolean): string {
  const { signoff } = release
  if (!signoff) return 'The parties have not been asked yet.'
  const rows = signoff.parties.map((party) => [
    `${escapeMarkdown(party.party)}${party.optional ? ' (optional)' : ''}`,
    `${party.filledBy.length} of ${party.seats}`,
    party.filledBy.map(escapeMarkdown).join(', ') || '—',
    missingSeats(party) === 0 ? '—' : party.couldFill.slice(0, 10).map(escapeMarkdown).join(', ') || 'nobody',
  ])
  const list = (title: string, lines: readonly string[]): string[] =>
    lines.length === 0 ? [] : ['', `**${title}**`, '', ...lines.map((line) => `- ${line}`)]
  const foot = [
    '',
    `Content \`${signoff.digest}\` under policy \`${signoff.policyDigest}\`, log head \`${anchor}\`.`,
    ...(unprotected ? ['', '**Unprotected log:** no ruleset guards the data branch.'] : []),
  ]
  const lines = [
    markdownTable(['Party', 'Seats', 'Signed by', 'Could still sign'], rows),
    ...list(
      'Objections',
      signoff.vetoes.map(
        (login) =>
          `${escapeMarkdown(login)} asked for changes: it clears when that person approves the current content`,
      ),
    ),
    ...list('Problems', signoff.problems.map(escapeMarkdown)),
    ...list('Touched by others', interferenceLines(release.conduct)),
    ...list(
      'Does not count',
      signoff.ignored
        .slice(0, 50)
        .map((entry) => `${escapeMarkdown(entry.login ?? 'a deleted account')}: ${escapeMarkdown(entry.why)}`),
    ),
  ]
  return [...foldLines(lines, MAX_BODY - foot.join('\n').length, '\n- '), ...foot].join('\n')
}
