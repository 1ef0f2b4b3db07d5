import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { Model } from '../../src/core/event.ts'
import { encodeEvents, ORIGIN, parseEventFile } from '../../src/ledger/codec.ts'
import { gitHubStore } from '../../src/ledger/github.ts'
import { type MemoryBranch, memoryBranch, memoryStore } from '../../src/ledger/memory.ts'
import { readLog } from '../../src/ledger/read-log.ts'
import { rebuildSnapshots } from '../../src/ledger/rebuild.ts'
import { redactEvent } from '../../src/ledger/redact.ts'
import { withoutTexts } from '../../src/ledger/sealed.ts'
import { verifyLedger } from '../../src/ledger/verify.ts'
import { fakeGitHub } from './fake-github.ts'
import { nextId, opened, record } from './opened.ts'
import { counted, counterModel } from './small-model.ts'

/** Counters that remember the last note, which is a text. */
const noting: Model = {
  keysOf: (event) => (event.type === 'event.redacted' ? [] : counterModel.keysOf(event)),
  evolve: (key, state, event) => ({
    ...(counterModel.evolve(key, state, event) as object),
    note: (event.data as { note?: string }).note ?? null,
  }),
  textsOf: ({ type, data }) => {
    if (type === 'event.redacted') return ['/reason']
    const { note, more = [] } = data as { note?: string; more?: string[] }
    return [...(note === undefined ? [] : ['/note']), ...more.map((_, index) => `/more/${index}`)]
  },
}

const NOW = '2026-11-20T10:00:00Z'
const WRITER = { version: '0.1.0' }
const noted = (note: string, more: string[] = []) =>
  counted(['a'], 1, { data: { products: ['a'], amount: 1, note, more } })
const SAID = { reason: 'names a customer', by: 'ann' }
const redact = (branch: MemoryBranch, seq: number, members?: string[], newId: (() => string) | null = nextId) =>
  redactEvent(
    memoryStore(branch),
    noting,
    { seq, ...SAID, ...(members ? { members } : {}) },
    { now: NOW, newId, writer: WRITER },
  )
const verified = (branch: MemoryBranch, anchors: { seq: number; digest: string }[] = []) =>
  verifyLedger(memoryStore(branch), noting, { anchors })
const treeText = (branch: MemoryBranch) =>
  [...(branch.commits.get(branch.head ?? '')?.tree.values() ?? [])].map((bytes) => Buffer.from(bytes).toString()).join()

async function written(snapshotEvery = 2) {
  const branch = memoryBranch()
  const ledger = opened(memoryStore(branch), { model: noting, snapshotEvery })
  await record(ledger, noted('Eve Adams of Initech', ['no', 'yes']), counted(['b']))
  await record(ledger, noted('second note'))
  const { head } = await record(ledger, noted('as Eve Adams of Initech said'))
  return { branch, ledger, head }
}

/** A commit by hand that changes one event file. */
async function edited(branch: MemoryBranch, change: (text: string) => string): Promise<void> {
  const tree = branch.commits.get(branch.head ?? '')?.tree ?? new Map<string, Uint8Array>()
  const [path = '', bytes] = [...tree].find(([name]) => name.includes('/1-')) ?? []
  const after = change(Buffer.from(bytes ?? []).toString('utf8'))
  expect(after).not.toBe(Buffer.from(bytes ?? []).toString('utf8'))
  await memoryStore(branch).commit({
    expectedHead: branch.head,
    operation: nextId(),
    message: 'by hand',
    additions: [{ path, bytes: Buffer.from(after) }],
    deletions: [],
  })
}

const firstLine = (change: (line: string) => string) => (text: string) => {
  const [line = '', ...rest] = text.split('\n')
  return [change(line), ...rest].join('\n')
}

describe('taking texts out of the log', () => {
  it('keeps the chain and every digest, says what is gone, and leaves no text and no salt behind', async () => {
    const { branch, head } = await written()
    expect(await redact(branch, 1)).toMatchObject({
      type: 'counter.raised',
      members: ['/note', '/more/0', '/more/1'],
      copies: [{ seq: 4, members: ['/note'] }],
      commit: branch.head,
    })
    await redact(branch, 4)
    expect(treeText(branch)).not.toContain('Initech')
    const report = await verified(branch, [head])
    expect(report).toMatchObject({ ok: true, problems: [], counts: { events: 6, redacted: 4 } })
    const log = []
    for await (const { event } of readLog(memoryStore(branch))) log.push(event)
    expect(log[0]?.data).toMatchObject({ note: '[redacted]', more: ['[redacted]', '[redacted]'], products: ['a'] })
    expect(log[4]).toMatchObject({
      type: 'event.redacted',
      data: { seq: 1, members: ['/note', '/more/0', '/more/1'], ...SAID },
    })
  })

  it('shows running writers the state without the text, and they go on', async () => {
    const { branch, ledger } = await written(100)
    expect(await (await ledger.view()).state('product/a')).toMatchObject({ note: 'as Eve Adams of Initech said' })
    await redact(branch, 4)
    await ledger.refresh()
    expect(await (await ledger.view()).state('product/a')).toMatchObject({ total: 3, note: '[redacted]' })
    await record(ledger, counted(['b']))
    expect(await verified(branch)).toMatchObject({ ok: true, counts: { events: 6 } })
    await rebuildSnapshots(memoryStore(branch), noting, { now: NOW, newId: nextId, writer: WRITER })
    expect(await verified(branch)).toMatchObject({ ok: true })
  })

  it('takes out the members that are named alone, and keeps the salts of the others apart', async () => {
    const { branch } = await written()
    await redact(branch, 1, ['/more/0'])
    const log = []
    for await (const { event } of readLog(memoryStore(branch), { since: NOW })) log.push(event)
    expect(log[0]?.data).toMatchObject({ note: 'Eve Adams of Initech', more: ['[redacted]', 'yes'] })
    await expect(redact(branch, 1, ['/more/0'])).rejects.toMatchObject({ code: 'nothing-to-redact' })
    await redact(branch, 1)
    expect(await verified(branch)).toMatchObject({ ok: true, counts: { redacted: 3 } })
  })

  it('writes nothing when it is only asked what it would do', async () => {
    const { branch } = await written()
    const before = branch.head
    expect(await redact(branch, 1, undefined, null)).toMatchObject({
      commit: null,
      members: ['/note', '/more/0', '/more/1'],
    })
    expect(branch.head).toBe(before)
  })

  it.each([
    [99, undefined, 'expected the number of an event up to 4, found 99'],
    [2, undefined, 'expected event 2 (counter.raised) to hold a text, found none'],
    [1, ['/amount'], 'found "/amount"'],
    [1, ['/__proto__/x'], 'found "/__proto__/x"'],
  ])('refuses event %s with %s', async (seq, members, message) => {
    const { branch } = await written()
    await expect(redact(branch, seq, members)).rejects.toMatchObject({
      fault: 'bad-input',
      message: expect.stringContaining(message),
    })
  })

  it('works on a branch of GitHub', async () => {
    const { client } = fakeGitHub(memoryBranch())
    const store = gitHubStore({ client, owner: 'acme', repo: 'releases', branch: 'ringmaster-data' })
    await record(opened(store, { model: noting }), noted('Eve Adams of Initech'), counted(['b']))
    await redactEvent(store, noting, { seq: 1, ...SAID }, { now: NOW, newId: nextId, writer: WRITER })
    expect(await verifyLedger(store, noting)).toMatchObject({ ok: true, counts: { events: 3, redacted: 1 } })
  })

  it('loses to a writer that was faster', async () => {
    const { branch } = await written()
    const store = memoryStore(branch)
    const slow = { ...store, commit: async () => ({ kind: 'stale' }) as const }
    const asked = redactEvent(slow, noting, { seq: 1, ...SAID }, { now: NOW, newId: nextId, writer: WRITER })
    await expect(asked).rejects.toMatchObject({ code: 'ledger-contended' })
  })
})

describe('a text that somebody else took out or changed', () => {
  it.each<[string, (line: string) => string, string]>([
    [
      'is taken out',
      (line) => withoutTexts(line, ['/note']),
      'expected the text of /note, or an event.redacted of it, found neither',
    ],
    [
      'has another word',
      (line) => line.replace('Initech', 'Initrode'),
      'expected the text of /note to be the one that was sealed',
    ],
    [
      'has another salt',
      (line) => line.replace(/("open":\{"\/note":\[")[\w-]{4}/, '$1AAAA'),
      'to be the one that was sealed',
    ],
    [
      'stands in its place',
      (line) => line.replace('"note":"[redacted]"', '"note":"Eve"'),
      'in the place of the sealed text /note',
    ],
    [
      'has no seal',
      (line) => line.replace(/"sealed":\{"\/note":"[\w-]{43}",/, '"sealed":{'),
      'expected an open text to be sealed',
    ],
    [
      'is not at the end',
      (line) => line.replace(/^\{(.*),("open":.*)\}$/, '{$2,$1}'),
      'to end the line as it was written',
    ],
  ])('is named with path and line: it %s', async (_, change, message) => {
    const { branch } = await written()
    await edited(branch, firstLine(change))
    const { problems } = await verified(branch)
    expect(problems[0]).toMatchObject({
      code: 'ledger-damaged',
      message: expect.stringContaining(message),
      path: expect.stringContaining('/1-'),
      line: 1,
    })
    await expect(
      rebuildSnapshots(memoryStore(branch), noting, { now: NOW, newId: nextId, writer: WRITER }),
    ).rejects.toMatchObject({
      code: 'ledger-damaged',
    })
  })

  it('closes the ledger of who reads it, before there is a snapshot', async () => {
    const { branch } = await written(100)
    await edited(
      branch,
      firstLine((line) => withoutTexts(line, ['/note'])),
    )
    await expect(opened(memoryStore(branch), { model: noting }).view()).rejects.toMatchObject({
      code: 'ledger-damaged',
    })
  })

  it.each([
    [{ seq: 1, members: ['/note'] }, 'expected that event 1 lost a text /note, found it did not'],
    [{ seq: 2, members: ['/amount'] }, 'expected that event 2 lost a text /amount'],
    [{ seq: 9, members: ['/note'] }, 'expected event 5 to name an earlier event, found 9'],
  ])('is not made true by an event that only says so: %j', async (data, message) => {
    const { branch, ledger } = await written()
    await record(ledger, counted([], 1, { type: 'event.redacted', data: { ...data, ...SAID } }))
    const { problems } = await verified(branch)
    expect(problems[0]).toMatchObject({ code: 'ledger-damaged', message: expect.stringContaining(message), line: 1 })
  })
})

describe('sealed lines, whatever people write', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 30 }),
    fc.constantFrom('', '[redacted]', ',"open":{}}', '"}', '\u2028', '{"open":{"/note":["a","b"]}}'),
  )
  it('give the event back, keep their digests without any of their texts, and never hold what was taken out', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(text, fc.array(text, { maxLength: 3 })), { minLength: 1, maxLength: 4 }),
        fc.nat(),
        (notes, pick) => {
          const drafts = notes.map(([note, more]) => noted(note, more))
          const { lines, events, position } = encodeEvents(drafts, ORIGIN, noting.textsOf)
          const parse = (all: readonly string[]) => parseEventFile('x', Buffer.from(`${all.join('\n')}\n`), ORIGIN)
          expect(parse(lines)).toEqual({ ok: true, value: { events, position, redacted: [] } })
          const at = pick % lines.length
          const pointers = noting.textsOf?.(drafts[at]!) ?? []
          const gone = pointers.slice(pick % pointers.length)
          const shorter = withoutTexts(lines[at] ?? '', gone)
          const read = parse(lines.with(at, shorter))
          expect(read).toMatchObject({
            ok: true,
            value: { position, redacted: [{ seq: at + 1, line: at + 1, members: gone }] },
          })
          if (gone.length === pointers.length) expect(shorter).not.toContain(',"open":{"/note"')
          expect(shorter.length).toBeLessThan((lines[at] ?? '').length)
        },
      ),
      { numRuns: 200 },
    )
  })

  it('never seal two equal texts equally', () => {
    const { lines } = encodeEvents([noted('yes'), noted('yes')], ORIGIN, noting.textsOf)
    const seals = lines.map((line) => (JSON.parse(line) as { sealed: Record<string, string> }).sealed['/note'])
    expect(new Set(seals).size).toBe(2)
  })
})
