import { type Problem, RingmasterError } from '../core/problem.ts'

/**
 * What can be wrong with the branch itself. Any of these closes the ledger: nothing more is written, nothing is read as
 * if it were true, until somebody has looked.
 */
export const INTEGRITY_CODES = [
  'ledger-damaged',
  'ledger-missing',
  'ledger-rewound',
  'ledger-replaced',
  'ledger-forked',
  'foreign-author',
  'unknown-schema-version',
  'writer-too-old',
] as const
export type IntegrityCode = (typeof INTEGRITY_CODES)[number]

export type LedgerCode =
  | IntegrityCode
  | 'ledger-contended'
  | 'ledger-closed'
  | 'ledger-succeeded'
  | 'epoch-unopened'
  | 'epoch-taken'
  | 'event-refused'
export interface LedgerProblem extends Problem<LedgerCode> {
  /** The branch that is concerned, where it is not, or not yet, the one that is written. */
  readonly branch?: string
}

const RECOVERY =
  'Run "ringmaster ledger verify" and compare the branch with its repository activity log before anything is written again.'

/** What a newer program wrote is whole: there is nothing to recover. */
const OF_NEWER: ReadonlySet<IntegrityCode> = new Set(['unknown-schema-version', 'writer-too-old'])

/** A problem of the branch with its path, its line, its name, and the way to recover. */
export const integrityProblem = (
  code: IntegrityCode,
  message: string,
  where: Pick<LedgerProblem, 'path' | 'line' | 'branch'> = {},
): LedgerProblem => ({
  code,
  message,
  hint: OF_NEWER.has(code) ? 'Update Ringmaster wherever it runs.' : RECOVERY,
  ...where,
})

/** The error for what is wrong with the branch. */
export const integrityError = (problems: readonly LedgerProblem[] | LedgerProblem): RingmasterError =>
  new RingmasterError('refused', problems)

/** Whether an error says that the branch itself cannot be trusted. */
export const isIntegrityError = (error: unknown): error is RingmasterError =>
  error instanceof RingmasterError && (INTEGRITY_CODES as readonly string[]).includes(error.code)

/** The branch that an error names as the one concerned. */
export const branchOf = (error: RingmasterError): string | undefined =>
  (error.problems as readonly LedgerProblem[]).find(({ branch }) => branch !== undefined)?.branch

/** Works on one branch: what turns out to be wrong with it names it. */
export async function onBranch<T>(branch: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!isIntegrityError(error)) throw error
    const problems = error.problems.map((problem) => ({ ...problem, branch }))
    throw new RingmasterError(error.fault, problems, { cause: error })
  }
}
