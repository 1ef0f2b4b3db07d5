import { appendFileSync, readFileSync } from 'node:fs'
import { z } from 'zod'
import { digestOf } from '../core/json.ts'
import { RingmasterError } from '../core/problem.ts'
import type { Contender, Replayed, Transition } from '../core/version/backtest.ts'

const Level = z.enum(['none', 'patch', 'minor', 'major'])

/** One release that was replayed, as a line of the file keeps it. */
const Line = z.strictObject({
  key: z.string(),
  replayed: z.strictObject({
    tag: z.string(),
    sha: z.string(),
    version: z.string(),
    previous: z.string().nullable(),
    step: Level.nullable(),
    commits: z.int(),
    choices: z.array(
      z.strictObject({
        name: z.string(),
        bump: z.union([Level, z.literal('exact')]),
        to: z.string().nullable(),
        agreement: z.enum(['same', 'step', 'higher', 'lower', 'nothing', 'refused', 'first']),
        asking: z.int(),
      }),
    ),
  }),
})

/** What was replayed before, so that an interrupted backtest goes on where it stopped. */
export interface BacktestState {
  known(transition: Transition): Replayed | undefined
  keep(transition: Transition, replayed: Replayed): void
  /** Writes what was kept since the last time. */
  save(): void
}

/** Keeps nothing. */
export const forgetful: BacktestState = { known: () => undefined, keep: () => undefined, save: () => undefined }

/**
 * The state in a file, one line for each release. A line counts for the same tag, commits and rules only; a line that was
 * cut off while it was written is passed over.
 */
export function stateIn(path: string, contenders: readonly Contender[]): BacktestState {
  const text = readIfThere(path)
  const lines = text.split('\n').flatMap((line) => readLine(line) ?? [])
  const replays = new Map(lines.map(({ key, replayed }) => [key, replayed]))
  let pending: string[] = text === '' || text.endsWith('\n') ? [] : ['']
  const rules = contenders.map(({ name, config, told }) => ({ name, config, ...(told && { told: told.digest }) }))
  const keyOf = ({ tag, previous, commits }: Transition): string =>
    digestOf([tag.name, tag.sha, previous?.name, commits.map(({ sha }) => sha), rules])
  return {
    known: (transition) => replays.get(keyOf(transition)),
    keep: (transition, replayed) => void pending.push(JSON.stringify({ key: keyOf(transition), replayed })),
    save: () => {
      if (pending.length > 0) append(path, `${pending.join('\n')}\n`)
      pending = []
    },
  }
}

function readLine(line: string): z.infer<typeof Line> | null {
  try {
    return Line.safeParse(JSON.parse(line)).data ?? null
  } catch {
    return null
  }
}

const trouble = (path: string, doing: string, error: unknown): RingmasterError =>
  new RingmasterError(
    'bad-input',
    {
      code: 'state-file',
      message: `expected to ${doing} the state file ${path}, found ${(error as NodeJS.ErrnoException).code ?? 'trouble'}`,
    },
    { cause: error },
  )

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw trouble(path, 'read', error)
  }
}

function append(path: string, text: string): void {
  try {
    appendFileSync(path, text)
  } catch (error) {
    throw trouble(path, 'write', error)
  }
}
