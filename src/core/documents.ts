import { bundlesDocument } from './cohort/state.ts'
import { configDocument } from './config/in-force.ts'
import type { LedgerEvent } from './event.ts'

/** The types of event that name a document by its digest, and where that lies beside the log. */
const PATHS: ReadonlyMap<string, (digest: string) => string> = new Map([
  ['config.accepted', configDocument],
  ['bundles.signed', bundlesDocument],
])

/** The documents that stand beside the log by what an event says: path and digest of each. */
export function documentsNamedBy({ type, data }: LedgerEvent): readonly { path: string; digest: string }[] {
  const pathOf = PATHS.get(type)
  if (pathOf === undefined) return []
  const { digest } = data as { digest: string }
  return [{ path: pathOf(digest), digest }]
}
