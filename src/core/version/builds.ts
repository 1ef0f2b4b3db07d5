import { accepted, type Checked, quoted, rejected } from '../problem.ts'
import { compareVersions, formatVersion, parseVersion, type Version } from './version.ts'

type BuildVersion = Extract<Version, { readonly scheme: 'semver-build' }>

/** What has been handed out and released so far, highest each; null where nothing was. */
export interface BuildState {
  readonly latestBuild: string | null
  readonly latestRelease: string | null
}

/**
 * The next development version, `MAJOR.MINOR.PATCH-BUILD`. Its base never falls: it is the highest of the base before,
 * of what the commits ask for (`wanted`, null where they ask for nothing), and of the minor after the last release,
 * because the trunk goes on from there once a release is cut. BUILD counts up on one base and begins at 1 on a new one.
 * Refuses texts of another form and a BUILD beyond 2^53 - 1. Pure: handing a number out once is the ledger's work.
 */
export function nextBuild(state: BuildState, wanted: string | null): Checked<string> {
  const released = optional(state.latestRelease)
  const release = released.ok ? minorAfter(released.value) : released
  const read = { build: optional(state.latestBuild), release, wanted: optional(wanted) }
  const problems = Object.entries(read).flatMap(([path, one]) =>
    one.ok ? [] : one.problems.map((problem) => ({ ...problem, path })),
  )
  const { build, wanted: asked } = read
  if (!build.ok || !release.ok || !asked.ok) return rejected<string>(...problems)
  if (build.value !== null && build.value.build === null) return rejected<string>(noBuild(build.value.text))
  const base = [build.value, asked.value, release.value]
    .filter((version) => version !== null)
    .map(baseOf)
    .reduce(higherOf, baseOf(first))
  const same = build.value !== null && formatVersion(baseOf(build.value)) === formatVersion(base)
  const number = same ? (build.value?.build ?? 0) + 1 : 1
  const next = parseVersion('semver-build', `${formatVersion(base)}-${number}`)
  return next.ok ? accepted(next.value.text) : rejected<string>(...next.problems)
}

const first: BuildVersion = {
  scheme: 'semver-build',
  ...{ text: '0.1.0', major: 0, minor: 1, patch: 0, prerelease: [], metadata: [], build: null },
}

const optional = (text: string | null): Checked<BuildVersion | null> =>
  text === null ? accepted(null) : parseVersion('semver-build', text)

const noBuild = (text: string) => ({
  code: 'version-parts',
  message: `expected MAJOR.MINOR.PATCH-BUILD, found ${quoted(text)}`,
  path: 'build',
})

const baseOf = (version: BuildVersion): BuildVersion => {
  const text = `${version.major}.${version.minor}.${version.patch}`
  return { ...version, text, prerelease: [], metadata: [], build: null }
}

/** A pre-release is no release yet: its own base is still being built. */
const minorAfter = (release: BuildVersion | null): Checked<BuildVersion | null> =>
  release === null || release.prerelease.length > 0
    ? accepted(release)
    : parseVersion('semver-build', `${release.major}.${BigInt(release.minor) + 1n}.0`)

function higherOf(a: BuildVersion, b: BuildVersion): BuildVersion {
  const order = compareVersions(a, b)
  return order.ok && order.value === -1 ? b : a
}
