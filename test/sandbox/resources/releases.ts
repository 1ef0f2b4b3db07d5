import { createHash } from 'node:crypto'
import { changeRefs } from '../git/ref-update.ts'
import { isRefName, zeroOid } from '../git/repository.ts'
import {
  type Context,
  created,
  type Handler,
  invalid,
  noContent,
  notFound,
  ok,
  paged,
  Refusal,
  type Resource,
  reads,
  route,
  writes,
} from '../router.ts'
import { type Body, htmlUrl, nodeId, repositoryUrl, userBody } from '../shapes/common.ts'
import { type Account, atLeast, perRepository, roleOf } from '../store.ts'

interface Asset {
  readonly id: number
  readonly name: string
  readonly label: string | null
  readonly contentType: string
  readonly bytes: Uint8Array
  readonly uploader: Account
  readonly createdAt: string
}

interface Release {
  readonly id: number
  tag: string
  target: string
  name: string | null
  body: string | null
  draft: boolean
  prerelease: boolean
  readonly author: Account
  readonly createdAt: string
  publishedAt: string | null
  readonly assets: Asset[]
}

/** Newest last. */
const releasesOf = perRepository((): Release[] => [])

interface ReleaseWrite {
  readonly tag_name?: string
  readonly target_commitish?: string
  readonly name?: string
  readonly body?: string
  readonly draft?: boolean
  readonly prerelease?: boolean
}

function assetBody(context: Context, release: Release, asset: Asset): Body {
  const { world } = context
  const file = `/releases/download/${encodeURIComponent(release.tag)}/${encodeURIComponent(asset.name)}`
  return {
    url: `${repositoryUrl(world, context.repository())}/releases/assets/${asset.id}`,
    browser_download_url: htmlUrl(world, context.repository(), file),
    id: asset.id,
    node_id: nodeId('RA', asset.id),
    name: asset.name,
    label: asset.label,
    state: 'uploaded',
    content_type: asset.contentType,
    size: asset.bytes.length,
    digest: `sha256:${createHash('sha256').update(asset.bytes).digest('hex')}`,
    download_count: 0,
    created_at: asset.createdAt,
    updated_at: asset.createdAt,
    uploader: userBody(world, asset.uploader),
  }
}

function bodyOf(context: Context, release: Release): Body {
  const { world } = context
  const base = repositoryUrl(world, context.repository())
  const url = `${base}/releases/${release.id}`
  const tag = encodeURIComponent(release.tag)
  return {
    url,
    html_url: htmlUrl(world, context.repository(), `/releases/tag/${tag}`),
    assets_url: `${url}/assets`,
    upload_url: `${url}/assets{?name,label}`,
    tarball_url: `${base}/tarball/${tag}`,
    zipball_url: `${base}/zipball/${tag}`,
    id: release.id,
    node_id: nodeId('RE', release.id),
    tag_name: release.tag,
    target_commitish: release.target,
    name: release.name,
    body: release.body,
    draft: release.draft,
    prerelease: release.prerelease,
    created_at: release.createdAt,
    published_at: release.publishedAt,
    author: userBody(world, release.author),
    assets: release.assets.map((asset) => assetBody(context, release, asset)),
  }
}

/** Drafts show only to those who may write. */
function visible(context: Context): Release[] {
  const { identity, world } = context
  const isWriter =
    identity.kind === 'person'
      ? atLeast(roleOf(world.store, context.repository(), identity.account.id), 'write')
      : (identity.kind === 'installation' || identity.kind === 'actions') &&
        identity.permissions.get('contents') === 'write'
  return releasesOf(context.repository()).filter(({ draft }) => !draft || isWriter)
}

function releaseBy(context: Context, test: (release: Release) => boolean): Release {
  const release = visible(context).findLast(test)
  if (!release) throw notFound()
  return release
}

const releaseAt = (context: Context): Release =>
  releaseBy(context, ({ id }) => String(id) === context.params['release_id'])

function tell(context: Context, release: Release, action: string): void {
  const payload = { release: bodyOf(context, release) }
  context.world.deliver({
    event: 'release',
    action,
    repository: context.repository(),
    sender: context.actor(),
    payload,
  })
}

/** Publishing makes the tag when it is not there. */
async function publish(context: Context, release: Release): Promise<void> {
  const git = context.git()
  const ref = `refs/tags/${release.tag}`
  if ((await git.readRef(ref)) === undefined) {
    const oid = await git.resolveCommit(release.target)
    if (oid === undefined) throw invalid('Release', 'target_commitish', 'invalid')
    const outcome = await changeRefs(context.world, context.repository(), context.identity, [
      { ref, after: oid, before: zeroOid },
    ])
    if (outcome.kind === 'rules') throw new Refusal(422, outcome.message)
  }
  release.publishedAt = context.world.clock.now()
  for (const action of ['created', 'published', 'released']) tell(context, release, action)
}

const create: Handler = async (context) => {
  const request = context.body as ReleaseWrite
  const tag = request.tag_name ?? ''
  if (!isRefName(tag)) throw invalid('Release', 'tag_name', 'invalid', 'tag_name is not a valid tag')
  if (releasesOf(context.repository()).some((one) => one.tag === tag && !one.draft)) {
    throw invalid('Release', 'tag_name', 'already_exists')
  }
  const release: Release = {
    id: context.world.nextId(),
    tag,
    target: request.target_commitish ?? context.repository().defaultBranch,
    name: request.name ?? null,
    body: request.body ?? null,
    draft: request.draft ?? false,
    prerelease: request.prerelease ?? false,
    author: context.actor(),
    createdAt: context.world.clock.now(),
    publishedAt: null,
    assets: [],
  }
  /** It holds the tag while git is asked, so that another of that name is refused meanwhile. */
  const all = releasesOf(context.repository())
  all.push(release)
  try {
    if (!release.draft) await publish(context, release)
  } catch (error) {
    all.splice(all.indexOf(release), 1)
    throw error
  }
  return created(bodyOf(context, release))
}

const update: Handler = async (context) => {
  const release = releaseAt(context)
  const request = context.body as ReleaseWrite
  const wasDraft = release.draft
  Object.assign(release, {
    tag: request.tag_name ?? release.tag,
    target: request.target_commitish ?? release.target,
    name: request.name ?? release.name,
    body: request.body ?? release.body,
    draft: request.draft ?? release.draft,
    prerelease: request.prerelease ?? release.prerelease,
  })
  if (wasDraft && !release.draft) await publish(context, release)
  else tell(context, release, 'edited')
  return ok(bodyOf(context, release))
}

const remove: Handler = (context) => {
  const release = releaseAt(context)
  const all = releasesOf(context.repository())
  all.splice(all.indexOf(release), 1)
  tell(context, release, 'deleted')
  return noContent()
}

const upload: Handler = (context) => {
  const release = releaseAt(context)
  const name = context.query.get('name') ?? ''
  if (release.assets.some((asset) => asset.name === name)) throw invalid('ReleaseAsset', 'name', 'already_exists')
  const asset: Asset = {
    id: context.world.nextId(),
    name,
    label: context.query.get('label'),
    contentType: context.contentType || 'application/octet-stream',
    bytes: context.bytes,
    uploader: context.actor(),
    createdAt: context.world.clock.now(),
  }
  release.assets.push(asset)
  return created(assetBody(context, release, asset))
}

const readAsset: Handler = (context) => {
  for (const release of visible(context)) {
    const asset = release.assets.find(({ id }) => String(id) === context.params['asset_id'])
    if (!asset) continue
    if (context.accept.includes('application/octet-stream')) {
      return { status: 200, raw: asset.bytes, headers: { 'content-type': asset.contentType } }
    }
    return ok(assetBody(context, release, asset))
  }
  throw notFound()
}

const removeAsset: Handler = (context) => {
  for (const { assets } of visible(context)) {
    const at = assets.findIndex(({ id }) => String(id) === context.params['asset_id'])
    if (at < 0) continue
    assets.splice(at, 1)
    return noContent()
  }
  throw notFound()
}

const base = '/repos/{owner}/{repo}/releases'

/** GitHub's releases and their assets. */
export const releases: Resource = {
  routes: [
    route(`GET ${base}`, reads('contents'), (context) =>
      paged(context, visible(context).toReversed(), (page) => page.map((release) => bodyOf(context, release))),
    ),
    route(`POST ${base}`, writes('contents'), create),
    route(`GET ${base}/latest`, reads('contents'), (context) =>
      ok(
        bodyOf(
          context,
          releaseBy(context, ({ draft, prerelease }) => !draft && !prerelease),
        ),
      ),
    ),
    route(`GET ${base}/tags/{tag}`, reads('contents'), (context) =>
      ok(
        bodyOf(
          context,
          releaseBy(context, ({ tag, draft }) => tag === context.params['tag'] && !draft),
        ),
      ),
    ),
    route(`GET ${base}/{release_id}`, reads('contents'), (context) => ok(bodyOf(context, releaseAt(context)))),
    route(`PATCH ${base}/{release_id}`, writes('contents'), update),
    route(`DELETE ${base}/{release_id}`, writes('contents'), remove),
    route(`GET ${base}/{release_id}/assets`, reads('contents'), (context) => {
      const release = releaseAt(context)
      return paged(context, release.assets, (page) => page.map((asset) => assetBody(context, release, asset)))
    }),
    { ...route(`POST ${base}/{release_id}/assets`, writes('contents'), upload), takesBytes: true },
    route(`GET ${base}/assets/{asset_id}`, reads('contents'), readAsset),
    route(`DELETE ${base}/assets/{asset_id}`, writes('contents'), removeAsset),
  ],
}
