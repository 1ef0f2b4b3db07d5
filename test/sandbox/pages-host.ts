import { createHash } from 'node:crypto'
import { extname } from 'node:path'
import type { Incoming } from './front.ts'
import { type Answer, decode } from './router.ts'
import { perRepository, type Repository, repositoryByName } from './store.ts'
import type { Push, World } from './world.ts'

export interface Site {
  branch: string
  path: '/' | '/docs'
  buildType: 'legacy' | 'workflow'
  /** The commit whose files are served. */
  builtOid: string | undefined
  builtAt: string | null
}

const siteOf = perRepository((): { site: Site | undefined } => ({ site: undefined }))

export const readSite = (repository: Repository): Site | undefined => siteOf(repository).site
export const setSite = (repository: Repository, site: Site | undefined): void => {
  siteOf(repository).site = site
}

export const siteUrl = (world: World, repository: Repository): string =>
  `${world.origin}/pages/${repository.owner.login}/${repository.name}/`

/** A push builds the site, but for one with a run's own token; the fault `lost-pages-build` loses it. */
export async function buildAfter(world: World, { repository, ref, after, by }: Push): Promise<void> {
  const site = readSite(repository)
  if (site?.buildType !== 'legacy' || ref !== `refs/heads/${site.branch}`) return
  if (by === world.actionsApp.bot || world.faults.take(['lost-pages-build'], { route: 'pages', text: '' })) return
  await build(world, repository, site, after)
}

/** Serves that commit from now on. */
export async function build(world: World, repository: Repository, site: Site, oid: string | undefined): Promise<void> {
  const commit = oid === undefined ? undefined : await world.gitOf(repository).readCommit(oid)
  if (!commit) return
  site.builtOid = commit.oid
  site.builtAt = world.clock.now()
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
  '.md': 'text/markdown; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'application/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
}

const address = /^\/pages\/([^/]+)\/([^/]+)(?:\/(.*))?$/

/** Published files at `/pages/{owner}/{repo}/…`, with the headers of github.io; undefined for any other path. */
export async function servePages(world: World, { method, path, headers }: Incoming): Promise<Answer | undefined> {
  const match = method === 'GET' || method === 'HEAD' ? address.exec(path) : null
  if (!match) return undefined
  const [, owner = '', name = '', rest = ''] = match.map((part) => decode(part ?? ''))
  const repository = repositoryByName(world.store, owner, name)
  const site = repository && readSite(repository)
  const bytes = repository && site?.builtOid ? await fileOf(world, repository, site, rest) : undefined
  const common = { 'access-control-allow-origin': '*', 'cache-control': 'max-age=600' }
  if (!bytes)
    return { status: 404, raw: Buffer.from('404'), headers: { ...common, 'content-type': types['.html'] ?? '' } }
  const etag = `"${createHash('sha1').update(bytes).digest('hex')}"`
  if (headers['if-none-match'] === etag) return { status: 304, raw: Buffer.alloc(0), headers: { ...common, etag } }
  const type = types[extname(rest) || '.html'] ?? 'application/octet-stream'
  const modified = new Date(Date.parse(site?.builtAt ?? '')).toUTCString()
  return { status: 200, raw: bytes, headers: { ...common, etag, 'last-modified': modified, 'content-type': type } }
}

async function fileOf(world: World, repository: Repository, site: Site, rest: string): Promise<Buffer | undefined> {
  const root = site.path === '/docs' ? 'docs/' : ''
  const wanted = rest === '' || rest.endsWith('/') ? `${rest}index.html` : rest
  return world.gitOf(repository).readFile(site.builtOid ?? '', `${root}${wanted}`)
}
