import type { Problem } from '../core/problem.ts'
import type { Explanation } from '../core/version/explain.ts'
import type { ComputedVersion } from '../git/compute-version.ts'
import { codeSpan, truncate } from '../render/text.ts'
import { explainVersion, renderBump } from './bump-summary.ts'
import { computeVersionFor } from './compute-version.ts'
import type { Outcome } from './outcome.ts'
import type { Inputs } from './read-inputs.ts'
import type { Shell } from './shell.ts'

/**
 * Computes the next version of the checked-out commit and explains it. Reads the checkout only; writes nothing but the
 * files that a team wants its version in, and a check run where that is asked for.
 */
export async function bump(inputs: Inputs, shell: Shell): Promise<Outcome<'bump'>> {
  const computed = await computeVersionFor(inputs, shell)
  const explanation = explainVersion(computed)
  const files = await writtenFiles(inputs, shell, computed.version)
  const rendered = renderBump(inputs, computed, explanation)
  const unwritten = inputs.check ? await checked(inputs, shell, computed, rendered) : []
  return {
    outputs: {
      version: computed.version ?? '',
      'previous-version': computed.previousVersion ?? '',
      bump: computed.bump,
      released: String(computed.released),
      explanation: explanationJson(computed, explanation),
      'version-files': files.join('\n'),
    },
    summary: [rendered, ...renderFiles(files)].join('\n\n'),
    said: [
      explanation.summary,
      ...(computed.deepened ? ['The checkout was shallow and has been deepened.'] : []),
      ...(files.length > 0 ? [`Wrote ${files.join(', ')}.`] : []),
    ].join(' '),
    warnings: [...computed.warnings, ...unwritten],
  }
}

/** Loaded late: only this way of telling asks GitHub. */
async function checked(
  inputs: Inputs,
  shell: Shell,
  computed: ComputedVersion,
  rendered: string,
): Promise<readonly Problem[]> {
  const { writeBumpCheck } = await import('./bump-check.ts')
  return writeBumpCheck(inputs, shell, computed, rendered)
}

async function writtenFiles(inputs: Inputs, shell: Shell, version: string | null): Promise<readonly string[]> {
  if (!inputs.writeVersionFiles || version === null) return []
  const { writeVersionFiles } = await import('./version-files.ts')
  return writeVersionFiles(inputs, shell, version)
}

const renderFiles = (files: readonly string[]): string[] =>
  files.length === 0 ? [] : [`Written into ${files.map(codeSpan).join(', ')}.`]

/** A step hands outputs on through the environment of others, which takes about 128 KiB in all. */
const MOST_EXPLAINED = 100
const MOST_OUTSIDE = 20
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
      warnings: computed.warnings.map(({ code, message }) => ({ code, message })),
      commits: commits.map(({ others: _, ...commit }) => commit),
      omitted: decision.commits.length - commits.length,
      outsidePath: computed.outsidePath,
      outside: explanation.outside.slice(0, MOST_OUTSIDE).map(({ others: _, ...commit }) => commit),
    },
    (_, value: unknown) => (typeof value === 'string' ? truncate(value, LONGEST_TEXT) : value),
  )
}
