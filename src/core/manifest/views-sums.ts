import { instantMs } from '../cohort/instant.ts'
import { compareVersions } from '../cohort/semantic-version.ts'
import { sha256 } from '../json.ts'
import { accepted, type Checked, quoted, rejected } from '../problem.ts'
import {
  decisionsOf,
  newestOpen,
  plainProblems,
  targetsOf,
  type ViewCode,
  type ViewProblem,
  type ViewRelease,
  type ViewSource,
  viewReleases,
} from './views.ts'

const NOTHING_SHA256 = sha256('').slice(7)

/** What stands in a line after the digest: one visible part of a path, of signs that no shell and no parser minds. */
const PLAIN_NAME = /^[A-Za-z0-9_+@%,=][A-Za-z0-9_.+@%,=~-]{0,254}$/
const BEST_BEFORE = 'BEST-BEFORE-'

/** The file's own name: the last part of its address. Undefined where a line could not hold it. */
function fileNameOf(url: string): string | undefined {
  const path = url.replace(/[?#].*$/s, '')
  const name = path.slice(path.lastIndexOf('/') + 1)
  return PLAIN_NAME.test(name) && !name.startsWith(BEST_BEFORE) ? name : undefined
}

/** The last day on which the manifest holds as a whole, UTC. A client that takes the day as included stops with it. */
const lastDay = (expiresAt: string): string =>
  new Date((instantMs(expiresAt) ?? 0) - 86_400_000).toISOString().slice(0, 10)

function dayProblems({ manifest: { expiresAt }, now }: ViewSource): ViewProblem[] {
  if (lastDay(expiresAt) >= now.slice(0, 10)) return []
  return [
    {
      code: 'expiry-not-carried',
      message: `expected a manifest that holds through a whole day from ${now} on, found one until ${expiresAt}`,
      hint: 'BEST-BEFORE names days; let manifests hold for at least two.',
    },
  ]
}

const freshnessLine = (expiresAt: string): string => `${NOTHING_SHA256} *${BEST_BEFORE}${lastDay(expiresAt)}\n`

/**
 * A client of checksums takes the newest version that it sees. At every release of the channel that has to be what the
 * channel itself offers there: else a required release would be skipped, or a requirement ignored.
 */
function choiceProblems(
  source: ViewSource,
  target: string,
  releases: readonly ViewRelease[],
  newest: ViewRelease | undefined,
): ViewProblem[] {
  const byId = new Map(releases.map((one) => [one.release.id, one]))
  const decisions = decisionsOf(source, target)
  return releases.flatMap(({ release, order }): ViewProblem[] => {
    const would = newest !== undefined && compareVersions(newest.order, order) > 0 ? newest.release.id : null
    const should = decisions.get(release.id) ?? null
    if (would === should) return []
    const isBarrier = should !== null && byId.get(should)?.release.required === true
    return [
      {
        code: isBarrier ? 'barrier-not-carried' : 'choice-not-carried',
        message: `expected devices of ${quoted(target)} on ${quoted(release.id)} to be offered ${quoted(should ?? 'nothing')}${isBarrier ? ', which may not be skipped' : ''}, found that a client which takes the newest version would take ${quoted(would ?? 'nothing')}`,
        hint: 'Such devices need a client that reads manifests (docs/devices.md), or a cohort of their own.',
      },
    ]
  })
}

function targetLine(source: ViewSource, target: string): Checked<string, ViewCode> {
  const { releases, problems } = viewReleases(source, target)
  const newest = newestOpen(releases, target, source.now)
  const all = [...problems, ...choiceProblems(source, target, releases, newest)]
  if (all.length > 0) return rejected(...all)
  if (newest === undefined) return accepted('')
  const name = fileNameOf(newest.artifact.url)
  if (name !== undefined) return accepted(`${newest.artifact.sha256} *${name}\n`)
  return rejected({
    code: 'name-unusable',
    message: `expected an address that ends in a plain file name, found ${quoted(newest.artifact.url)}`,
    hint: 'Lines of SHA256SUMS hold letters, digits and _.+@%,=~- in a name.',
  })
}

const lineName = (line: string): string => line.slice(66)

/**
 * `SHA256SUMS` as systemd-sysupdate and `sha256sum -c` read it: the newest artifact that everybody may take, one for
 * each target, and until when (`BEST-BEFORE-YYYY-MM-DD`, an empty file). Refused, with every reason, where the channel
 * decides anything that such a client does not read.
 */
export function checksumView(source: ViewSource): Checked<string, ViewCode> {
  const lines = targetsOf(source).map((target) => targetLine(source, target))
  const problems: ViewProblem[] = [
    ...plainProblems(source),
    ...dayProblems(source),
    ...lines.flatMap((line) => (line.ok ? [] : line.problems)),
  ]
  const texts = lines.flatMap((line) => (line.ok && line.value !== '' ? [line.value] : []))
  const names = texts.map(lineName)
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  if (twice !== undefined && new Set(texts).size > new Set(names).size)
    problems.push({
      code: 'name-unusable',
      message: `expected another file name for each target, found ${quoted(twice.trim())} twice with different digests`,
      hint: 'Put the target into the file names of the artifacts.',
    })
  if (problems.length > 0) return rejected(...problems)
  return accepted(`${freshnessLine(source.manifest.expiresAt)}${[...new Set(texts)].sort().join('')}`)
}

/** What stands in place of a view that is refused: nothing to take, and still fresh, so that no older view speaks on. */
export const closedChecksums = ({ manifest }: ViewSource): string => freshnessLine(manifest.expiresAt)
