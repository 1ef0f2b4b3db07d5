import { join } from 'node:path'
import type { Bundle, Device } from '../core/cohort/schema.ts'
import { EnrolmentRecord } from '../core/manifest/enrolment.ts'
import { directoryCache } from '../device/cache.ts'
import { type CheckProblem, checkForUpdate, type UpdateAnswer } from '../device/check.ts'
import { explainDecision } from '../device/explain.ts'
import { httpFetcher } from '../device/fetch.ts'
import { type CliCommand, type CommandIo, type ExitCode, needed, optionsOf, usageError } from './command.ts'
import { readDocument, readInput } from './files.ts'
import { problemText } from './problem-text.ts'

const OPTIONS = {
  'base-url': { type: 'string' },
  cohort: { type: 'string' },
  state: { type: 'string' },
  root: { type: 'string' },
  pseudonym: { type: 'string' },
  epoch: { type: 'string' },
  enrolment: { type: 'string' },
  tag: { type: 'string', multiple: true },
  target: { type: 'string' },
  release: { type: 'string' },
  bundle: { type: 'string' },
  'release-version': { type: 'string' },
  'rolled-back': { type: 'string', multiple: true },
  'timeout-seconds': { type: 'string' },
} as const

/** Asks, as a device would, what to install: fetch, verify, resolve, explain, remember. */
export const resolveCommand: CliCommand = {
  name: 'resolve',
  usage:
    'ringmaster resolve --base-url URL --cohort ID --state DIR [--root FILE] [--enrolment FILE | --pseudonym TEXT [--epoch N]] [--tag TAG]… [--target TARGET] [--release ID] [--bundle ID] [--release-version VERSION] [--rolled-back BUNDLE]… [--timeout-seconds N] [--json]',
  summary: 'Ask what a device is to install, from the published files alone.',
  async run(args, io) {
    const values = optionsOf(resolveCommand, args, OPTIONS)
    const baseUrl = httpAddress(needed(values['base-url'], 'base-url', resolveCommand))
    const state = needed(values.state, 'state', resolveCommand)
    const enrolment =
      values.enrolment === undefined
        ? undefined
        : await readDocument(values.enrolment, EnrolmentRecord, 'an enrolment record')
    const cohort = values.cohort ?? enrolment?.cohort
    const timeout = wholeNumber(values['timeout-seconds'], 'timeout-seconds')
    const answer = await checkForUpdate({
      host: {
        fetcher: httpFetcher(baseUrl, timeout === undefined ? {} : { timeoutMs: timeout * 1000 }),
        cache: directoryCache(state),
      },
      pinnedRoot: values.root === undefined ? undefined : await readInput(values.root, 'a root file'),
      cohort: needed(cohort, 'cohort', resolveCommand),
      report: {
        ...(values.release !== undefined && { release: values.release }),
        ...(values.bundle !== undefined && { bundle: values.bundle }),
        ...(values['release-version'] !== undefined && { version: values['release-version'] }),
      },
      device: deviceOf(values, enrolment),
      enrolledIn: enrolment?.cohort,
      rolledBack: values['rolled-back'] ?? [],
      now: io.now,
      random: Math.random(),
    })
    return tell(answer, values.target, join(state, 'state.json'), io)
  },
}

interface DeviceOptions {
  readonly pseudonym?: string | undefined
  readonly epoch?: string | undefined
  readonly tag?: readonly string[] | undefined
  readonly target?: string | undefined
}

function deviceOf(values: DeviceOptions, enrolment: EnrolmentRecord | undefined): Device {
  if (enrolment && (values.pseudonym !== undefined || values.epoch !== undefined)) {
    throw usageError('expected either --enrolment or --pseudonym with --epoch, found both', resolveCommand)
  }
  const pseudonym = enrolment?.pseudonym ?? values.pseudonym
  const epoch = enrolment?.epoch ?? wholeNumber(values.epoch, 'epoch')
  return {
    ...(pseudonym !== undefined && { pseudonym }),
    ...(epoch !== undefined && { epoch }),
    ...(values.target !== undefined && { target: values.target }),
    tags: [...(enrolment?.tags ?? []), ...(values.tag ?? [])],
    quarantined: false,
  }
}

function wholeNumber(text: string | undefined, option: string): number | undefined {
  if (text === undefined) return undefined
  if (!/^\d{1,9}$/.test(text))
    throw usageError(`expected a whole number for --${option}, found "${text.slice(0, 40)}"`, resolveCommand)
  return Number(text)
}

function httpAddress(text: string): string {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text
  throw usageError('expected an http or https address for --base-url, found something else', resolveCommand)
}

/** Artifacts for the device's target; those of every target where the device did not say its own. */
const artifactsFor = (bundle: Bundle, target: string | undefined) =>
  bundle.artifacts.filter(
    (artifact) => target === undefined || artifact.target === target || artifact.target === 'portable',
  )

const OUTSIDE: ReadonlySet<CheckProblem['code']> = new Set(['host-unreachable'])
const BAD_INPUT: ReadonlySet<CheckProblem['code']> = new Set(['root-needed', 'state-unreadable'])

function tell(answer: UpdateAnswer, target: string | undefined, statePath: string, io: CommandIo): ExitCode {
  return answer.kind === 'decided' ? tellDecision(answer, target, io) : tellRefusal(answer, statePath, io)
}

function tellDecision(
  answer: Extract<UpdateAnswer, { kind: 'decided' }>,
  target: string | undefined,
  io: CommandIo,
): ExitCode {
  const { decision, bundle } = answer
  const sentences = explainDecision(decision)
  const artifacts = bundle ? artifactsFor(bundle, target) : []
  if (io.json) {
    const { cohort, fresh, manifestIssuedAt, nextPollSeconds } = answer
    const status = bundle ? 'update' : decision.kind === 'held' ? 'held' : 'no_update'
    io.out(
      JSON.stringify({
        status,
        cohort,
        bundle: bundle && { ...bundle, artifacts },
        explanation: sentences,
        fresh,
        manifestIssuedAt,
        nextPollSeconds,
      }),
    )
    return 0
  }
  for (const { text } of sentences) io.out(text)
  for (const artifact of artifacts)
    io.out(
      `  ${artifact.name} (${artifact.target}): ${artifact.url}, ${artifact.size} bytes, sha256 ${artifact.sha256}`,
    )
  if (bundle?.customerAction) io.out(`  asks of the customer: ${JSON.stringify(bundle.customerAction)}`)
  if (!answer.fresh) io.out('The host could not be reached; this rests on verified files that have not expired.')
  return 0
}

function tellRefusal(answer: Extract<UpdateAnswer, { kind: 'refused' }>, statePath: string, io: CommandIo): ExitCode {
  const { problems, mayFinish } = answer
  if (io.json) io.out(JSON.stringify({ status: 'refused', problems, mayFinish }))
  /** Each sentence names the address that it is about. */
  for (const { path: _, ...problem } of problems) io.err(problemText(problem))
  if (mayFinish)
    io.err(`The bundle ${JSON.stringify(mayFinish.bundle.id)} was verified before and may be finished (${statePath}).`)
  if (problems.every(({ code }) => OUTSIDE.has(code))) return 3
  return problems.some(({ code }) => BAD_INPUT.has(code)) ? 2 : 1
}
