import type { Role } from './store.ts'

/** A file's text or bytes; null deletes it. */
export type FileChange = string | Uint8Array | null
export type FileChanges =
  | Readonly<Record<string, FileChange>>
  | ReadonlyArray<readonly [path: string, change: FileChange]>

export interface CommitSeed {
  readonly message: string
  readonly files?: FileChanges
  /** Login; the repository's owner or its first person with admin when absent. */
  readonly author?: string
  /** ISO 8601; the sandbox's now when absent. */
  readonly at?: string
  /** The default branch when absent; made from the default branch's head when new. */
  readonly branch?: string
  /** A tag set on the commit. */
  readonly tag?: string
}

export interface RepositorySeed {
  /** `owner/name` */
  readonly name: string
  readonly private?: boolean
  readonly description?: string
  readonly defaultBranch?: string
  readonly collaborators?: Readonly<Record<string, Role>>
  /** Team slug of the owning organization → role. */
  readonly teams?: Readonly<Record<string, Role>>
  readonly allowMergeCommit?: boolean
  readonly allowSquashMerge?: boolean
  readonly allowRebaseMerge?: boolean
  /** One after the other; none = an empty repository. */
  readonly commits?: readonly CommitSeed[]
}

export interface OrganizationSeed {
  readonly login: string
  readonly owners?: readonly string[]
  readonly members?: readonly string[]
  readonly teams?: ReadonlyArray<{
    readonly slug: string
    readonly name?: string
    readonly members?: readonly string[]
    readonly parent?: string
  }>
}

export interface AppSeed {
  readonly slug: string
  readonly name?: string
  readonly owner?: string
  readonly permissions: Readonly<Record<string, 'read' | 'write' | 'admin'>>
  readonly events: readonly string[]
  readonly webhookUrl?: string
  readonly webhookSecret?: string
  readonly installations?: ReadonlyArray<{
    readonly account: string
    /** `owner/name` or names of the account; all when absent. */
    readonly repositories?: readonly string[]
  }>
}

export interface Seed {
  /** Logins, or a login with a name. Unknown logins elsewhere in the seed are errors. */
  readonly people?: ReadonlyArray<string | { readonly login: string; readonly name?: string; readonly id?: number }>
  readonly organizations?: readonly OrganizationSeed[]
  readonly repositories?: readonly RepositorySeed[]
  readonly apps?: readonly AppSeed[]
}
