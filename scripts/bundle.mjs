// Bundles the compiled program into dist/: what users of the Action, the server and the command line run.
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { minify } from '@swc/core'
import ncc from '@vercel/ncc'

/**
 * ncc leaves the chunks that are loaded on demand as they are, and makes the entry less small than this does. In ASCII alone
 * a file takes the engine half the memory, and a cold start some milliseconds less.
 */
const small = async (name, source, esm) =>
  /\.m?js$/.test(name)
    ? (await minify(source.toString(), { module: esm, compress: true, mangle: true, format: { asciiOnly: true } })).code
    : source

/** The Action starts on every push, and Node starts a CommonJS file several milliseconds sooner. */
const ENTRIES = [
  { entry: 'action', esm: false },
  { entry: 'app', esm: true },
  { entry: 'cli', esm: true },
]

for (const { entry, esm } of ENTRIES) {
  const { code, assets } = await ncc(join(process.cwd(), 'build/src', entry, 'index.js'), {
    minify: true,
    sourceMap: false,
    license: 'licenses.txt',
    quiet: true,
    esm,
  })
  const target = join('dist', entry)
  await rm(target, { recursive: true, force: true })
  await mkdir(target, { recursive: true })
  await writeFile(join(target, 'index.js'), await small('index.js', code, esm))
  for (const [name, { source }] of Object.entries(assets)) {
    if (name.endsWith('.map')) continue
    await mkdir(dirname(join(target, name)), { recursive: true })
    await writeFile(join(target, name), await small(name, source, esm))
  }
  await writeFile(join(target, 'package.json'), `{ "type": "${esm ? 'module' : 'commonjs'}" }\n`)
  process.stdout.write(`dist/${entry}: ${Object.keys(assets).length + 1} files\n`)
}
