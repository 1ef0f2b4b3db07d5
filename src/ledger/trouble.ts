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
export type LedgerProblem = Problem<LedgerCode>

const RECOVERY =
  'Run "ringmaster ledger verify" and compare the branch with its repository activity log before anything is written again.'

/** A problem of the branch with its path, its line, and the way to recover. */
export const integrityProblem = (
  code: IntegrityCode,
  message: string,
  where: { readonly path?: string; readonly line?: number } = {},
): LedgerProblem => ({
  code,
  message,
  hint: code === 'writer-too-old' ? 'Update Ringmaster wherever it runs.' : RECOVERY,
  ...where,
})

/** The error for what is wrong with the branch. */
export const integrityError = (problems: readonly LedgerProblem[] | LedgerProblem): RingmasterError =>
  new RingmasterError('refused', problems)

/** Whether an error says that the branch itself cannot be trusted. */
export const isIntegrityError = (error: unknown): error is RingmasterError =>
  error instanceof RingmasterError && (INTEGRITY_CODES as readonly string[]).includes(error.code)
