import type { Enrolled } from '../core/cohort/roster.ts'
import { publicName } from '../core/manifest/names.ts'
import type { PublishedFile } from '../core/manifest/publication.ts'
import type { ViewProblem, ViewSource } from '../core/manifest/views.ts'
import { CLOSED_GRAPH, graphView } from '../core/manifest/views-graph.ts'
import { type RingDownloads, ringPages } from '../core/manifest/views-page.ts'
import { checksumView, closedChecksums } from '../core/manifest/views-sums.ts'
import { tallyView } from '../core/manifest/views-tally.ts'
import { accepted, type Checked, rejected } from '../core/problem.ts'
import type { Publication } from './publication.ts'
import type { Signer } from './signer.ts'

/** Which views a cohort has; a manifest is always published beside them. */
export interface CohortViews {
  readonly source: ViewSource
  readonly checksums: boolean
  /** One Cincinnati graph for each of these targets. */
  readonly graphTargets: readonly string[]
  /** Everybody enrolled, where it is told how many of them each release permits. */
  readonly tallied?: readonly Enrolled[]
}

export interface ViewsPublication {
  readonly publication: Publication
  /** An ed25519 key that is online anyway; plain clients pin its public half. */
  readonly signer: Signer
  readonly cohorts: readonly CohortViews[]
  readonly rings: readonly RingDownloads[]
}

/** A view that could not carry the decision and offers nothing instead. */
export interface ClosedView {
  readonly path: string
  readonly problems: readonly ViewProblem[]
}

export interface PublishedViews {
  readonly files: readonly PublishedFile[]
  readonly closed: readonly ClosedView[]
}

const mutable = (path: string, content: string | Uint8Array): PublishedFile => ({
  path: `views/${path}`,
  bytes: typeof content === 'string' ? Buffer.from(content, 'utf8') : content,
  immutable: false,
})

const folderOf = ({ manifest }: ViewSource): string => `cohorts/${publicName(manifest.cohort)}`

/** The signature is the 64 raw bytes over the exact file, in a file beside it. */
async function checksumFiles({ source }: CohortViews, signer: Signer): Promise<PublishedViews> {
  const view = checksumView(source)
  const file = mutable(`${folderOf(source)}/SHA256SUMS`, view.ok ? view.value : closedChecksums(source))
  const signature = { ...file, path: `${file.path}.ed25519`, bytes: await signer.sign(file.bytes) }
  return { files: [file, signature], closed: view.ok ? [] : [{ path: file.path, problems: view.problems }] }
}

function graphFiles(source: ViewSource, target: string): PublishedViews {
  const view = graphView(source, target)
  const path = `${folderOf(source)}/${publicName(target)}/v1/graph`
  const file = mutable(path, `${JSON.stringify(view.ok ? view.value : CLOSED_GRAPH)}\n`)
  return { files: [file], closed: view.ok ? [] : [{ path: file.path, problems: view.problems }] }
}

const tallyFiles = ({ manifest, now }: ViewSource, entries: readonly Enrolled[]): PublishedViews => ({
  files: [mutable(`cohorts/${publicName(manifest.cohort)}/tally.json`, tallyView(manifest, entries, now))],
  closed: [],
})

async function viewsOf(cohort: CohortViews, signer: Signer): Promise<PublishedViews[]> {
  return [
    ...(cohort.checksums ? [await checksumFiles(cohort, signer)] : []),
    ...cohort.graphTargets.map((target) => graphFiles(cohort.source, target)),
    ...(cohort.tallied ? [tallyFiles(cohort.source, cohort.tallied)] : []),
  ]
}

/**
 * Publishes the views for plain clients. One that cannot carry its channel's decision is replaced by one that offers
 * nothing, because the view before would go on offering what has been withdrawn since; `closed` says why.
 */
export async function publishViews(
  options: ViewsPublication,
): Promise<Checked<PublishedViews, 'publication-conflict'>> {
  const views = (await Promise.all(options.cohorts.map((cohort) => viewsOf(cohort, options.signer)))).flat()
  const pages = options.rings.flatMap((ring) => [...ringPages(ring)].map(([path, text]) => mutable(path, text)))
  const files = [...views.flatMap((view) => view.files), ...pages]
  const outcome = await options.publication.put(files)
  if (outcome.kind === 'stored') return accepted({ files, closed: views.flatMap((view) => view.closed) })
  return rejected({
    code: 'publication-conflict',
    message: `expected to write views into ${options.publication.name}, found others under the same names: ${outcome.paths.join(', ')}`,
  })
}
