import { isAscii } from 'node:buffer'
import { TextDecoder } from 'node:util'
import { z } from 'zod'
import { type EventDraft, LedgerEvent, type Model, NO_PREVIOUS } from '../core/event.ts'
import { canonicalJson, sha256 } from '../core/json.ts'
import { accepted, type Checked, quoted, rejected } from '../core/problem.ts'
import { quickCheck } from '../core/quick-check.ts'
import { Head, type LogPosition, SCHEMA_VERSION } from './schema.ts'
import { openLine, sealLine } from './sealed.ts'
import { integrityError, integrityProblem, type LedgerCode, type LedgerProblem } from './trouble.ts'

export const HEAD_PATH = 'head.json'

/** The version that a program must have to write what this one writes. */
export const MIN_WRITER = '0.1.0'

/** The first position of the first epoch. */
export const ORIGIN: LogPosition = { seq: 0, tip: NO_PREVIOUS }

/** GraphQL cuts blobs at 512,000 bytes; event files stay at half of that. */
export const MAX_EVENT_FILE_BYTES = 256 * 1024
/** One event must leave room for others in its file. */
export const MAX_LINE_BYTES = 128 * 1024

export interface EncodedEvents {
  readonly events: readonly LedgerEvent[]
  /** One line of text for each event, without its newline. */
  readonly lines: readonly string[]
  readonly position: LogPosition
}

/** Gives drafts their places in the log after `from`: numbers, chain, and the exact lines with their texts sealed. */
export function encodeEvents(
  drafts: readonly EventDraft[],
  from: LogPosition,
  textsOf: Model['textsOf'] = () => [],
): EncodedEvents {
  let { seq, tip } = from
  const events: LedgerEvent[] = []
  const lines: string[] = []
  for (const draft of drafts) {
    const { type, key, at, actor, source, trust, data } = draft
    seq += 1
    const plain = JSON.stringify({ seq, type, key, at, actor, source, trust, data: data ?? null, prev: tip })
    // Read back, so that a running writer holds what every later reader will: no undefined, no Dates.
    events.push(JSON.parse(plain) as LedgerEvent)
    const { line, digest } = sealLine(plain, textsOf(draft))
    tip = digest
    lines.push(line)
  }
  return { events, lines, position: { seq, tip } }
}

/** What an event file follows. `tip: null` leaves the link to the line before unchecked. */
export interface Expected {
  readonly seq: number
  readonly tip: string | null
}

export interface EventFile {
  readonly events: readonly LedgerEvent[]
  readonly position: LogPosition
  /** Events whose texts are gone: whether somebody was entitled to that, an `event.redacted` behind them says. */
  readonly redacted: readonly { readonly seq: number; readonly line: number; readonly members: readonly string[] }[]
}

const NEWLINE = 0x0a
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

const parseText = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const parseJson = (bytes: Uint8Array): { readonly value: unknown } | undefined => {
  try {
    return { value: JSON.parse(decoder.decode(bytes)) as unknown }
  } catch {
    return undefined
  }
}

const firstIssue = (error: z.ZodError): string => {
  const issue = error.issues[0]
  return issue ? `${issue.path.join('.') || 'the whole'}: ${issue.message}` : 'unknown'
}

function lineProblems(event: LedgerEvent, expected: Expected): string[] {
  const found: string[] = []
  if (event.seq !== expected.seq + 1) found.push(`expected event ${expected.seq + 1}, found event ${event.seq}`)
  if (expected.tip !== null && event.prev !== expected.tip) {
    found.push(
      `expected the chain to name ${expected.tip} as the line before, found ${event.prev}: this line or the one before was edited`,
    )
  }
  return found
}

const fitsEvent = quickCheck(LedgerEvent)
/** For an event whose `prev` is the very digest that it has to be: its form need not be looked at. */
const fitsChained = quickCheck(LedgerEvent.extend({ prev: z.string() }))

/** Whether a value is an event that names a line as the one before; any line where that is not known (`tip` null). */
const isNext = (value: unknown, tip: string | null): value is LedgerEvent =>
  tip === null ? fitsEvent(value) : fitsChained(value) && (value as LedgerEvent).prev === tip

/** A file in which everything is as it must be; null when something may not be, which the strict reader then names. */
function readSound(bytes: Uint8Array, after: Expected): EventFile | null {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  // Line by line: a string of a whole file costs several times as much, because it is too large for the young heap.
  const isPlain = isAscii(buffer)
  const events: LedgerEvent[] = []
  const redacted: { seq: number; line: number; members: readonly string[] }[] = []
  let { seq, tip } = after
  for (let start = 0; start < buffer.length; ) {
    const end = buffer.indexOf(NEWLINE, start)
    if (end < 0) return null
    const raw = buffer.subarray(start, end)
    const opened = openLine(isPlain ? parseText(buffer.toString('latin1', start, end)) : parseJson(raw)?.value, raw)
    if (!opened.ok || !isNext(opened.value.event, tip)) return null
    const { event, digest, redacted: members } = opened.value
    seq += 1
    if (event.seq !== seq) return null
    events.push(event)
    if (members.length > 0) redacted.push({ seq, line: events.length, members })
    tip = digest
    start = end + 1
  }
  return tip === null || events.length === 0 ? null : { events, position: { seq, tip }, redacted }
}

/**
 * Reads one event file strictly: every line an event, numbered on from `after`, chained by the digest of the line
 * before, its texts as they were sealed. Reports every broken line with the path and its 1-based number.
 */
export function parseEventFile(path: string, bytes: Uint8Array, after: Expected): Checked<EventFile, LedgerCode> {
  const sound = readSound(bytes, after)
  return sound ? accepted(sound) : readStrictly(path, bytes, after)
}

function readStrictly(path: string, bytes: Uint8Array, after: Expected): Checked<EventFile, LedgerCode> {
  const problems: LedgerProblem[] = []
  const report = (line: number, message: string) =>
    problems.push(integrityProblem('ledger-damaged', `${path}:${line}: ${message}`, { path, line }))
  const events: LedgerEvent[] = []
  const redacted: { seq: number; line: number; members: readonly string[] }[] = []
  let expected = after
  let start = 0
  let line = 0
  while (start < bytes.length) {
    line += 1
    const end = bytes.indexOf(NEWLINE, start)
    const raw = bytes.subarray(start, end < 0 ? bytes.length : end)
    start = end < 0 ? bytes.length : end + 1
    if (end < 0) report(line, 'expected the line to end with a newline, found the end of the file')
    const json = parseJson(raw)
    const opened = json && openLine(json.value, raw)
    const parsed = opened?.ok ? LedgerEvent.safeParse(opened.value.event) : undefined
    if (opened && !opened.ok) for (const { message } of opened.problems) report(line, message)
    else if (!json) report(line, `expected an event as JSON, found ${quoted(Buffer.from(raw).toString('utf8'))}`)
    else if (!parsed?.success) report(line, `expected an event, found ${parsed ? firstIssue(parsed.error) : 'nothing'}`)
    else {
      for (const message of lineProblems(parsed.data, expected)) report(line, message)
      events.push(parsed.data)
      const members = opened?.ok ? opened.value.redacted : []
      if (members.length > 0) redacted.push({ seq: parsed.data.seq, line, members })
    }
    const tip = opened?.ok ? opened.value.digest : sha256(raw)
    expected = { seq: parsed?.success ? parsed.data.seq : expected.seq + 1, tip }
  }
  if (line === 0) report(1, 'expected at least one event, found an empty file')
  return problems.length > 0
    ? rejected(...problems)
    : accepted({ events, position: { seq: expected.seq, tip: expected.tip ?? NO_PREVIOUS }, redacted })
}

/** What is wrong with the version that a stored file names. Where it names none, it is no file of any other version. */
function versionProblem(path: string, value: unknown): LedgerProblem | null {
  const version = (value as { schemaVersion?: unknown } | null)?.schemaVersion
  if (version === SCHEMA_VERSION) return null
  const code = version === undefined ? 'ledger-damaged' : 'unknown-schema-version'
  const found = version === undefined ? 'none' : quoted(version)
  return integrityProblem(code, `${path}: expected schemaVersion ${SCHEMA_VERSION}, found ${found}`, { path })
}

/**
 * Throws `unknown-schema-version` for a stored file that names another version, such as one of a newer program: whatever
 * else is wrong with it, it is not to be overwritten.
 */
export function refuseOtherVersion(path: string, bytes: Uint8Array | null | undefined): void {
  const json = bytes && parseJson(bytes)
  const problem = json ? versionProblem(path, json.value) : null
  if (problem?.code === 'unknown-schema-version') throw integrityError(problem)
}

/** Reads a stored JSON file: known schema version first, then every field. `bytes` null means the file is missing. */
export function parseStored<T extends z.ZodType>(
  schema: T,
  path: string,
  bytes: Uint8Array | null | undefined,
): Checked<z.infer<T>, LedgerCode> {
  if (!bytes) return rejected(integrityProblem('ledger-damaged', `expected the file ${path}, found none`, { path }))
  const json = parseJson(bytes)
  if (!json)
    return rejected(integrityProblem('ledger-damaged', `${path}: expected JSON, found something else`, { path }))
  const other = versionProblem(path, json.value)
  if (other) return rejected(other)
  const parsed = schema.safeParse(json.value)
  if (parsed.success) return accepted(parsed.data)
  const problems = parsed.error.issues.map((issue) =>
    integrityProblem('ledger-damaged', `${path}: ${issue.path.join('.')}: ${issue.message}`, { path }),
  )
  return rejected(...problems)
}

/** Reads `head.json`. */
export const parseHead = (bytes: Uint8Array | null | undefined): Checked<Head, LedgerCode> =>
  parseStored(Head, HEAD_PATH, bytes)

/** Canonical JSON with a newline at its end, as every stored JSON file is written. */
export const encodeStored = (value: unknown): Uint8Array => Buffer.from(`${canonicalJson(value)}\n`, 'utf8')

/** Cuts lines into files of at most `MAX_EVENT_FILE_BYTES`; each begins with the number of its first event. */
export function cutIntoFiles(
  lines: readonly string[],
  firstSeq: number,
): { readonly firstSeq: number; readonly bytes: Uint8Array }[] {
  const files: { firstSeq: number; text: string[]; size: number }[] = []
  for (const [index, line] of lines.entries()) {
    const size = Buffer.byteLength(line) + 1
    const last = files.at(-1)
    if (last && last.size + size <= MAX_EVENT_FILE_BYTES) {
      last.text.push(line)
      last.size += size
    } else files.push({ firstSeq: firstSeq + index, text: [line], size })
  }
  return files.map((file) => ({ firstSeq: file.firstSeq, bytes: Buffer.from(`${file.text.join('\n')}\n`, 'utf8') }))
}
