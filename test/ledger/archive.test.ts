import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, describe, expect, it } from '@jest/globals'
import { archiveOf, openArchive } from '../../src/ledger/archive.ts'
import { closeEpoch, openEpoch } from '../../src/ledger/epoch.ts'
import { memoryBranch, memoryStore } from '../../src/ledger/memory.ts'
import { readTar, TAR_END, tarBeginning, tarFile } from '../../src/ledger/tar.ts'
import { verifyLedger } from '../../src/ledger/verify.ts'
import { nextId, opened, record } from './opened.ts'
import { counted, counterModel } from './small-model.ts'

const making = { now: '2026-11-20T10:00:00Z', newId: nextId, writer: { version: '0.1.0' } }
const directory = mkdtempSync(join(tmpdir(), 'ledger-archive-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

/** A closed epoch and the one after it. */
async function turned() {
  const first = memoryBranch()
  const [from, to] = [memoryStore(first), memoryStore(memoryBranch(first))]
  const ledger = opened(from, { snapshotEvery: 2 })
  for (let turn = 0; turn < 5; turn += 1) await record(ledger, counted(['a', `p${turn}`]))
  const closed = await closeEpoch(from, counterModel, 'ringmaster-data-2', making)
  await openEpoch({ from, closed, branch: 'ringmaster-data' }, to, counterModel, making)
  return { from, to, closed, archive: await archiveOf(from, closed) }
}

const tarred = (commit: string, files: Record<string, string>): Buffer =>
  Buffer.concat([
    ...tarBeginning(commit),
    ...Object.entries(files).flatMap(([path, text]) => [...tarFile({ path, bytes: Buffer.from(text) })]),
    TAR_END,
  ])

describe('the archive of an epoch', () => {
  it('is replayed whole by itself, and is what the next epoch goes on from', async () => {
    const { to, closed, archive } = await turned()
    const { store, digest } = await openArchive('ringmaster-ledger-1.tar.gz', archive.bytes)
    expect(digest).toBe(archive.digest)
    const { seq, tip } = closed.head
    expect(await verifyLedger(store, counterModel)).toMatchObject({
      ok: true,
      problems: [],
      head: { seq, digest: tip },
      counts: { events: 5, aggregates: 7 },
      succeededBy: 'ringmaster-data-2',
    })
    expect(await verifyLedger(to, counterModel, { predecessor: store })).toMatchObject({ ok: true, problems: [] })
  })

  it('has the same digest whenever it is made', async () => {
    const { from, closed, archive } = await turned()
    expect(await archiveOf(from, closed)).toMatchObject({ digest: archive.digest, files: archive.files })
  })

  it('is a tar that other programs read, and names its commit as that of git does', async () => {
    const commit = 'c'.repeat(40)
    const long = `snapshots/${'0a/'.repeat(50)}shard.json`
    const tar = tarred(commit, { 'head.json': '{}\n', [long]: 'x'.repeat(600) })
    const id = execFileSync('git', ['get-tar-commit-id'], { input: tar, encoding: 'utf8' }).trim()
    expect(id).toBe(commit)
    writeFileSync(join(directory, 'a.tar'), tar)
    const listed = execFileSync('tar', ['tf', join(directory, 'a.tar')], { encoding: 'utf8' })
      .trim()
      .split('\n')
    expect(listed).toEqual(['head.json', long])
    const read = await readTar(Readable.from([tar.subarray(0, 700), tar.subarray(700)]))
    expect(read.ok && [...read.value.files].map(([path, bytes]) => [path, bytes.length])).toEqual([
      ['head.json', 3],
      [long, 600],
    ])
  })

  it('that was changed and packed anew is named by its verification', async () => {
    const { archive } = await turned()
    const tar = gunzipSync(archive.bytes)
    const at = tar.indexOf('"amount":1')
    const edited = await openArchive(
      'it',
      gzipSync(Buffer.concat([tar.subarray(0, at + 9), Buffer.from('9'), tar.subarray(at + 10)])),
    )
    expect(edited.digest).not.toBe(archive.digest)
    expect(await verifyLedger(edited.store, counterModel)).toMatchObject({
      ok: false,
      problems: expect.arrayContaining([expect.objectContaining({ code: 'ledger-damaged' })]),
    })
  })

  it.each<[string, (tar: Buffer) => Uint8Array, string]>([
    ['no gzip', (tar) => tar, 'expected a tar compressed with gzip'],
    [
      'no gzip behind its end',
      (tar) => Buffer.concat([gzipSync(tar), gzipSync('').subarray(0, 12)]),
      'found something else',
    ],
    ['cut off', (tar) => gzipSync(tar.subarray(0, 700)), 'cut off'],
    ['without its end', (tar) => gzipSync(tar.subarray(0, -1024)), 'cut off'],
    ['with a header changed', (tar) => gzipSync(Buffer.concat([Buffer.from('q'), tar.subarray(1)])), 'at byte 0'],
    ['without a commit', (tar) => gzipSync(tar.subarray(1024)), 'to name its commit'],
    [
      'with a file twice',
      () => gzipSync(Buffer.concat([...tarFile(FILE), ...tarFile(FILE), TAR_END])),
      'once, found a',
    ],
  ])('is refused when it is %s', async (_, change, message) => {
    const tar = tarred('c'.repeat(40), { 'head.json': '{}\n' })
    await expect(openArchive('it.tar.gz', change(tar))).rejects.toMatchObject({
      code: 'archive-damaged',
      fault: 'bad-input',
      message: expect.stringContaining(message),
    })
  })

  it('is not written to', async () => {
    const { archive } = await turned()
    const { store } = await openArchive('it', archive.bytes)
    await expect(
      store.commit({ expectedHead: null, operation: '', message: '', additions: [], deletions: [] }),
    ).rejects.toThrow('expected to write to a branch')
  })
})

const FILE = { path: 'a', bytes: Buffer.from('a') }
