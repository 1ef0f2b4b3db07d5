import { ulid } from 'ulid'
import { model } from '../core/model.ts'
import { RELEASES_BRANCH } from '../core/release/composition.ts'
import type { Request } from '../core/request.ts'
import { createEngine, type Engine } from '../engine/engine.ts'
import type { Applied, Log, Outlets } from '../engine/ports.ts'
import { branchHead } from '../github/branches.ts'
import { checkRunOutlet } from '../github/checks.ts'
import { type AppProfile, type GitHubApp, splitName } from '../github/client.ts'
import { commentOutlet, reactionOutlet } from '../github/comments.ts'
import { gitHubFacts } from '../github/facts.ts'
import { gateOutlet } from '../github/gates.ts'
import { alarmOutlet, labelOutlet } from '../github/issues.ts'
import { proposalEndOutlet, proposalOutlet } from '../github/proposals.ts'
import { branchProtection } from '../github/rulesets.ts'
import { outside } from '../github/trouble.ts'
import { gitHubStore } from '../ledger/github.ts'
import { type Ledger, openLedger } from '../ledger/ledger.ts'
import { areBundlesSigned, manifestOutlet, type PublisherOptions } from '../publish/manifest-outlet.ts'
import { VERSION } from '../version.ts'
import type { Installation } from '../webhooks/delivery.ts'
import { Intake } from './intake.ts'

export const DATA_BRANCH = 'ringmaster-data'

export interface RingmasterOptions {
  readonly app: GitHubApp
  /** `owner/name` */
  readonly releaseRepository: string
  readonly publisher: PublisherOptions | null
  readonly clock: () => string
  readonly log: Log
}

/** Everything that runs for one release repository, wired together. */
export interface Ringmaster {
  readonly engine: Engine
  readonly ledger: Ledger
  readonly intake: Intake
  readonly profile: AppProfile
  /** Reads the configuration of the default branch, and decides and looks at everything open again. */
  sweep(): Promise<void>
  idle(): Promise<void>
  close(): Promise<void>
}

export async function openRingmaster(options: RingmasterOptions): Promise<Ringmaster> {
  const { app, releaseRepository, publisher, clock, log } = options
  const { owner, repo } = splitName(releaseRepository)
  const octokit = await app.forRepository(releaseRepository)
  const profile = await app.profile()
  const { data: repository } = await outside(`read ${releaseRepository}`, () =>
    octokit.request('GET /repos/{owner}/{repo}', { owner, repo }),
  )
  const releases = { id: Number(repository.id), fullName: repository.full_name }
  const ledger = openLedger({
    store: gitHubStore({ client: octokit as never, owner, repo, branch: DATA_BRANCH }),
    model,
    clock,
    newId: ulid,
    writer: { version: VERSION },
  })
  let isProtected = await branchProtection(octokit, releaseRepository, DATA_BRANCH)
  const engine = createEngine({
    ledger,
    facts: gitHubFacts(app, { releaseRepository, nowMs: () => Date.parse(clock()), log }),
    outlets: outletsOf(app, publisher, clock),
    around: () => ({ releaseRepository: releases, unprotected: !isProtected }),
    clock,
    log,
  })
  const installation: Installation = { releaseRepositoryId: releases.id, appId: profile.id, botLogin: profile.botLogin }
  const refine = async (request: Request): Promise<Request> =>
    request.kind === 'bundles-signed' && publisher !== null
      ? { ...request, isVerified: await areBundlesSigned(publisher, request.document) }
      : request
  const intake = new Intake({ engine, installation, log, refine })

  async function readDefaultConfiguration(): Promise<void> {
    const commit = await branchHead(octokit, releaseRepository, repository.default_branch)
    if (commit === null) return
    const outcome = await engine.submit({
      kind: 'configuration-seen',
      repository: releases,
      commit,
      at: clock(),
      actor: null,
      source: { kind: 'sweep' },
    })
    if (outcome.kind === 'refuse') log.info({ problems: outcome.problems }, 'the configuration is not in force')
  }

  return {
    engine,
    ledger,
    intake,
    profile,
    async sweep() {
      isProtected = await branchProtection(octokit, releaseRepository, DATA_BRANCH)
      await readDefaultConfiguration()
      await engine.sweep()
    },
    async idle() {
      await intake.idle()
      await engine.idle()
    },
    close: () => engine.close(),
  }
}

/** The branches that the ruleset has to guard. */
export const GUARDED_BRANCHES: readonly string[] = [DATA_BRANCH, RELEASES_BRANCH, 'ringmaster-pages']

const notPublished = async (): Promise<Applied> => ({ remote: null })

const outletsOf = (app: GitHubApp, publisher: PublisherOptions | null, clock: () => string): Outlets => ({
  comment: commentOutlet(app),
  reaction: reactionOutlet(app),
  label: labelOutlet(app),
  proposal: proposalOutlet(app, clock),
  'proposal-end': proposalEndOutlet(app, clock),
  'check-run': checkRunOutlet(app),
  'gate-answer': gateOutlet(app),
  alarm: alarmOutlet(app),
  manifest: publisher === null ? notPublished : manifestOutlet(publisher),
})
