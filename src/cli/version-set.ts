import { writeFile } from 'node:fs/promises'
import { unwrap } from '../core/problem.ts'
import { versionFileSchemes } from '../core/version/files.ts'
import { rewriteFiles, versionFilePaths } from '../core/version/rewrite-files.ts'
import { parseVersion } from '../core/version/version.ts'
import { readWithin, toRewrite } from '../git/checkout-file.ts'
import { type CliCommand, readOptions, usageError } from './command.ts'
import { oneOf } from './version-options.ts'

const OPTIONS = {
  directory: { type: 'string', short: 'C' },
  path: { type: 'string' },
  file: { type: 'string', multiple: true },
  scheme: { type: 'string' },
  check: { type: 'boolean' },
} as const

/** Writes a version into the files of a product that hold it, and into nothing else. */
export const versionSet: CliCommand = {
  name: 'version set',
  usage:
    'ringmaster version set VERSION [--scheme SCHEME] [--directory DIR] [--path DIR] [--file FILE]… [--check] [--json]',
  summary:
    'Write a version into package.json, Cargo.toml, pyproject.toml, pom.xml, VERSION or marked lines; or check them.',
  async run(args, io) {
    const { values, positionals } = readOptions(versionSet, args, OPTIONS)
    const [version, ...more] = positionals
    if (version === undefined || more.length > 0)
      throw usageError(`expected one version, found ${positionals.length}`, versionSet)
    unwrap(parseVersion(oneOf(values.scheme, 'scheme', versionFileSchemes, versionSet) ?? 'semver', version))
    const root = values.directory ?? '.'
    const named = values.file ?? []
    const paths = versionFilePaths(named, values.path ?? null)
    const found = await Promise.all(
      paths.map(async (path) => ({ path, ...toRewrite(await readWithin(root, '.', path), path) })),
    )
    const rewritten = unwrap(rewriteFiles(found, version, { named: named.length > 0 }))
    if (!values.check)
      for (const { path, text: after } of rewritten) {
        const place = found.find((one) => one.path === path)
        if (place !== undefined && 'file' in place) await writeFile(place.file, after)
      }
    const changed = rewritten.map(({ path }) => path)
    if (io.json) io.out(JSON.stringify({ version, [values.check ? 'other' : 'written']: changed }))
    else if (changed.length === 0) io.out(`${version} stands there already.`)
    else
      for (const path of changed)
        io.out(values.check ? `${path} holds another version.` : `Wrote ${version} into ${path}.`)
    return values.check && changed.length > 0 ? 1 : 0
  },
}

export const VERSION_COMMANDS: readonly CliCommand[] = [versionSet]
