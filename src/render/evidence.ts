import type { ReleaseState } from '../core/release/schema.ts'
import { codeSpan, escapeMarkdown, fenced, fitted, link, markdownTable } from './text.ts'

interface Line {
  readonly seq: number
  readonly type: string
  readonly at: string
  readonly actor: { readonly login: string } | null
  readonly url: string | null
  readonly digest: string
  readonly data: unknown
}

const PROTECTION = {
  protected: 'A ruleset guarded the branch of the log when this was made.',
  unprotected: '**Unprotected log:** no ruleset guarded the branch of the log when this was made.',
  'not-asked': 'This was made from a clone, which does not tell whether a ruleset guards the branch of the log.',
} as const

interface Pack {
  readonly release: ReleaseState
  readonly repository: string
  readonly protection: keyof typeof PROTECTION
  readonly policy: { readonly digest: string; readonly path: string; readonly text: string }
  readonly signoffs: readonly Line[]
  readonly gates: readonly Line[]
  readonly deployments: readonly Line[]
  readonly builds: readonly Line[]
  readonly commands: readonly Line[]
  readonly events: readonly Line[]
  readonly head: { readonly seq: number; readonly digest: string; readonly commit: string }
  readonly digest: string
}

const none = '_none_'

const who = (line: Line): string => escapeMarkdown(line.actor?.login ?? (field(line.data, 'by') || 'Ringmaster'))

/** What somebody gave as a reason, or what was answered, as far as it was recorded. */
function saidIn({ data }: Line): string {
  const { answer } = (data ?? {}) as {
    answer?: { values?: readonly string[]; problems?: readonly { message: string }[] }
  }
  const told = [...(answer?.problems ?? []).map(({ message }) => message), ...(answer?.values ?? [])]
  return fitted([field(data, 'reason'), ...told].filter((text) => text !== '').join('; '), escapeMarkdown, 300)
}

const blockersIn = ({ data }: Line): string => {
  const { blockers } = (data ?? {}) as { blockers?: readonly { readonly code: string }[] }
  return [...new Set((blockers ?? []).map(({ code }) => codeSpan(code)))].join(', ')
}

const field = (data: unknown, name: string): string => {
  const value = (data as Readonly<Record<string, unknown>> | null)?.[name]
  return value === undefined || value === null ? '' : String(value)
}

const table = (header: readonly string[], rows: readonly (readonly string[])[]): string =>
  rows.length === 0 ? none : markdownTable(header, rows)

/** The evidence of a release for people: who signed what under which rules, what was let through, and how to check it. */
export function renderEvidence(pack: Pack): string {
  const { release, repository, policy, head } = pack
  const signoff = release.signoff
  const pull = release.proposal
  const approvals = (signoff?.evidence ?? []).map(({ party, login, reviewId, commit, at }) => [
    escapeMarkdown(party),
    escapeMarkdown(login),
    reviewId === null || !pull ? '' : link(`review ${reviewId}`, `${pull.url}#pullrequestreview-${reviewId}`),
    commit === null ? '' : codeSpan(commit.slice(0, 12)),
    at ?? '',
  ])
  const steps = release.steps.map(({ id, by, at, evidence }) => [
    codeSpan(id),
    by ? escapeMarkdown(by.login) : 'Ringmaster',
    at,
    escapeMarkdown(evidence ?? ''),
  ])
  return [
    `# Evidence: ${escapeMarkdown(release.title)}`,
    '',
    `Release ${codeSpan(release.id)} of ${link(`${escapeMarkdown(repository)}#${release.issue}`, pull ? pull.url.replace(/\/pull\/[0-9]+$/, `/issues/${release.issue}`) : null)}: ${release.status}.`,
    pull ? `Proposal ${link(`#${pull.number}`, pull.url)}, head ${codeSpan(pull.head)}.` : 'No proposal was opened.',
    '',
    '## What was released',
    '',
    table(
      ['Product', 'Version', 'Commit'],
      release.items.map(({ product, version, sha }) => [escapeMarkdown(product), codeSpan(version), codeSpan(sha)]),
    ),
    '',
    '## How it was built',
    '',
    table(
      ['Event', 'When', 'What', 'Commit', 'Status', 'Line'],
      pack.builds.map((line) => [
        link(String(line.seq), line.url),
        line.at,
        escapeMarkdown(`${field(line.data, 'product')}@${field(line.data, 'version')}`),
        codeSpan(field(line.data, 'sha')),
        field(line.data, 'status') || line.type,
        codeSpan(line.digest),
      ]),
    ),
    '',
    '## Under which rules',
    '',
    `Configuration ${codeSpan(policy.digest)}, kept as ${codeSpan(policy.path)} beside the log:`,
    '',
    fenced(policy.text, 'yaml'),
    '',
    '## Who approved',
    '',
    signoff
      ? `Sign-off: ${signoff.status}, for the content ${codeSpan(signoff.digest)}.`
      : 'The signatures were never decided.',
    '',
    table(['Party', 'Person', 'Review', 'Commit', 'When'], approvals),
    '',
    'Every decision about the signatures:',
    '',
    table(
      ['Event', 'When', 'Status', 'Line'],
      pack.signoffs.map((line) => [
        String(line.seq),
        line.at,
        field((line.data as { signoff?: unknown } | null)?.signoff, 'status') || line.type,
        codeSpan(line.digest),
      ]),
    ),
    '',
    '## What people said',
    '',
    table(
      ['Event', 'When', 'Who', 'Command', 'Answer', 'In words', 'Line'],
      pack.commands.map((line) => [
        link(String(line.seq), line.url),
        line.at,
        who(line),
        codeSpan(field(line.data, 'command') || line.type),
        escapeMarkdown(field((line.data as { answer?: unknown } | null)?.answer, 'code')),
        saidIn(line),
        codeSpan(line.digest),
      ]),
    ),
    '',
    '## Checklist',
    '',
    table(['Step', 'Done by', 'When', 'Evidence'], steps),
    '',
    '## Gates',
    '',
    table(
      ['Event', 'When', 'Gate', 'Verdict', 'Why', 'Configuration', 'Line'],
      pack.gates.map((line) => [
        String(line.seq),
        line.at,
        codeSpan(field(line.data, 'gate') || field(line.data, 'environment')),
        field(line.data, 'verdict') || line.type,
        blockersIn(line),
        field(line.data, 'policyDigest') && codeSpan(field(line.data, 'policyDigest')),
        codeSpan(line.digest),
      ]),
    ),
    '',
    '## Deployments',
    '',
    table(
      ['Event', 'When', 'What', 'Environment', 'Status', 'Allowed by', 'Line'],
      pack.deployments.map((line) => [
        String(line.seq),
        line.at,
        link(escapeMarkdown(`${field(line.data, 'product')}@${field(line.data, 'version')}`), line.url),
        escapeMarkdown(field(line.data, 'environment')),
        field(line.data, 'status'),
        field(line.data, 'authorisation'),
        codeSpan(line.digest),
      ]),
    ),
    '',
    '## Everything that was recorded of it',
    '',
    table(
      ['Event', 'When', 'Type', 'Who', 'Reason', 'Line'],
      pack.events.map((line) => [
        link(String(line.seq), line.url),
        line.at,
        codeSpan(line.type),
        who(line),
        fitted(field(line.data, 'reason'), escapeMarkdown, 300),
        codeSpan(line.digest),
      ]),
    ),
    '',
    '## How to check it',
    '',
    PROTECTION[pack.protection],
    '',
    `The log ended at event ${head.seq}, ${codeSpan(head.digest)}, commit ${codeSpan(head.commit)}. In a clone of the release repository:`,
    '',
    '```sh',
    `ringmaster ledger verify --repo . --anchor ${head.seq}:${head.digest}`,
    '```',
    '',
    'Lines of an earlier epoch are found by the same command, with `SEQ:DIGEST` of the line for the anchor.',
    '',
    `Digest of this pack: ${codeSpan(pack.digest)}, the SHA-256 of its JSON without \`digest\`, with the members of every object sorted and no blanks.`,
  ].join('\n')
}
