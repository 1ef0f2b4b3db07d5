import { type Checked, RingmasterError } from '../core/problem.ts'

/** The values of several checks; throws `RingmasterError` with the problems of all of them together. */
export function together<Values extends readonly unknown[]>(
  ...checks: { readonly [Index in keyof Values]: Checked<Values[Index]> }
): Values {
  const problems = checks.flatMap((check) => (check.ok ? [] : check.problems))
  if (problems.length > 0) throw new RingmasterError('bad-input', problems)
  return checks.map((check) => (check.ok ? check.value : undefined)) as unknown as Values
}
