import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { promisify } from 'node:util'
import { type StaticHost, serveDirectory } from '../../device/static-host.ts'
import { useAction } from '../../sandbox/actions.ts'
import { type Sandbox, startSandbox } from '../../sandbox/sandbox.ts'
import { type AppProcess, appProcess } from './app-process.ts'
import { freePort } from './free-port.ts'
import { APP_SLUG, COHORT, RELEASE_REPOSITORY, STORY_SETTINGS, type StorySettings, storySeed } from './seed.ts'

const run = promisify(execFile)

export const ACTION = 'ringmaster/action@v1'

/** What a command printed, and its exit code. */
export interface CommandResult {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Everything that the story plays on: the local GitHub, the App, a web server for manifests, and keys. */
export interface Stage {
  readonly sandbox: Sandbox
  readonly app: AppProcess
  readonly host: StaticHost
  readonly directory: string
  readonly keys: string
  readonly addresses: Readonly<Record<string, string>>
  /** Runs `ringmaster …` as a person would. */
  ringmaster(...args: string[]): Promise<CommandResult>
  stop(): Promise<void>
}

export async function command(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<CommandResult> {
  const entry = join(process.cwd(), 'build/src/cli/index.js')
  try {
    const { stdout, stderr } = await run(process.execPath, [entry, ...args], {
      env: { PATH: process.env['PATH'] ?? '', ...env },
    })
    return { code: 0, out: stdout, err: stderr }
  } catch (error) {
    const { code, stdout = '', stderr = '' } = error as { code?: number; stdout?: string; stderr?: string }
    if (typeof code !== 'number') throw error
    return { code, out: stdout, err: stderr }
  }
}

/** Sets the stage: nothing is told yet. The App is started by the first scene. */
export async function setStage(settings: StorySettings = STORY_SETTINGS): Promise<Stage> {
  const directory = await mkdtemp(join(tmpdir(), 'ringmaster-story-'))
  /** In the order of their beginning; ended the other way round, also when the stage could not be set. */
  const endings: (() => Promise<unknown>)[] = [() => rm(directory, { recursive: true, force: true, maxRetries: 3 })]
  const stop = async (): Promise<void> => {
    const failures: unknown[] = []
    for (const end of endings.splice(0).reverse()) await end().catch((error) => failures.push(error))
    if (failures.length > 0) throw failures.length === 1 ? failures[0] : new AggregateError(failures)
  }
  try {
    return await setIn(directory, endings, stop, settings)
  } catch (error) {
    await stop()
    throw error
  }
}

async function setIn(
  directory: string,
  endings: (() => Promise<unknown>)[],
  stop: () => Promise<void>,
  settings: StorySettings,
): Promise<Stage> {
  const published = join(directory, 'public')
  const keys = join(directory, 'keys')
  await mkdir(published, { recursive: true })
  const host = await serveDirectory(published)
  endings.push(() => host.close())
  const sandbox = await startSandbox({ seed: storySeed(settings) })
  endings.push(() => sandbox.stop())
  const port = await freePort()
  const handle = sandbox.app(APP_SLUG)
  useAction(sandbox, ACTION, { directory: process.cwd() })
  const url = `http://127.0.0.1:${port}/api/github/webhooks`
  handle.setWebhookUrl(url)
  const made = await command([
    'keys',
    'init',
    '--offline',
    join(directory, 'offline'),
    '--bundles',
    join(directory, 'bundles-holder'),
    '--online',
    join(keys, 'online'),
    '--out',
    keys,
    '--cohort',
    COHORT,
  ])
  if (made.code !== 0) throw new Error(made.err)
  const app = appProcess({
    APP_ID: String(handle.id),
    PRIVATE_KEY: handle.privateKey,
    WEBHOOK_SECRET: handle.webhookSecret,
    RINGMASTER_REPOSITORY: RELEASE_REPOSITORY,
    GITHUB_API_URL: sandbox.origin,
    HOST: '127.0.0.1',
    PORT: String(port),
    LOG_LEVEL: 'error',
    /** The recommended pace would make the story last an hour. */
    RINGMASTER_PUSHES_PER_MINUTE: '6000',
    RINGMASTER_PUBLISH_DIR: published,
    RINGMASTER_PUBLISH_URL: host.url.replace(/\/$/, ''),
    RINGMASTER_KEYS_DIR: keys,
    RINGMASTER_ROSTER_DIR: join(directory, 'roster'),
  })
  endings.push(() => app.stop())
  /** Once more when all else has ended: a scene that was broken off may just have started it. */
  endings.splice(1, 0, () => app.stop())
  return {
    sandbox,
    app,
    host,
    directory,
    keys,
    addresses: {
      'GitHub (REST)': sandbox.origin,
      'GitHub (GraphQL)': sandbox.graphqlUrl,
      App: url,
      manifests: host.url,
    },
    ringmaster: (...args) => command(args),
    stop,
  }
}

/** Asks until the answer is no longer undefined; throws with what was waited for. */
export async function eventually<T>(what: string, ask: () => Promise<T | undefined>, withinMs = 60_000): Promise<T> {
  const until = Date.now() + withinMs
  for (;;) {
    const answer = await ask()
    if (answer !== undefined) return answer
    if (Date.now() > until) throw new Error(`waited ${withinMs / 1_000} s for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
