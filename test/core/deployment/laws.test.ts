import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { TypedEvent } from '../../../src/core/catalogue.ts'
import { type DeploymentEventType, evolveBoard } from '../../../src/core/deployment/evolve.ts'
import { type Attempt, type BoardState, boardKey, DEPLOYMENT_STATUSES } from '../../../src/core/deployment/schema.ts'
import { isTerminal } from '../../../src/core/deployment/status.ts'
import type { Request } from '../../../src/core/request.ts'
import { ANN, build, byJob, byTool, event, minute, PLATFORM, recorded, runEnded, sha, World } from '../decided.ts'

/** A status of GitHub has an id that grows with time, and belongs to one deployment. */
const status = fc.record({
  kind: fc.constantFrom('record', 'job', 'tool'),
  status: fc.constantFrom(...DEPLOYMENT_STATUSES),
  statusId: fc.integer({ min: 1, max: 60 }),
  run: fc.constantFrom(7, 8),
  attempt: fc.constantFrom(1, 2),
  version: fc.constantFrom('1.0.0', '1.1.0'),
  environment: fc.constantFrom('beta', 'integration'),
})
type Status = typeof status extends fc.Arbitrary<infer T> ? T : never

const deploymentOf = ({ run, attempt, version, environment }: Status): number =>
  run * 100 + attempt * 10 + (version === '1.0.0' ? 0 : 1) + (environment === 'beta' ? 0 : 2)

function toRequest(given: Status): Request {
  const { kind, run: id, attempt, version, ...said } = given
  const run = { id, attempt }
  const base = { ...said, run, at: minute(said.statusId) }
  const deploymentId = deploymentOf(given)
  if (kind === 'record') return recorded({ ...base, version, deploymentId })
  if (kind === 'job') return byJob({ ...base, deploymentId: deploymentId + 1_000 })
  return byTool({ ...base, run: null, deploymentId: deploymentId + 2_000 })
}

const history = fc.uniqueArray(status, { minLength: 1, maxLength: 12, selector: ({ statusId }) => statusId })
const inAnyOrder = history.chain((all) =>
  fc.tuple(fc.constant(all), fc.shuffledSubarray([...all, ...all], { minLength: all.length * 2 })),
)

function boardOf(statuses: readonly Status[], ends: readonly Request[]): BoardState | undefined {
  const world = new World()
  world.ask(build())
  for (const entry of statuses) world.ask(toRequest(entry))
  for (const end of ends) world.ask(end)
  return world.state(boardKey('api'))
}

describe('deliveries of one story', () => {
  it('come to the same board in any order, builds and ends of runs among them, once the early ones are asked again', () => {
    const others = [build(), ...[7, 8].flatMap((run) => [runEnded(run, 1), runEnded(run, 2)])]
    const told = history.chain((statuses) => {
      /** One run records its deployments, the other does not; what both at once come to is a table of its own. */
      const kindOf = ({ kind, run }: Status) => (kind === 'tool' ? kind : run === 7 ? 'record' : 'job')
      const isOfJob = (entry: Status): boolean => kindOf(entry) === 'job'
      /** GitHub says nothing more of a job's deployment once it has said its end. */
      const isSaid = (entry: Status): boolean =>
        !isOfJob(entry) ||
        !statuses.some(
          (other) =>
            isOfJob(other) &&
            deploymentOf(other) === deploymentOf(entry) &&
            other.statusId < entry.statusId &&
            isTerminal(other.status),
        )
      const inOrder = [
        build(),
        ...statuses.filter(isSaid).map((entry) => toRequest({ ...entry, kind: kindOf(entry) })),
        ...others.slice(1),
      ]
      return fc.tuple(fc.constant(inOrder), fc.shuffledSubarray(inOrder, { minLength: inOrder.length }))
    })
    const boardAfter = (requests: readonly Request[]) => new World().askAll(requests).state<BoardState>(boardKey('api'))
    /** When something was first heard of may differ; what became of it may not. */
    const shown = (board: BoardState | undefined) =>
      (board?.cells ?? []).map(({ environment, attempts, lastGood }) => ({
        environment,
        attempts: attempts.map(({ key, version, status, statusId }) => [key, version, status, statusId]).sort(),
        lastGood: lastGood && [lastGood.key, lastGood.version, lastGood.end?.statusId],
      }))
    fc.assert(
      fc.property(told, ([inOrder, shuffled]) => {
        expect(shown(boardAfter(shuffled))).toEqual(shown(boardAfter(inOrder)))
      }),
      { numRuns: 200 },
    )
  })
})

describe('deliveries of deployment statuses', () => {
  it('come to the same board in any order and number', () => {
    const ends = [runEnded(7, 1), runEnded(7, 2), runEnded(8, 1), runEnded(8, 2)]
    fc.assert(
      fc.property(inAnyOrder, fc.subarray(ends), ([all, shuffled], over) => {
        expect(boardOf(shuffled, over)).toEqual(boardOf(all, over))
      }),
      { numRuns: 80 },
    )
  })

  it('leave the newest word of each attempt, and a good version only where one completed', () => {
    fc.assert(
      fc.property(inAnyOrder, ([, shuffled]) => {
        const records = shuffled.filter((entry) => entry.kind === 'record')
        for (const cell of boardOf(records, [])?.cells ?? []) {
          for (const attempt of cell.attempts) {
            const own = records.filter(
              (entry) =>
                entry.environment === cell.environment &&
                entry.version === attempt.version &&
                attempt.key.endsWith(`/${entry.run}/${entry.attempt}`),
            )
            const newest = own.reduce((a, b) => (a.statusId > b.statusId ? a : b))
            expect(attempt).toMatchObject({ status: newest.status, statusId: newest.statusId })
          }
          const completed = records.some(
            (entry) => entry.environment === cell.environment && entry.status === 'completed',
          )
          if (cell.lastGood !== null) expect(completed).toBe(true)
        }
      }),
      { numRuns: 60 },
    )
  })
})

describe('a cell of the board', () => {
  const said = fc.record({
    key: fc.integer({ min: 1, max: 40 }),
    status: fc.oneof(fc.constantFrom(...DEPLOYMENT_STATUSES), fc.constant('completed' as const)),
    statusId: fc.integer({ min: 1, max: 30 }),
    at: fc.integer({ min: 0, max: 50 }),
    authorisation: fc.constantFrom('ungated', 'gate', 'unauthorised'),
    environment: fc.constantFrom('beta', 'integration', 'production'),
  })

  const toEvent = ({ key, at, ...rest }: typeof said extends fc.Arbitrary<infer T> ? T : never) => {
    const data = {
      ...rest,
      product: 'api',
      version: '1.0.0',
      attempt: `run:${key}`,
      sha: sha('a1'),
      repository: PLATFORM,
      runId: null,
      runAttempt: null,
      url: '',
      origin: 'record' as const,
    } as const
    const more = { at: minute(at), actor: ANN, trust: 'platform' as const }
    return event(`deployment.${rest.status}`, data, more) as unknown as TypedEvent<DeploymentEventType>
  }

  const begun = (attempt: Attempt) => attempt.startedAt ?? attempt.at
  const text = (...parts: readonly (string | number)[]) => parts.map((part) => String(part).padStart(8, '0')).join(' ')
  const byTime = (attempt: Attempt) => text(begun(attempt), attempt.key.padStart(8))
  const byEnd = (attempt: Attempt) => text(attempt.end?.at ?? '', attempt.end?.statusId ?? 0, byTime(attempt))

  it('keeps the newest attempts in their order, and the good one that ended last', () => {
    fc.assert(
      fc.property(fc.array(said, { maxLength: 90 }), (all) => {
        let board: BoardState | undefined
        for (const one of all) board = evolveBoard(board, toEvent(one))
        const cells = board?.cells ?? []
        expect(cells.map((cell) => cell.environment)).toEqual([...new Set(all.map((one) => one.environment))].sort())
        for (const { attempts, lastGood } of cells) {
          expect(attempts.filter(({ status }) => isTerminal(status)).length).toBeLessThanOrEqual(12)
          expect(new Set(attempts.map(({ key }) => key)).size).toBe(attempts.length)
          const ordered = attempts.map((attempt) => `${begun(attempt)} ${attempt.key}`)
          expect(ordered).toEqual(ordered.toSorted())
          const good = attempts.filter((it) => it.end?.status === 'completed' && it.authorisation !== 'unauthorised')
          for (const attempt of good) expect(byEnd(lastGood ?? attempt) >= byEnd(attempt)).toBe(true)
          if (good.length > 0) expect(lastGood).not.toBeNull()
        }
      }),
      { numRuns: 150 },
    )
  })
})
