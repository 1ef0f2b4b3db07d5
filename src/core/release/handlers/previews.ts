import type { Configuration } from '../../config/schema.ts'
import { type Deciding, state, states } from '../../decision.ts'
import { type BoardState, boardKey } from '../../deployment/schema.ts'
import type { Problem } from '../../problem.ts'
import { done, type HandlersOf, lines, refuse } from '../handling.ts'
import { nothingOpen, OPEN_KEY, type OpenIndex, releaseKey } from '../open.ts'
import type { ReleaseState } from '../schema.ts'
import { type Hidden, hiddenLines, hiddenRings, isHidden, isPrivate } from '../visibility.ts'

/** What is on its way to everybody, for those who prepare others for it. */
export const previewHandlers: HandlersOf<'preview'> = {
  *preview(_command, context) {
    const { configuration } = context.policy
    if (!(yield* isPrivate(context.request))) return refuse(READ_BY_ALL)
    const hidden = yield* hiddenRings(context)
    const found = [...(yield* aheadLines(configuration, hidden)), ...(yield* releaseLines())]
    return done(lines([...(found.length > 0 ? found : ['nothing is on its way']), ...hiddenLines(hidden)]))
  },
}

const READ_BY_ALL: Problem = {
  code: 'not-visible',
  message: 'expected a private repository, found one that others may read',
  hint: 'A preview is not told where everybody could read it.',
}

/** Versions that are live somewhere, and not where a release completes, in the order of the rings. */
function* aheadLines(configuration: Configuration, hidden: Hidden): Deciding<string[]> {
  const ends = configuration.completion.environments
  const boards = yield* states<BoardState>(configuration.products.map((product) => boardKey(product.name)))
  return boards.flatMap((board) => {
    const liveIn = (environment: string): string | undefined =>
      board?.cells.find((cell) => cell.environment === environment)?.lastGood?.version
    const places = new Map<string, string[]>()
    for (const environment of configuration.rings.flatMap((ring) => ring.environments)) {
      const version = isHidden(hidden, environment) ? undefined : liveIn(environment)
      if (version === undefined || ends.some((end) => liveIn(end) === version)) continue
      places.set(version, [...(places.get(version) ?? []), environment])
    }
    return [...places].map(
      ([version, live]) => `${board?.product}@${version} is live in ${live.join(', ')}, not yet in ${ends.join(', ')}`,
    )
  })
}

function* releaseLines(): Deciding<string[]> {
  const open = (yield* state<OpenIndex>(OPEN_KEY)) ?? nothingOpen
  const releases = yield* states<ReleaseState>(open.releases.map(({ id }) => releaseKey(id)))
  return releases.flatMap((release) => {
    if (!release) return []
    const { targetDate, window } = release.conduct.details
    const when = [...(targetDate ? [`target date ${targetDate}`] : []), ...(window ? [`window ${window}`] : [])]
    const items = release.items.map(({ product, version }) => `${product}@${version}`).join(', ') || 'nothing yet'
    return [
      [`release #${release.issue} ${release.title}, ${release.status.replace('_', ' ')}: ${items}`, ...when].join('; '),
    ]
  })
}
