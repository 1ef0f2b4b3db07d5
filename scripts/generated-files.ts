import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { withBlocks } from './generated-blocks.ts'
import { schemaFiles } from './json-schemas.ts'
import { renderStates, STATES_PATH } from './states.ts'

/** Every Markdown page of the project that people read, as paths from its root, sorted. */
export function pagesOf(root: string): string[] {
  const inDocs = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.md'))
    .map((path) => `docs/${path.replaceAll('\\', '/')}`)
  return ['CHANGELOG.md', 'CONTRIBUTING.md', 'README.md', 'SECURITY.md', ...inDocs].sort()
}

/** Path → text of every file that is generated, or holds generated blocks, as the code wants it now. Writes nothing. */
export function generatedFiles(root: string): ReadonlyMap<string, string> {
  const text = (path: string): string => readFileSync(join(root, path), 'utf8')
  const sources = { appManifest: text('app.yml') }
  const pages = pagesOf(root).map((path): [string, string] => [path, withBlocks(text(path), sources)])
  return new Map([...schemaFiles(), ...pages, [STATES_PATH, renderStates()]])
}
