import { draft } from '../core/catalogue.ts'
import type { LedgerEvent, Model } from '../core/event.ts'
import { quoted, RingmasterError } from '../core/problem.ts'
import { cutIntoFiles, encodeEvents, HEAD_PATH, parseHead } from './codec.ts'
import { eventFilePath, eventPaths, firstSeqOf, folderFor } from './event-files.ts'
import { evolved } from './position.ts'
import { checkRebuildable, commitRebuilt } from './rebuild.ts'
import { replayLog } from './replay.ts'
import { textAt, withoutTexts } from './sealed.ts'
import type { LedgerStore } from './store.ts'
import { integrityError } from './trouble.ts'
import type { Writer } from './writer.ts'

export interface Redaction {
  /** The event whose texts are taken out. */
  readonly seq: number
  /** JSON pointers into its data; all of its texts when left out. */
  readonly members?: readonly string[]
  readonly reason: string
  /** Who decided it: a login. */
  readonly by: string
}

export interface Redacted {
  /** Null for a dry run. */
  readonly commit: string | null
  readonly type: string
  readonly members: readonly string[]
  /** Other events in whose texts one of these still stands. */
  readonly copies: readonly { readonly seq: number; readonly members: readonly string[] }[]
}

/** A text of fewer characters stands in others by chance. */
const MIN_COPIED_CHARACTERS = 6

const refused = (message: string, hint: string) =>
  new RingmasterError('bad-input', { code: 'nothing-to-redact', message, hint })

const closed = (message: string) =>
  new RingmasterError('refused', {
    code: 'ledger-succeeded',
    message,
    hint: 'What was closed stays as it is: texts are taken out before an epoch is opened. Take out its copies in the epoch that is open, and limit who can read the release repository: docs/ledger.md, "Take a text out".',
  })

async function fileOf(store: LedgerStore, commit: string, seq: number): Promise<string | undefined> {
  let found: string | undefined
  for await (const { path, known } of eventPaths(store, commit)) {
    if (!known) continue
    if ((firstSeqOf(path) ?? 0) > seq) break
    found = path
  }
  return found
}

/** The store as if one file had other bytes. */
const withFile = (store: LedgerStore, path: string, bytes: Uint8Array): LedgerStore => ({
  name: store.name,
  readLagMs: store.readLagMs,
  newest: (paths) => store.newest(paths),
  commit: (request) => store.commit(request),
  list: (commit, directory) => store.list(commit, directory),
  history: (commit, options) => store.history(commit, options),
  read: async (commit, paths) => {
    const files = await store.read(commit, paths)
    if (files.get(path)) files.set(path, bytes)
    return files
  },
})

/** The texts of an event that are still there, checked against those that were asked for. */
function membersOf(
  event: LedgerEvent,
  model: Model,
  open: ReadonlySet<string>,
  wanted: Redaction['members'],
): string[] {
  const there = (model.textsOf?.(event) ?? []).filter((pointer) => open.has(pointer))
  const hint = 'Texts that people wrote can be taken out; ids, logins, versions and names of things stay.'
  const what = `event ${event.seq} (${event.type})`
  if (there.length === 0) throw refused(`expected ${what} to hold a text, found none that is still there`, hint)
  const strange = wanted?.find((pointer) => !there.includes(pointer))
  if (strange === undefined) return [...(wanted ?? there)]
  throw refused(`expected a text of ${what}: ${there.join(', ')}; found ${quoted(strange)}`, hint)
}

/**
 * Takes texts of one event out of the log, as one commit: its file without them, an `event.redacted` that says so, and
 * head and snapshots anew. Chain and digests stay. Nothing is written without `newId`. Throws what is wrong with the log,
 * `foreign-author` for what somebody else committed, `nothing-to-redact`, `ledger-succeeded` for an event of an epoch that was closed, or `ledger-contended`.
 */
export async function redactEvent(
  store: LedgerStore,
  model: Model,
  redaction: Redaction,
  { now, newId, writer }: { readonly now: string; readonly newId: (() => string) | null; readonly writer: Writer },
): Promise<Redacted> {
  const { seq } = redaction
  /** A head that cannot be read cannot say that the branch was closed. */
  const newest = await store.newest([HEAD_PATH])
  const head = newest && parseHead(newest.files.get(HEAD_PATH))
  if (head && !head.ok) throw integrityError(head.problems)
  const events = new Map<number, LedgerEvent>()
  const whole = await replayLog(store, model, {
    now,
    seen: (event) => {
      if (event.seq === seq || (model.textsOf?.(event) ?? []).length > 0) events.set(event.seq, event)
    },
  })
  const { origin, succeededBy } = whole.head
  if (succeededBy !== undefined)
    throw closed(
      `${store.name}: expected the branch of the epoch that is open, found that it was closed: the log goes on in ${succeededBy}`,
    )
  if (seq <= origin.seq)
    throw closed(
      `${store.name}: expected an event of the epoch that is open, from ${origin.seq + 1} on, found event ${seq} of one that was closed`,
    )
  const event = events.get(seq)
  const path = await fileOf(store, whole.commit, seq)
  if (!event || path === undefined) {
    const hint = '"ringmaster ledger log" shows the number of each event.'
    throw refused(`expected the number of an event up to ${whole.end.seq}, found ${seq}`, hint)
  }
  const bytes = (await store.read(whole.commit, [path])).get(path) ?? new Uint8Array()
  const lines = Buffer.from(bytes).toString('utf8').split('\n')
  const at = seq - (firstSeqOf(path) ?? 0)
  const line = lines[at] ?? ''
  const { open = {} } = JSON.parse(line) as { open?: Record<string, unknown> }
  const members = membersOf(event, model, new Set(Object.keys(open)), redaction.members)
  const copies = copiesOf([...events.values()], event, members, model)
  const told = { type: event.type, members, copies }
  if (newId === null) {
    await checkRebuildable(store, whole, writer)
    return { commit: null, ...told }
  }

  const edited = Buffer.from(lines.with(at, withoutTexts(line, members)).join('\n'), 'utf8')
  const said = draft(
    'event.redacted',
    { seq, members, reason: redaction.reason, by: redaction.by },
    {
      key: `redaction:${seq}:${members.join('+')}`,
      at: now,
      actor: null,
      source: { kind: 'operator' },
      trust: 'claimed',
    },
  )
  const replayed = await replayLog(withFile(store, path, edited), model, { now, pending: said })
  const encoded = encodeEvents([said], replayed.end, model.textsOf)
  const states = new Map(replayed.states)
  for (const own of encoded.events)
    for (const key of model.keysOf(own)) states.set(key, evolved(model, key, states.get(key), own))
  const folder = folderFor(now, replayed.folder)
  const [file] = cutIntoFiles(encoded.lines, replayed.end.seq + 1)
  const added = {
    path: eventFilePath(folder.path, replayed.end.seq + 1, newId()),
    bytes: file?.bytes ?? new Uint8Array(),
  }
  const keys = [...replayed.keys, ...encoded.events.map((own) => ({ seq: own.seq, key: own.key }))]
  const { commit } = await commitRebuilt(
    store,
    { ...replayed, end: encoded.position, states, keys, folder },
    { now, newId, writer, headline: `event ${seq} redacted`, additions: [{ path, bytes: edited }, added] },
  )
  return { commit, ...told }
}

function copiesOf(
  events: readonly LedgerEvent[],
  from: LedgerEvent,
  members: readonly string[],
  model: Model,
): Redacted['copies'] {
  const texts = members.flatMap((pointer) => textAt(from.data, pointer) ?? [])
  const long = texts.filter((text) => text.length >= MIN_COPIED_CHARACTERS)
  return events.flatMap((event) => {
    if (event.seq === from.seq) return []
    const held = (model.textsOf?.(event) ?? []).filter((pointer) =>
      long.some((text) => textAt(event.data, pointer)?.includes(text)),
    )
    return held.length > 0 ? [{ seq: event.seq, members: held }] : []
  })
}
