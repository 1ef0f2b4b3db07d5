import { accepted, type Checked, quoted, rejected } from '../problem.ts'
import { decisionsOf, plainProblems, type ViewCode, type ViewProblem, type ViewSource, viewReleases } from './views.ts'

/** Cincinnati's graph; all metadata values are texts (https://github.com/openshift/cincinnati, design/cincinnati.md). */
export interface CincinnatiGraph {
  readonly nodes: readonly {
    readonly version: string
    /** By this a client finds itself: the digest of the artifact that it runs. */
    readonly payload: string
    readonly metadata: Readonly<Record<string, string>>
  }[]
  /** From and to, as places in `nodes`. */
  readonly edges: readonly (readonly [number, number])[]
}

/** Fedora CoreOS's own members, without which its client skips a node. */
const FCOS = 'org.fedoraproject.coreos'

function repeatedVersions(versions: readonly string[]): ViewProblem[] {
  const repeated = versions.find((version, at) => versions.indexOf(version) !== at)
  if (repeated === undefined) return []
  return [
    {
      code: 'version-missing',
      message: `expected a version of its own for each release, found ${quoted(repeated)} twice`,
      hint: 'Nodes of the graph are told apart by version.',
    },
  ]
}

/**
 * The channel for one target as a Cincinnati graph: from each release one edge, to what the device's own resolution
 * offers there, so that required and disabled releases and requirements are carried. Refused, with every reason, for
 * what the edges cannot say: a phase, a start, an override, a quarantine, a move.
 */
export function graphView(source: ViewSource, target: string): Checked<CincinnatiGraph, ViewCode> {
  const { releases, problems } = viewReleases(source, target)
  const all = [...plainProblems(source), ...problems, ...repeatedVersions(releases.map(({ version }) => version))]
  if (all.length > 0) return rejected(...all)
  const decisions = decisionsOf(source, target)
  const placeOf = new Map(releases.map(({ release }, at) => [release.id, at]))
  const nodes = releases.map(({ version, artifact, release }, at) => ({
    version,
    payload: artifact.sha256,
    metadata: {
      [`${FCOS}.scheme`]: 'checksum',
      [`${FCOS}.releases.age_index`]: String(at),
      ...(release.required ? { [`${FCOS}.updates.barrier`]: 'true' } : {}),
      'io.ringmaster.url': artifact.url,
      'io.ringmaster.size': String(artifact.size),
      'io.ringmaster.target': target,
    },
  }))
  const edges = releases.flatMap(({ release }, from): [number, number][] => {
    const to = placeOf.get(decisions.get(release.id) ?? '')
    return to === undefined ? [] : [[from, to]]
  })
  return accepted({ nodes, edges })
}

/** What stands in place of a graph that is refused: clients do not find themselves and stay. */
export const CLOSED_GRAPH: CincinnatiGraph = { nodes: [], edges: [] }
