import type { Problem } from '../core/problem.ts'
import type { IntegrityCode } from '../ledger/trouble.ts'
import { type VerifyReport, verifyLedger } from '../ledger/verify.ts'
import type { CommandIo } from './command.ts'

/** A clone has the branches of the log only when told so: `git clone` makes a branch of the default one alone. */
const FETCH = "git fetch origin 'refs/heads/ringmaster-data*:refs/heads/ringmaster-data*'"

/** What to do where no log is found to read. */
export const NO_LEDGER_HINT = `Give the release repository, or a clone of it after \`${FETCH}\`.`

/** What to do about each problem of a log, as `docs/ledger.md` has it. */
export const REMEDIES: Readonly<Record<IntegrityCode | 'decision-differs', string>> = {
  'ledger-damaged':
    'find the commit that did it in the history of the branch (`git log --diff-filter=MD BRANCH -- events configs`), restore the one before; where it is head or a snapshot alone, `ringmaster ledger rebuild` makes it anew',
  'ledger-missing': `name the right directory and branch, and fetch it there (\`${FETCH}\`); where GitHub has none, restore it from a clone`,
  'ledger-rewound': 'compare with the branch’s activity on GitHub, restore the later head',
  'ledger-replaced': 'compare with the branch’s activity on GitHub, restore the last head of the history that was seen',
  'ledger-forked': 'restore the head of the line that check runs and gate answers name',
  'foreign-author': 'look at that commit; restore the state before it',
  'unknown-schema-version': 'update Ringmaster',
  'writer-too-old': 'update Ringmaster wherever it runs',
  'decision-differs': 'the event, a fact in it, or its configuration was changed afterwards: look at its commit',
}

/** A problem of a log with what to do about it: whoever verifies need not be told to verify. */
export function withRemedy(problem: Problem): Problem {
  const remedy = Object.hasOwn(REMEDIES, problem.code) ? REMEDIES[problem.code as keyof typeof REMEDIES] : undefined
  return remedy === undefined ? problem : { ...problem, hint: `${remedy[0]?.toUpperCase()}${remedy.slice(1)}.` }
}

/** A verification with what to do about each problem that it found. */
export async function verified(...given: Parameters<typeof verifyLedger>): Promise<VerifyReport> {
  const report = await verifyLedger(...given)
  return { ...report, problems: report.problems.map(withRemedy) }
}

/** The problems, each with its remedy where its code comes first. */
export function sayProblems(reports: readonly (readonly [where: string, report: VerifyReport])[], io: CommandIo): void {
  const told = new Set<string>()
  for (const [where, { problems }] of reports)
    for (const { code, message, hint } of problems) {
      io.err(`${code}: ${where}${message}${told.has(code) || hint === undefined ? '' : `\n  ${hint}`}`)
      told.add(code)
    }
}
