import { draft } from '../catalogue.ts'
import { CLOCKS_DIFFER_MS } from '../clocks.ts'
import { endOf } from '../deployment/schema.ts'
import type { EventDraft } from '../event.ts'
import type { Request } from '../request.ts'
import type { GateState } from './schema.ts'

/** The end of a gate whose run is over: nobody waits for its answer any more. One for each job that waited there. */
export const closedBy = (
  { at, actor, source }: Pick<Request, 'at' | 'actor' | 'source'>,
  { key, repository, runId, deploymentId }: Pick<GateState, 'key' | 'repository' | 'runId' | 'deploymentId'>,
  attempt: number,
): EventDraft =>
  draft(
    'gate.closed',
    { gate: key, reason: 'its run is over' },
    { at, actor, source, trust: 'platform', key: `${endOf(repository.id, runId, attempt)}:${key}:${deploymentId}` },
  )

/** GitHub fails a job that has waited so long, and takes no answer to it: https://docs.github.com/en/actions/reference/limits. */
const JOB_WAITS_MS = 30 * 24 * 3_600_000

/** Whether GitHub has surely given up the job of a gate. */
export const isOutlived = ({ requestedAt }: Pick<GateState, 'requestedAt'>, at: string): boolean =>
  Date.parse(at) - Date.parse(requestedAt) > JOB_WAITS_MS + CLOCKS_DIFFER_MS

/** The end of a gate of which GitHub told no end: its run was deleted, or its repository is seen no more. */
export const outlivedBy = (
  { at, actor, source }: Pick<Request, 'at' | 'actor' | 'source'>,
  { key, deploymentId }: Pick<GateState, 'key' | 'deploymentId'>,
): EventDraft =>
  draft(
    'gate.closed',
    { gate: key, reason: 'GitHub lets no job wait for more than 30 days' },
    { at, actor, source, trust: 'platform', key: `${key}:outlived:${deploymentId}` },
  )
