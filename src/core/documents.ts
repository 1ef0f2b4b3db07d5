import type { EventData, EventType } from './catalogue.ts'
import { bundlesDocument } from './cohort/state.ts'
import { configDocument } from './config/in-force.ts'
import type { LedgerEvent } from './event.ts'

type Naming = { readonly [T in EventType]?: (data: EventData<T>) => string }

/** The types of event that name a document by its digest, and where that lies beside the log. */
const PATHS = {
  'config.accepted': ({ digest }) => configDocument(digest),
  'bundles.signed': ({ digest }) => bundlesDocument(digest),
} as const satisfies Naming

const isNaming = (type: string): type is keyof typeof PATHS => Object.hasOwn(PATHS, type)

/** The documents that stand beside the log by what an event says: path and digest of each. */
export function documentsNamedBy({ type, data }: LedgerEvent): readonly { path: string; digest: string }[] {
  if (!isNaming(type)) return []
  const named = data as EventData<keyof typeof PATHS>
  return [{ path: PATHS[type](named as never), digest: named.digest }]
}
