import { readFileSync } from 'node:fs'
import { accepted, type Checked, type Problem, rejected } from '../core/problem.ts'

/** What the server is started with. The names of the variables are Probot's own where it has one. */
export interface ServerSettings {
  readonly appId: number
  readonly privateKey: string
  readonly webhookSecret: string
  /** `owner/name` of the release repository. */
  readonly releaseRepository: string
  readonly apiUrl: string
  readonly host: string
  readonly port: number
  readonly logLevel: string
  readonly publication: {
    readonly directory: string
    readonly publicUrl: string
    readonly keysDirectory: string
  } | null
}

type Variables = Readonly<Record<string, string | undefined>>

interface Variable {
  readonly name: string
  readonly required: boolean
  readonly meaning: string
}

/** Every variable that the server reads; the documentation shows this table. */
export const VARIABLES: readonly Variable[] = [
  { name: 'APP_ID', required: true, meaning: 'the id of the GitHub App' },
  {
    name: 'PRIVATE_KEY',
    required: true,
    meaning: 'its private key in PEM (or PRIVATE_KEY_PATH, a file that holds it)',
  },
  { name: 'WEBHOOK_SECRET', required: true, meaning: 'the secret that signs its webhooks' },
  { name: 'RINGMASTER_REPOSITORY', required: true, meaning: 'owner/name of the release repository' },
  {
    name: 'GHE_HOST',
    required: false,
    meaning: 'host of a GitHub Enterprise Server (with GHE_PROTOCOL, https when left out)',
  },
  { name: 'GITHUB_API_URL', required: false, meaning: 'REST root of another GitHub, such as the sandbox' },
  { name: 'HOST', required: false, meaning: 'address to listen on, localhost when left out' },
  { name: 'PORT', required: false, meaning: 'port to listen on, 3000 when left out' },
  { name: 'LOG_LEVEL', required: false, meaning: 'trace, debug, info, warn, error or fatal; info when left out' },
  { name: 'RINGMASTER_PUBLISH_DIR', required: false, meaning: 'directory that manifests are published to' },
  { name: 'RINGMASTER_PUBLISH_URL', required: false, meaning: 'public address of that directory' },
  { name: 'RINGMASTER_KEYS_DIR', required: false, meaning: 'directory of the online keys that sign manifests' },
]

const missing = (name: string, meaning: string): Problem<'setting-missing'> => ({
  code: 'setting-missing',
  message: `expected ${name}, ${meaning}, found nothing`,
  hint: 'See README, "Install the App". To try Ringmaster without an account: npm run demo.',
})

/** Reads the settings from environment variables; every missing or odd one is named at once. */
export function readSettings(env: Variables): Checked<ServerSettings> {
  const problems: Problem[] = []
  const given = (name: string): string | undefined => env[name]?.trim() || undefined
  const privateKey = given('PRIVATE_KEY') ?? readKey(given('PRIVATE_KEY_PATH'), problems)
  for (const { name, required, meaning } of VARIABLES) {
    if (required && (name === 'PRIVATE_KEY' ? privateKey === undefined : given(name) === undefined))
      problems.push(missing(name, meaning))
  }
  const numberOf = (name: string, fallback: number): number => {
    const text = given(name)
    if (text === undefined) return fallback
    if (/^[0-9]{1,15}$/.test(text)) return Number(text)
    problems.push({
      code: 'setting-invalid',
      message: `expected a number in ${name}, found other text`,
      hint: 'Give decimal digits.',
    })
    return fallback
  }
  const secret = given('WEBHOOK_SECRET')
  if (secret === 'development') {
    problems.push({
      code: 'setting-invalid',
      message: 'expected a secret of your own in WEBHOOK_SECRET, found the well-known default',
      hint: 'Generate one: openssl rand -hex 32',
    })
  }
  const repository = given('RINGMASTER_REPOSITORY')
  if (repository !== undefined && !/^[A-Za-z0-9_.-]+\/[A-Za-z0-9_.-]+$/.test(repository)) {
    problems.push({
      code: 'setting-invalid',
      message: 'expected owner/name in RINGMASTER_REPOSITORY, found something else',
      hint: 'Such as acme/releases.',
    })
  }
  const publication = publicationOf(given, problems)
  const appId = numberOf('APP_ID', 0)
  const port = numberOf('PORT', 3000)
  if (problems.length > 0 || !privateKey || !secret || !repository) return rejected(...problems)
  return accepted({
    appId,
    privateKey: privateKey.replaceAll('\\n', '\n'),
    webhookSecret: secret,
    releaseRepository: repository,
    apiUrl: apiUrlOf(given),
    host: given('HOST') ?? 'localhost',
    port,
    logLevel: given('LOG_LEVEL') ?? 'info',
    publication,
  })
}

function readKey(path: string | undefined, problems: Problem[]): string | undefined {
  if (path === undefined) return undefined
  try {
    return readFileSync(path, 'utf8')
  } catch {
    problems.push({
      code: 'setting-invalid',
      message: 'expected a readable file at PRIVATE_KEY_PATH, found that it cannot be read',
      hint: 'Check the path and its permissions.',
    })
    return undefined
  }
}

function apiUrlOf(given: (name: string) => string | undefined): string {
  const explicit = given('GITHUB_API_URL')
  if (explicit) return explicit.replace(/\/$/, '')
  const host = given('GHE_HOST')
  return host ? `${given('GHE_PROTOCOL') ?? 'https'}://${host}/api/v3` : 'https://api.github.com'
}

const PUBLICATION = ['RINGMASTER_PUBLISH_DIR', 'RINGMASTER_PUBLISH_URL', 'RINGMASTER_KEYS_DIR'] as const

function publicationOf(
  given: (name: string) => string | undefined,
  problems: Problem[],
): ServerSettings['publication'] {
  const [directory, publicUrl, keysDirectory] = PUBLICATION.map(given)
  if (directory && publicUrl && keysDirectory)
    return { directory, publicUrl: publicUrl.replace(/\/$/, ''), keysDirectory }
  const absent = PUBLICATION.filter((name) => given(name) === undefined)
  if (absent.length < PUBLICATION.length) {
    problems.push({
      code: 'setting-missing',
      message: `expected all of ${PUBLICATION.join(', ')} or none, found ${absent.join(', ')} missing`,
      hint: 'Manifests are published when all three are set.',
    })
  }
  return null
}
