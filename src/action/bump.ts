import type { Explanation } from '../core/version/explain.ts'
import type { ComputedVersion } from '../git/compute-version.ts'
import { truncate } from '../render/text.ts'
import { explainVersion, renderBump } from './bump-summary.ts'
import { computeVersionFor } from './compute-version.ts'
import type { Outcome } from './outcome.ts'
import type { Inputs } from './read-inputs.ts'
import type { Shell } from './shell.ts'

/** Computes the next version of the checked-out commit and explains it. Reads the checkout only; writes nothing. */
export async function bump(inputs: Inputs, shell: Shell): Promise<Outcome<'bump'>> {
  const computed = await computeVersionFor(inputs, shell)
  const explanation = explainVersion(computed)
  return {
    outputs: {
      version: computed.version ?? '',
      'previous-version': computed.previousVersion ?? '',
      bump: computed.bump,
      released: String(computed.released),
      explanation: explanationJson(computed, explanation),
    },
    summary: renderBump(inputs, computed, explanation),
    said: `${explanation.summary}${computed.deepened ? ' The checkout was shallow and has been deepened.' : ''}`,
    warnings: computed.warnings,
  }
}

/** A step hands outputs on through the environment of others, which takes about 128 KiB in all. */
const MOST_EXPLAINED = 100
const LONGEST_TEXT = 120

function explanationJson(computed: ComputedVersion, explanation: Explanation): string {
  const { decision } = computed
  const commits = explanation.rows.slice(0, MOST_EXPLAINED)
  return JSON.stringify(
    {
      head: computed.sha,
      tag: computed.tag,
      from: decision.from,
      to: decision.to,
      preset: decision.preset,
      bump: decision.bump,
      level: decision.level,
      policy: decision.policy,
      decidedBy: decision.decidedBy.slice(0, MOST_EXPLAINED),
      warnings: decision.warnings,
      commits: commits.map(({ others: _, ...commit }) => commit),
      omitted: decision.commits.length - commits.length,
      outsidePath: computed.outsidePath,
    },
    (_, value: unknown) => (typeof value === 'string' ? truncate(value, LONGEST_TEXT) : value),
  )
}
