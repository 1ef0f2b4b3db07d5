import { readFile, realpath, stat, writeFile } from 'node:fs/promises'
import { isAbsolute, join, relative, sep } from 'node:path'
import { quoted, RingmasterError, unwrap } from '../core/problem.ts'
import { rewriteFiles, versionFilePaths } from '../core/version/rewrite-files.ts'
import { parseVersion } from '../core/version/version.ts'
import { type CliCommand, readOptions, usageError } from './command.ts'

const OPTIONS = {
  directory: { type: 'string', short: 'C' },
  path: { type: 'string' },
  file: { type: 'string', multiple: true },
  check: { type: 'boolean' },
} as const

/** Writes a version into the files of a product that hold it, and into nothing else. */
export const versionSet: CliCommand = {
  name: 'version set',
  usage: 'ringmaster version set VERSION [--directory DIR] [--path DIR] [--file FILE]… [--check] [--json]',
  summary:
    'Write a version into package.json, Cargo.toml, pyproject.toml, pom.xml, VERSION or marked lines; or check them.',
  async run(args, io) {
    const { values, positionals } = readOptions(versionSet, args, OPTIONS)
    const [text, ...more] = positionals
    if (text === undefined || more.length > 0)
      throw usageError(`expected one version, found ${positionals.length}`, versionSet)
    const version = unwrap(parseVersion('semver', text)).text
    const root = values.directory ?? '.'
    const named = values.file ?? []
    const paths = versionFilePaths(named, values.path ?? null)
    const found = await Promise.all(paths.map(async (path) => ({ path, bytes: await bytesOf(root, path) })))
    if (found.every(({ bytes }) => bytes === null)) throw nothingFound(root)
    const rewritten = unwrap(rewriteFiles(found, version, { named: named.length > 0 }))
    if (!values.check) for (const { path, text: after } of rewritten) await writeFile(join(root, path), after)
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

/** Null where there is no file, or it leads out of the folder. */
async function bytesOf(root: string, path: string): Promise<Buffer | null> {
  try {
    const folder = await realpath(root)
    const file = await realpath(join(folder, path))
    const within = relative(folder, file)
    const isInside = within !== '..' && !within.startsWith(`..${sep}`) && !isAbsolute(within)
    return isInside && (await stat(file)).isFile() ? await readFile(file) : null
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes((error as NodeJS.ErrnoException).code ?? '')) return null
    throw error
  }
}

const nothingFound = (root: string): RingmasterError =>
  new RingmasterError('bad-input', {
    code: 'version-file-missing',
    message: `expected a file that holds the version, found none in ${quoted(root)}`,
    hint: 'Name it with --file, from --directory, or the folder of the product with --path.',
  })
