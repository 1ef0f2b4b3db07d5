import { draft } from '../catalogue.ts'
import { nearest } from '../command/nearest.ts'
import { readConfiguration } from '../config/in-force.ts'
import { type Deciding, type Decision, states } from '../decision.ts'
import { digestOf } from '../json.ts'
import { type Checked, type Problem, quoted } from '../problem.ts'
import type { Request } from '../request.ts'
import { nextBuild } from '../version/builds.ts'
import { compareVersions, parseVersion, type Version } from '../version/version.ts'
import { type AskedAt, type BuildLine, type BuildSlot, buildLineKey, buildSlotKey } from './build-line-schema.ts'
import { type CutsState, cutsKey } from './cut-schema.ts'
import { type ProductState, productKey } from './schema.ts'

type BuildNumberAsked = Extract<Request, { kind: 'build-number-asked' }>

/** What somebody who asks for a number is told. */
export interface BuildNumber {
  readonly version: string
  /** Whether this attempt had it before. */
  readonly repeated: boolean
}

/**
 * Hands out the next development version of a product, one for each attempt of a run: asked again, it is the same. The
 * base never falls: it goes on from what was handed out, what builds were recorded with, and the minor after the last
 * release that was recorded or cut.
 */
export function* decideBuildNumber(request: BuildNumberAsked): Deciding<Decision<BuildNumber>> {
  const { product: name, run, wanted, askedAt } = request
  const refused = refusing(request)
  const inForce = yield* readConfiguration()
  const products = inForce?.configuration.products ?? []
  const config = products.find((entry) => entry.name === name)
  if (config === undefined) {
    const theirs = products.filter(({ repository }) => askedAt === null || isHome(repository, askedAt))
    return refused(
      notConfigured(
        name,
        theirs.map((product) => product.name),
      ),
    )
  }
  if (config.scheme !== 'semver-build') return refused(notByBuilds(name, config.scheme))
  if (askedAt !== null && !isHome(config.repository, askedAt)) return refused(fromElsewhere(name, config, askedAt))
  const [slot, line, product, cuts] = (yield* states<unknown>([
    buildSlotKey(name, run),
    buildLineKey(name),
    productKey(name),
    cutsKey(name),
  ])) as [BuildSlot | undefined, BuildLine | undefined, ProductState | undefined, CutsState | undefined]
  if (slot?.version !== undefined)
    return { kind: 'accept', events: [], answer: { version: slot.version, repeated: true } }
  const recorded = (product?.versions ?? []).map(({ version }) => version)
  const cut = (cuts?.cuts ?? []).flatMap(({ version, outcome, versionFiles }) =>
    outcome?.kind === 'refused' || versionFiles !== undefined ? [] : [version],
  )
  const builds = highest([line?.build ?? null, ...recorded], (version) => version.build !== null)
  const release = highest([line?.release ?? null, ...recorded, ...cut], (version) => version.prerelease.length === 0)
  const next = nextBuild({ latestBuild: builds, latestRelease: release }, wanted)
  if (!next.ok) return refused(...next.problems)
  return {
    kind: 'accept',
    answer: { version: next.value, repeated: false },
    events: [
      draft(
        'build-number.handed_out',
        {
          product: name,
          version: next.value,
          release,
          wanted,
          run: { id: run.id, attempt: run.attempt },
          ...(askedAt === null ? {} : { asked: askedAt }),
        },
        {
          key: `build-number:${run.id}/${run.attempt}:${name}`,
          at: request.at,
          actor: request.actor,
          source: request.source,
          trust: 'platform',
        },
      ),
    ],
  }
}

type BuildVersion = Extract<Version, { scheme: 'semver-build' }>

/** The highest of some texts that are versions of the kind that is looked for; null where none is. */
function highest(texts: readonly (string | null)[], isWanted: (version: BuildVersion) => boolean): string | null {
  const versions = texts.flatMap((text) => {
    const read: Checked<BuildVersion> | null = text === null ? null : parseVersion('semver-build', text)
    return read?.ok === true && isWanted(read.value) ? [read.value] : []
  })
  return (
    versions.reduce<BuildVersion | null>((best, next) => (best && !isAbove(next, best) ? best : next), null)?.text ??
    null
  )
}

function isAbove(a: Version, b: Version): boolean {
  const order = compareVersions(a, b)
  return order.ok && order.value === 1
}

/** Refuses a request. A workflow waits for its answer, so what it is told is kept; who asks again is told once. */
const refusing =
  ({ product, run, askedAt, at, actor, source }: BuildNumberAsked) =>
  (...problems: readonly Problem[]) => {
    const [first] = problems
    if (askedAt === null || first === undefined) return { kind: 'refuse', events: [], problems } as const
    const hint = [...new Set(problems.flatMap((problem) => problem.hint ?? []))].join(' ') || null
    const refusal = { code: first.code, message: problems.map(({ message }) => message).join('; '), hint }
    const event = draft(
      'build-number.refused',
      { product, run: { id: run.id, attempt: run.attempt }, asked: askedAt, ...refusal },
      {
        key: `build-number-refused:${run.id}/${run.attempt}:${digestOf([product, askedAt, refusal]).slice(7)}`,
        ...{ at, actor, source, trust: 'platform' },
      },
    )
    return { kind: 'refuse', events: [event], problems } as const
  }

const isHome = (home: string, { repository }: AskedAt): boolean =>
  home.toLowerCase() === repository.fullName.toLowerCase()

const fromElsewhere = (
  name: string,
  { repository: home }: { readonly repository: string },
  { repository }: AskedAt,
): Problem<'product-elsewhere'> => ({
  code: 'product-elsewhere',
  message: `expected builds of ${quoted(name)} from ${home}, found one from ${repository.fullName}`,
  hint: 'Ask from the product’s own repository, or change it in the configuration.',
})

/** Only names that whoever asks may know are suggested. */
function notConfigured(name: string, known: readonly string[]): Problem<'unknown-product'> {
  const close = nearest(name, known)
  return {
    code: 'unknown-product',
    message: `expected a product of the configuration, found ${quoted(name)}`,
    hint:
      close.length > 0
        ? `Did you mean ${close.map(quoted).join(' or ')}?`
        : 'No such product is configured: mend the name, or add the product to the configuration.',
  }
}

const notByBuilds = (name: string, scheme: string | undefined): Problem<'version-scheme'> => ({
  code: 'version-scheme',
  message: `expected a product of the configuration with the scheme semver-build, found ${quoted(name)} with ${scheme ?? 'none'}`,
  hint: 'Give the product that scheme in the configuration.',
})
