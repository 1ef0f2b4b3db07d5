import type { IncomingMessage, ServerResponse } from 'node:http'
import { z } from 'zod'
import { resolveUpdate, type UpdateBody, type UpdateQuestion, updateBody } from '../core/cohort/answer-update.ts'
import { DeviceReport, Id } from '../core/cohort/schema.ts'
import { BUNDLES_KEY, type CohortState, cohortKey, type SignedBundles } from '../core/cohort/state.ts'
import { readConfiguration } from '../core/config/in-force.ts'
import type { CohortConfig } from '../core/config/schema.ts'
import { EnrolmentRecord, isEnrolledBy } from '../core/manifest/enrolment.ts'
import type { Manifest } from '../core/manifest/schema.ts'
import type { Log } from '../engine/ports.ts'
import { settleView } from '../engine/settle.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { DeviceBooks } from '../roster/device-book.ts'
import type { RosterStore } from '../roster/store.ts'
import { jsonOf, readBody } from './read-body.ts'

export interface DevicesOptions {
  readonly ledger: Pick<Ledger, 'view'>
  readonly books: DeviceBooks
  readonly roster: RosterStore
  readonly published: (cohort: string) => Promise<Manifest | undefined>
  readonly clock: () => string
  readonly log: Log
}

/** What devices ask of the server. */
export interface Devices {
  /** Whether a request is one of theirs. Its body is not touched. */
  isTheirs(request: IncomingMessage): boolean
  /** Answers one of theirs. Never throws. */
  answer(request: IncomingMessage, response: ServerResponse): Promise<void>
}

/** The device's enrolment record, as base64url of its JSON. */
export const ENROLMENT_HEADER = 'ringmaster-enrolment'
const TARGET_HEADER = 'ringmaster-target'
const MAX_BODY_BYTES = 64 * 1_024
/** How long a manifest and the size of a roster are held: a halt reaches a polling device later than that anyway. */
const HELD_MS = 10_000

const Reported = z.strictObject({
  enrolment: EnrolmentRecord,
  release: Id,
  said: z.enum(['asked', 'installed', 'failed']),
  /** What it runs now. */
  report: DeviceReport.optional(),
})

interface Reply {
  readonly status: number
  readonly body: object
}

const refusal = (status: number, code: string, message: string): Reply => ({
  status,
  body: { error: { code, message } },
})
const NOT_ENROLLED = refusal(
  401,
  'not-enrolled',
  `expected an enrolment record signed by an enrolment key of its cohort in the header ${ENROLMENT_HEADER}`,
)

const NOT_FOUND = refusal(404, 'not-found', 'expected GET /update or POST /reports')
const BASE = 'http://server'

interface Known {
  readonly config: CohortConfig
  readonly state: CohortState
  readonly signed: ReadonlySet<string>
}

export function createDevices(options: DevicesOptions): Devices {
  const { ledger, books, roster, published, clock, log } = options
  const manifestOf = held(published, clock)
  const sizeOf = held(async (cohort: string) => {
    const enrolled = await roster.read(cohort, Number.MAX_SAFE_INTEGER)
    return enrolled?.entries.length
  }, clock)
  /** Claims of one cohort are decided one after the other: first come, first served, and never one too many. */
  const turns = new Map<string, Promise<unknown>>()

  async function cohortOf(record: EnrolmentRecord): Promise<Known | null> {
    const view = await ledger.view()
    const inForce = await settleView(() => readConfiguration(), view)
    const config = inForce?.configuration.cohorts.find(({ id }) => id === record.cohort)
    if (!config?.enrolmentKeys.some((key) => isEnrolledBy(record, key))) return null
    const [state, signed] = await Promise.all([view.state(cohortKey(config.id)), view.state(BUNDLES_KEY)])
    if (state === undefined) return null
    const bundles = (signed as SignedBundles | undefined)?.bundles ?? []
    return { config, state: state as CohortState, signed: new Set(bundles) }
  }

  const inTurn = <T>(cohort: string, work: () => Promise<T>): Promise<T> => {
    const turn = (turns.get(cohort) ?? Promise.resolve()).then(work, work)
    turns.set(cohort, turn)
    return turn
  }

  async function update(request: IncomingMessage, expand: readonly string[]): Promise<Reply> {
    const record = enrolmentIn(request)
    const known = record && (await cohortOf(record))
    if (!record || !known) return NOT_ENROLLED
    const { pseudonym, epoch, tags, cohort } = record
    const header = (name: string): string | undefined => [request.headers[name] ?? []].flat()[0] || undefined
    const given = {
      release: header('peridio-release-prn'),
      bundle: header('peridio-bundle-prn'),
      version: header('peridio-release-version'),
    }
    const report = DeviceReport.safeParse(Object.fromEntries(Object.entries(given).filter(([, value]) => value)))
    if (!report.success) return refusal(400, 'report-invalid', 'expected shorter values in the headers of the report')
    const target = header(TARGET_HEADER)
    const device = { pseudonym, epoch, tags, quarantined: false, ...(target === undefined ? {} : { target }) }
    const book = await books.of(cohort)
    return inTurn(cohort, async () => {
      const now = clock()
      await book.runs(device, report.data, now)
      const { release } = report.data
      if (release !== undefined && known.state.releases.some(({ id }) => id === release))
        await book.heard({ device: pseudonym, release, said: 'installed', at: now })
      const size = (await sizeOf(cohort)) ?? book.known().size
      const manifest = await manifestOf(cohort)
      const question: UpdateQuestion = {
        ...known,
        published: manifest,
        book: book.claims(size),
        device,
        report: report.data,
        now,
      }
      const resolution = resolveUpdate(question)
      if (resolution.kind === 'update' && resolution.source.kind === 'release') {
        if (resolution.takesClaim) await book.claim(resolution.source.id, pseudonym, now)
        await book.heard({ device: pseudonym, release: resolution.source.id, said: 'asked', at: now })
      }
      return { status: 200, body: expanded(updateBody(resolution, question), expand) }
    })
  }

  async function report(request: IncomingMessage): Promise<Reply> {
    const read = Reported.safeParse(await bodyOf(request))
    if (!read.success)
      return refusal(
        400,
        'report-invalid',
        `expected a report: ${read.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')}`,
      )
    const { enrolment, release, said, report: running } = read.data
    const known = await cohortOf(enrolment)
    if (!known) return NOT_ENROLLED
    if (!known.state.releases.some(({ id }) => id === release))
      return refusal(404, 'unknown-release', 'expected a release of the cohort')
    const { pseudonym, epoch, tags, cohort } = enrolment
    const book = await books.of(cohort)
    const at = clock()
    await book.heard({ device: pseudonym, release, said, at })
    if (running) await book.runs({ pseudonym, epoch, tags, quarantined: false }, running, at)
    return { status: 202, body: { status: 'taken' } }
  }

  const ROUTES: ReadonlyMap<string, (request: IncomingMessage, url: URL) => Promise<Reply>> = new Map([
    ['GET /update', (request: IncomingMessage, url: URL) => update(request, url.searchParams.getAll('expand[]'))],
    ['POST /reports', (request: IncomingMessage) => report(request)],
  ])

  const urlOf = (request: IncomingMessage): URL | null =>
    URL.canParse(request.url ?? '', BASE) ? new URL(request.url ?? '', BASE) : null
  const routeOf = (request: IncomingMessage) => ROUTES.get(`${request.method} ${urlOf(request)?.pathname}`)

  return {
    isTheirs: (request) => routeOf(request) !== undefined,
    async answer(request, response) {
      const url = urlOf(request)
      const route = routeOf(request)
      const reply = url && route ? await route(request, url).catch((error: unknown) => failed(url, error)) : NOT_FOUND
      const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' }
      response.writeHead(reply.status, headers).end(JSON.stringify(reply.body))
    },
  }

  function failed(url: URL, error: unknown): Reply {
    log.error({ path: url.pathname, error: String(error) }, 'a device could not be answered')
    return refusal(503, 'not-now', 'the answer could not be found out; ask again later')
  }
}

/** The members that a client asked for beside the status; every one where it asked for none by name. */
function expanded(body: UpdateBody, expand: readonly string[]): object {
  if (expand.length === 0) return body
  const wanted = new Set(['status', ...expand.map((path) => path.split(/[.[{]/, 1)[0] ?? '')])
  return Object.fromEntries(Object.entries(body).filter(([name]) => wanted.has(name)))
}

function enrolmentIn(request: IncomingMessage): EnrolmentRecord | null {
  const text = [request.headers[ENROLMENT_HEADER] ?? []].flat()[0]
  if (!text) return null
  try {
    const read = EnrolmentRecord.safeParse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')))
    return read.success ? read.data : null
  } catch {
    return null
  }
}

/** The JSON of a body, or undefined where it is none or too long. */
async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const text = await readBody(request, MAX_BODY_BYTES)
  return text === undefined ? undefined : jsonOf(text)
}

/** Answers of the last seconds again; a failure is not held. */
function held<T>(look: (key: string) => Promise<T>, clock: () => string): (key: string) => Promise<T> {
  const known = new Map<string, { readonly untilMs: number; readonly answer: Promise<T> }>()
  return (key) => {
    const nowMs = Date.parse(clock())
    const before = known.get(key)
    if (before && nowMs < before.untilMs) return before.answer
    const answer = look(key)
    known.set(key, { untilMs: nowMs + HELD_MS, answer })
    answer.catch(() => known.delete(key))
    return answer
  }
}
