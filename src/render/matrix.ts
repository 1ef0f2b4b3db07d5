import type { Configuration } from '../core/config/schema.ts'
import { completionOf, lastAttempt } from '../core/deployment/evolve.ts'
import type { Attempt, BoardState, Cell } from '../core/deployment/schema.ts'
import type { ReleaseState } from '../core/release/schema.ts'
import { codeSpan, escapeMarkdown, fitted, link, markdownTable } from './text.ts'

/** What a cell says of the version of the release; words beside the sign, so that colour alone tells nothing. */
const CELL_WORDS = {
  live: '✅ live',
  running: '🔄 deploying',
  waiting: '⏳ waiting',
  failed: '❌ failed',
  aborted: '⏹ aborted',
  unauthorised: '⚠️ unauthorised',
  replaced: '↩ replaced',
  absent: '—',
} as const
type CellWord = keyof typeof CELL_WORDS

const WORD_OF_STATUS = {
  pending: 'waiting',
  started: 'running',
  completed: 'replaced',
  failed: 'failed',
  aborted: 'aborted',
} as const satisfies Record<Attempt['status'], CellWord>

/** Where the version of a release stands in one environment: the newest attempt of exactly this version decides. */
export function cellWord(cell: Cell | undefined, version: string): CellWord {
  const own = cell?.attempts.filter((attempt) => attempt.version === version).at(-1)
  if (own?.authorisation === 'unauthorised') return 'unauthorised'
  if (own && (own.status === 'started' || own.status === 'failed')) return WORD_OF_STATUS[own.status]
  if (cell?.lastGood?.version === version) return 'live'
  if (own) return WORD_OF_STATUS[own.status]
  return completionOf(cell, version) === 'none' ? 'absent' : 'replaced'
}

/** Products × environments of a release, environments in the order of their rings; without those that are kept. */
export function releaseMatrix(
  release: ReleaseState,
  configuration: Configuration | null,
  boards: ReadonlyMap<string, BoardState>,
  kept: ReadonlySet<string>,
): string {
  if (release.items.length === 0) return '_No product yet: `/add product@version`._'
  const environments = environmentsOf(release, configuration, boards).filter((name) => !kept.has(name))
  const header = ['Product', 'Version', 'Commit', ...environments.map((name) => fitted(name, escapeMarkdown, 120))]
  const rows = release.items.map((item) => {
    const cells = boards.get(item.product)?.cells ?? []
    return [
      escapeMarkdown(item.product),
      codeSpan(item.version),
      codeSpan(item.sha.slice(0, 12)),
      ...environments.map((name) => {
        const cell = cells.find((entry) => entry.environment === name)
        return link(CELL_WORDS[cellWord(cell, item.version)], cell && lastAttemptOf(cell, item.version)?.url)
      }),
    ]
  })
  return markdownTable(header, rows)
}

const lastAttemptOf = (cell: Cell, version: string): Attempt | null =>
  cell.attempts.filter((attempt) => attempt.version === version).at(-1) ??
  (lastAttempt(cell)?.version === version ? lastAttempt(cell) : null)

function environmentsOf(
  release: ReleaseState,
  configuration: Configuration | null,
  boards: ReadonlyMap<string, BoardState>,
): string[] {
  const configured = configuration?.rings.flatMap((ring) => ring.environments) ?? []
  const seen = release.items.flatMap((item) => boards.get(item.product)?.cells.map((cell) => cell.environment) ?? [])
  return [...new Set([...configured, ...seen.sort()])].slice(0, 30)
}
