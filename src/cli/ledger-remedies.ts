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
    'find the commit that did it in the history of the branch (`git log --diff-filter=MD BRANCH -- events configs bundles`; a head that names another end than the events stands in one of the last), restore the one before; where it is head or a snapshot alone, `ringmaster ledger rebuild` makes it anew',
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

/** What is wrong with one commit or decision may be wrong with thousands. */
const MOST_OF_A_CODE = 20

/** The problems, each with its remedy where its code comes first; of many with one code the first ones, and how many there are. */
export function sayProblems(
  reports: readonly (readonly [where: string, report: Pick<VerifyReport, 'problems'>])[],
  io: CommandIo,
): void {
  const told = new Map<string, number>()
  for (const [where, { problems }] of reports)
    for (const { code, message, hint } of problems) {
      const before = told.get(code) ?? 0
      told.set(code, before + 1)
      if (before < MOST_OF_A_CODE)
        io.err(`${code}: ${where}${message}${before > 0 || hint === undefined ? '' : `\n  ${hint}`}`)
    }
  for (const [code, count] of told)
    if (count > MOST_OF_A_CODE)
      io.err(`${code}: ${count - MOST_OF_A_CODE} more, which "ringmaster ledger verify --json" tells`)
}
