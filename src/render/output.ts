import type { Bundle, Channel, Override } from '../core/cohort/schema.ts'
import type { ReleaseSalt } from '../core/cohort/state.ts'
import type { Quarantine } from '../core/manifest/schema.ts'
import type { CommitSource } from '../core/product/bump-options.ts'
import type { Cut } from '../core/product/cut-schema.ts'
import type { RepositoryRef } from '../core/product/schema.ts'

/**
 * One thing outside that should be as it is described here. `key` is its name for ever (it stands in the hidden
 * marker), `subject` what it is rendered from. Applying an output twice changes nothing the second time.
 */
export type Output = { readonly key: string; readonly subject: string } & (
  | {
      readonly kind: 'comment'
      readonly repository: RepositoryRef
      readonly issue: number
      readonly body: string
      /** Before this instant it cannot have been made; known where it is written, and no reason to write. */
      readonly since?: string
    }
  | {
      readonly kind: 'reaction'
      readonly repository: RepositoryRef
      readonly comment: number
      readonly content: '+1' | '-1' | 'eyes' | 'confused' | 'rocket'
    }
  /** Exactly one label of the family `release:…` on an issue; labels of others stay. */
  | { readonly kind: 'label'; readonly repository: RepositoryRef; readonly issue: number; readonly label: string }
  | {
      readonly kind: 'proposal'
      readonly repository: RepositoryRef
      readonly release: string
      readonly base: string
      readonly branch: string
      readonly path: string
      readonly text: string
      readonly title: string
      readonly body: string
    }
  | {
      readonly kind: 'proposal-end'
      readonly repository: RepositoryRef
      readonly release: string
      readonly base: string
      readonly branch: string
      /** The pull request that the log knows, which lists may not show yet; null where it knows none. */
      readonly number: number | null
      readonly end: 'merge' | 'close'
      /** The only commit that may be merged: a head that moved is not. null where none was signed. */
      readonly head: string | null
    }
  | {
      readonly kind: 'check-run'
      readonly repository: RepositoryRef
      readonly sha: string
      readonly name: string
      readonly status: 'in_progress' | 'completed'
      readonly conclusion: 'success' | 'failure' | 'neutral' | null
      readonly title: string
      readonly summary: string
      /** What machines read; none unless given. */
      readonly text?: string
      readonly annotations: readonly Annotation[]
      /** The alarm that says so where the repository takes no check run of ours; it ends with the next one taken. */
      readonly otherwise?: { readonly alarm: string; readonly code: string; readonly message: string }
    }
  | {
      readonly kind: 'gate-answer'
      readonly repository: RepositoryRef
      readonly runId: number
      readonly environment: string
      /** null: a status report, the job goes on waiting. */
      readonly state: 'approved' | 'rejected' | null
      readonly comment: string
    }
  /** One issue for a condition, open while it holds. */
  | {
      readonly kind: 'alarm'
      readonly repository: RepositoryRef
      readonly title: string
      readonly body: string
      readonly isOpen: boolean
    }
  /** A tag, a release branch and a GitHub Release in the repository of a product; all that is not null. */
  | { readonly kind: 'cut'; readonly cut: Cut }
  /** The comment that tells what the versions of a release change; its text is read from their commits. */
  | {
      readonly kind: 'notes'
      readonly repository: RepositoryRef
      readonly issue: number
      readonly products: readonly NotedProduct[]
      /** How often it was asked for: nothing else of it need have changed. */
      readonly asked: number
    }
  /** The manifest of a cohort at its public address, with the metadata that vouches for it. */
  | {
      readonly kind: 'manifest'
      readonly channel: Channel
      readonly bundles: readonly Bundle[]
      readonly salts: readonly ReleaseSalt[]
      readonly overrides: readonly Override[]
      readonly quarantine: Quarantine | null
      readonly movedTo: string | null
      readonly entryRelease: string | null
      /** How often it was asked to be issued again: nothing else of it need have changed. */
      readonly issue: number
      readonly pollAfterSeconds: number
      readonly validHours: number
      /** The completed signing request of the bundles, exactly as it was handed over. */
      readonly signedBundles: string
      readonly ledgerHead: string
    }
)

/** A version of a release, and where its commits are read; null where the configuration does not say it. */
export interface NotedProduct {
  readonly product: string
  readonly version: string
  readonly sha: string
  readonly from: { readonly repository: string; readonly source: CommitSource } | null
}

/** A remark at a line of a file, as GitHub shows it in a pull request. */
export interface Annotation {
  readonly path: string
  readonly line: number
  readonly message: string
}

export type OutputKind = Output['kind']
export type OutputOf<K extends OutputKind> = Extract<Output, { kind: K }>

/** The hidden marker that tells our own comments and pull requests apart; it never holds text from outside. */
export const marker = (key: string): string => `<!-- ringmaster:${encodeURIComponent(key).replaceAll('-', '%2D')} -->`

const OPENING = '<!-- ringmaster:'
const MARKER = /^<!-- ringmaster:([A-Za-z0-9%._~!*'()]{1,1000}) -->/

/** The key of the last marker in a text of ours, or null. Ours comes last: what stands before it may be from outside. */
export function markerIn(body: string): string | null {
  const found = MARKER.exec(body.slice(Math.max(0, body.lastIndexOf(OPENING))))
  if (!found?.[1]) return null
  try {
    return decodeURIComponent(found[1])
  } catch {
    return null
  }
}
