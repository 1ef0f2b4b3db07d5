import { Metadata, MetaFile, Snapshot, TargetFile, Targets } from '@tufjs/models'

/**
 * `@tufjs/models` copies the whole map for each entry that it adds, when it reads and again at every signature that it
 * checks: 5,000 bundles took seconds. These two do the same in one pass; everything else is the library's own.
 */
type Json = Parameters<typeof Targets.fromJSON>[0]

const toJson = <T extends { toJSON(): Json }>(entries: Readonly<Record<string, T>>): Json =>
  Object.fromEntries(Object.entries(entries).map(([name, entry]) => [name, entry.toJSON()]))

class LinearTargets extends Targets {
  override toJSON(): Json {
    const { version, specVersion, expires, unrecognizedFields, delegations } = this
    const bare = new Targets({ version, specVersion, expires, unrecognizedFields, ...(delegations && { delegations }) })
    return { ...bare.toJSON(), targets: toJson(this.targets) }
  }
}

class LinearSnapshot extends Snapshot {
  override toJSON(): Json {
    const { version, specVersion, expires, unrecognizedFields } = this
    const bare = new Snapshot({ version, specVersion, expires, unrecognizedFields, meta: {} })
    return { ...bare.toJSON(), meta: toJson(this.meta) }
  }
}

const isRecord = (value: unknown): value is Record<string, Json> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function recordsIn(value: unknown, name: string): [string, Json][] {
  if (!isRecord(value)) throw new TypeError(`${name} must be an object`)
  const entries = Object.entries(value)
  if (entries.every(([, entry]) => isRecord(entry))) return entries
  throw new TypeError(`${name} must hold objects`)
}

/** Targets from their JSON form. Throws what the library throws. */
export function targetsFromJson(json: Json): Targets {
  const { version, specVersion, expires, unrecognizedFields, delegations } = Targets.fromJSON({ ...json, targets: {} })
  const targets = Object.fromEntries(
    recordsIn(json['targets'], 'targets').map(([path, entry]) => [path, TargetFile.fromJSON(path, entry)]),
  )
  return new LinearTargets({
    version,
    specVersion,
    expires,
    unrecognizedFields,
    targets,
    ...(delegations && { delegations }),
  })
}

/** A snapshot from its JSON form. Throws what the library throws. */
export function snapshotFromJson(json: Json): Snapshot {
  const { version, specVersion, expires, unrecognizedFields } = Snapshot.fromJSON({ ...json, meta: {} })
  const meta = Object.fromEntries(
    recordsIn(json['meta'], 'meta').map(([file, entry]) => [file, MetaFile.fromJSON(entry)]),
  )
  return new LinearSnapshot({ version, specVersion, expires, unrecognizedFields, meta })
}

/** The same metadata with another signed part, signatures and all. */
export const withSigned = <T extends Targets | Snapshot>(metadata: Metadata<T>, signed: T): Metadata<T> =>
  new Metadata(signed, metadata.signatures, metadata.unrecognizedFields)
