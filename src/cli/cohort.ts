import { join } from 'node:path'
import { apiUrlIn } from '../app/environment.ts'
import {
  BUNDLES_KEY,
  COHORTS_KEY,
  type CohortIndex,
  type CohortState,
  cohortKey,
  type SignedBundles,
} from '../core/cohort/state.ts'
import { publicName } from '../core/manifest/names.ts'
import { missingSignatures, requestDigest } from '../core/manifest/sign-request.ts'
import { RingmasterError } from '../core/problem.ts'
import { branchHead } from '../github/branches.ts'
import { clientWith, splitName } from '../github/client.ts'
import { outside } from '../github/trouble.ts'
import { BUNDLES_CHECK } from '../webhooks/bundles.ts'
import { cohortExport } from './cohort-export.ts'
import { cohortEnrol, cohortTally } from './cohort-roster.ts'
import { type CliCommand, needed, optionsOf, readOptions, usageError } from './command.ts'
import { readInput, writeOutput } from './files.ts'
import { ledgerView, stateOf } from './ledger-view.ts'
import { readRequest } from './request-files.ts'

export const cohortBundles: CliCommand = {
  name: 'cohort bundles',
  usage: 'ringmaster cohort bundles --repo DIR --out DIR [--branch NAME] [--all]',
  summary: 'Write the bundles that cohorts are offered and that wait for a signature, one file each.',
  async run(args, io) {
    const values = optionsOf(cohortBundles, args, {
      repo: { type: 'string' },
      out: { type: 'string' },
      branch: { type: 'string' },
      all: { type: 'boolean' },
    })
    const view = await ledgerView(needed(values.repo, 'repo', cohortBundles), values.branch, io.now)
    const out = needed(values.out, 'out', cohortBundles)
    const index = await stateOf<CohortIndex>(view, COHORTS_KEY)
    const signed = await stateOf<SignedBundles>(view, BUNDLES_KEY)
    const cohorts = await Promise.all((index?.cohorts ?? []).map((id) => stateOf<CohortState>(view, cohortKey(id))))
    const offered = new Map(cohorts.flatMap((cohort) => cohort?.bundles ?? []).map((bundle) => [bundle.id, bundle]))
    const waiting = [...offered.values()].filter((bundle) => values.all || !signed?.bundles.includes(bundle.id))
    const files = waiting.map((bundle) => ({ path: join(out, `${publicName(bundle.id)}.json`), bundle }))
    for (const { path, bundle } of files) await writeOutput(path, `${JSON.stringify(bundle, null, 2)}\n`)
    if (io.json) io.out(JSON.stringify({ bundles: files.map(({ path, bundle }) => ({ id: bundle.id, path })) }))
    else if (files.length === 0) io.out('No bundle waits for a signature.')
    else for (const { path, bundle } of files) io.out(`${JSON.stringify(bundle.id)} → ${path}`)
    return 0
  },
}

export const cohortHandOver: CliCommand = {
  name: 'cohort hand-over',
  usage: 'ringmaster cohort hand-over REQUEST --repository OWNER/NAME   (GITHUB_TOKEN with checks: write)',
  summary: 'Hand a completed signing request for bundles to the App, as a check run on the release repository.',
  async run(args, io) {
    const { values, positionals } = readOptions(cohortHandOver, args, { repository: { type: 'string' } })
    const [path] = positionals
    if (path === undefined || positionals.length > 1) throw usageError('expected one signing request', cohortHandOver)
    const repository = needed(values.repository, 'repository', cohortHandOver)
    const token = io.env['GITHUB_TOKEN']
    if (!token) throw usageError('expected a token in GITHUB_TOKEN, found none', cohortHandOver)
    const open = await readRequest(path)
    if (missingSignatures(open).length > 0) {
      throw new RingmasterError('refused', {
        code: 'request-incomplete',
        message: `expected a request that every holder has signed, found signatures missing in ${path}`,
        hint: `Sign it first: ringmaster keys sign ${path} --key FILE`,
      })
    }
    const octokit = clientWith(token, apiUrlIn(io.env))
    const at = splitName(repository)
    const { data } = await outside(`read ${repository}`, () => octokit.request('GET /repos/{owner}/{repo}', at))
    const sha = await branchHead(octokit, repository, data.default_branch)
    if (sha === null)
      throw new RingmasterError('outside', {
        code: 'empty-repository',
        message: `expected a commit on ${data.default_branch}, found none`,
      })
    const text = Buffer.from(await readInput(path, 'a signing request'))
      .toString('utf8')
      .trimEnd()
    const fenced = `\`\`\`json\n${text}\n\`\`\``
    if (fenced.length > MAX_CHECK_TEXT) {
      throw new RingmasterError('refused', {
        code: 'request-too-large',
        message: `expected at most ${MAX_CHECK_TEXT} characters, found ${fenced.length}`,
        hint: 'Sign fewer bundles at a time.',
      })
    }
    const { data: check } = await outside('hand the bundles over', () =>
      octokit.request('POST /repos/{owner}/{repo}/check-runs', {
        ...at,
        name: BUNDLES_CHECK,
        head_sha: sha,
        external_id: requestDigest(open),
        status: 'completed',
        conclusion: 'success',
        output: {
          title: 'Bundles signed',
          summary: open.lines
            .slice(0, 100)
            .map((line) => `    ${line}`)
            .join('\n'),
          text: fenced,
        },
      } as never),
    )
    io.out(io.json ? JSON.stringify({ checkRun: (check as { id: number }).id }) : `Handed over to ${repository}.`)
    return 0
  },
}

/** GitHub's limit for the text of a check run's output. */
const MAX_CHECK_TEXT = 65_535

export const COHORT_COMMANDS: readonly CliCommand[] = [
  cohortBundles,
  cohortHandOver,
  cohortExport,
  cohortEnrol,
  cohortTally,
]
