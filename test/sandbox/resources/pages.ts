import { build, buildAfter, readSite, type Site, setSite, siteUrl } from '../pages-host.ts'
import {
  type Context,
  created,
  type Handler,
  noContent,
  notFound,
  ok,
  Refusal,
  type Resource,
  reads,
  route,
  unprocessable,
  writes,
} from '../router.ts'
import { type Body, repositoryUrl } from '../shapes/common.ts'

interface SiteWrite {
  readonly build_type?: Site['buildType']
  readonly source?: { readonly branch: string; readonly path?: Site['path'] }
}

function siteAt(context: Context): Site {
  const site = readSite(context.repository())
  if (!site) throw notFound()
  return site
}

const bodyOf = (context: Context, site: Site): Body => ({
  url: `${repositoryUrl(context.world, context.repository())}/pages`,
  status: site.builtOid === undefined ? null : 'built',
  cname: null,
  custom_404: false,
  html_url: siteUrl(context.world, context.repository()),
  build_type: site.buildType,
  source: { branch: site.branch, path: site.path },
  public: true,
  https_enforced: false,
})

async function fill(context: Context, site: Site, { source, build_type: buildType }: SiteWrite): Promise<void> {
  const git = context.git()
  const branch = source?.branch ?? site.branch
  const head = await git.readRef(`refs/heads/${branch}`)
  if (head === undefined) throw unprocessable(`The ${branch} branch must exist before GitHub Pages can be built.`)
  Object.assign(site, { branch, path: source?.path ?? site.path, buildType: buildType ?? site.buildType })
  if (site.buildType === 'legacy') await build(context.world, context.repository(), site, head)
}

const create: Handler = async (context) => {
  const repository = context.repository()
  if (readSite(repository)) throw new Refusal(409, 'GitHub Pages is already enabled.')
  const site: Site = {
    branch: repository.defaultBranch,
    path: '/',
    buildType: 'legacy',
    builtOid: undefined,
    builtAt: null,
  }
  await fill(context, site, context.body as SiteWrite)
  setSite(repository, site)
  return created(bodyOf(context, site))
}

const update: Handler = async (context) => {
  await fill(context, siteAt(context), context.body as SiteWrite)
  return noContent()
}

const latestBuild: Handler = (context) => {
  const site = siteAt(context)
  if (site.builtOid === undefined) throw notFound()
  return ok({
    url: `${repositoryUrl(context.world, context.repository())}/pages/builds/latest`,
    status: 'built',
    error: { message: null },
    pusher: null,
    commit: site.builtOid,
    duration: 0,
    created_at: site.builtAt,
    updated_at: site.builtAt,
  })
}

/** Pages from a branch; `pages-host.ts` serves them. */
export const pages: Resource = {
  routes: [
    route('GET /repos/{owner}/{repo}/pages', reads('pages'), (context) => ok(bodyOf(context, siteAt(context)))),
    route('POST /repos/{owner}/{repo}/pages', writes('pages', { person: 'maintain' }), create),
    route('PUT /repos/{owner}/{repo}/pages', writes('pages', { person: 'maintain' }), update),
    route('DELETE /repos/{owner}/{repo}/pages', writes('pages', { person: 'maintain' }), (context) => {
      siteAt(context)
      setSite(context.repository(), undefined)
      return noContent()
    }),
    route('GET /repos/{owner}/{repo}/pages/builds/latest', reads('pages'), latestBuild),
  ],
  start: (world) => world.onPush((push) => buildAfter(world, push)),
}
