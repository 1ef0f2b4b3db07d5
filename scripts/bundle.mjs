// Bundles the compiled program into dist/: what users of the Action, the server and the command line run.
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { minify } from '@swc/core'
import ncc from '@vercel/ncc'

/** ncc leaves the chunks that are loaded on demand as they are, and makes the entry less small than this does. */
const small = async (name, source) =>
  /\.m?js$/.test(name) ? (await minify(source.toString(), { module: true, compress: true, mangle: true })).code : source

const ENTRIES = ['action', 'app', 'cli']

for (const entry of ENTRIES) {
  const { code, assets } = await ncc(join(process.cwd(), 'build/src', entry, 'index.js'), {
    minify: true,
    sourceMap: false,
    license: 'licenses.txt',
    quiet: true,
    esm: true,
  })
  const target = join('dist', entry)
  await rm(target, { recursive: true, force: true })
  await mkdir(target, { recursive: true })
  await writeFile(join(target, 'index.js'), await small('index.js', code))
  for (const [name, { source }] of Object.entries(assets)) {
    if (name.endsWith('.map')) continue
    await mkdir(dirname(join(target, name)), { recursive: true })
    await writeFile(join(target, name), await small(name, source))
  }
  await writeFile(join(target, 'package.json'), '{ "type": "module" }\n')
  process.stdout.write(`dist/${entry}: ${Object.keys(assets).length + 1} files\n`)
}
