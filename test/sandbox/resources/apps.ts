import { toIso } from '../clock.ts'
import type { Identity } from '../identity.ts'
import {
  answer,
  type Context,
  created,
  type Handler,
  noContent,
  notFound,
  ok,
  paged,
  Refusal,
  type Resource,
  route,
  unprocessable,
} from '../router.ts'
import { appBody, fullRepositoryBody, installationBody, permissionsBody } from '../shapes/common.ts'
import { type App, accountByLogin, covers, type Installation, type Level, repositoryByName } from '../store.ts'
import type { DeliveryAttempt } from '../webhooks.ts'

function appOf(identity: Identity): App {
  if (identity.kind !== 'app') throw new Refusal(401, 'A JSON web token could not be decoded')
  return identity.app
}

const own = (context: Context): Installation[] =>
  [...context.world.store.installations.values()].filter(({ app }) => app === appOf(context.identity))

function installationAt(context: Context): Installation {
  const installation = own(context).find(({ id }) => String(id) === context.params['installation_id'])
  if (!installation) throw notFound()
  return installation
}

interface Narrowing {
  readonly repositories?: readonly string[]
  readonly repository_ids?: readonly number[]
  readonly permissions?: Readonly<Record<string, Level>>
}

const levels: readonly Level[] = ['read', 'write', 'admin']

/** The repositories a token is narrowed to; undefined = all of the installation. */
function narrowedRepositories(
  context: Context,
  installation: Installation,
  request: Narrowing,
): Set<number> | undefined {
  const { store } = context.world
  if (request.repositories === undefined && request.repository_ids === undefined) return undefined
  const named = (request.repositories ?? []).map((name) => repositoryByName(store, installation.account.login, name))
  const numbered = (request.repository_ids ?? []).map((id) => store.repositories.get(id))
  const found = [...named, ...numbered].map((repository) => {
    if (repository && covers(installation, repository)) return repository.id
    throw unprocessable(
      'There is at least one repository that does not exist or is not accessible to the parent installation.',
    )
  })
  return new Set(found)
}

const accessToken: Handler = (context) => {
  const { world } = context
  const installation = installationAt(context)
  if (installation.suspendedAt !== null) throw new Refusal(403, 'This installation has been suspended')
  const request = context.body as Narrowing
  const repositories = narrowedRepositories(context, installation, request)
  const permissions =
    request.permissions === undefined ? installation.permissions : new Map(Object.entries(request.permissions))
  for (const [name, level] of permissions) {
    const granted = name === 'metadata' ? 'read' : installation.permissions.get(name)
    if (granted === undefined || levels.indexOf(level) > levels.indexOf(granted)) {
      throw unprocessable('The permissions requested are not granted to this installation.')
    }
  }
  const { token, expiresAtMs } = world.mintInstallationToken(installation, {
    permissions,
    ...(repositories ? { repositories } : {}),
  })
  const listed = repositories && [...repositories].flatMap((id) => world.store.repositories.get(id) ?? [])
  return created({
    token,
    expires_at: toIso(expiresAtMs),
    permissions: { metadata: 'read', ...permissionsBody(permissions) },
    repository_selection: installation.repositories === null && !repositories ? 'all' : 'selected',
    ...(listed ? { repositories: listed.map((one) => fullRepositoryBody(world, one, 'write')) } : {}),
  })
}

const installationOf =
  (find: (context: Context) => Installation | undefined): Handler =>
  (context) => {
    const installation = find(context)
    if (!installation) throw notFound()
    return ok(installationBody(context.world, installation))
  }

const onAccount = (name: string) =>
  installationOf((context) => {
    const account = accountByLogin(context.world.store, context.params[name] ?? '')
    return own(context).find((one) => one.account === account)
  })

/** With the App's JWT a repository is found by installation, not by visibility. */
const onRepository = installationOf((context) => {
  const repository = repositoryByName(context.world.store, context.params['owner'] ?? '', context.params['repo'] ?? '')
  return repository && own(context).find((one) => covers(one, repository))
})

const repositories: Handler = (context) => {
  const { world, identity } = context
  if (identity.kind !== 'installation') throw new Refusal(403, 'Resource not accessible by personal access token')
  const found = [...world.store.repositories.values()].filter(
    (one) =>
      covers(identity.installation, one) && (identity.repositories === null || identity.repositories.has(one.id)),
  )
  const selection = identity.installation.repositories === null && identity.repositories === null ? 'all' : 'selected'
  return paged(context, found, (page) => ({
    total_count: found.length,
    repository_selection: selection,
    repositories: page.map((one) => fullRepositoryBody(world, one, 'write')),
  }))
}

/** Deliveries can be listed and sent again for three days. */
const retentionMs = 3 * 24 * 3_600_000

/** Newest first, one by one: after hours of load there are hundreds of thousands, of which a page wants a hundred. */
function* deliveriesOf({ world, identity }: Context): Generator<DeliveryAttempt> {
  const { id } = appOf(identity)
  const oldest = toIso(world.clock.epochMs() - retentionMs)
  const { attempts } = world.webhooks
  for (let place = attempts.length - 1; place >= 0; place -= 1) {
    const attempt = attempts[place]
    if (attempt === undefined || attempt.deliveredAt < oldest) return
    if (attempt.appId === id) yield attempt
  }
}

const itemBody = (attempt: DeliveryAttempt) => ({
  id: attempt.id,
  guid: attempt.guid,
  delivered_at: attempt.deliveredAt,
  redelivery: attempt.redelivery,
  duration: attempt.durationSeconds,
  status: attempt.status,
  status_code: attempt.statusCode,
  event: attempt.event,
  action: attempt.action,
  installation_id: attempt.installationId,
  repository_id: attempt.repositoryId,
  throttled_at: null,
})

const hasStatus = ({ statusCode }: DeliveryAttempt, status: string | null): boolean => {
  if (status === 'success') return statusCode >= 200 && statusCode < 400
  return status !== 'failure' || (statusCode >= 400 && statusCode < 600)
}

/** Newest first; `cursor` is the id of the first delivery of the page. `status=failure` knows only codes 400 to 599. */
const listDeliveries: Handler = (context) => {
  const { query, world } = context
  const perPage = Math.min(100, Math.max(1, Number(query.get('per_page') ?? 30) || 30))
  const cursor = query.get('cursor')
  let isThere = cursor === null
  const found: DeliveryAttempt[] = []
  for (const attempt of deliveriesOf(context)) {
    if (!hasStatus(attempt, query.get('status'))) continue
    isThere ||= `v1_${attempt.id}` === cursor
    if (isThere && found.push(attempt) > perPage) break
  }
  if (!isThere) throw new Refusal(400, 'Invalid cursor')
  const body = found.slice(0, perPage).map(itemBody)
  const next = found[perPage]
  if (!next) return ok(body)
  const onward = new URLSearchParams(query)
  onward.set('cursor', `v1_${next.id}`)
  return answer(200, body, { link: `<${world.origin}${context.requestPath}?${onward}>; rel="next"` })
}

function deliveryAt(context: Context): DeliveryAttempt {
  for (const attempt of deliveriesOf(context)) if (String(attempt.id) === context.params['delivery_id']) return attempt
  throw notFound()
}

const readDelivery: Handler = (context) => {
  const attempt = deliveryAt(context)
  return ok({
    ...itemBody(attempt),
    url: appOf(context.identity).webhookUrl ?? '',
    request: { headers: attempt.request.headers, payload: attempt.request.payload },
    response: { headers: attempt.response.headers, payload: attempt.response.payload },
  })
}

const redeliver: Handler = (context) => {
  const { id } = deliveryAt(context)
  context.world.webhooks.redeliver(id).catch(() => {})
  return answer(202, {})
}

const hookConfig: Handler = (context) => {
  const app = appOf(context.identity)
  return ok({ url: app.webhookUrl ?? '', content_type: 'json', secret: '********', insecure_ssl: '0' })
}

const setHookConfig: Handler = (context) => {
  const app = appOf(context.identity)
  const { url, secret } = context.body as { url?: string; secret?: string }
  if (url !== undefined) app.webhookUrl = url
  if (secret !== undefined) app.webhookSecret = secret
  return hookConfig(context)
}

const publicApp: Handler = (context) => {
  const app = [...context.world.store.apps.values()].find(({ slug }) => slug === context.params['app_slug'])
  if (!app) throw notFound()
  return ok(appBody(context.world, app))
}

/** What an App asks about itself, its installations and its deliveries. */
export const apps: Resource = {
  routes: [
    route('GET /app', 'app', (context) => {
      const app = appOf(context.identity)
      return ok({ ...appBody(context.world, app), installations_count: own(context).length })
    }),
    route('GET /apps/{app_slug}', 'anyone', publicApp),
    route('GET /app/installations', 'app', (context) =>
      paged(context, own(context), (page) => page.map((one) => installationBody(context.world, one))),
    ),
    route('GET /app/installations/{installation_id}', 'app', (context) =>
      ok(installationBody(context.world, installationAt(context))),
    ),
    route('POST /app/installations/{installation_id}/access_tokens', 'app', accessToken),
    route('GET /repos/{owner}/{repo}/installation', 'app', onRepository),
    route('GET /orgs/{org}/installation', 'app', onAccount('org')),
    route('GET /users/{username}/installation', 'app', onAccount('username')),
    route('GET /installation/repositories', 'installation', repositories),
    route('DELETE /installation/token', 'installation', (context) => {
      context.world.revoke(context.credential)
      return noContent()
    }),
    route('GET /app/hook/config', 'app', hookConfig),
    route('PATCH /app/hook/config', 'app', setHookConfig),
    route('GET /app/hook/deliveries', 'app', listDeliveries),
    route('GET /app/hook/deliveries/{delivery_id}', 'app', readDelivery),
    route('POST /app/hook/deliveries/{delivery_id}/attempts', 'app', redeliver),
  ],
}
