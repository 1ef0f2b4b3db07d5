import type { Checked } from '../problem.ts'
import { accepted } from '../problem.ts'
import { judgeOptionsOf } from './decide.ts'
import { presets } from './presets.ts'
import type { BumpConfig, Commit } from './schema.ts'
import type { Verdict, Warning } from './verdict.ts'

/**
 * Verdicts of commits that change nothing of the product, newest first: none of them counts, and each that would ask
 * for something inside it says so. Refuses rules that cannot be read.
 */
export function judgeOutsidePath(config: BumpConfig, commits: readonly Commit[]): Checked<readonly Verdict[]> {
  const options = judgeOptionsOf(config)
  if (!options.ok) return options
  return accepted(presets[config.preset].judge(commits, options.value).map(takenOut))
}

function takenOut({ sha, title, type, scope, level, releaseAs }: Verdict): Verdict {
  const asked = releaseAs ?? (level === 'none' ? null : level)
  const warnings = asked === null ? [] : [warningOf(asked)]
  return { sha, title, type, scope, level: 'none', releaseAs: null, reason: { kind: 'outside-path' }, warnings }
}

const warningOf = (asked: string): Warning => ({
  code: 'outside-path',
  message: `It changes nothing of this product and does not count; inside it, it would ask for ${asked}.`,
})
