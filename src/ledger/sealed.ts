import { createHmac, randomBytes } from 'node:crypto'
import { LedgerLine, REDACTED } from '../core/event.ts'
import { sha256 } from '../core/json.ts'
import { accepted, type Checked, rejected } from '../core/problem.ts'

type Open = NonNullable<ReturnType<typeof LedgerLine.parse>['open']>

export interface SealedLine {
  readonly line: string
  readonly digest: string
}

const commitmentTo = (salt: string, text: string): string => createHmac('sha256', salt).update(text).digest('base64url')

/** 128 bits for each text, so that even a short one cannot be guessed from what stays. */
const newSalt = (): string => randomBytes(16).toString('base64url')

/** Where a pointer leads in a value: the object or list and the name in it; undefined where there is no such place. */
function placeOf(
  value: unknown,
  pointer: string,
): { readonly at: Record<string, unknown>; readonly name: string } | undefined {
  const steps = pointer.slice(1).split('/')
  const name = steps.pop() ?? ''
  let at = value
  for (const step of steps) at = isHolder(at) && Object.hasOwn(at, step) ? at[step] : undefined
  return isHolder(at) && Object.hasOwn(at, name) ? { at, name } : undefined
}

const isHolder = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

/** The text at a pointer into the data of an event; undefined where there is none. */
export function textAt(data: unknown, pointer: string): string | undefined {
  const place = placeOf(data, pointer)
  const text = place?.at[place.name]
  return typeof text === 'string' ? text : undefined
}

const withOpen = (core: string, open: Open): string =>
  Object.keys(open).length === 0 ? core : `${core.slice(0, -1)},"open":${JSON.stringify(open)}}`

/** The line of an event, given as JSON, with the texts at these pointers into its data sealed. */
export function sealLine(plain: string, pointers: readonly string[]): SealedLine {
  if (pointers.length === 0) return { line: plain, digest: sha256(plain) }
  const event = JSON.parse(plain) as { data: unknown }
  const sealed: Record<string, string> = {}
  const open: Open = {}
  for (const pointer of pointers) {
    const place = placeOf(event.data, pointer)
    const text = place?.at[place.name]
    if (!place || typeof text !== 'string') continue
    const salt = newSalt()
    sealed[pointer] = commitmentTo(salt, text)
    open[pointer] = [salt, text]
    place.at[place.name] = REDACTED
  }
  if (Object.keys(sealed).length === 0) return { line: plain, digest: sha256(plain) }
  const core = JSON.stringify({ ...event, sealed })
  return { line: withOpen(core, open), digest: sha256(core) }
}

export interface OpenedLine {
  readonly event: unknown
  readonly digest: string
  /** The texts that were taken out, as JSON pointers into the data. */
  readonly redacted: readonly string[]
}

const isSealed = (value: unknown): boolean => isHolder(value) && ('sealed' in value || 'open' in value)

const problem = (message: string) => rejected({ code: 'ledger-damaged' as const, message })

/** The bytes of a line that its digest covers; undefined when `open` is not the last of it, as it is written. */
function coreOf(raw: Uint8Array, open: Open | undefined): Uint8Array | undefined {
  if (open === undefined) return raw
  const end = Buffer.from(`,"open":${JSON.stringify(open)}}`, 'utf8')
  const start = raw.length - end.length
  if (start < 0 || Buffer.compare(raw.subarray(start), end) !== 0) return undefined
  return Buffer.concat([raw.subarray(0, start), Buffer.from('}')])
}

/**
 * Takes a parsed line apart: the event with its texts in their places, the digest of the line, and what was taken out.
 * `value` is changed. A text that is not the one that was sealed is a problem.
 */
export function openLine(value: unknown, raw: Uint8Array): Checked<OpenedLine, 'ledger-damaged'> {
  if (!isSealed(value)) return accepted({ event: value, digest: sha256(raw), redacted: [] })
  const parsed = LedgerLine.safeParse(value)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    return problem(`expected an event, found ${issue?.path.join('.') ?? 'the whole'}: ${issue?.message ?? 'unknown'}`)
  }
  const { sealed = {}, open, ...event } = parsed.data
  const core = coreOf(raw, open)
  if (core === undefined) return problem('expected "open" to end the line as it was written, found it elsewhere')
  const stray = Object.keys(open ?? {}).find((pointer) => !Object.hasOwn(sealed, pointer))
  if (stray !== undefined) return problem(`expected an open text to be sealed, found ${stray} is not`)
  const redacted: string[] = []
  for (const [pointer, commitment] of Object.entries(sealed)) {
    const place = placeOf(event.data, pointer)
    if (place?.at[place.name] !== REDACTED)
      return problem(`expected ${REDACTED} in the place of the sealed text ${pointer}, found something else`)
    const entry = open?.[pointer]
    if (entry === undefined) redacted.push(pointer)
    else if (commitmentTo(...entry) !== commitment)
      return problem(`expected the text of ${pointer} to be the one that was sealed, found another`)
    else place.at[place.name] = entry[1]
  }
  return accepted({ event, digest: sha256(core), redacted })
}

/** The same line without the salts and texts at these pointers; its digest stays. */
export function withoutTexts(line: string, pointers: readonly string[]): string {
  const { open = {} } = JSON.parse(line) as { open?: Open }
  const core = coreOf(Buffer.from(line), Object.keys(open).length === 0 ? undefined : open)
  if (core === undefined) throw new TypeError('expected a line that was read before')
  const kept = Object.fromEntries(Object.entries(open).filter(([pointer]) => !pointers.includes(pointer)))
  return withOpen(Buffer.from(core).toString('utf8'), kept)
}
