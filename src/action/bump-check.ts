import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { digestOf } from '../core/json.ts'
import { type Problem, RingmasterError, unwrap } from '../core/problem.ts'
import type { ComputedVersion } from '../git/compute-version.ts'
import { foldLines, MAX_BODY, truncate } from '../render/text.ts'
import { readContext } from './context.ts'
import { productNameOf } from './product-name.ts'
import type { Inputs } from './read-inputs.ts'
import { connectWith, type Shell } from './shell.ts'
import { type Check, writeCheck } from './write-check.ts'

const PURPOSE = { what: 'show the bump as a check run', permission: 'checks: write' }

/** What is left of the event's payload when it is about a pull request. */
const Payload = z.object({
  pull_request: z.object({ head: z.object({ sha: z.string().regex(/^[0-9a-f]{40}$/) }) }),
})

/**
 * Shows a bump as the neutral check run `ringmaster/bump <product>`, one for each commit and product. It stands on the
 * head of the pull request where there is one: what is checked out there is a merge that nobody sees. Returns warnings:
 * a token that may not write, as those of forks may not, takes nothing from the version.
 */
export async function writeBumpCheck(
  inputs: Inputs,
  shell: Shell,
  computed: ComputedVersion,
  explanation: string,
): Promise<Problem[]> {
  const context = unwrap(readContext(shell.environment))
  const product = unwrap(productNameOf(inputs, context))
  const client = await connectWith(inputs, context, shell.clock)
  try {
    await writeCheck({
      ...{ client, context, purpose: PURPOSE, dryRun: false },
      sha: headOfPullRequest(shell.environment['GITHUB_EVENT_PATH']) ?? computed.sha,
      externalId: `ringmaster/bump/1:${digestOf(product).slice(7, 23)}`,
      check: bumpCheckOf(product, computed, explanation),
    })
    return []
  } catch (error) {
    if (error instanceof RingmasterError) return [...error.problems]
    throw error
  }
}

function bumpCheckOf(product: string, { version, released, bump }: ComputedVersion, explanation: string): Check {
  const next = version === null ? 'no new version' : released ? `${version} (${bump})` : `${version}, released already`
  return {
    name: `ringmaster/bump ${product}`,
    state: { status: 'completed', conclusion: 'neutral' },
    output: {
      title: truncate(`${product}: ${next}`, 255),
      summary: foldLines(explanation.split('\n'), MAX_BODY).join('\n'),
    },
  }
}

/** Null where the run is about no pull request, or the runner left no event. */
function headOfPullRequest(path: string | undefined): string | null {
  if (path === undefined || path === '') return null
  try {
    const payload = Payload.safeParse(JSON.parse(readFileSync(path, 'utf8')))
    return payload.data?.pull_request.head.sha ?? null
  } catch {
    return null
  }
}
