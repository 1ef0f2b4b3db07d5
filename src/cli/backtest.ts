import process from 'node:process'
import { canonicalJson } from '../core/json.ts'
import { RingmasterError, unwrap } from '../core/problem.ts'
import {
  type Choice,
  type Contender,
  type PairedHistory,
  pairReleases,
  type Replayed,
  replay,
  replayUnreleased,
  type Score,
  scoresOf,
  type Transition,
} from '../core/version/backtest.ts'
import { commitsText, countText } from '../core/version/explain.ts'
import { presets } from '../core/version/presets.ts'
import type { BumpConfig, PresetName } from '../core/version/schema.ts'
import { readTags } from '../core/version/tags.ts'
import { isHigher, type Version } from '../core/version/version.ts'
import { readWholeHistory } from '../git/read-commits.ts'
import { readHead } from '../git/read-head.ts'
import { readAllTags } from '../git/read-tags.ts'
import { renderTextTable } from '../render/text-table.ts'
import { type BacktestState, forgetful, stateIn } from './backtest-state.ts'
import type { CommandIo, ExitCode } from './command.ts'
import type { PullRequestSource } from './pull-request-source.ts'
import type { ProductChoice } from './version-options.ts'

/** What a backtest is asked for beside the product. */
export interface BacktestOptions {
  /** Null: an interrupted backtest begins anew. */
  readonly statePath: string | null
  /** Null: commits say what they ask for. */
  readonly source: PullRequestSource | null
  /** Only releases from this version on, such as the first one that a tool made; null: all. */
  readonly since: Version | null
  /** How many of the releases that were decided otherwise are shown. */
  readonly rows: number
}

/**
 * Replays a repository release by release: what the team's own rule and each preset would have chosen, against what was
 * tagged. One reading of git; progress on a terminal's standard error.
 */
export async function backtest(choice: ProductChoice, options: BacktestOptions, io: CommandIo): Promise<ExitCode> {
  const history = await readPast(choice)
  const contenders = contendersOf(choice.config, options.source)
  const state = options.statePath === null ? forgetful : stateIn(options.statePath, contenders)
  const replayed = replayAll(transitionsSince(history, options.since), contenders, state)
  const unreleased = replayUnreleased(history.unreleased, contenders)
  const scores = scoresOf(replayed)
  if (io.json) io.out(JSON.stringify(documentOf(history, replayed, unreleased, scores)))
  else tell({ history, replayed, unreleased, scores, rows: options.rows }, io)
  return 0
}

async function readPast(choice: ProductChoice): Promise<PairedHistory> {
  const head = await readHead(choice.directory)
  if (head.shallow) {
    throw new RingmasterError('refused', {
      code: 'history-incomplete',
      message: 'expected the whole history for a backtest, found a shallow checkout',
      hint: 'run `git fetch --unshallow --tags` first',
    })
  }
  const tags = unwrap(readTags(choice.pattern, await readAllTags(choice.directory)))
  const commits = await readWholeHistory(choice.directory, choice.counts !== null)
  return pairReleases({ tags, commits, head: head.sha, counts: choice.counts, firstParent: choice.firstParent })
}

/** The team's own rule where it is another one than a preset's, and every preset as it comes. */
export function contendersOf(config: BumpConfig, source: PullRequestSource | null = null): Contender[] {
  const plain = (Object.keys(presets) as PresetName[]).map((preset) => ({ name: preset, config: { preset } }))
  if (source !== null) return [{ name: `${config.preset}, by ${source.kind}`, config, told: source }, ...plain]
  const own = { ...config, preMajor: config.preMajor ?? {} }
  const isPlain = canonicalJson(own) === canonicalJson({ preset: config.preset, preMajor: {} })
  return isPlain ? plain : [{ name: `${config.preset}, as configured`, config }, ...plain]
}

const transitionsSince = ({ transitions }: PairedHistory, since: Version | null): readonly Transition[] =>
  transitions.filter(({ tag }) => since === null || !isHigher(since, tag.version))

const SAVE_EVERY = 50

function replayAll(
  transitions: readonly Transition[],
  contenders: readonly Contender[],
  state: BacktestState,
): Replayed[] {
  const replayed = transitions.map((transition, at) => {
    const known = state.known(transition)
    const one = known ?? replay(transition, contenders)
    if (known === undefined) state.keep(transition, one)
    if ((at + 1) % SAVE_EVERY === 0) {
      state.save()
      showProgress(at + 1, transitions.length)
    }
    return one
  })
  state.save()
  showProgress(null, transitions.length)
  return replayed
}

/** One line that is written over; null: done, and the line is cleared. */
function showProgress(done: number | null, all: number): void {
  if (!process.stderr.isTTY) return
  process.stderr.write(done === null ? '\r\u001b[K' : `\r\u001b[K${progressBar(done, all)}`)
}

const BAR_WIDTH = 30

/** How far a count is, as a bar and in figures. */
export function progressBar(done: number, all: number): string {
  const share = all === 0 ? 1 : Math.min(done / all, 1)
  const filled = Math.floor(share * BAR_WIDTH)
  const bar = `${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)}`
  return `${bar} ${String(Math.floor(share * 100)).padStart(3)} %  ${done} of ${countText(all, 'release')}`
}

const documentOf = (
  { unreleased, outside }: PairedHistory,
  replayed: readonly Replayed[],
  choices: readonly Choice[],
  scores: readonly Score[],
) => ({
  releases: replayed.length,
  scores,
  replayed,
  unreleased: { since: unreleased.previous?.name ?? null, commits: unreleased.commits.length, choices },
  outside: outside.map(({ name }) => name),
})

interface Told {
  readonly history: PairedHistory
  readonly replayed: readonly Replayed[]
  readonly unreleased: readonly Choice[]
  readonly scores: readonly Score[]
  readonly rows: number
}

function tell({ history, replayed, unreleased, scores, rows }: Told, io: CommandIo): void {
  const print = (header: readonly string[], table: readonly (readonly string[])[]): void => {
    for (const line of renderTextTable(header, table)) io.out(line)
  }
  const firsts = replayed.filter(({ previous }) => previous === null).length
  const were = replayed.length === 1 ? 'was' : 'were'
  io.out(`${countText(replayed.length, 'release')} ${were} tagged, ${firsts} of them with no lower one before.`)
  const lost = history.outside.length
  if (lost > 0)
    io.out(`${countText(lost, 'tag')} ${lost === 1 ? 'leads to a commit' : 'lead to commits'} not in this checkout.`)
  if (scores.length > 0) {
    io.out('')
    print(['RULE', 'SAME VERSION', 'SAME STEP', 'HIGHER', 'LOWER', 'NOTHING', 'REFUSED'], scores.map(scoreRow))
  }
  tellDifferences(replayed, rows, print, io)
  tellUnreleased(history, unreleased, print, io)
}

const scoreRow = ({ name, compared, counts }: Score): string[] => [
  name,
  `${counts.same} of ${compared}`,
  ...[counts.same + counts.step, counts.higher, counts.lower, counts.nothing, counts.refused].map(String),
]

type Print = (header: readonly string[], table: readonly (readonly string[])[]) => void

/** The newest releases that the first rule would have made otherwise. */
function tellDifferences(replayed: readonly Replayed[], rows: number, print: Print, io: CommandIo): void {
  const names = replayed[0]?.choices.map(({ name }) => name) ?? []
  const isOther = ({ choices }: Replayed): boolean =>
    choices[0] !== undefined && !['same', 'step', 'first'].includes(choices[0].agreement)
  const other = replayed.filter(isOther).reverse()
  if (other.length === 0) return
  io.out('')
  io.out(`Decided otherwise than tagged by ${names[0]}: ${other.length}, the highest versions first.`)
  const table = other
    .slice(0, rows)
    .map(({ tag, previous, step, commits, choices }) => [
      ...[previous ?? '', tag, step ?? '', String(commits)],
      ...choices.map(({ to, bump }) => (to === null ? 'nothing' : `${bump} ${to}`)),
    ])
  print(['FROM', 'TAGGED', 'STEP', 'COMMITS', ...names.map((name) => name.toUpperCase())], table)
  if (other.length > rows) io.out(`and ${other.length - rows} more (--rows N shows more).`)
}

function tellUnreleased({ unreleased }: PairedHistory, choices: readonly Choice[], print: Print, io: CommandIo): void {
  const since = unreleased.previous === null ? 'and never were' : `since ${unreleased.previous.name}`
  io.out('')
  const count = unreleased.commits.length
  io.out(`${commitsText(count)} ${count === 1 ? 'is' : 'are'} not released ${since}.`)
  if (unreleased.commits.length === 0) return
  print(
    ['RULE', 'WOULD RELEASE', 'COMMITS THAT ASK FOR IT'],
    choices.map(({ name, to, bump, asking }) => [name, to === null ? 'nothing' : `${to} (${bump})`, String(asking)]),
  )
}
