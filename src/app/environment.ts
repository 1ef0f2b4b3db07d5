import { accepted, type Checked, type Problem, rejected } from '../core/problem.ts'
import { PUSHES_PER_MINUTE } from '../github/client.ts'
import { POINTS_PER_MINUTE } from '../github/governor.ts'
import { isBucketAddress, type Place, readPlace } from '../publish/place.ts'
import { readRosterPlace } from '../publish/roster-place.ts'
import { invalid, isRedisAddress, isWebAddress, LEAST_SECRET, LOG_LEVELS, privateKeyOf } from './setting-checks.ts'

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
  /** How many processes of this App share the limits of the installation. */
  readonly processes: number
  /** The Redis through which they do; null where each keeps to an equal part. */
  readonly redisUrl: string | null
  /** How often a branch of one repository may move. */
  readonly pushesPerMinute: number
  readonly pointsPerMinute: number
  /** Where enrolled devices are kept; null where no cohort keeps a roster. */
  readonly rosterPlace: Place | null
  /** Where what devices claim and report is kept; null where the server answers no device. */
  readonly rosterDirectory: string | null
  readonly publication: PublicationSettings | null
}

/** GitHub Pages, built from a branch of a repository (`owner/name`) that the App commits to. */
export interface PagesPlace {
  readonly kind: 'pages'
  readonly repository: string
}

export interface PublicationSettings {
  readonly place: Place | PagesPlace
  readonly publicUrl: string
  readonly keysDirectory: string
  /** The least time from one publication to the next; halts and withdrawals do not wait for it. */
  readonly everySeconds: number
}

/** The repository whose Pages show the manifests; null where they go elsewhere. */
export const pagesRepository = ({ publication }: ServerSettings): string | null =>
  publication?.place.kind === 'pages' ? publication.place.repository : null

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
  { name: 'WEBHOOK_SECRET', required: true, meaning: 'the secret that signs its webhooks, at least 16 characters' },
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
  {
    name: 'RINGMASTER_PROCESSES',
    required: false,
    meaning:
      'how many processes share the limits of the installation in equal parts; 1 when left out, 4 beside REDIS_URL',
  },
  {
    name: 'REDIS_URL',
    required: false,
    meaning:
      'Redis through which the processes share the limits, so that one can use what the others leave: `redis://HOST:PORT` or `rediss://…`, with the password where there is one',
  },
  {
    name: 'RINGMASTER_PUSHES_PER_MINUTE',
    required: false,
    meaning: 'commits a minute to one repository on average, 6 when left out as GitHub recommends',
  },
  {
    name: 'RINGMASTER_POINTS_PER_MINUTE',
    required: false,
    meaning:
      'points a minute of the REST API, 900 when left out as GitHub.com allows, and the other secondary limits in proportion; more for an Enterprise Server, whose limits are off unless somebody switched them on',
  },
  { name: 'RINGMASTER_PUBLISH_DIR', required: false, meaning: 'directory that manifests are published to' },
  {
    name: 'RINGMASTER_PUBLISH_TO',
    required: false,
    meaning:
      'instead of a directory: `s3://BUCKET/PREFIX`, or `pages` for the branch ringmaster-pages of the release repository (`pages:OWNER/NAME` for that of another one)',
  },
  { name: 'RINGMASTER_PUBLISH_URL', required: false, meaning: 'public address of the directory, bucket or site' },
  { name: 'AWS_ACCESS_KEY_ID', required: false, meaning: 'for buckets: who writes them (get, put and list)' },
  {
    name: 'AWS_SECRET_ACCESS_KEY',
    required: false,
    meaning: 'for buckets: the secret of that key (with AWS_SESSION_TOKEN where it is a temporary one)',
  },
  { name: 'AWS_REGION', required: false, meaning: 'for buckets: their region' },
  {
    name: 'AWS_ENDPOINT_URL',
    required: false,
    meaning: 'for buckets: address of the store, Amazon’s of the region when left out',
  },
  {
    name: 'RINGMASTER_PUBLISH_EVERY',
    required: false,
    meaning:
      'least seconds from one publication to the next, 0 when left out; halts, withdrawals, holds and quarantine do not wait',
  },
  {
    name: 'RINGMASTER_ROSTER_DIR',
    required: false,
    meaning:
      'directory of the rosters of enrolled devices, and of what devices claim and report; never a published one',
  },
  {
    name: 'RINGMASTER_ROSTER_TO',
    required: false,
    meaning:
      '`s3://BUCKET/PREFIX` for the rosters themselves, instead of that directory: a bucket that is not public, and not the published one',
  },
  { name: 'RINGMASTER_KEYS_DIR', required: false, meaning: 'directory of the online keys that sign manifests' },
]

const GENERATE_SECRET = 'Generate one, and set it in the settings of the App too: openssl rand -hex 32'

const missing = (name: string, meaning: string): Problem<'setting-missing'> => ({
  code: 'setting-missing',
  message: `expected ${name}, ${meaning}, found nothing`,
  hint: 'See README, "Install the App". To try Ringmaster without an account: npm run demo.',
})

type Given = (name: string) => string | undefined

const givenIn =
  (env: Variables): Given =>
  (name) =>
    env[name]?.trim() || undefined

/** The names of what is required and not there. */
function addMissing(given: Given, variables: readonly Variable[], problems: Problem[]): void {
  for (const { name, required, meaning } of variables) {
    const isKeyGiven = name === 'PRIVATE_KEY' && given('PRIVATE_KEY_PATH') !== undefined
    if (required && given(name) === undefined && !isKeyGiven) problems.push(missing(name, meaning))
  }
}

function numberIn(given: Given, name: string, { least, most, fallback }: Bounds, problems: Problem[]): number {
  const text = given(name)
  if (text === undefined) return fallback
  if (/^[0-9]{1,15}$/.test(text) && Number(text) >= least && Number(text) <= most) return Number(text)
  const range = `from ${least} to ${most}`
  problems.push(invalid(`expected a number ${range} in ${name}`, `Give a whole number ${range}.`, text))
  return fallback
}

const APP_IDS: Bounds = { least: 1, most: Number.MAX_SAFE_INTEGER, fallback: 0 }

function checkedApiUrl(given: Given, problems: Problem[]): string {
  const apiUrl = apiUrlOf(given)
  if (!isWebAddress(apiUrl)) {
    const name = given('GITHUB_API_URL') === undefined ? 'GHE_HOST and GHE_PROTOCOL' : 'GITHUB_API_URL'
    problems.push(invalid(`expected an http or https address from ${name}`, 'Such as https://ghe.example/api/v3.'))
  }
  return apiUrl
}

/** What a command needs that acts as the App, yet hears no webhooks. */
export type AppSettings = Pick<ServerSettings, 'appId' | 'privateKey' | 'apiUrl'>

/** Reads these from environment variables; every missing or odd one is named at once. */
export function readAppSettings(env: Variables): Checked<AppSettings> {
  const problems: Problem[] = []
  const given = givenIn(env)
  const privateKey = privateKeyOf(given('PRIVATE_KEY'), given('PRIVATE_KEY_PATH'), problems)
  const needed = VARIABLES.filter(({ name }) => name === 'APP_ID' || name === 'PRIVATE_KEY')
  addMissing(given, needed, problems)
  const apiUrl = checkedApiUrl(given, problems)
  const appId = numberIn(given, 'APP_ID', APP_IDS, problems)
  return problems.length > 0 || !privateKey ? rejected(...problems) : accepted({ appId, privateKey, apiUrl })
}

/** Reads the settings from environment variables; every missing or odd one is named at once. */
export function readSettings(env: Variables): Checked<ServerSettings> {
  const problems: Problem[] = []
  const given = givenIn(env)
  const privateKey = privateKeyOf(given('PRIVATE_KEY'), given('PRIVATE_KEY_PATH'), problems)
  addMissing(given, VARIABLES, problems)
  const numberOf = (name: string, bounds: Bounds): number => numberIn(given, name, bounds, problems)
  const secret = given('WEBHOOK_SECRET')
  if (secret === 'development') {
    const message = 'expected a secret of your own in WEBHOOK_SECRET, found the well-known default'
    problems.push({ code: 'setting-invalid', message, hint: GENERATE_SECRET })
  } else if (secret !== undefined && secret.length < LEAST_SECRET) {
    problems.push(invalid(`expected at least ${LEAST_SECRET} characters in WEBHOOK_SECRET`, GENERATE_SECRET))
  }
  const repository = given('RINGMASTER_REPOSITORY')
  if (repository !== undefined && !REPOSITORY.test(repository)) {
    problems.push(invalid('expected owner/name in RINGMASTER_REPOSITORY', 'Such as acme/releases.'))
  }
  const logLevel = given('LOG_LEVEL') ?? 'info'
  if (!LOG_LEVELS.has(logLevel))
    problems.push(invalid(`expected one of ${[...LOG_LEVELS].join(', ')} in LOG_LEVEL`, 'Or leave it out.', logLevel))
  const everySeconds = numberOf('RINGMASTER_PUBLISH_EVERY', { least: 0, most: 86_400, fallback: 0 })
  const publication = publicationOf(env, { releaseRepository: repository ?? '', everySeconds }, problems)
  const rosterPlace = rosterPlaceOf(env, publication?.place ?? null, problems)
  const apiUrl = checkedApiUrl(given, problems)
  const appId = numberOf('APP_ID', APP_IDS)
  const port = numberOf('PORT', { least: 0, most: 65_535, fallback: 3_000 })
  const redisUrl = given('REDIS_URL') ?? null
  if (redisUrl !== null && !isRedisAddress(redisUrl))
    problems.push(invalid('expected a redis:// or rediss:// address in REDIS_URL', 'Such as redis://localhost:6379.'))
  /** Nobody knows how many there are; a part that is too small only lasts while Redis is away. */
  const fallback = redisUrl === null ? 1 : 4
  const processes = numberOf('RINGMASTER_PROCESSES', { least: 1, most: 16, fallback })
  const pushes = { least: 1, most: 60_000, fallback: PUSHES_PER_MINUTE }
  const pushesPerMinute = numberOf('RINGMASTER_PUSHES_PER_MINUTE', pushes)
  const points = { least: 60, most: 900_000, fallback: POINTS_PER_MINUTE }
  const pointsPerMinute = numberOf('RINGMASTER_POINTS_PER_MINUTE', points)
  if (problems.length > 0 || !privateKey || !secret || !repository) return rejected(...problems)
  return accepted({
    appId,
    privateKey,
    webhookSecret: secret,
    releaseRepository: repository,
    apiUrl,
    host: given('HOST') ?? 'localhost',
    port,
    logLevel,
    rosterPlace,
    rosterDirectory: given('RINGMASTER_ROSTER_DIR') ?? null,
    publication,
    processes,
    redisUrl,
    pushesPerMinute,
    pointsPerMinute,
  })
}

interface Bounds {
  readonly least: number
  readonly most: number
  readonly fallback: number
}

/** The root of the REST API, by the variables that name it. */
export const apiUrlIn = (env: Variables): string => apiUrlOf(givenIn(env))

function apiUrlOf(given: (name: string) => string | undefined): string {
  const explicit = given('GITHUB_API_URL')
  if (explicit) return explicit.replace(/\/$/, '')
  const host = given('GHE_HOST')
  return host ? `${given('GHE_PROTOCOL') ?? 'https'}://${host}/api/v3` : 'https://api.github.com'
}

const REPOSITORY = /^[A-Za-z0-9_.-]+\/[A-Za-z0-9_.-]+$/
const PLACES = ['RINGMASTER_PUBLISH_DIR', 'RINGMASTER_PUBLISH_TO'] as const
const BESIDE = ['RINGMASTER_PUBLISH_URL', 'RINGMASTER_KEYS_DIR'] as const

function publicationOf(
  env: Variables,
  { releaseRepository, everySeconds }: { readonly releaseRepository: string; readonly everySeconds: number },
  problems: Problem[],
): PublicationSettings | null {
  const given = (name: string): string | undefined => env[name]?.trim() || undefined
  const [directory, address] = PLACES.map(given)
  const [publicUrl, keysDirectory] = BESIDE.map(given)
  if (publicUrl !== undefined && !isWebAddress(publicUrl))
    problems.push(invalid('expected an http or https address in RINGMASTER_PUBLISH_URL', 'Devices fetch from it.'))
  if (directory && address) {
    problems.push({
      code: 'setting-invalid',
      message: `expected one of ${PLACES.join(' and ')}, found both`,
      hint: 'The App publishes to one place; copies of a directory are made by others.',
    })
    return null
  }
  const place = directory
    ? ({ kind: 'directory', directory } as const)
    : placeOf(address, env, releaseRepository, problems)
  if (place && publicUrl && keysDirectory)
    return { place, publicUrl: publicUrl.replace(/\/$/, ''), keysDirectory, everySeconds }
  const isPlaced = directory !== undefined || address !== undefined
  const absent = [...(isPlaced ? [] : [PLACES.join(' or ')]), ...BESIDE.filter((name) => given(name) === undefined)]
  if (absent.length > 0 && absent.length <= BESIDE.length) {
    problems.push({
      code: 'setting-missing',
      message: `expected a place to publish to, ${BESIDE.join(' and ')}, or none of them, found ${absent.join(', ')} missing`,
      hint: 'Manifests are published when all three are set.',
    })
  }
  return null
}

function rosterPlaceOf(env: Variables, published: Place | PagesPlace | null, problems: Problem[]): Place | null {
  const [directory, address] = ['RINGMASTER_ROSTER_DIR', 'RINGMASTER_ROSTER_TO'].map(
    (name) => env[name]?.trim() || null,
  )
  if (address && !isBucketAddress(address)) {
    const hint = 'The path of a directory goes into RINGMASTER_ROSTER_DIR.'
    problems.push(invalid('expected s3://BUCKET/PREFIX in RINGMASTER_ROSTER_TO', hint))
    return null
  }
  const text = address ?? directory
  if (text == null) return null
  const place = readRosterPlace(text, env, published?.kind === 'pages' ? null : published)
  if (place.ok) return place.value
  problems.push(...place.problems)
  return null
}

function placeOf(
  address: string | undefined,
  env: Variables,
  releaseRepository: string,
  problems: Problem[],
): Place | PagesPlace | undefined {
  if (address === undefined) return undefined
  if (isBucketAddress(address)) {
    const place = readPlace(address, env)
    if (place.ok) return place.value
    problems.push(...place.problems)
    return undefined
  }
  const [kind, repository = releaseRepository] = address.split(':')
  if (kind === 'pages' && (repository === releaseRepository || REPOSITORY.test(repository)))
    return { kind: 'pages', repository }
  problems.push(
    invalid(
      'expected pages, pages:OWNER/NAME or s3://BUCKET/PREFIX in RINGMASTER_PUBLISH_TO',
      'The path of a directory goes into RINGMASTER_PUBLISH_DIR.',
    ),
  )
  return undefined
}
