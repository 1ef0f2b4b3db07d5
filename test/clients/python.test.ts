import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { Manifest } from '../../src/core/manifest/schema.ts'
import { type DeviceQuestion, decide } from '../../src/device/decide.ts'
import { phasingSuite } from '../conformance/phasing.ts'
import { resolutionSuite } from '../conformance/resolution.ts'
import { staticSuite } from '../conformance/static.ts'
import { questions } from './random-questions.ts'

const CLIENT = join(import.meta.dirname, '..', '..', 'clients', 'python')
const SEED = 20_261_120
const CHANNELS = 4_000

/** Without an interpreter nothing can be compared; then the tests say so by what they expect. */
const hasPython = spawnSync('python3', ['--version']).status === 0

function python(script: string, args: readonly string[], input = '') {
  const { status, stdout, stderr } = spawnSync('python3', [join(CLIENT, script), ...args], {
    input,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  return { status, stderr, lines: stdout.split('\n').slice(0, -1) }
}

function conform(suite: string, file: unknown) {
  const folder = mkdtempSync(join(tmpdir(), 'cases-'))
  try {
    writeFileSync(join(folder, 'cases.json'), typeof file === 'string' ? file : JSON.stringify(file))
    return python('conformance.py', [suite, join(folder, 'cases.json')])
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const suites = [
  { name: 'resolution', suite: resolutionSuite },
  { name: 'phasing', suite: phasingSuite },
  { name: 'static', suite: staticSuite },
].flatMap(({ name, suite }) => suite.files.map((file) => ({ name, file })))

/** What this project's own client decides, in the words of the reference resolver. */
function ownAnswer(question: Omit<DeviceQuestion, 'state'>): unknown {
  const state = { schema: 'ringmaster/device-state/1', clockFloor: null, offer: null, rolledBack: [] } as const
  const decision = decide({ ...question, state: { ...state, rolledBack: [] } })
  if (decision.kind === 'moved') return decision
  const { takesClaim: _claims, ...resolution } = { takesClaim: false, ...decision.resolution }
  return JSON.parse(JSON.stringify(resolution))
}

const describeClient = () => {
  it('answers the question of docs/devices.md as the page says, and its manifest is one', () => {
    const page = readFileSync(join(CLIENT, '..', '..', 'docs', 'devices.md'), 'utf8')
    const [, body = ''] = /^```json question\.json\n(.*?)^```$/ms.exec(page) ?? []
    const question = JSON.parse(body)
    expect(Manifest.safeParse(question.manifest).success).toBe(true)
    const { lines } = python('ringmaster_resolve.py', [], `${JSON.stringify(question)}\n`)
    const answer = /^The answer is `(.*?), …\}`/m.exec(page)?.[1]
    expect(JSON.parse(lines[0] ?? 'null')).toMatchObject(JSON.parse(`${answer}}`))
  })

  it('decides thousands of generated channels as the device library does, word by word', () => {
    const asked = fc.sample(questions, { seed: SEED, numRuns: CHANNELS })
    const { lines, stderr } = python('ringmaster_resolve.py', [], `${asked.join('\n')}\n`)
    expect(stderr).toBe('')
    const own = asked.map((text) => ownAnswer(JSON.parse(text)))
    const differing = own.flatMap((answer, at) => {
      const theirs: unknown = JSON.parse(lines[at] ?? 'null')
      return JSON.stringify(sorted(answer)) === JSON.stringify(sorted(theirs))
        ? []
        : [{ asked: asked[at], answer, theirs }]
    })
    expect(differing.slice(0, 1)).toEqual([])
    // The channels are no comparison of one refusal with itself: every outcome and every reason occurs.
    const text = JSON.stringify(own)
    const codes = new Set([...text.matchAll(/"(?:code|reason|by|kind)":"([a-z_]+)"/g)].map(([, code]) => code))
    expect([...EXPECTED].filter((code) => !codes.has(code))).toEqual([])
  })

  it.each(suites)('answers the worked cases of $name, where they lie beside the checkout', ({ name, file }) => {
    const { status, lines } = python('conformance.py', [name])
    if (!existsSync(file)) return expect(status).toBe(2)
    expect(lines).toEqual([expect.stringMatching(/^[1-9]\d* passed, 0 failed$/)])
  })

  it('counts right and wrong answers and cases that it cannot read, and leaves out what is no resolving', () => {
    const match = { id: 'M', kind: 'version_match', version: '1.0.0', requirement: '>= 1.0.0', expect: true }
    const cases = [
      match,
      { ...match, id: 'W', expect: false },
      { id: 'U', kind: 'guess' },
      7,
      { id: 'S', kind: 'mutate' },
    ]
    const { status, lines } = conform('resolution', { schema: 'resolution-cases/2', cases })
    expect(lines.map((line) => line.split(':')[0])).toEqual(['FAIL W', 'FAIL U', 'FAIL cases[3]', '1 passed, 3 failed'])
    expect(status).toBe(1)
  })

  it.each<[string, string, unknown]>([
    ['another schema', 'static', { schema: 'other/1', cases: [] }],
    ['a file cut short', 'static', '{"schema": "static-c'],
    ['an array that it does not know', 'phasing', { schema: 'phasing-cases/2', moons: [{}] }],
  ])('fails %s', (_, suite, file) => {
    const { status, lines } = conform(suite, file)
    expect(lines.at(-1)).toBe('0 passed, 1 failed')
    expect(status).toBe(1)
  })

  it('lets nobody in by what is not in its form, as the device library does', async () => {
    const here = { cohort: 'eu', release: 'r', now: '2026-11-20T12:00:00Z' }
    const tagged = { ...here, phase: { kind: 'tags', tags: ['c'] } }
    const full = 'f'.repeat(31)
    const ramp = { kind: 'ramp', salt: 's', from: '0', to: full, startsAt: here.now, endsAt: '2026-12-01T00:00:00Z' }
    const refusal = (code: string) => ({ admitted: false, code })
    const admissions = [
      { ...tagged, device: { pseudonym: 'p', tags: 'xcx' }, ...refusal('not_tagged') },
      { ...tagged, device: { pseudonym: 'p', tags: ['c', 1] }, ...refusal('not_tagged') },
      { ...tagged, device: { pseudonym: 'p', tags: ['c', 'x'.repeat(129)] }, ...refusal('not_tagged') },
      {
        ...here,
        phase: { kind: 'share', salt: 's', threshold: full },
        device: { pseudonym: 'p'.repeat(1025) },
        ...refusal('malformed'),
      },
      {
        ...here,
        now: 'soon',
        phase: { ...ramp, until: ramp.endsAt },
        device: { pseudonym: 'p' },
        ...refusal('malformed'),
      },
    ]
    const shares = [0.5, null, true].map((share) => ({ share, rejected: true }))
    const file = {
      schema: 'phasing-cases/2',
      admissions,
      shares,
      rosterShares: shares.map((row) => ({ ...row, enrolled: 9 })),
    }
    const folder = mkdtempSync(join(tmpdir(), 'cases-'))
    writeFileSync(join(folder, 'cases.json'), JSON.stringify(file))
    const own = await phasingSuite.run(join(folder, 'cases.json')).finally(() => rmSync(folder, { recursive: true }))
    expect(own).toEqual({ passed: 11, failed: [] })
    expect(conform('phasing', file).lines).toEqual(['11 passed, 0 failed'])
  })

  it('reads what a case gives in a bad form as a resolver has to, in both runners', async () => {
    const latest = { status: 'update', source_type: 'release', source: 'R3', bundle: 'B-R3', manifest: null }
    const releases = [{ id: 'R1', next: 'R2' }, { id: 'R2', next: 'R3' }, { id: 'R3' }]
    const row = (id: string, given: object, report: object, expect: object) => ({
      id,
      kind: 'resolve',
      given: { releases, devices: [{ id: 'D1' }], ...given },
      request: { device: 'D1', report },
      expect,
    })
    const limited = { releases: [releases[0], { id: 'R2', phase_value: 2 }], claims: { R2: ['D2', 'D3'] } }
    const second = { ...latest, source: 'R2', bundle: 'B-R2' }
    const unreadable = [...releases.slice(0, 2), { id: 'R3', version: '3.0.0', version_requirement: '^1.0.0' }]
    const tagged = [releases[0], { id: 'R2', phase_mode: 'tags', phase_tags: ['5'] }]
    const signing = {
      id: 'signed later',
      kind: 'sequence',
      given: { releases: [releases[0], { id: 'R2', all_binaries_signed: false }], devices: [{ id: 'D1' }] },
      steps: [
        { do: 'check', device: 'D1', report: { release_prn: 'R1' }, expect: { status: 'no_update' } },
        { do: 'update_release', id: 'R2', set: { all_binaries_signed: true } },
        { do: 'check', device: 'D1', report: { release_prn: 'R1' }, expect: second },
      ],
    }
    const cases = [
      ...[5, true, ['R1'], { R1: 1 }, ''].map((bad) =>
        row(`header ${JSON.stringify(bad)}`, {}, { release_prn: bad, bundle_prn: 'B-R2', other: 1 }, latest),
      ),
      row(
        'a claim of another cohort',
        { ...limited, devices: [{ id: 'D1' }, { id: 'D2', cohort: 'C2' }] },
        { release_prn: 'R1' },
        second,
      ),
      row('claims of members', limited, { release_prn: 'R1' }, { status: 'no_update', source: null }),
      row('a requirement in no syntax', { releases: unreadable }, { release_prn: 'R1' }, second),
      row(
        'a tag that is no text',
        { releases: tagged, devices: [{ id: 'D1', tags: [5] }] },
        { release_prn: 'R1' },
        { status: 'no_update' },
      ),
      signing,
    ]
    const phase = { kind: 'share', salt: 's', threshold: 'f'.repeat(32) }
    const refused = { now: '2026-11-20T12:00:00Z', phase, admitted: false, code: 'malformed' }
    const admissions = [
      { ...refused, cohort: null, release: 'r', device: { pseudonym: 'p' } },
      { ...refused, cohort: 'eu', release: 5, device: { pseudonym: 'p' } },
      { ...refused, cohort: 'eu', release: 'r', device: null },
      { ...refused, cohort: 'eu', release: 'r', device: { pseudonym: 'p' }, phase: null },
    ]
    const still = [
      { id: 'no device', given: { releases, device: null }, report: { release_prn: 'R1' }, expect: latest },
      { id: 'outside', given: { releases, device: { cohort: null } }, report: {}, expect: { status: 'no_update' } },
    ]
    const files = [
      {
        name: 'resolution',
        suite: resolutionSuite,
        file: { schema: 'resolution-cases/2', cases },
        theirs: cases.length - 1,
      },
      {
        name: 'phasing',
        suite: phasingSuite,
        file: { schema: 'phasing-cases/2', admissions },
        theirs: admissions.length,
      },
      { name: 'static', suite: staticSuite, file: { schema: 'static-cases/1', cases: still }, theirs: still.length },
    ]
    const folder = mkdtempSync(join(tmpdir(), 'cases-'))
    for (const { name, suite, file, theirs } of files) {
      writeFileSync(join(folder, name), JSON.stringify(file))
      expect((await suite.run(join(folder, name))).failed).toEqual([])
      expect(conform(name, file).lines).toEqual([`${theirs} passed, 0 failed`])
    }
    rmSync(folder, { recursive: true })
  })

  const whole = {
    schema: 'ringmaster/manifest/1',
    cohort: 'eu',
    expiresAt: '2027-01-01T00:00:00Z',
    requirementDialect: 'elixir',
    releases: [],
    overrides: [],
  }
  it.each<[string, unknown, string]>([
    ['of another schema', { ...whole, schema: 'ringmaster/manifest/2' }, 'manifest-invalid'],
    ['cut short', { ...whole, releases: [{ id: 'R1' }] }, 'manifest-invalid'],
    ['past its expiry', { ...whole, expiresAt: '2026-01-01T00:00:00Z' }, 'manifest-expired'],
    ['with npm ranges', { ...whole, requirementDialect: 'npm' }, 'dialect-unsupported'],
  ])('refuses a manifest %s', (_, manifest, code) => {
    const question = { manifest, report: {}, device: {}, now: '2026-11-20T12:00:00Z' }
    const { lines } = python('ringmaster_resolve.py', [], `${JSON.stringify(question)}\n`)
    expect(JSON.parse(lines[0] ?? 'null')).toMatchObject({ kind: 'refused', code })
  })
}

const EXPECTED: ReadonlySet<string> = new Set([
  ...['update', 'no_update', 'device_quarantine', 'moved', 'override', 'release', 'bundle', 'version', 'nothing'],
  ...['on_latest', 'on_override_bundle', 'nothing_available', 'nothing_reported', 'not_identified', 'no_entry'],
  ...['channel_broken', 'disabled', 'held_for_target', 'requirement_not_met', 'requirement_unreadable', 'scheduled'],
  ...['malformed', 'halted', 'not_tagged', 'not_listed', 'not_enrolled_in_time', 'not_started', 'above_threshold'],
])

/** Members in one order, whatever wrote them. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, inner]) => [name, sorted(inner)]),
  )
}

if (hasPython) describe('the reference resolver in Python', describeClient)
else
  it('has no reference resolver to be compared with, because there is no python3 here', () =>
    expect(hasPython).toBe(false))
