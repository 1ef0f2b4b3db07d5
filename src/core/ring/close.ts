import { draft } from '../catalogue.ts'
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
