import { z } from 'zod'
import { type ChannelRule, removeRelease } from '../../src/core/cohort/channel.ts'
import { type ClaimBook, claimsAdmission } from '../../src/core/cohort/claims.ts'
import type { PreparedOverride } from '../../src/core/cohort/override.ts'
import { readOverrideForm } from '../../src/core/cohort/override-form.ts'
import { prepareChannel } from '../../src/core/cohort/prepared-channel.ts'
import { createFromForm, patchedForm, type ReleaseForm, updateFromForm } from '../../src/core/cohort/release-form.ts'
import { compileRequirement, satisfies } from '../../src/core/cohort/requirement.ts'
import { type Resolution, resolve } from '../../src/core/cohort/resolve.ts'
import type { Channel, DeviceReport } from '../../src/core/cohort/schema.ts'
import { parseVersion } from '../../src/core/cohort/semantic-version.ts'
import type { Checked } from '../../src/core/problem.ts'
import { caseFile } from './case-files.ts'
import { type CaseCheck, CaseExpectation, CaseReport, caseAnswer, caseDevice, equal, runFile } from './cohort-cases.ts'
import { CaseOverride, CountedRelease, caseOverrides, DEFAULT_NOW, formOf } from './resolution-given.ts'
import type { Suite } from './suite.ts'

const CaseDevice = z.object({
  id: z.string(),
  cohort: z.string().nullable().default('C1'),
  tags: z.unknown().optional(),
  quarantined: z.boolean().default(false),
})
type CaseDevice = z.infer<typeof CaseDevice>

const Given = z.object({
  now: z.string().default(DEFAULT_NOW),
  cohort: z.string().nullish(),
  releases: z.array(CountedRelease).default([]),
  devices: z.array(CaseDevice).default([]),
  overrides: z.array(CaseOverride).default([]),
  claims: z.record(z.string(), z.union([z.int().min(0), z.array(z.string())])).default({}),
  cohort_device_count: z.int().min(0).optional(),
})

const CASE_COHORT = 'C1'

/** One release channel as the engine holds it, with the form that each release was last made from. */
interface World {
  now: string
  readonly channels: Map<string, Channel>
  readonly forms: Map<string, ReleaseForm>
  readonly incomplete: Set<string>
  readonly devices: ReadonlyMap<string, CaseDevice>
  readonly overrides: readonly PreparedOverride[]
  readonly holders: Map<string, Set<string>>
  readonly others: ReadonlyMap<string, number>
  readonly deviceCount: number | undefined
}

const cohortOf = (release: CountedRelease): string => release.cohort ?? CASE_COHORT

/** The form of a stored release; links are set apart, because a channel is given whole and not step by step. */
function storedForm(release: CountedRelease): ReleaseForm {
  const { id, next: _next, cohort: _cohort, all_binaries_signed: _signed, ...fields } = release
  return formOf({ ...fields, name: release.name ?? id, bundle: release.bundle ?? `B-${id}` })
}

function storedRelease(release: CountedRelease, form: ReleaseForm, now: string): Channel['releases'][number] {
  const empty: Channel = { cohort: cohortOf(release), requirementDialect: 'elixir', releases: [] }
  // A requirement in no syntax is refused where it is written; a resolver that meets one passes its release over.
  const created = createFromForm(empty, release.id, new Map([...form, ['version_requirement', null]]), now)
  const [stored] = created.ok ? created.value.releases : []
  if (stored === undefined)
    throw new Error(created.ok ? 'no release' : created.problems.map(({ message }) => message).join('; '))
  const { version_requirement: requirement } = release
  return { ...stored, next: release.next, ...(requirement ? { requirement } : {}) }
}

function worldOf(raw: unknown): World {
  const given = Given.parse(raw)
  const channels = new Map<string, Channel>()
  const forms = new Map<string, ReleaseForm>()
  for (const release of given.releases) {
    const cohort = cohortOf(release)
    const form = storedForm(release)
    const channel = channels.get(cohort) ?? { cohort, requirementDialect: 'elixir' as const, releases: [] }
    forms.set(release.id, form)
    channels.set(cohort, { ...channel, releases: [...channel.releases, storedRelease(release, form, given.now)] })
  }
  const claims = Object.entries(given.claims)
  return {
    now: given.now,
    channels,
    forms,
    incomplete: new Set(given.releases.filter((release) => !release.all_binaries_signed).map(({ id }) => id)),
    devices: new Map(given.devices.map((device) => [device.id, device])),
    overrides: caseOverrides(given.overrides, (id) => id),
    holders: new Map(claims.map(([id, held]) => [id, new Set(typeof held === 'number' ? [] : held)])),
    others: new Map(claims.map(([id, held]) => [id, typeof held === 'number' ? held : 0])),
    deviceCount: given.cohort_device_count,
  }
}

const channelOf = (world: World, cohort: string): Channel =>
  world.channels.get(cohort) ?? { cohort, requirementDialect: 'elixir', releases: [] }

/** The claims of current members count; a holder of whom nothing is told but its name is one. */
function isMember(world: World, cohort: string, id: string): boolean {
  const device = world.devices.get(id)
  return device === undefined || device.cohort === cohort
}

function bookOf(world: World, cohort: string): ClaimBook {
  return {
    count: (release) =>
      [...(world.holders.get(release) ?? [])].filter((id) => isMember(world, cohort, id)).length +
      (world.others.get(release) ?? 0),
    holds: (release, device) => world.holders.get(release)?.has(device.pseudonym ?? '') ?? false,
    cohortSize: () =>
      world.deviceCount ?? [...world.devices.values()].filter((device) => device.cohort === cohort).length,
  }
}

function check(world: World, deviceId: string, report: DeviceReport): Resolution {
  const device = world.devices.get(deviceId)
  if (device === undefined) throw new Error(`no device ${deviceId}`)
  const { cohort, tags, quarantined } = device
  const channel =
    cohort === null
      ? undefined
      : prepareChannel({
          releases: channelOf(world, cohort).releases,
          admission: claimsAdmission(bookOf(world, cohort)),
          isBundleComplete: (release) => !world.incomplete.has(release),
        })
  return resolve({
    channel,
    overrides: world.overrides,
    report,
    device: caseDevice({ pseudonym: deviceId, tags, quarantined }),
    now: world.now,
  })
}

/** What the server does after a check: a served release that is phased takes a claim. */
function recordClaim(world: World, deviceId: string, resolution: Resolution): void {
  if (resolution.kind !== 'update' || !resolution.takesClaim) return
  const holders = world.holders.get(resolution.source.id) ?? new Set()
  world.holders.set(resolution.source.id, holders.add(deviceId))
}

const ResolveCase = z.object({
  given: z.unknown(),
  request: z.object({ device: z.string(), report: CaseReport }),
  expect: CaseExpectation,
})

function resolveCheck(raw: unknown): string[] {
  const { given, request, expect } = ResolveCase.parse(raw)
  return equal('answer', caseAnswer(check(worldOf(given), request.device, request.report)), expect)
}

const Release = z.looseObject({ id: z.string() })

const Verdict = z.object({ result: z.enum(['accept', 'reject']), rule: z.string().nullish() })

const Operation = z.discriminatedUnion('op', [
  z.object({
    op: z.literal('create'),
    release: Release,
    previous: z.string().nullish(),
    next: z.string().nullish(),
  }),
  z.object({ op: z.literal('update'), id: z.string(), set: z.record(z.string(), z.unknown()) }),
  z.object({ op: z.literal('delete'), id: z.string() }),
  z.looseObject({ op: z.literal('create_override') }),
])

function createIn(world: World, release: z.infer<typeof Release>, links: Record<string, unknown>) {
  const { id, cohort, all_binaries_signed: signed, ...fields } = release
  const channel = channelOf(world, typeof cohort === 'string' ? cohort : CASE_COHORT)
  const form = formOf({ ...fields, ...links })
  const result = createFromForm(channel, id, form, world.now)
  if (result.ok) keep(world, id, form, result.value)
  sign(world, id, signed)
  return result
}

/** The binaries of a release are signed or destroyed beside the channel. */
function sign(world: World, id: string, signed: unknown): void {
  if (signed === false) world.incomplete.add(id)
  if (signed === true) world.incomplete.delete(id)
}

function keep(world: World, id: string, form: ReleaseForm, channel: Channel): void {
  world.channels.set(channel.cohort, channel)
  world.forms.set(id, form)
}

const holderOf = (world: World, id: string): Channel =>
  [...world.channels.values()].find(({ releases }) => releases.some((release) => release.id === id)) ??
  channelOf(world, CASE_COHORT)

function updateIn(world: World, id: string, { all_binaries_signed: signed, ...set }: Record<string, unknown>) {
  sign(world, id, signed)
  const form = world.forms.get(id) ?? new Map()
  const changes = formOf(set)
  const result = updateFromForm(holderOf(world, id), id, form, changes, world.now)
  if (result.ok) keep(world, id, patchedForm(form, changes), result.value)
  return result
}

function apply(world: World, operation: z.infer<typeof Operation>): Checked<unknown, ChannelRule> {
  switch (operation.op) {
    case 'create': {
      const { previous, next } = operation
      return createIn(world, operation.release, {
        previous: previous ?? null,
        next: next ?? operation.release['next'] ?? null,
      })
    }
    case 'update':
      return updateIn(world, operation.id, operation.set)
    case 'delete': {
      const result = removeRelease(holderOf(world, operation.id), operation.id, world.now)
      if (result.ok) world.channels.set(result.value.cohort, result.value)
      return result
    }
    case 'create_override': {
      const { op: _op, ...fields } = operation
      return readOverrideForm(formOf(fields))
    }
  }
}

/** The rules that a refusal names; a rule's remark in parentheses is not part of its name. */
function verdictCheck(found: Checked<unknown, ChannelRule>, expected: z.infer<typeof Verdict>): string[] {
  const rules: string[] = found.ok ? [] : found.problems.map(({ code }) => code)
  const result = found.ok ? 'accept' : 'reject'
  if (result !== expected.result) return [`expected ${expected.result}, found ${result} (${rules.join(', ')})`]
  const rule = expected.rule?.replace(/ \(.*\)$/, '')
  return rule === undefined || found.ok || rules.includes(rule)
    ? []
    : [`expected rule ${rule}, found ${rules.join(', ')}`]
}

const MutateCase = z.object({ given: z.unknown(), operation: Operation, expect: Verdict })

function mutateCheck(raw: unknown): string[] {
  const { given, operation, expect } = MutateCase.parse(raw)
  return verdictCheck(apply(worldOf(given), operation), expect)
}

const Step = z.discriminatedUnion('do', [
  z.object({
    do: z.literal('check'),
    device: z.string(),
    report: CaseReport,
    expect: CaseExpectation,
    now: z.string().optional(),
  }),
  z.object({
    do: z.literal('update_release'),
    id: z.string(),
    set: z.record(z.string(), z.unknown()),
    expect: Verdict.optional(),
    now: z.string().optional(),
  }),
  z.object({
    do: z.literal('create_release'),
    release: Release,
    previous: z.string().nullish(),
    next: z.string().nullish(),
    expect: Verdict.optional(),
    now: z.string().optional(),
  }),
])

const SequenceCase = z.object({ given: z.unknown(), steps: z.array(Step).min(1) })

function stepCheck(world: World, step: z.infer<typeof Step>): string[] {
  if (step.now !== undefined) world.now = step.now
  if (step.do === 'check') {
    const resolution = check(world, step.device, step.report)
    recordClaim(world, step.device, resolution)
    return equal('answer', caseAnswer(resolution), step.expect)
  }
  const result =
    step.do === 'update_release'
      ? updateIn(world, step.id, step.set)
      : createIn(world, step.release, { previous: step.previous ?? null, next: step.next ?? null })
  return verdictCheck(result, step.expect ?? { result: 'accept' })
}

function sequenceCheck(raw: unknown): string[] {
  const { given, steps } = SequenceCase.parse(raw)
  const world = worldOf(given)
  return steps.flatMap((step, at) => stepCheck(world, step).map((why) => `step ${at + 1}: ${why}`))
}

const MatchCase = z.object({
  version: z.string(),
  requirement: z.string(),
  expect: z.union([z.boolean(), z.enum(['invalid_version', 'invalid_requirement'])]),
})

/** As Elixir does: the requirement is read before the version. */
function matchCheck(raw: unknown): string[] {
  const given = MatchCase.parse(raw)
  const requirement = compileRequirement(given.requirement, 'elixir')
  const version = parseVersion(given.version)
  if (!requirement.ok) return equal('match', 'invalid_requirement', given.expect)
  if (version === undefined) return equal('match', 'invalid_version', given.expect)
  return equal('match', satisfies(requirement.value, version), given.expect)
}

const KINDS = {
  resolve: resolveCheck,
  sequence: sequenceCheck,
  mutate: mutateCheck,
  version_match: matchCheck,
} as const

const File = z.object({ schema: z.literal('resolution-cases/2'), cases: z.array(z.unknown()) })
const Named = z.object({ id: z.string() })
const Kind = z.object({ kind: z.enum(['resolve', 'sequence', 'mutate', 'version_match']) })

function casesOf(file: unknown): CaseCheck[] {
  return File.parse(file).cases.map((raw, at) => ({
    id: Named.safeParse(raw).data?.id ?? `cases[${at}]`,
    run: () => KINDS[Kind.parse(raw).kind](raw),
  }))
}

/** Bundle resolution, channel rules, field rules and version requirements. */
export const resolutionSuite: Suite = {
  files: [caseFile('resolution.json')],
  run: (file) => runFile(file, casesOf),
}
