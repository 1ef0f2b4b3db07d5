// Renders comment bodies with cmark-gfm, the renderer that GitHub's own descends from, and writes what each page shows as
// lines of plain text: npm run corpus. Needs the command cmark-gfm (on Debian the package of that name).
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import process from 'node:process'
import { bodyFrom, nameOf } from './bodies.ts'
import { linesOfPage } from './rendered.ts'

const BODIES = Number(process.argv[3] ?? 1_500)
const EXTENSIONS = ['footnotes', 'table', 'strikethrough', 'autolink', 'tasklist', 'tagfilter'].flatMap((name) => [
  '-e',
  name,
])

const pageOf = (body: string): string =>
  execFileSync('cmark-gfm', ['--unsafe', ...EXTENSIONS], { input: body, encoding: 'utf8' })

const cases: string[] = []
for (let seed = 7_000_000; cases.length < BODIES; seed += 1) {
  /** Half a pair of surrogates cannot be handed to another program. */
  const body = bodyFrom(seed).replaceAll('\uD800', '')
  if (!body.split(/[\r\n]/).some((line) => nameOf(line) !== undefined)) continue
  const shown = linesOfPage(pageOf(body)).filter((line) => nameOf(line) !== undefined)
  cases.push(JSON.stringify({ body, shown }))
}
writeFileSync(process.argv[2] ?? 'test/core/command/rendered-by-cmark-gfm.ndjson', `${cases.join('\n')}\n`)
