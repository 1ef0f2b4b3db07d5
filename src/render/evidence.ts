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

const within = (data: unknown, name: string): unknown => (data as Readonly<Record<string, unknown>> | null)?.[name]

const field = (data: unknown, name: string): string => {
  const value = within(data, name)
  return value === undefined || value === null ? '' : String(value)
}

const table = (header: readonly string[], rows: readonly (readonly string[])[]): string =>
  rows.length === 0 ? none : markdownTable(header, rows)

/** A column of a table of events: its heading, and what an event says in it. */
type Column = readonly [heading: string, cell: (line: Line) => string]

const EVENT: Column = ['Event', ({ seq }) => String(seq)]
const LINKED_EVENT: Column = ['Event', ({ seq, url }) => link(String(seq), url)]
const WHEN: Column = ['When', ({ at }) => at]
const WHO: Column = ['Who', who]
/** By the digest of its line an event is found in the log. */
const LINE: Column = ['Line', ({ digest }) => codeSpan(digest)]

const versionIn = ({ data }: Line): string => escapeMarkdown(`${field(data, 'product')}@${field(data, 'version')}`)

const COLUMNS = {
  builds: [
    LINKED_EVENT,
    WHEN,
    ['What', versionIn],
    ['Commit', ({ data }) => codeSpan(field(data, 'sha'))],
    ['Status', ({ data, type }) => field(data, 'status') || type],
    LINE,
  ],
  signoffs: [EVENT, WHEN, ['Status', ({ data, type }) => field(within(data, 'signoff'), 'status') || type], LINE],
  commands: [
    LINKED_EVENT,
    WHEN,
    WHO,
    ['Command', ({ data, type }) => codeSpan(field(data, 'command') || type)],
    ['Answer', ({ data }) => escapeMarkdown(field(within(data, 'answer'), 'code'))],
    ['In words', saidIn],
    LINE,
  ],
  gates: [
    EVENT,
    WHEN,
    ['Gate', ({ data }) => codeSpan(field(data, 'gate') || field(data, 'environment'))],
    ['Verdict', ({ data, type }) => field(data, 'verdict') || type],
    ['Why', blockersIn],
    ['Configuration', ({ data }) => field(data, 'policyDigest') && codeSpan(field(data, 'policyDigest'))],
    LINE,
  ],
  deployments: [
    EVENT,
    WHEN,
    ['What', (line) => link(versionIn(line), line.url)],
    ['Environment', ({ data }) => escapeMarkdown(field(data, 'environment'))],
    ['Status', ({ data }) => field(data, 'status')],
    ['Allowed by', ({ data }) => field(data, 'authorisation')],
    LINE,
  ],
  events: [
    LINKED_EVENT,
    WHEN,
    ['Type', ({ type }) => codeSpan(type)],
    WHO,
    ['Reason', ({ data }) => fitted(field(data, 'reason'), escapeMarkdown, 300)],
    LINE,
  ],
} as const satisfies Readonly<Record<string, readonly Column[]>>

const eventTable = (pack: Pack, part: keyof typeof COLUMNS): string =>
  table(
    COLUMNS[part].map(([heading]) => heading),
    pack[part].map((line) => COLUMNS[part].map(([, cell]) => cell(line))),
  )

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
    eventTable(pack, 'builds'),
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
    eventTable(pack, 'signoffs'),
    '',
    '## What people said',
    '',
    eventTable(pack, 'commands'),
    '',
    '## Checklist',
    '',
    table(['Step', 'Done by', 'When', 'Evidence'], steps),
    '',
    '## Gates',
    '',
    eventTable(pack, 'gates'),
    '',
    '## Deployments',
    '',
    eventTable(pack, 'deployments'),
    '',
    '## Everything that was recorded of it',
    '',
    eventTable(pack, 'events'),
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
