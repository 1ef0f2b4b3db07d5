import { higherOf, type Level } from './level.ts'

/** Which label asks for what; names are compared without regard to case, as GitHub does. */
export type LabelLevels = ReadonlyMap<string, Level>

/**
 * The level that a pull request's labels ask for: the strongest of those in the table. Null where none of them is in it,
 * so that a team decides what an unlabelled pull request means (release-drafter takes it for a patch).
 */
export function levelOfLabels(labels: readonly string[], table: LabelLevels): Level | null {
  const folded = new Map([...table].map(([label, level]) => [label.toLowerCase(), level]))
  const asked = labels.flatMap((label) => folded.get(label.toLowerCase()) ?? [])
  return asked.length === 0 ? null : asked.reduce(higherOf)
}
