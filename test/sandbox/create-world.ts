import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { createClock } from './clock.ts'
import { createFaults } from './faults.ts'
import { GitRepository } from './git/repository.ts'
import { createRateLimits } from './rate-limit.ts'
import { installationBody, nodeId, repositoryBody, userBody } from './shapes/common.ts'
import {
  type Account,
  type App,
  covers,
  createStore,
  fullName,
  type Installation,
  type Permissions,
  type Repository,
} from './store.ts'
import { createTokens, identify } from './tokens.ts'
import { createCourier } from './webhooks.ts'
import type { Happening, Push, World } from './world.ts'

/** As an installation on GitHub Enterprise Cloud has. */
const defaultLimitPerHour = 15_000

/** Sent whether or not the App subscribed. */
const unasked = new Set(['installation', 'installation_repositories', 'github_app_authorization'])

export interface AppRecordSeed {
  readonly id?: number
  readonly slug: string
  readonly name: string
  readonly owner: Account
  readonly permissions: Permissions
  readonly events: readonly string[]
  readonly webhookUrl: string | null
  readonly webhookSecret?: string
  readonly now: string
  readonly nextId: () => number
}

export function createAppRecord(seed: AppRecordSeed): App {
  // Making a key takes a tenth of a second; most Apps of most tests never sign in by one.
  let made: { publicKey: string; privateKey: string } | undefined
  const keys = () => {
    made ??= generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
    })
    return made
  }
  return {
    id: seed.id ?? seed.nextId(),
    slug: seed.slug,
    name: seed.name,
    clientId: `Iv23li${randomBytes(7).toString('hex')}`,
    owner: seed.owner,
    bot: { id: seed.nextId(), login: `${seed.slug}[bot]`, type: 'Bot', name: null, email: null },
    get publicKey() {
      return keys().publicKey
    },
    get privateKey() {
      return keys().privateKey
    },
    permissions: seed.permissions,
    events: seed.events,
    webhookUrl: seed.webhookUrl,
    webhookSecret: seed.webhookSecret ?? randomBytes(16).toString('hex'),
    hookId: seed.nextId(),
    createdAt: seed.now,
  }
}

export interface WorldParts {
  readonly origin: string
  readonly directory: string
  readonly startAt: string | undefined
}

/** The shared state of one sandbox; `close` runs what `onStop` gathered, latest first. */
export function createWorld({ origin, directory, startAt }: WorldParts): { world: World; close: () => Promise<void> } {
  const clock = createClock(startAt)
  const store = createStore()
  const tokens = createTokens()
  let lastId = 1000
  const nextId = () => ++lastId
  const courier = createCourier(clock, nextId)
  const gits = new Map<number, GitRepository>()
  const locks = new Map<string, Promise<unknown>>()
  const personTokens = new Map<number, string>()
  const pushListeners: ((push: Push) => void | Promise<void>)[] = []
  const endings: (() => void | Promise<void>)[] = []

  const github: Account = { id: 9919, login: 'github', type: 'Organization', name: 'GitHub', email: null }
  store.accounts.set(github.id, github)
  const actionsApp = createAppRecord({
    id: 15368,
    slug: 'github-actions',
    name: 'GitHub Actions',
    owner: github,
    permissions: new Map(),
    events: [],
    webhookUrl: null,
    now: clock.now(),
    nextId,
  })
  store.apps.set(actionsApp.id, actionsApp)
  store.accounts.set(actionsApp.bot.id, actionsApp.bot)

  const deliver = ({ event, action, repository, sender, payload, onlyTo }: Happening): void => {
    const guid = randomUUID()
    for (const installation of store.installations.values()) {
      const { app } = installation
      if (!covers(installation, repository) || (onlyTo && onlyTo !== app)) continue
      if (!unasked.has(event) && !installation.events.includes(event)) continue
      const organization =
        repository.owner.type === 'Organization' ? { organization: userBody(world, repository.owner) } : {}
      const text = JSON.stringify({
        ...(action === undefined ? {} : { action }),
        repository: repositoryBody(world, repository),
        ...payload,
        ...organization,
        sender: userBody(world, sender),
        installation: { id: installation.id, node_id: nodeId('I', installation.id) },
      })
      const body = Buffer.from(text)
      courier.send({
        app,
        installationId: installation.id,
        repositoryId: repository.id,
        event,
        action: action ?? null,
        guid,
        body,
        redelivery: false,
      })
    }
  }

  const world: World = {
    origin,
    directory,
    clock,
    store,
    webhooks: courier,
    faults: createFaults(),
    rateLimits: createRateLimits(clock, defaultLimitPerHour),
    actionsApp,
    violations: [],
    nextId,
    locked(key, work) {
      const before = locks.get(key) ?? Promise.resolve()
      const result = before.then(work, work)
      locks.set(
        key,
        result.catch(() => {}),
      )
      return result
    },
    async addRepository(repository: Repository) {
      const git = await GitRepository.create(join(directory, 'git', `${repository.id}.git`), repository.defaultBranch)
      gits.set(repository.id, git)
      store.repositories.set(repository.id, repository)
      return git
    },
    gitOf(repository) {
      const git = gits.get(repository.id)
      if (!git) throw new Error(`no git repository of ${repository.name}`)
      return git
    },
    deliver,
    isWanted: (event, repository) =>
      [...store.installations.values()].some((one) => covers(one, repository) && one.events.includes(event)),
    mintActionsToken: (repository, permissions, runId) =>
      tokens.mint('ghs', { kind: 'actions', app: actionsApp, repository, permissions, runId }, false).token,
    mintPersonToken(account) {
      const known = personTokens.get(account.id)
      if (known !== undefined) return known
      const { token } = tokens.mint('ghp', { kind: 'person', account }, false)
      personTokens.set(account.id, token)
      return token
    },
    mintInstallationToken: (installation, narrowed = {}) =>
      tokens.mint(
        'ghs',
        {
          kind: 'installation',
          app: installation.app,
          installation,
          permissions: narrowed.permissions ?? installation.permissions,
          repositories: narrowed.repositories ?? null,
        },
        true,
      ),
    revoke: tokens.revoke,
    identify: (header) => identify(store, tokens, header),
    onPush: (listener) => void pushListeners.push(listener),
    async emitPush(push) {
      for (const listener of pushListeners) await listener(push)
    },
    onStop: (end) => void endings.push(end),
  }
  const close = async () => {
    await courier.close()
    for (const end of endings.toReversed()) await end()
    await Promise.all([...gits.values()].map((git) => git.close()))
  }
  return { world, close }
}

/** Tells an App of its own installation, as GitHub does without being asked. */
export function announceInstallation(world: World, installation: Installation): void {
  const repositories = [...world.store.repositories.values()].filter((one) => covers(installation, one))
  const action = 'created'
  const text = JSON.stringify({
    action,
    installation: installationBody(world, installation),
    repositories: repositories.map((one) => ({
      id: one.id,
      node_id: nodeId('R', one.id),
      name: one.name,
      full_name: fullName(one),
      private: one.private,
    })),
    sender: userBody(world, installation.account),
  })
  world.webhooks.send({
    app: installation.app,
    installationId: installation.id,
    repositoryId: null,
    event: 'installation',
    action,
    guid: randomUUID(),
    body: Buffer.from(text),
    redelivery: false,
  })
}
