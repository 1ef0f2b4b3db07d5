import { join } from 'node:path'
import {
  BUNDLES_KEY,
  bundlesDocument,
  COHORTS_KEY,
  type CohortIndex,
  cohortKey,
  type SignedBundles,
} from '../core/cohort/state.ts'
import { publicName } from '../core/manifest/names.ts'
import type { ChannelSource } from '../core/manifest/source.ts'
import { settleView } from '../engine/settle.ts'
import { integrityError } from '../ledger/trouble.ts'
import { documentProblem } from '../ledger/verify-documents.ts'
import { desiredOutputs } from '../render/desired.ts'
import type { OutputOf } from '../render/output.ts'
import { type CliCommand, needed, optionsOf } from './command.ts'
import { writeOutput } from './files.ts'
import { ledgerView, stateOf } from './ledger-view.ts'
import { DEFAULT_GROUP } from './request-files.ts'

/** Only comments and checks name the repository; a manifest does not. */
const NOWHERE = { releaseRepository: { id: 0, fullName: '' }, unprotected: false }

const sourceOf = (output: OutputOf<'manifest'>): ChannelSource => ({
  schema: 'ringmaster/channel-source/1',
  channel: output.channel,
  bundles: [...output.bundles],
  group: DEFAULT_GROUP,
  overrides: [...output.overrides],
  quarantine: output.quarantine,
  movedTo: output.movedTo,
  entryRelease: output.entryRelease,
  pollAfterSeconds: output.pollAfterSeconds,
  salts: [...output.salts],
})

export const cohortExport: CliCommand = {
  name: 'cohort export',
  usage: 'ringmaster cohort export --repo DIR --out DIR [--branch NAME]',
  summary: 'Write what cohorts are offered as channel files, with the signed bundles, for a place without network.',
  async run(args, io) {
    const values = optionsOf(cohortExport, args, {
      repo: { type: 'string' },
      out: { type: 'string' },
      branch: { type: 'string' },
    })
    const view = await ledgerView(needed(values.repo, 'repo', cohortExport), values.branch, io.now)
    const out = needed(values.out, 'out', cohortExport)
    const { digest: ledgerHead } = view.head
    const index = await stateOf<CohortIndex>(view, COHORTS_KEY)
    const offered = await Promise.all(
      (index?.cohorts ?? []).map((id) =>
        settleView(() => desiredOutputs(cohortKey(id), { ...NOWHERE, head: view.head }), view),
      ),
    )
    const outputs = offered.flat().filter((output): output is OutputOf<'manifest'> => output.kind === 'manifest')
    const signed = await stateOf<SignedBundles>(view, BUNDLES_KEY)
    const named = signed && { path: bundlesDocument(signed.digest), digest: signed.digest }
    const request = named && (await view.document(named.path))
    const problem = named && documentProblem(named, request)
    if (problem) throw integrityError(problem)
    const requestPath = request === undefined ? null : join(out, 'bundles.request.json')
    if (requestPath !== null) await writeOutput(requestPath, request ?? '')
    const cohorts = outputs.map((output) => ({
      cohort: output.channel.cohort,
      path: join(out, `${publicName(output.channel.cohort)}.json`),
      releases: output.channel.releases.length,
      validHours: output.validHours,
      source: sourceOf(output),
    }))
    for (const { path, source } of cohorts) await writeOutput(path, `${JSON.stringify(source, null, 2)}\n`)
    const left = (index?.cohorts ?? []).filter((id) => cohorts.every(({ cohort }) => cohort !== id))
    if (io.json) {
      const written = cohorts.map(({ source: _, ...rest }) => rest)
      io.out(JSON.stringify({ cohorts: written, request: requestPath, left, ledgerHead }))
      return 0
    }
    for (const { cohort, path, releases, validHours } of cohorts)
      io.out(`${JSON.stringify(cohort)}: ${releases} release(s) → ${path}, to publish with --valid-hours ${validHours}`)
    if (requestPath !== null) io.out(`The signed bundles → ${requestPath}`)
    for (const id of left) io.out(`${JSON.stringify(id)}: left out, for nothing that it is offered is signed`)
    io.out(`Publish with --ledger-head ${ledgerHead}`)
    return 0
  },
}
