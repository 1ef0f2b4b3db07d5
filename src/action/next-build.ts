import { isByActions } from '../core/actions-app.ts'
import { fencedJson } from '../core/fenced.ts'
import { digestOf, sha256 } from '../core/json.ts'
import { RingmasterError, unwrap } from '../core/problem.ts'
import {
  ANSWER_CHECK_PREFIX,
  buildSlotKey,
  NumberAnswer,
  NumberQuestion,
  QUESTION_CHECK_PREFIX,
} from '../core/product/build-line-schema.ts'
import { codeSpan, escapeMarkdown, truncate } from '../render/text.ts'
import { explainVersion, renderBump } from './bump-summary.ts'
import { computeVersionFor } from './compute-version.ts'
import { type RunContext, readContext } from './context.ts'
import type { Clock, GitHubClient } from './github-client.ts'
import type { Outcome } from './outcome.ts'
import { productNameOf } from './product-name.ts'
import type { Inputs } from './read-inputs.ts'
import { checkRecord } from './schema-problems.ts'
import { connectWith, type Shell } from './shell.ts'
import { type Check, writeCheck } from './write-check.ts'

const ASKING = { what: 'take a question for a build number as a check run', permission: 'checks: write' }
const LISTENING = { what: 'list the check runs of the commit', permission: 'checks: read' }

/** The App answers within seconds; where it was away, it reads what it missed within minutes of its start. */
const MOST_WAIT_MS = 5 * 60_000
const FIRST_WAIT_MS = 1_000
const LONGEST_WAIT_MS = 15_000
const MAX_TITLE_LENGTH = 255

interface Asking {
  readonly client: GitHubClient
  readonly context: RunContext
  readonly question: NumberQuestion
}

/**
 * Asks the App for the next development version of a product and waits for it: a number of its own for each attempt of a
 * run, the same again for a step that is repeated. Only the App writes the log, so the question is a check run on the
 * commit of the run, and so is the answer.
 */
export async function nextBuildNumber(inputs: Inputs, shell: Shell): Promise<Outcome<'next-build'>> {
  const context = unwrap(readContext(shell.environment))
  const product = unwrap(productNameOf(inputs, context))
  const scheme = inputs.scheme ?? 'semver-build'
  const computed = await computeVersionFor({ ...inputs, scheme, prerelease: null, graduate: null }, shell)
  const question = unwrap(
    checkRecord(NumberQuestion, {
      schema: 'ringmaster/next-build/1',
      product,
      wanted: computed.version,
      run: { id: context.runId, attempt: context.runAttempt },
    }),
  )
  const version = inputs.dryRun ? '' : await ask(inputs, shell, { context, question })
  const why = renderBump(inputs, computed, explainVersion(computed))
  const did = inputs.dryRun
    ? `Dry run: would ask for a build number of ${product}`
    : `Build number of ${product}: ${version}`
  return {
    outputs: { version, product },
    summary: `### ${version === '' ? escapeMarkdown(did) : `${escapeMarkdown(product)} ${codeSpan(version)}`}\n\n${why}`,
    said: did,
    warnings: computed.warnings,
  }
}

async function ask(inputs: Inputs, { clock }: Shell, asked: Omit<Asking, 'client'>): Promise<string> {
  const asking = { ...asked, client: await connectWith(inputs, asked.context, clock) }
  const answer = (await findAnswer(asking)) ?? (await askAndWait(asking, clock))
  if (answer.outcome === 'handed-out') return answer.version
  const { code, message, hint } = answer.refusal
  throw new RingmasterError('refused', { code, message, ...(hint === null ? {} : { hint }) })
}

async function askAndWait(asking: Asking, clock: Clock): Promise<NumberAnswer> {
  const { client, context, question } = asking
  const { run, product } = question
  await writeCheck({
    ...{ client, context, purpose: ASKING, sha: context.sha, check: questionCheck(question), dryRun: false },
    externalId: `${question.schema}:${run.id}/${run.attempt}/${digestOf(product).slice(7, 23)}`,
  })
  let nextMs = FIRST_WAIT_MS
  for (
    let waitedMs = 0;
    waitedMs < MOST_WAIT_MS;
    waitedMs += nextMs, nextMs = Math.min(nextMs * 1.5, LONGEST_WAIT_MS)
  ) {
    await clock.sleep(nextMs)
    const answer = await findAnswer(asking)
    if (answer !== null) return answer
  }
  throw new RingmasterError('outside', {
    code: 'no-answer',
    message: `expected the App to hand out a build number of ${product} within ${MOST_WAIT_MS / 60_000} minutes, found no answer on ${context.sha}`,
    hint: 'see that the App runs and is installed on this repository, then run the job again',
  })
}

/** Done from the beginning, so that a question that nobody answers keeps no commit waiting. */
const questionCheck = (question: NumberQuestion): Check => ({
  name: `${QUESTION_CHECK_PREFIX}${question.product}`,
  state: { status: 'completed', conclusion: 'neutral' },
  output: {
    title: truncate(`A build number of ${question.product} is asked for`, MAX_TITLE_LENGTH),
    summary: `For run ${question.run.id}, attempt ${question.run.attempt}. The App answers beside it.`,
    text: `Read by machines.\n\n\`\`\`json\n${JSON.stringify(question, null, 1)}\n\`\`\`\n`,
  },
})

/** What the App answered this attempt. A check run that a workflow made is no answer: only an App speaks for the log. */
async function findAnswer({ client, context, question }: Asking): Promise<NumberAnswer | null> {
  const { owner, repository: repo, sha: ref } = context
  const externalId = sha256(buildSlotKey(question.product, question.run))
  const runs = await client.retrying(LISTENING, () =>
    client.octokit.paginate('GET /repos/{owner}/{repo}/commits/{ref}/check-runs', {
      ...{ owner, repo, ref, filter: 'all', per_page: 100 },
      check_name: `${ANSWER_CHECK_PREFIX}${question.product}`,
    }),
  )
  const found = runs.find((run) => run.external_id === externalId && !isByActions(run.app))
  return found === undefined ? null : unwrap(checkRecord(NumberAnswer, fencedJson(found.output.text)), 'outside')
}
